//! What a dataset's source says of its columns (`superset.connectors.sqla.models:SqlaTable.external_metadata`).

use daos::{database::Database, dataset::Dataset};
use infra::{
    Error, Result,
    engine_specs::{Dialect, GenericType, facts::Inspector},
    error::{ErrorType, SupersetError},
};
use query::{QueryError, template::has_template_syntax};
use serde_json::{Map, Value};

use crate::{Caller, introspect::tables, query_run};

/// A dataset as far as its source goes.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The database.
    pub database: &'a Database,
    /// Catalog.
    pub catalog: Option<&'a str>,
    /// Schema.
    pub schema: Option<&'a str>,
    /// Table.
    pub table: &'a str,
    /// The query of a virtual dataset.
    pub sql: Option<&'a str>,
    /// JSON object of what its templates may name.
    pub template_params: Option<&'a str>,
    /// Names of columns stay as SQLAlchemy has them.
    pub normalize_columns: bool,
}

impl<'a> Source<'a> {
    /// The source of a stored dataset.
    pub fn from_dataset(dataset: &'a Dataset, database: &'a Database) -> Self {
        Self {
            database,
            catalog: dataset.catalog.as_deref(),
            schema: dataset.schema.as_deref().filter(|s| !s.is_empty()),
            table: &dataset.table_name,
            sql: dataset.sql.as_deref().filter(|s| !s.is_empty()),
            template_params: dataset.template_params.as_deref(),
            normalize_columns: dataset.normalize_columns == Some(true),
        }
    }
}

/// The columns as `external_metadata` answers them; none when there is no such table.
pub async fn columns(caller: &Caller, source: &Source<'_>) -> Result<Option<Vec<Value>>> {
    let Some(sql) = source.sql else {
        let name = (source.schema, source.table);
        let mut found = tables::table_columns(caller, source.database, source.catalog, name).await?;
        if !source.normalize_columns {
            found.iter_mut().flatten().for_each(|column| denormalize(source.database, column));
        }
        return Ok(found);
    };
    let params: Map<String, Value> =
        serde_json::from_str(source.template_params.unwrap_or_default()).unwrap_or_default();
    let sql = render(caller, source.database, sql, &params).await.map_err(template_error)?;
    let place = (source.catalog, source.schema);
    query_run::statement_columns::statement_columns(caller, source.database, place, &sql).await.map(Some)
}

/// Gives a column the name that the database has for it, where SQLAlchemy has another one
/// (`BaseEngineSpec.denormalize_name`).
fn denormalize(database: &Database, column: &mut Value) {
    let spec = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
    if spec.sql.inspector != Inspector::Snowflake {
        return;
    }
    for key in ["column_name", "name"] {
        if let Some(Value::String(name)) = column.get_mut(key)
            && Dialect::for_engine(spec).quote(name) == *name
        {
            *name = name.to_uppercase();
        }
    }
}

/// Renders the query of a dataset, where templates are on.
pub(super) async fn render(
    caller: &Caller,
    database: &Database,
    sql: &str,
    params: &Map<String, Value>,
) -> Result<String, QueryError> {
    if !caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") || !has_template_syntax(sql) {
        return Ok(sql.to_owned());
    }
    let spec = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
    // no time range is chosen yet: `{% if from_dttm is not none %}` is to say so
    let mut params = params.clone();
    for name in ["from_dttm", "to_dttm"] {
        params.entry(name).or_insert(Value::Null);
    }
    query_run::render_sql(caller, spec, sql, &params).await
}

/// A text of a dataset as its templates render it for the caller, outside of a chart (`render_dataset_fields`).
pub async fn rendered(caller: &Caller, database: &Database, text: &str) -> Result<String, QueryError> {
    if !caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") || !has_template_syntax(text) {
        return Ok(text.to_owned());
    }
    let spec = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
    query_run::render_sql(caller, spec, text, &Map::new()).await
}

fn template_error(error: QueryError) -> Error {
    match error {
        QueryError::Answer(error) => error,
        other => {
            let text = format!("Template processing error: {other}");
            Error::sip40(400, SupersetError::new(ErrorType::GenericDbEngineError, text))
        }
    }
}

/// A column of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceColumn {
    /// Name.
    pub name: String,
    /// Native type.
    pub type_: Option<String>,
    /// It is a time.
    pub temporal: bool,
    /// Comment in the database.
    pub comment: Option<String>,
}

/// The same in the terms of `table_columns`.
pub async fn source_columns(caller: &Caller, source: &Source<'_>) -> Result<Option<Vec<SourceColumn>>> {
    let text = |c: &Value, key: &str| c.get(key).and_then(Value::as_str).map(str::to_owned);
    let column = |c: &Value| {
        Some(SourceColumn {
            name: text(c, "column_name")?,
            type_: text(c, "type"),
            temporal: c["type_generic"].as_u64() == Some(GenericType::Temporal as u64),
            comment: text(c, "comment").filter(|t| !t.is_empty()),
        })
    };
    let found = columns(caller, source).await?;
    Ok(found.map(|columns| columns.iter().filter_map(column).collect()))
}
