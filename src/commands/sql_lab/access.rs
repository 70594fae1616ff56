//! Who may execute a query (`SupersetSecurityManager.raise_for_access(query=…)`).

use std::sync::Arc;

use ::query::template::has_template_syntax;
use daos::{database::Database, query::Query};
use infra::{
    Error, Result,
    error::SupersetError,
    sql::{self, Script},
};
use serde_json::{Map, Value};

use super::render;
use crate::{
    Principal, Services,
    access::sql_tables::{TableName, raise_for_tables},
    databases::{self, introspect::default_catalog},
};

/// Functions that execute SQL from a text, read what is no table, or change where names lead: a check of tables says
/// nothing about them. Refused to whoever may use single tables only; upper case, a star at the end is any ending.
const OPAQUE: &[&str] = &[
    "QUERY_TO_XML*",
    "TABLE_TO_XML*",
    "SCHEMA_TO_XML*",
    "DATABASE_TO_XML*",
    "CURSOR_TO_XML*",
    "TS_STAT",
    "TS_REWRITE",
    "DBLINK*",
    "SET_CONFIG",
    "PG_READ_*",
    "PG_LS_*",
    "PG_STAT_FILE",
    "PG_FILE_*",
    "LO_*",
    "LOREAD",
    "LOAD_FILE",
    "LOAD_EXTENSION",
    "READFILE",
    "READ_*",
    "PARQUET_SCAN",
    "PRAGMA_*",
    "QUERY",
    "QUERY_TABLE",
    "OPENROWSET",
    "OPENQUERY",
    "OPENDATASOURCE",
    "FILE",
    "URL",
    "S3*",
    "HDFS",
    "REMOTE*",
    "CLUSTER*",
    "MYSQL",
    "POSTGRESQL",
    "JDBC",
    "ODBC",
    "MERGE",
];

/// Where a statement is to run.
pub struct Place<'a> {
    /// The database.
    pub database: &'a Database,
    /// Schema of names without one.
    pub schema: Option<&'a str>,
    /// Catalog of names without one.
    pub catalog: Option<&'a str>,
}

/// Fails with 403 unless the caller may read every table of the SQL. What cannot be read is refused.
pub async fn raise_for_query(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    place: &Place<'_>,
    text: &str,
    params: &Map<String, Value>,
) -> Result<()> {
    if user.can_access_database(place.database) {
        return Ok(());
    }
    let spec = crate::database::describe::engine(place.database);
    let rendered = render::render(app, user, spec, text, params).await.map_err(render::Broken::into_error)?;
    let script = sql::parse(&rendered, &spec.engine)?;
    raise_for_script(app, user, place, &script).await
}

async fn raise_for_script(
    app: &Services,
    user: &Principal,
    place: &Place<'_>,
    script: &Script,
) -> Result<()> {
    let spec = crate::database::describe::engine(place.database);
    if script.sets("search_path") {
        return Err(refused("Users are not allowed to set a search path for security reasons."));
    }
    let opaque = |name: &String| {
        OPAQUE.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == known,
        })
    };
    if let Some(name) = script.functions().iter().find(|name| opaque(name)) {
        return Err(refused(format!("The function {} cannot be checked for access.", name.to_lowercase())));
    }
    let schema = match place.schema.filter(|s| !s.is_empty()) {
        schema if spec.caps.supports_dynamic_schema => schema.map(str::to_owned),
        _ => {
            let engine = databases::engine_as(app, user, place.database, place.catalog).await?;
            engine.default_schema().await.map_err(Error::internal)?
        }
    };
    let catalog = place.catalog.map(str::to_owned).or_else(|| default_catalog(place.database));
    let tables = script.tables().into_iter().map(|table| {
        let table = table.qualify(catalog.as_deref(), schema.as_deref());
        TableName { catalog: table.catalog, schema: table.schema, table: table.table }
    });
    raise_for_tables(app, user, place.database, tables).await
}

fn refused(message: impl Into<String>) -> Error {
    Error::sip40(403, SupersetError::new("QUERY_SECURITY_ACCESS_ERROR", message))
}

/// Fails with 403 unless the caller may see what a query of the past returned: it is the caller's own, or all queries
/// are granted, and the tables still are. The author's row-level rules are in its SQL, hence more than the original asks.
pub(crate) async fn raise_for_past(
    app: &Services,
    user: &Principal,
    query: &Query,
    database: &Database,
) -> Result<()> {
    let denied = || super::error::sip40(403, "QUERY_SECURITY_ACCESS_ERROR", "Cannot access the query");
    if !user.can_access_database(database) {
        let text = query.sql.as_deref().unwrap_or_default();
        if has_template_syntax(text) {
            // what its templates said then is not known any more
            return Err(denied());
        }
        let engine = &crate::database::describe::engine(database).engine;
        let script = sql::parse(text, engine).map_err(|_| denied())?;
        let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
        match raise_for_script(app, user, &place, &script).await {
            Err(Error::Internal(source)) => return Err(Error::Internal(source)),
            Err(_) => return Err(denied()),
            Ok(()) => {}
        }
    }
    let own = query.user_id.is_some() && query.user_id == user.user_id();
    if own || user.all_queries() { Ok(()) } else { Err(denied()) }
}
