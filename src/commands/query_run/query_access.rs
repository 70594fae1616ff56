//! Who may execute a query (`SupersetSecurityManager.raise_for_access(query=…)`).

use crate::connect;
use ::query::template::has_template_syntax;
use daos::{database::Database, query::Query};
use infra::{
    Error, Result,
    error::{ErrorType, SupersetError},
    sql::{self, Script},
};

use crate::{
    Caller,
    access::{
        sql_calls::{self, Reader, Refused},
        sql_tables::{TableName, raise_for_tables},
    },
    introspect::tables::default_catalog,
};

/// Where a statement is to run.
pub struct Place<'a> {
    /// The database.
    pub database: &'a Database,
    /// Schema of names without one.
    pub schema: Option<&'a str>,
    /// Catalog of names without one.
    pub catalog: Option<&'a str>,
}

/// Fails with 403 unless the caller may read every table of the SQL, whose templates are rendered. What cannot be read
/// is refused.
pub async fn raise_for_query(caller: &Caller, place: &Place<'_>, rendered: &str) -> Result<()> {
    if caller.user.can_access_database(place.database) {
        return Ok(());
    }
    let script = sql::parse(rendered, &crate::connect::describe::engine(place.database).engine)?;
    raise_for_script(caller, place, &script).await
}

async fn raise_for_script(caller: &Caller, place: &Place<'_>, script: &Script) -> Result<()> {
    let spec = crate::connect::describe::engine(place.database);
    if script.sets("search_path") {
        return Err(refused("Users are not allowed to set a search path for security reasons."));
    }
    let reader = Reader { by_table: true, has_rules: false };
    let refuses = |(_, effect): &&(String, _)| sql_calls::refuses(*effect, sql_calls::Place::SqlLab, reader);
    if let Some((name, _)) = script.effects().iter().find(refuses) {
        return Err(refused(Refused::Unchecked(name.clone()).message()));
    }
    let schema = match place.schema.filter(|s| !s.is_empty()) {
        schema if spec.caps.supports_dynamic_schema => schema.map(str::to_owned),
        _ => {
            let engine = connect::engine_as(caller, place.database, place.catalog).await?;
            engine.default_schema().await.map_err(Error::internal)?
        }
    };
    let catalog = place.catalog.map(str::to_owned).or_else(|| default_catalog(place.database));
    let tables = script.tables().into_iter().map(|table| {
        let table = table.qualify(catalog.as_deref(), schema.as_deref());
        TableName { catalog: table.catalog, schema: table.schema, table: table.table }
    });
    raise_for_tables(caller, place.database, tables).await
}

fn refused(message: impl Into<String>) -> Error {
    Error::sip40(403, SupersetError::new(ErrorType::QuerySecurityAccessError, message))
}

/// Fails with 403 unless the caller may see what a query of the past returned: it is the caller's own, or all queries
/// are granted, and the tables still are. The author's row-level rules are in its SQL, hence more than the original
/// asks.
pub(crate) async fn raise_for_past(caller: &Caller, query: &Query, database: &Database) -> Result<()> {
    let denied = || {
        Error::sip40(403, SupersetError::new(ErrorType::QuerySecurityAccessError, "Cannot access the query"))
    };
    if !caller.user.can_access_database(database) {
        let text = query.sql.as_deref().unwrap_or_default();
        if has_template_syntax(text) {
            // what its templates said then is not known any more
            return Err(denied());
        }
        let engine = &crate::connect::describe::engine(database).engine;
        let script = sql::parse(text, engine).map_err(|_| denied())?;
        let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
        match raise_for_script(caller, &place, &script).await {
            Err(Error::Internal(source)) => return Err(Error::Internal(source)),
            Err(_) => return Err(denied()),
            Ok(()) => {}
        }
    }
    let own = query.user_id.is_some() && query.user_id == caller.user.user_id();
    if own || caller.user.all_queries() { Ok(()) } else { Err(denied()) }
}
