//! What a dataset that is written must fulfil (`superset.commands.dataset.create`, `update`): one of its kind, a
//! table that is there, SQL that the writer may read.

use std::sync::Arc;

use daos::database::Database;
use infra::{
    Result,
    db::{DbError, Executor, Sql},
    error::Error,
    sql,
};

use super::source;
use crate::{
    Principal, Services,
    access::sql_tables::{self, TableName},
    database::oauth2,
    databases,
    databases::introspect,
    relations::Invalid,
};

/// No other dataset stands for the table (`DatasetDAO.validate_uniqueness`).
pub async fn is_unique(
    db: &dyn Executor,
    database_id: i64,
    table: &TableName,
    but: Option<i64>,
) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT id FROM tables WHERE database_id = ");
    sql.push_bind(database_id).push(" AND table_name = ").push_bind(table.table.as_str());
    for (column, value) in [("catalog", &table.catalog), ("schema", &table.schema)] {
        match value {
            Some(value) => sql.push(&format!(" AND {column} = ")).push_bind(value.as_str()),
            None => sql.push(&format!(" AND {column} IS NULL")),
        };
    }
    if let Some(id) = but {
        sql.push(" AND id <> ").push_bind(id);
    }
    Ok(db.first(sql).await?.is_none())
}

/// Complains unless the table of a physical dataset is there and the writer may read it.
///
/// Superset lets whoever may write datasets make one of any table, and so own it; here that takes the right to read
/// the table.
pub async fn check_table(
    app: &Services,
    user: &Principal,
    database: &Database,
    table: &TableName,
    invalid: &mut Invalid,
) -> Result<()> {
    let (catalog, name) = (table.catalog.as_deref(), (table.schema.as_deref(), table.table.as_str()));
    let found = introspect::table_columns(app, user, database, catalog, name).await;
    if !matches!(found, Ok(Some(_))) {
        if let Err(error) = found
            && oauth2::is_invitation(&error)
        {
            return Err(error);
        }
        let text = format!(
            "Table [{table}] could not be found, please double check your database connection, schema, and table name"
        );
        invalid.add("table", &text);
        return Ok(());
    }
    refusal(
        sql_tables::raise_for_tables(app, user, database, [qualified(app, user, database, table).await])
            .await,
    )
    .map(|refused| refused.into_iter().for_each(|text| invalid.add("table", &text)))
}

/// Complains unless the writer may read every table of a query.
pub async fn check_sql(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    database: &Database,
    place: &TableName,
    text: &str,
    invalid: &mut Invalid,
) -> Result<()> {
    if user.can_access_database(database) {
        return Ok(());
    }
    let rendered = source::render(app, user, database, text, &serde_json::Map::new()).await;
    let rendered = rendered.map_err(query::QueryError::into_answer)?;
    let engine = databases::engine_name(database);
    let tables = match sql::parse(&rendered, engine).map(|script| script.tables()) {
        Ok(tables) => tables,
        Err(error) => {
            invalid.add("sql", &format!("Invalid SQL: {}", error.message));
            return Ok(());
        }
    };
    let around = qualified(app, user, database, place).await;
    let tables: Vec<TableName> = tables
        .into_iter()
        .map(|t| TableName {
            catalog: t.catalog.or_else(|| around.catalog.clone()),
            schema: t.schema.or_else(|| around.schema.clone()),
            table: t.table,
        })
        .collect();
    refusal(sql_tables::raise_for_tables(app, user, database, tables).await)
        .map(|refused| refused.into_iter().for_each(|text| invalid.add("sql", &text)))
}

/// The table with the defaults of the connection.
async fn qualified(app: &Services, user: &Principal, database: &Database, table: &TableName) -> TableName {
    let mut table = table.clone();
    if table.catalog.is_none() {
        table.catalog = introspect::default_catalog(database);
    }
    if table.schema.as_deref().is_none_or(str::is_empty) {
        table.schema = match databases::engine_as(app, user, database, table.catalog.as_deref()).await {
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
