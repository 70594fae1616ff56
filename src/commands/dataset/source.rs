//! What a dataset's source says of its columns (`superset.connectors.sqla.models:SqlaTable.external_metadata`).

use std::sync::Arc;

use daos::{database::Database, dataset::Dataset};
use infra::{Error, Result, engines::GenericType, error::SupersetError};
use query::{QueryError, template::has_template_syntax};
use serde_json::{Map, Value};

use crate::{Principal, Services, chart_data, databases::introspect};

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
}

impl<'a> Source<'a> {
    /// The source of a stored dataset.
    pub fn of(dataset: &'a Dataset, database: &'a Database) -> Self {
        Self {
            database,
            catalog: dataset.catalog.as_deref(),
            schema: dataset.schema.as_deref().filter(|s| !s.is_empty()),
            table: &dataset.table_name,
            sql: dataset.sql.as_deref().filter(|s| !s.is_empty()),
            template_params: dataset.template_params.as_deref(),
        }
    }
}

/// The columns as `external_metadata` answers them; none when there is no such table.
pub async fn columns(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    source: &Source<'_>,
) -> Result<Option<Vec<Value>>> {
    let Some(sql) = source.sql else {
        let name = (source.schema, source.table);
        return introspect::table_columns(app, user, source.database, source.catalog, name).await;
    };
    let params: Map<String, Value> =
        serde_json::from_str(source.template_params.unwrap_or_default()).unwrap_or_default();
    let sql = render(app, user, source.database, sql, &params).await.map_err(template_error)?;
    let place = (source.catalog, source.schema);
    introspect::statement_columns(app, user, source.database, place, &sql).await.map(Some)
}

/// Renders the query of a dataset, where templates are on.
pub(super) async fn render(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    database: &Database,
    sql: &str,
    params: &Map<String, Value>,
) -> Result<String, QueryError> {
    if !app.config.flag("ENABLE_TEMPLATE_PROCESSING") || !has_template_syntax(sql) {
        return Ok(sql.to_owned());
    }
    let spec = infra::engines::spec_for_uri(&database.sqlalchemy_uri);
    chart_data::render_sql(app, user, spec, sql, params).await
}

fn template_error(error: QueryError) -> Error {
    match error {
        QueryError::Answer(error) => error,
        other => {
            let text = format!("Template processing error: {other}");
            Error::sip40(400, SupersetError::new("GENERIC_DB_ENGINE_ERROR", text))
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
pub async fn source_columns(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    source: &Source<'_>,
) -> Result<Option<Vec<SourceColumn>>> {
    let text = |c: &Value, key: &str| c.get(key).and_then(Value::as_str).map(str::to_owned);
    let column = |c: &Value| {
        Some(SourceColumn {
            name: text(c, "column_name")?,
            type_: text(c, "type"),
            temporal: c["type_generic"].as_u64() == Some(GenericType::Temporal as u64),
            comment: text(c, "comment").filter(|t| !t.is_empty()),
        })
    };
    let found = columns(app, user, source).await?;
    Ok(found.map(|columns| columns.iter().filter_map(column).collect()))
}
