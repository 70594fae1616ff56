//! What is answered for a query (`get_df_payload`, `query_actions`), and its wire form.

use std::sync::Arc;

use chrono::NaiveDateTime;
use infra::{compute::Lease, config::Config, encoding::Encoding};
use query::{
    QueryError,
    client_processing::Processed,
    dataset::Dataset,
    encode::csv::{CsvOptions, to_csv},
    encode::json::write_value,
    encode::xlsx::{XlsxOptions, to_xlsx},
    frame::{Frame, Label},
    query_object::{Column, Metric, QueryObject, ResultFormat, ResultType},
};
use serde_json::{Map, Value, json};

use super::LoadedDataset;
use crate::access::guest::without_sql;
use crate::query_run::client;
pub use crate::state::QueryRun;
use crate::state::unescaped;

/// The answer to one query of a request.
pub enum Answer {
    /// Result types `query`, `columns`, `timegrains`.
    Plain(Value),
    /// Rows.
    Rows(Box<Rows>),
}

/// Rows with what belongs to this request alone.
pub struct Rows {
    /// The shared outcome.
    pub run: Arc<QueryRun>,
    /// The dataset.
    pub dataset: LoadedDataset,
    /// `cache_key`.
    pub cache_key: String,
    /// `cache_timeout`.
    pub cache_timeout: i64,
    /// Taken from the cache.
    pub is_cached: bool,
    /// The query object as executed.
    pub query: QueryObject,
    /// `results` shows rows only.
    pub result_type: ResultType,
    /// The table as its chart shows it (`post_processed`).
    pub processed: Option<Box<Processed>>,
    /// Added at the end (samples: page, per_page, total_count).
    pub extra: Vec<(&'static str, Value)>,
    /// The memory of an outcome that was just made, until it is answered.
    pub memory: Option<Arc<Lease>>,
}

impl Answer {
    /// The failure of the query, unless only its SQL was asked for.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Plain(v) => v.get("error").and_then(Value::as_str),
            Self::Rows(rows) => rows.run.error.as_deref(),
        }
    }

    /// The wire form; guests see no SQL.
    pub fn write(&self, out: &mut Vec<u8>, guest: bool) -> Result<(), QueryError> {
        match self {
            Self::Plain(value) => {
                let mut value = value.clone();
                if guest && let Some(map) = value.as_object_mut() {
                    map.shift_remove("query");
                }
                write_value(out, &value);
                Ok(())
            }
            Self::Rows(rows) => rows.write(out, guest),
        }
    }
}

impl Rows {
    fn write(&self, out: &mut Vec<u8>, guest: bool) -> Result<(), QueryError> {
        let run = &*self.run;
        let processed = self.processed.as_deref();
        let rowcount = json!(processed.map_or(run.frame.row_count(), |p| p.rowcount));
        let encoded = if run.error.is_none() { Some(run.encoded(&self.dataset.description)?) } else { None };
        let mut members = Members { out, first: true };
        members.out.push(b'{');
        if self.result_type == ResultType::Results
            && let Some(e) = encoded
        {
            members.raw("data", &e.data);
            members.raw("colnames", &e.colnames);
            members.value("coltypes", &json!(e.coltypes.iter().map(|t| *t as u8).collect::<Vec<_>>()));
            members.value("rowcount", &rowcount);
            members.value("sql_rowcount", &json!(run.sql_rowcount));
            members.out.push(b'}');
            return Ok(());
        }
        let cached_dttm = self.is_cached.then(|| run.at.format("%Y-%m-%dT%H:%M:%S").to_string());
        members.value("cache_key", &json!(self.cache_key));
        members.value("cached_dttm", &json!(cached_dttm));
        members.value("cache_timeout", &json!(self.cache_timeout));
        members.value("applied_template_filters", &json!(run.applied_template_filters));
        members.value("annotation_data", &run.annotation_data);
        let error = run.error.as_deref().map(|e| if guest { without_sql(e) } else { e });
        members.value("error", &json!(error));
        members.value("is_cached", &json!(self.is_cached.then_some(true)));
        if !guest {
            members.value("query", &json!(run.query));
        }
        members.value("status", &json!(if run.error.is_some() { "failed" } else { "success" }));
        members.value("stacktrace", &Value::Null);
        members.value("rowcount", &rowcount);
        members.value("sql_rowcount", &json!(run.sql_rowcount));
        members.value("from_dttm", &epoch_ms(self.query.from_dttm));
        members.value("to_dttm", &epoch_ms(self.query.to_dttm));
        members.value("label_map", &Value::Object(self.label_map()));
        if let Some(p) = processed {
            members.raw("colnames", &p.colnames);
            members.raw("indexnames", &p.indexnames);
            members.value("coltypes", &json!(p.coltypes.iter().map(|t| *t as u8).collect::<Vec<_>>()));
            members.raw("data", &client::json(p)?);
            members.value("result_format", &json!(ResultFormat::Json.name()));
        } else if let Some(e) = encoded {
            members.raw("colnames", &e.colnames);
            members.raw("indexnames", &e.indexnames);
            members.value("coltypes", &json!(e.coltypes.iter().map(|t| *t as u8).collect::<Vec<_>>()));
            members.raw("data", &e.data);
            members.value("result_format", &json!(ResultFormat::Json.name()));
        }
        let (applied, rejected) = self.filters();
        members.value("applied_filters", &Value::Array(applied));
        members.value("rejected_filters", &Value::Array(rejected));
        for (name, value) in &self.extra {
            members.value(name, value);
        }
        members.out.push(b'}');
        Ok(())
    }

    /// Labels and what they are made of.
    fn label_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        for label in &self.run.escaped {
            let parts: Vec<String> = split_levels(label).into_iter().map(|p| unescaped(&p)).collect();
            map.insert(unescaped(label), json!(parts));
        }
        let dataset = &self.dataset.description;
        for (i, name) in self.query.column_names().into_iter().enumerate() {
            let made_of = match self.query.columns.get(i) {
                Some(column) => column.sql_expression().map_or_else(|| name.clone(), str::to_owned),
                None => name.clone(),
            };
            map.insert(name, json!([made_of]));
        }
        let metrics = self.query.metrics.as_deref().unwrap_or_default();
        for (i, name) in self.query.metric_names(Some(dataset)).into_iter().enumerate() {
            let made_of = match metrics.get(i).map(Metric::to_json) {
                Some(Value::String(saved)) => saved,
                Some(adhoc) if adhoc.get("expressionType").and_then(Value::as_str) == Some("SQL") => {
                    adhoc.get("sqlExpression").and_then(Value::as_str).unwrap_or("None").to_owned()
                }
                _ => name.clone(),
            };
            map.insert(name, json!([made_of]));
        }
        map
    }

    /// `applied_filters` and `rejected_filters`, with the time filters of dashboards.
    fn filters(&self) -> (Vec<Value>, Vec<Value>) {
        Self::filters_of(&self.run, &self.dataset.description, &self.query.applied_time_extras)
    }

    /// The same from its parts.
    pub(crate) fn filters_of(
        run: &QueryRun,
        dataset: &Dataset,
        extras: &Map<String, Value>,
    ) -> (Vec<Value>, Vec<Value>) {
        let name = |column: &Value| match column.as_str() {
            Some(name) => json!(name),
            None => json!(Column::from_json(column.clone()).and_then(|c| c.label())),
        };
        let mut applied: Vec<Value> =
            run.applied_filter_columns.iter().map(|c| json!({"column": name(c)})).collect();
        let rejection = |reason: &str, column: Value| json!({"reason": reason, "column": column});
        let mut rejected: Vec<Value> =
            run.rejected_filter_columns.iter().map(|c| rejection("not_in_datasource", name(c))).collect();
        let temporal = |name: Option<&str>| {
            let mut columns = dataset.columns.iter().filter(|c| c.is_dttm == Some(true));
            columns.any(|c| name.is_none_or(|n| c.column_name == n))
        };
        let set =
            |key: &str| extras.get(key).is_some_and(|v| !matches!(v, Value::Null) && v.as_str() != Some(""));
        if set("__time_col") {
            if temporal(extras.get("__time_col").and_then(Value::as_str)) {
                applied.push(json!({"column": "__time_col"}));
            } else {
                rejected.push(rejection("not_in_datasource", json!("__time_col")));
            }
        }
        for (key, given) in
            [("__time_grain", extras.contains_key("__time_grain")), ("__time_range", set("__time_range"))]
        {
            match (given, temporal(None)) {
                (false, _) => {}
                (true, true) => applied.push(json!({"column": key})),
                (true, false) => rejected.push(rejection("no_temporal_column", json!(key))),
            }
        }
        (applied, rejected)
    }
}

/// Writes the members of an object one after the other.
struct Members<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(b", ");
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\": ");
    }
    fn value(&mut self, name: &str, value: &Value) {
        self.name(name);
        write_value(self.out, value);
    }
    fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }
}

/// Milliseconds since 1970 as a float.
pub fn epoch_ms(t: Option<NaiveDateTime>) -> Value {
    match t {
        Some(t) => json!(t.and_utc().timestamp_micros() as f64 / 1000.0),
        None => Value::Null,
    }
}

/// Splits at `, ` that is not escaped.
fn split_levels(label: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = label.chars().peekable();
    let mut previous = '\0';
    while let Some(c) = chars.next() {
        if c == ',' && previous != '\\' && chars.peek().is_some_and(|n| n.is_whitespace()) {
            chars.next();
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        previous = c;
    }
    parts
}

/// The answer to a whole request.
pub struct ChartData {
    /// What was asked for.
    pub result_type: ResultType,
    /// How it is to be written.
    pub result_format: ResultFormat,
    /// In the order of the queries.
    pub queries: Vec<Answer>,
    /// The dataset.
    pub dataset: LoadedDataset,
    /// The chart's form data.
    pub form_data: Option<Value>,
}

impl ChartData {
    /// About how long the answer is in JSON.
    pub fn bytes(&self) -> usize {
        let rows = self.queries.iter().filter_map(|query| match query {
            Answer::Rows(rows) => Some(rows.run.bytes()),
            Answer::Plain(_) => None,
        });
        rows.sum()
    }

    /// The memory that is counted for its results.
    pub fn memory(&self) -> Vec<Arc<Lease>> {
        let rows = self.queries.iter().filter_map(|query| match query {
            Answer::Rows(rows) => rows.memory.clone(),
            Answer::Plain(_) => None,
        });
        rows.collect()
    }

    /// Whether all of it comes from the cache, as it will for the next who asks.
    pub fn is_cached(&self) -> bool {
        self.queries.iter().all(|query| matches!(query, Answer::Rows(rows) if rows.is_cached))
    }

    /// `{"result": […]}`.
    pub fn to_json(&self, guest: bool) -> Result<Vec<u8>, QueryError> {
        let mut out = b"{\"result\": [".to_vec();
        for (i, query) in self.queries.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            query.write(&mut out, guest)?;
        }
        out.extend_from_slice(b"]}");
        Ok(out)
    }

    /// A file for each query, in the format asked for.
    pub fn to_files(&self, config: &Config) -> Result<Vec<Vec<u8>>, QueryError> {
        self.queries.iter().map(|query| self.to_file(query, config)).collect()
    }

    fn to_file(&self, query: &Answer, config: &Config) -> Result<Vec<u8>, QueryError> {
        let rows = match query {
            Answer::Rows(rows) => rows,
            // rows of plain answers cannot be exported: the original stumbles over the missing key
            Answer::Plain(_) => return Err(QueryError::generic("'data'")),
        };
        if let Some(processed) = rows.processed.as_deref()
            && self.result_format == ResultFormat::Csv
        {
            return Ok(processed.csv()?);
        }
        let frame = with_verbose_names(rows);
        match self.result_format {
            ResultFormat::Csv => Ok(to_csv(&frame, &csv_options(&frame, config))?),
            ResultFormat::Xlsx => {
                let coltypes = &rows.run.encoded(&self.dataset.description)?.coltypes;
                let options = XlsxOptions::of(config.get("EXCEL_EXPORT"));
                Ok(to_xlsx(&frame, coltypes, &options)?)
            }
            other => {
                let text = format!("Unsupported result_format: {}", other.name());
                Err(QueryError::Answer(infra::Error::bad_request(text)))
            }
        }
    }
}

/// The rows under the names that people see.
pub(crate) fn with_verbose_names(rows: &Rows) -> Frame {
    let mut frame = rows.run.frame.clone();
    for column in &mut frame.columns {
        if let Some(text) = column.label.text() {
            column.label = Label::from(rows.dataset.description.verbose_name(text));
        }
    }
    frame
}

/// `CSV_EXPORT["encoding"]`; one that is unknown has stopped the start.
pub fn csv_encoding(config: &Config) -> Encoding {
    let name = config.get("CSV_EXPORT").get("encoding").and_then(|name| name.as_str()).unwrap_or("utf-8");
    Encoding::named(name).unwrap_or(Encoding::Utf8)
}

/// How this installation writes CSV.
pub(crate) fn csv_options(frame: &Frame, config: &Config) -> CsvOptions {
    let options = CsvOptions::export(frame);
    match config.get("CSV_EXPORT").as_object() {
        Some(own) => options.with_config(own),
        None => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_split_at_unescaped_separators() {
        assert_eq!(split_levels("sum, boy"), ["sum", "boy"]);
        assert_eq!(split_levels("sum, a\\, b"), ["sum", "a\\, b"]);
        assert_eq!(split_levels("a,b"), ["a,b"]);
    }
}
