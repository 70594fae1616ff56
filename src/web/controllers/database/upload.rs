//! Uploading files (`superset.databases.api:DatabaseRestApi.upload`).

use commands::upload::{self, Destination, File, IfExists, Kind, Options};
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    context::Upload,
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate::boolean,
};

pub(super) fn rules() -> Vec<Rule> {
    let access = Access::Protect("can_upload", "Database");
    vec![
        rule(&["POST"], "/api/v1/database/upload_metadata/", access, metadata)
            .endpoint("DatabaseRestApi.upload_metadata")
            .upload(),
        rule(&["POST"], "/api/v1/database/<int:pk>/upload/", access, upload_file)
            .endpoint("DatabaseRestApi.upload")
            .upload(),
    ]
}

/// A form that is read field by field; what is wrong is collected.
struct Form<'a> {
    cx: &'a Cx,
    errors: Map<String, Value>,
}

impl Form<'_> {
    fn wrong(&mut self, key: &str, message: &str) {
        self.errors.entry(key.to_owned()).or_insert_with(|| json!([message]));
    }

    fn text(&self, key: &str) -> Option<String> {
        self.cx.req.field(key).map(str::to_owned)
    }

    fn number(&mut self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.wrong(key, "Not a valid integer.");
        }
        number
    }

    fn flag(&mut self, key: &str) -> bool {
        let Some(text) = self.text(key) else { return false };
        let flag = boolean(&Value::String(text));
        if flag.is_none() {
            self.wrong(key, "Not a valid boolean.");
        }
        flag.unwrap_or_default()
    }

    /// `DelimitedListField`.
    fn list(&self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        if text.is_empty() { Vec::new() } else { text.split(',').map(str::to_owned).collect() }
    }

    fn kind(&mut self) -> Kind {
        match self.text("type").as_deref() {
            Some("csv") => return Kind::Csv,
            Some("excel") => return Kind::Excel,
            Some("columnar") => return Kind::Columnar,
            Some(_) => self.wrong("type", "Must be one of: csv, excel, columnar."),
            None => self.wrong("type", "Missing data for required field."),
        }
        Kind::Csv
    }

    fn file(&mut self) -> Option<Upload> {
        let Some(file) = self.cx.req.files.iter().find(|f| f.field == "file").cloned() else {
            self.wrong("file", "Field may not be null.");
            return None;
        };
        let allowed =
            self.cx.caller.app.config.get("ALLOWED_EXTENSIONS").as_array().cloned().unwrap_or_default();
        let suffix = file.filename.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, s)| s);
        let known = suffix
            .is_some_and(|s| allowed.iter().filter_map(Value::as_str).any(|a| a.eq_ignore_ascii_case(s)));
        if !known {
            self.wrong("file", "File extension is not allowed.");
        }
        Some(file)
    }

    fn count(&mut self, key: &str, lowest: i64, message: &str) -> Option<usize> {
        let number = self.number(key)?;
        if number < lowest {
            self.wrong(key, message);
        }
        usize::try_from(number).ok()
    }

    fn options(&mut self) -> Options {
        let defaults = Options::default();
        let below_zero = "Must be greater than or equal to 0.";
        let decimal = self.text("decimal_character").and_then(|d| d.chars().next());
        let types = self.text("column_data_types").filter(|t| !t.is_empty());
        let types = types.map(|t| serde_json::from_str(&t)).unwrap_or_else(|| Ok(Default::default()));
        if types.is_err() {
            self.wrong("_schema", "Invalid JSON format for column_data_types");
        }
        let already_exists = match self.text("already_exists").as_deref() {
            None | Some("fail") => IfExists::Fail,
            Some("replace") => IfExists::Replace,
            Some("append") => IfExists::Append,
            Some(_) => {
                self.wrong("already_exists", "Must be one of: fail, replace, append.");
                IfExists::Fail
            }
        };
        Options {
            delimiter: self.text("delimiter").unwrap_or(defaults.delimiter),
            header_row: self.count("header_row", 0, below_zero).unwrap_or_default(),
            skip_rows: self.count("skip_rows", 0, below_zero).unwrap_or_default(),
            rows_to_read: self.count("rows_to_read", 1, "Must be greater than or equal to 1."),
            skip_blank_lines: self.flag("skip_blank_lines"),
            skip_initial_space: self.flag("skip_initial_space"),
            day_first: self.flag("day_first"),
            decimal: decimal.unwrap_or('.'),
            null_values: self.list("null_values"),
            column_dates: self.list("column_dates"),
            columns_read: self.list("columns_read"),
            index_column: self.text("index_column"),
            dataframe_index: self.flag("dataframe_index"),
            index_label: self.text("index_label"),
            column_data_types: types.unwrap_or_default(),
            sheet_name: self.text("sheet_name"),
            already_exists,
        }
    }
}

const METADATA: &[&str] = &["type", "file", "delimiter", "header_row"];
const UPLOAD: &[&str] = &[
    "type",
    "file",
    "delimiter",
    "header_row",
    "already_exists",
    "index_label",
    "columns_read",
    "dataframe_index",
    "schema",
    "table_name",
    "column_data_types",
    "day_first",
    "skip_blank_lines",
    "skip_initial_space",
    "column_dates",
    "decimal_character",
    "index_column",
    "null_values",
    "rows_to_read",
    "skip_rows",
    "sheet_name",
];

/// `@requires_form_data`, then a form of known fields.
fn form<'a>(cx: &'a Cx, known: &[&str]) -> Result<Form<'a>, Failure> {
    if cx.req.content_type() != "multipart/form-data" {
        let text = "Request MIME type is not 'multipart/form-data'";
        return Err(Error::sip40(400, SupersetError::new(ErrorType::InvalidPayloadFormatError, text)).into());
    }
    let mut form = Form { cx, errors: Map::new() };
    for (key, _) in cx.req.form.iter().filter(|(k, _)| !known.contains(&k.as_str()) && k != "csrf_token") {
        form.wrong(key, "Unknown field.");
    }
    Ok(form)
}

fn check(form: Form<'_>) -> Result<(), Failure> {
    if form.errors.is_empty() { Ok(()) } else { Err(Error::bad_request(Value::Object(form.errors)).into()) }
}

fn sent(file: Option<Upload>) -> Result<File, Failure> {
    let file = file.ok_or_else(|| Error::internal("a form without a file was not refused"))?;
    Ok(File { name: file.filename, content: file.content })
}

async fn metadata(cx: Cx) -> Handled {
    let mut form = form(&cx, METADATA)?;
    let (kind, file, options) = (form.kind(), form.file(), form.options());
    check(form)?;
    let found = upload::metadata(&cx.caller.app, kind, sent(file)?, options).await?;
    Ok(Answer::fab(200, &json!({"result": found})))
}

async fn upload_file(cx: Cx) -> Handled {
    let mut form = form(&cx, UPLOAD)?;
    let (kind, file, options) = (form.kind(), form.file(), form.options());
    // what the frontend sends when none was chosen
    let schema = form.text("schema").filter(|schema| !matches!(schema.as_str(), "" | "undefined" | "null"));
    let table = form.text("table_name");
    match table.as_deref().map(|t| t.chars().count()) {
        None => form.wrong("table_name", "Missing data for required field."),
        Some(0 | 10_001..) => form.wrong("table_name", "Length must be between 1 and 10000."),
        Some(_) => {}
    }
    check(form)?;
    let table = table.unwrap_or_default();
    let destination =
        Destination { database_id: cx.req.int_param("pk"), schema: schema.as_deref(), table: &table };
    upload::upload(&cx.caller, &destination, kind, sent(file)?, options).await?;
    Ok(Answer::fab(201, &json!({"message": "OK"})))
}
