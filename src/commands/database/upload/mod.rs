//! Files as tables of a database (`superset.commands.database.uploaders`).

mod bounds;
mod columnar;
mod columnar_value;
mod csv_file;
mod excel;
mod frame;
mod infer;
mod options;
mod records;
mod table;
mod xls_extent;

use std::sync::Arc;

use bytes::Bytes;
use daos::database::{self, Database};
use infra::{
    Result,
    engines::{Engine, EngineError, Statements},
};
use serde_json::{Value, json};

pub use options::{IfExists, Options};

use self::{
    bounds::Bounds,
    frame::{Cell, Column, Dtype},
    options::failed,
    table::Table,
};
use super::errors::command_error;
use crate::{Principal, Services, access::lists, databases};

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Delimited text.
    Csv,
    /// A workbook.
    Excel,
    /// Parquet.
    Columnar,
}

/// A file that was sent.
#[derive(Debug, Clone)]
pub struct File {
    /// Name that the client gave it; its ending tells archives from files.
    pub name: String,
    /// Content.
    pub content: Bytes,
}

/// The columns of a file, by sheet (`file_metadata`).
pub async fn metadata(app: &Services, kind: Kind, file: File, options: Options) -> Result<Value> {
    let item = |sheet: Value, names: Vec<String>| json!({"sheet_name": sheet, "column_names": names});
    let bounds = Bounds::of(&app.config);
    let items = match kind {
        Kind::Csv => {
            let names = blocking(move || csv_file::names(&file.content, &options)).await?;
            vec![item(Value::Null, names)]
        }
        Kind::Excel => {
            let sheets = blocking(move || excel::names(file.content, bounds)).await?;
            sheets.into_iter().map(|(sheet, names)| item(json!(sheet), names)).collect()
        }
        Kind::Columnar => {
            let names = blocking(move || columnar::names(file.content, &file.name, bounds)).await?;
            vec![item(Value::Null, names)]
        }
    };
    Ok(json!({"items": items}))
}

/// Reading a large file must not hold up other requests; a file that breaks its reader is unreadable.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| failed("Error reading file"))?
}

/// Where a file goes.
pub struct Goal<'a> {
    /// The database.
    pub database_id: i64,
    /// Schema.
    pub schema: Option<&'a str>,
    /// Table.
    pub table: &'a str,
}

/// Writes a file into a table and makes a dataset of it (`UploadCommand`).
pub async fn upload(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    goal: &Goal<'_>,
    kind: Kind,
    file: File,
    options: Options,
) -> Result<()> {
    let found = database::find_where(app.db.exec(), goal.database_id, lists::databases(user, "d")).await?;
    let found = found.ok_or_else(|| command_error(404, "Database not found."))?;
    if !allows(user, &found, goal.schema) {
        return Err(command_error(403, "Database schema is not allowed for csv uploads."));
    }
    let target = databases::engine_as(app, user, &found, None).await?;
    if !target.spec().caps.supports_file_upload {
        return Err(command_error(422, "Database type does not support file uploads."));
    }
    let (rules, bounds) = (options.clone(), Bounds::of(&app.config));
    let columns = blocking(move || {
        let mut columns = match kind {
            Kind::Csv => csv_file::read(&file.content, &rules)?,
            Kind::Excel => excel::read(file.content, &rules, bounds)?,
            Kind::Columnar => return columnar::read(file.content, &file.name, &rules, bounds),
        };
        shape(&mut columns, &rules)?;
        Ok(columns)
    })
    .await?;
    write(&target, goal, columns, options.already_exists).await?;
    super::super::dataset::uploaded(app, user, &found, goal.schema, goal.table).await.map_err(|error| {
        tracing::error!(%error, "an uploaded table has no dataset");
        command_error(500, "Database upload file failed, while saving metadata")
    })
}

/// `schema_allows_file_upload`.
fn allows(user: &Principal, database: &Database, schema: Option<&str>) -> bool {
    if !database.allow_file_upload {
        return false;
    }
    let allowed = upload_schemas(database);
    if allowed.is_empty() {
        return user.can_access_database(database);
    }
    allowed.iter().any(|a| Some(a.as_str()) == schema)
}

/// The schemas that files may go to; old rows have them as the text of a list.
fn upload_schemas(database: &Database) -> Vec<String> {
    let texts = |list: &Value| {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    match database.extra_json().get("schemas_allowed_for_file_upload") {
        Some(Value::String(text)) => serde_json::from_str::<Value>(&text.replace('\'', "\""))
            .map(|list| texts(&list))
            .unwrap_or_default(),
        Some(list) => texts(list),
        None => Vec::new(),
    }
}

/// Times, demanded types and the column that names the rows.
fn shape(columns: &mut Vec<Column>, options: &Options) -> Result<()> {
    for column in columns.iter_mut() {
        if options.column_dates.contains(&column.name) {
            infer::times(column, options.day_first);
        }
        if let Some(dtype) = options.column_data_types.get(&column.name) {
            infer::cast(column, dtype, options.header_row)?;
        }
        if column.dtype == Dtype::Float(64) {
            // numbers of several chunks are of one type
            for cell in &mut column.cells {
                if let Cell::Int(n) = cell {
                    *cell = Cell::Float(*n as f64);
                }
            }
        }
    }
    let rows = columns.first().map_or(0, |c| c.cells.len());
    let index = match options.index_column.as_deref().filter(|c| !c.is_empty()) {
        Some(name) => {
            let at = columns.iter().position(|c| c.name == name);
            let at = at.ok_or_else(|| options::parsing(format!("Index {name} invalid")))?;
            Some(columns.remove(at))
        }
        None => None,
    };
    if options.dataframe_index {
        let mut index = index.unwrap_or_else(|| Column {
            name: "index".to_owned(),
            dtype: Dtype::Int(64),
            cells: (0..rows as i64).map(Cell::Int).collect(),
        });
        if let Some(label) = options.index_label.as_deref().filter(|l| !l.is_empty()) {
            label.clone_into(&mut index.name);
        }
        columns.insert(0, index);
    }
    Ok(())
}

async fn write(target: &Engine, goal: &Goal<'_>, columns: Vec<Column>, exists: IfExists) -> Result<()> {
    if columns.is_empty() {
        return Err(options::parsing("No columns to parse from file"));
    }
    let refused = |e: EngineError| e.into_answer(|e| failed(target.failure_text(&e)));
    let schema = match goal.schema.filter(|s| !s.is_empty()) {
        Some(schema) => Some(schema.to_owned()),
        None => target.default_schema().await.map_err(refused)?,
    };
    let known = target.tables(schema.as_deref().unwrap_or_default()).await.map_err(refused)?;
    let there = known.iter().any(|t| t == goal.table);
    let table = Table::new(target.spec(), goal.schema, goal.table);
    let mut first = Vec::new();
    match (there, exists) {
        (true, IfExists::Fail) => {
            return Err(failed(
                "Table already exists. You can change your 'if table already exists' strategy to append or replace or \
                 provide a different Table Name to use.",
            ));
        }
        (true, IfExists::Append) => {}
        (true, IfExists::Replace) => first.extend([table.drop(), table.create(&columns)]),
        (false, _) => first.push(table.create(&columns)),
    }
    let statements: Statements = Box::new(first.into_iter().chain(table.inserts(columns)));
    target.execute_all(statements).await.map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Column {
        Column { name: name.into(), dtype: Dtype::Int(64), cells: vec![Cell::Int(1), Cell::Int(2)] }
    }

    #[test]
    fn names_of_rows() {
        let mut columns = vec![column("a"), column("b")];
        let options = Options { dataframe_index: true, index_label: Some("n".into()), ..Options::default() };
        shape(&mut columns, &options).unwrap();
        assert_eq!(columns[0], Column { cells: vec![Cell::Int(0), Cell::Int(1)], ..column("n") });
        let options = Options { index_column: Some("b".into()), ..Options::default() };
        let mut columns = vec![column("a"), column("b")];
        shape(&mut columns, &options).unwrap();
        assert_eq!(columns, [column("a")]);
        let options = Options { index_column: Some("x".into()), ..Options::default() };
        assert!(shape(&mut vec![column("a")], &options).is_err());
    }
}
