//! Files as tables of a database (`superset.commands.database.uploaders`).

mod bounds;
mod columnar;
mod columnar_value;
mod csv_file;
mod dates;
mod delimiter;
mod excel;
mod frame;
mod infer;
mod layout;
mod options;
mod records;
mod table;
mod types;
mod xls_extent;

use crate::connect;
use daos::database::{self, Database};
use infra::{
    Result,
    engines::{Engine, EngineError, Statements},
    spool::Spool,
};
use serde_json::{Value, json};

pub use options::{IfExists, Options};

use self::{
    bounds::Bounds, csv_file::Chunks, frame::Column, layout::LayoutScan, options::failed, table::Table,
};
use super::connect::errors::command_error;
use crate::{Caller, Services, access::lists, state::functions};

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
    pub content: Spool,
}

/// The columns of a file, by sheet (`file_metadata`).
pub async fn metadata(app: &Services, kind: Kind, file: File, options: Options) -> Result<Value> {
    let item = |sheet: Value, names: Vec<String>| json!({"sheet_name": sheet, "column_names": names});
    let bounds = Bounds::from_config(&app.config);
    let items = match kind {
        Kind::Csv => {
            let names = blocking(move || csv_file::names(&file.content, &options)).await?;
            vec![item(Value::Null, names)]
        }
        Kind::Excel => {
            let sheets = blocking(move || excel::names(&file.content, bounds)).await?;
            sheets.into_iter().map(|(sheet, names)| item(json!(sheet), names)).collect()
        }
        Kind::Columnar => {
            let names = blocking(move || columnar::names(&file.content, &file.name, bounds)).await?;
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
pub struct Destination<'a> {
    /// The database.
    pub database_id: i64,
    /// Schema.
    pub schema: Option<&'a str>,
    /// Table.
    pub table: &'a str,
}

/// Writes a file into a table and makes a dataset of it (`UploadCommand`).
pub async fn upload(
    caller: &Caller,
    destination: &Destination<'_>,
    kind: Kind,
    file: File,
    options: Options,
) -> Result<()> {
    let found = database::find_where(
        caller.app.db.exec(),
        destination.database_id,
        lists::databases(&caller.user, "d"),
    )
    .await?;
    let found = found.ok_or_else(|| command_error(404, "Database not found."))?;
    if !allows(caller, &found, destination.schema)? {
        return Err(command_error(403, "Database schema is not allowed for csv uploads."));
    }
    let target = connect::engine_as(caller, &found, None).await?;
    if !target.spec().caps.supports_file_upload {
        return Err(command_error(422, "Database type does not support file uploads."));
    }
    let (rules, bounds) = (options.clone(), Bounds::from_config(&caller.app.config));
    let rows = blocking(move || match kind {
        Kind::Csv => csv(file.content, rules),
        Kind::Excel => excel::read(&file.content, &rules, bounds).and_then(|found| whole(found, &rules)),
        Kind::Columnar => columnar::read(&file.content, &file.name, &rules, bounds).map(Rows::one),
    })
    .await?;
    let (schema, table) = (destination.schema, destination.table);
    let unsaved = || command_error(500, "Database upload file failed, while saving metadata");
    if !crate::dataset::can_be_uploaded(caller, &found, schema, table).await? {
        tracing::error!(
            table,
            "another database has a dataset of this name, which SQLite's schema allows once"
        );
        return Err(unsaved());
    }
    let made = write(&target, destination, rows, options.already_exists).await?;
    let Err(error) = crate::dataset::uploaded(caller, &found, schema, table).await else { return Ok(()) };
    tracing::error!(%error, "an uploaded table has no dataset");
    // nobody would know of the table
    if let Some(made) = made {
        discard(&target, &made).await;
    }
    Err(unsaved())
}

/// Drops a table that this upload made.
async fn discard(target: &Engine, table: &Table) {
    if let Err(error) = target.execute_all(Statements::list([table.drop()])).await {
        tracing::error!(%error, "the table of an upload that failed could not be dropped");
    }
}

/// `schema_allows_file_upload`.
fn allows(caller: &Caller, database: &Database, schema: Option<&str>) -> Result<bool> {
    if !database.allow_file_upload {
        return Ok(false);
    }
    let allowed = schemas_for(caller, database)?;
    if allowed.is_empty() {
        return Ok(caller.user.can_access_database(database));
    }
    Ok(allowed.iter().any(|a| Some(a.as_str()) == schema))
}

/// The schemas that somebody's files may go to (`get_schema_access_for_file_upload`).
pub fn schemas_for(caller: &Caller, database: &Database) -> Result<Vec<String>> {
    let mut allowed = upload_schemas(database);
    allowed.extend(functions::upload_schemas(caller, database)?);
    Ok(allowed)
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

/// What is written: the columns of a table, and its rows a chunk at a time.
struct Rows {
    columns: Vec<Column>,
    chunks: Box<dyn Iterator<Item = Result<Vec<Column>>> + Send>,
}

impl Rows {
    fn one(chunk: Vec<Column>) -> Self {
        let empty = |c: &Column| Column { name: c.name.clone(), dtype: c.dtype, cells: Vec::new() };
        Self { columns: chunk.iter().map(empty).collect(), chunks: Box::new(std::iter::once(Ok(chunk))) }
    }
}

/// Reads delimited text for its types, and prepares to read it for its rows.
fn csv(file: Spool, options: Options) -> Result<Rows> {
    let mut scan = LayoutScan::new(&options);
    for chunk in Chunks::open(&file, &options)? {
        scan.add_chunk(&chunk?);
    }
    let mut layout = scan.layout()?;
    if layout.demands() {
        for chunk in Chunks::open(&file, &options)? {
            layout.check(&chunk?);
        }
        layout.verdict()?;
    }
    let columns = layout.columns();
    let chunks = Chunks::open(&file, &options)?.map(move |chunk| Ok(layout.apply(chunk?)));
    Ok(Rows { columns, chunks: Box::new(chunks) })
}

/// The same for a file that was read as a whole.
fn whole(chunk: Vec<Column>, options: &Options) -> Result<Rows> {
    let mut scan = LayoutScan::new(options);
    scan.add_chunk(&chunk);
    let mut layout = scan.layout()?;
    layout.check(&chunk);
    layout.verdict()?;
    Ok(Rows::one(layout.apply(chunk)))
}

/// Writes delimited text into a table.
pub async fn load_csv(
    target: &Engine,
    destination: &Destination<'_>,
    file: Spool,
    options: Options,
) -> Result<()> {
    let exists = options.already_exists;
    let rows = blocking(move || csv(file, options)).await?;
    write(target, destination, rows, exists).await.map(|_| ())
}

/// True when the table is there.
pub async fn has_table(target: &Engine, destination: &Destination<'_>) -> Result<bool> {
    let refused = |e: EngineError| e.into_answer(|e| failed(target.failure_text(&e)));
    let schema = match destination.schema.filter(|s| !s.is_empty()) {
        Some(schema) => Some(schema.to_owned()),
        None => target.default_schema().await.map_err(refused)?,
    };
    let known = target.tables(schema.as_deref().unwrap_or_default()).await.map_err(refused)?;
    Ok(known.iter().any(|t| t == destination.table))
}

/// Fails for names that the database would cut, so that another table is written or two columns are one
/// (`sqlalchemy.engine.default:DefaultDialect.validate_identifier`).
fn check_names(target: &Engine, table: &str, columns: &[Column]) -> Result<()> {
    let Some(most) = target.spec().caps.max_column_name_length else { return Ok(()) };
    let names = std::iter::once(table).chain(columns.iter().map(|column| column.name.as_str()));
    for name in names {
        let refused =
            |unit: &str| failed(format!("Identifier '{name}' exceeds maximum length of {most} {unit}"));
        if name.chars().count() > most {
            return Err(refused("characters"));
        }
        if name.len() > most && table::counts_bytes(target.spec()) {
            return Err(refused("bytes"));
        }
    }
    Ok(())
}

/// Writes all rows or none. The table, if it was not there before.
async fn write(
    target: &Engine,
    destination: &Destination<'_>,
    rows: Rows,
    exists: IfExists,
) -> Result<Option<Table>> {
    let Rows { columns, chunks } = rows;
    if columns.is_empty() {
        return Err(options::parsing("No columns to parse from file"));
    }
    check_names(target, destination.table, &columns)?;
    let refused = |e: EngineError| e.into_answer(|e| failed(target.failure_text(&e)));
    let there = has_table(target, destination).await?;
    let table = Table::new(target.spec(), destination.schema, destination.table);
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
    let (made, rows_of) = (table.clone(), table);
    let inserts = chunks.flat_map(move |chunk| -> Box<dyn Iterator<Item = _> + Send> {
        match chunk {
            Ok(chunk) => Box::new(rows_of.inserts(chunk).map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(EngineError::Content(error.to_string())))),
        }
    });
    // an engine that commits a table at once is left with it when its rows fail
    let apart = !there && !made.rolls_back();
    if apart {
        target.execute_all(Statements::list(std::mem::take(&mut first))).await.map_err(refused)?;
    }
    let statements = Statements::made(first.into_iter().map(Ok).chain(inserts));
    let outcome = target.execute_all(statements).await.map_err(refused);
    if outcome.is_err() && apart {
        discard(target, &made).await;
    }
    outcome.map(|()| (!there).then_some(made))
}
