//! What a dataset that is written must fulfil (`superset.commands.dataset.create`, `update`): one of its kind, a
//! table that is there, SQL that the writer may read.

use daos::{database::Database, dataset};
use infra::{
    Result,
    db::{DbError, Executor},
    error::Error,
    sql,
};

use super::source;
use crate::{
    Caller,
    access::{
        sql_calls::{self, Reader},
        sql_tables::{self, TableName},
    },
    connect::{self, oauth2},
    introspect::tables,
    relations::Invalid,
};

/// No other dataset stands for the table (`DatasetDAO.validate_uniqueness`).
pub async fn is_unique(
    db: &dyn Executor,
    database_id: i64,
    table: &TableName,
    but: Option<i64>,
) -> Result<bool, DbError> {
    let place = (table.catalog.as_deref(), table.schema.as_deref(), table.table.as_str());
    Ok(!dataset::is_taken(db, database_id, place, but).await?)
}

/// Complains unless the table of a physical dataset is there and the writer may read it.
///
/// Superset lets whoever may write datasets make one of any table, and so own it; here that takes the right to read
/// the table.
pub async fn check_table(
    caller: &Caller,
    database: &Database,
    table: &TableName,
    invalid: &mut Invalid,
) -> Result<()> {
    let (catalog, name) = (table.catalog.as_deref(), (table.schema.as_deref(), table.table.as_str()));
    let found = tables::table_columns(caller, database, catalog, name).await;
    if !matches!(found, Ok(Some(_))) {
        if let Err(error) = found
            && oauth2::is_redirect(&error)
        {
            return Err(error);
        }
        let text = format!(
            "Table [{table}] could not be found, please double check your database connection, schema, and table name"
        );
        invalid.add("table", &text);
        return Ok(());
    }
    refusal(sql_tables::raise_for_tables(caller, database, [qualified(caller, database, table).await]).await)
        .map(|refused| refused.into_iter().for_each(|text| invalid.add("table", &text)))
}

/// Complains unless the writer may read every table of a query, and if it calls or reads what nobody may.
pub async fn check_sql(
    caller: &Caller,
    database: &Database,
    place: &TableName,
    text: &str,
    invalid: &mut Invalid,
) -> Result<()> {
    let by_table = !caller.user.can_access_database(database);
    let rendered = source::render(caller, database, text, &serde_json::Map::new()).await;
    let rendered = match rendered {
        Ok(rendered) => rendered,
        // whoever may read all of the database is told when the query runs
        Err(_) if !by_table => return Ok(()),
        Err(error) => return Err(error.into_answer()),
    };
    let engine = connect::engine_name(database);
    let read = if by_table { sql::parse } else { sql::parse_or_take_unread };
    let script = match read(&rendered, engine) {
        Ok(script) => script,
        Err(_) if !by_table => return Ok(()),
        Err(error) => {
            invalid.add("sql", &format!("Invalid SQL: {}", error.message));
            return Ok(());
        }
    };
    let reader = Reader { by_table, has_rules: false };
    // an author who may read single tables only may not name what shows others
    let written = if by_table { sql_calls::Place::SqlLab } else { sql_calls::Place::Dataset };
    let judged = sql_calls::check_listed(&caller.app.config, engine, &script, place.schema.as_deref())
        .and_then(|()| sql_calls::check_effects(&script, sql_calls::Place::Dataset, reader))
        .and_then(|()| sql_calls::check_effects(&script, written, reader));
    if let Err(refused) = judged {
        invalid.add("sql", &refused.message());
        return Ok(());
    }
    if !by_table {
        return Ok(());
    }
    let tables = script.tables();
    let around = qualified(caller, database, place).await;
    let tables: Vec<TableName> = tables
        .into_iter()
        .map(|t| TableName {
            catalog: t.catalog.or_else(|| around.catalog.clone()),
            schema: t.schema.or_else(|| around.schema.clone()),
            table: t.table,
        })
        .collect();
    refusal(sql_tables::raise_for_tables(caller, database, tables).await)
        .map(|refused| refused.into_iter().for_each(|text| invalid.add("sql", &text)))
}

/// The table with the defaults of the connection.
async fn qualified(caller: &Caller, database: &Database, table: &TableName) -> TableName {
    let mut table = table.clone();
    if table.catalog.is_none() {
        table.catalog = tables::default_catalog(database);
    }
    if table.schema.as_deref().is_none_or(str::is_empty) {
        table.schema = match connect::engine_as(caller, database, table.catalog.as_deref()).await {
            Ok(engine) => engine.default_schema().await.ok().flatten(),
            Err(_) => None,
        };
    }
    table
}

/// The text of a refused access; other failures stay failures.
fn refusal(outcome: Result<()>) -> Result<Option<String>> {
    match outcome {
        Ok(()) => Ok(None),
        Err(Error::Sip40 { status: 403, errors }) => {
            Ok(Some(errors.into_iter().next().map(|e| e.message).unwrap_or_default()))
        }
        Err(other) => Err(other),
    }
}
