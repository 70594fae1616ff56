//! Results that become tables or views (`apply_ctas`).

use daos::{database::Database, query::Query};
use infra::error::ErrorType;
use infra::{
    engine_specs::EngineSpec,
    sql::{CtasMethod, Script, TableName},
};

use super::error::Refusal;

/// The table that is made, with the statement that shows it.
pub(super) struct Created {
    pub name: String,
    /// `query.select_sql`.
    pub select_sql: String,
}

/// What of the rules a request breaks. The original leaves `allow_ctas` and `allow_cvas` to the frontend; here they
/// hold where the database does not allow writing altogether.
fn check(database: &Database, script: &Script, method: CtasMethod) -> Result<(), Refusal> {
    let (allowed, valid) = match method {
        CtasMethod::Table => (database.allow_ctas, script.is_valid_ctas()),
        CtasMethod::View => (database.allow_cvas, script.is_valid_cvas()),
    };
    if ![allowed, database.allow_dml].contains(&Some(true)) {
        return Err(super::script::dml_not_allowed());
    }
    match method {
        _ if valid => Ok(()),
        CtasMethod::Table => Err(Refusal::new(
            ErrorType::InvalidCtasQueryError,
            "CTAS (create table as select) can only be run with a query where the last statement is a SELECT. Please \
             make sure your query has a SELECT as its last statement. Then, try running your query again.",
        )),
        CtasMethod::View => Err(Refusal::new(
            ErrorType::InvalidCvasQueryError,
            "CVAS (create view as select) can only be run with a query with a single SELECT statement. Please make \
             sure your query has only a SELECT statement. Then, try running your query again.",
        )),
    }
}

/// The text that makes a table or view of the script's last statement.
pub(super) fn create_as(
    database: &Database,
    spec: &EngineSpec,
    query: &Query,
    script: &Script,
) -> Result<(String, Created), Refusal> {
    let view = query.ctas_method.as_deref().is_some_and(|m| m.eq_ignore_ascii_case("VIEW"));
    let method = if view { CtasMethod::View } else { CtasMethod::Table };
    check(database, script, method)?;
    let given = query.tmp_table_name.clone().filter(|name| !name.trim().is_empty());
    let name = given.unwrap_or_else(|| default_name(query));
    let catalog = query.catalog.clone().filter(|_| spec.caps.supports_cross_catalog_queries);
    let schema = query.tmp_schema_name.clone().filter(|schema| !schema.is_empty());
    let table = TableName { catalog, schema, table: name.clone() };
    let dialect = query::engine::Dialect::for_engine(spec);
    let quote = |part: &str| if is_plain(part) { part.to_owned() } else { dialect.quote(part) };
    let text = script.statements().last().and_then(|last| last.as_create(&table, method, quote));
    let text = text
        .ok_or_else(|| Refusal::new(ErrorType::GenericBackendError, "There is no query to create from."))?;
    let parts: Vec<String> = [&table.catalog, &table.schema]
        .into_iter()
        .flatten()
        .chain([&name])
        .map(|part| quote(part))
        .collect();
    let limit = query.limit.map(|limit| format!("\nLIMIT {limit}")).unwrap_or_default();
    Ok((text, Created { name, select_sql: format!("SELECT\n  *\nFROM {}{limit}", parts.join(".")) }))
}

/// A name that needs no quotes; like the original, it is left to the database to fold it.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `tmp_<user>_table_<time>`; the original means this but fails on it.
fn default_name(query: &Query) -> String {
    let ms = query.start_time.unwrap_or_default() as i64;
    let time = chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let local = time.with_timezone(&chrono::Local);
    format!("tmp_{}_table_{}", query.user_id.unwrap_or_default(), local.format("%Y_%m_%d_%H_%M_%S"))
}
