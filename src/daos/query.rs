//! Queries of SQL Lab (`superset.models.sql_lab:Query`, `superset.daos.query`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql, Value};
use serde_json::{Map, Value as Json};

use crate::{tables::QUERIES, typed_row::row, write};

row! {
    /// A row of `query`; times are milliseconds since 1970. The names of the database and the author are read along.
    #[derive(Debug, Clone, PartialEq, Default)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Query over "q" {
        pub id: i64,
        pub client_id: String,
        pub database_id: i64,
        pub tmp_table_name: Option<String>,
        pub tmp_schema_name: Option<String>,
        pub user_id: Option<i64>,
        pub status: Option<String>,
        pub tab_name: Option<String>,
        pub sql_editor_id: Option<String>,
        pub schema: Option<String>,
        pub catalog: Option<String>,
        pub sql: Option<String>,
        pub select_sql: Option<String>,
        pub executed_sql: Option<String>,
        pub limit: Option<i64>,
        pub limiting_factor: Option<String>,
        pub select_as_cta: Option<bool>,
        pub select_as_cta_used: Option<bool>,
        pub ctas_method: Option<String>,
        pub progress: Option<i64>,
        pub rows: Option<i64>,
        pub error_message: Option<String>,
        pub results_key: Option<String>,
        pub start_time: Option<f64>,
        pub start_running_time: Option<f64>,
        pub end_time: Option<f64>,
        pub tracking_url: Option<String>,
        pub changed_on: Option<NaiveDateTime>,
        pub extra_json: Option<String>,
        pub database_name: Option<String> = "d.database_name",
    }
    and {
        pub user_label: Option<String> = user_label,
    }
}

impl Query {
    /// `extra_json` as an object; what cannot be read is empty.
    pub fn extra(&self) -> Map<String, Json> {
        serde_json::from_str(self.extra_json.as_deref().unwrap_or_default()).unwrap_or_default()
    }
}

/// First and last name of the author, who is called by the login name where one is missing (`user_label`).
fn user_label(row: &Row) -> Result<Option<String>, DbError> {
    let first: Option<String> = row.get("first_name")?;
    let last: Option<String> = row.get("last_name")?;
    match (first.filter(|n| !n.is_empty()), last.filter(|n| !n.is_empty())) {
        (Some(first), Some(last)) => Ok(Some(format!("{first} {last}"))),
        _ => row.get("username"),
    }
}

async fn select(db: &dyn Executor, condition: Sql) -> Result<Vec<Query>, DbError> {
    let mut sql = Sql::new(format!(
        "SELECT {}, u.first_name, u.last_name, u.username FROM query q LEFT JOIN dbs d ON d.id = q.database_id \
         LEFT JOIN ab_user u ON u.id = q.user_id WHERE ",
        Query::COLUMNS
    ));
    sql.append(condition);
    db.query(sql).await?.iter().map(Query::read).collect()
}

/// A query by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Query>, DbError> {
    // PostgreSQL refuses to compare what no key can be
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    Ok(select(db, Sql::new("q.id = ?").bind(id)).await?.pop())
}

/// A query by the id that its client gave it.
pub async fn find_by_client_id(db: &dyn Executor, client_id: &str) -> Result<Option<Query>, DbError> {
    Ok(select(db, Sql::new("q.client_id = ?").bind(client_id)).await?.pop())
}

/// A query by the key of its results.
pub async fn find_by_results_key(db: &dyn Executor, key: &str) -> Result<Option<Query>, DbError> {
    Ok(select(db, Sql::new("q.results_key = ?").bind(key)).await?.pop())
}

/// A user's queries that changed since a time (UTC), oldest first.
pub async fn changed_since(
    db: &dyn Executor,
    user_id: i64,
    since: NaiveDateTime,
) -> Result<Vec<Query>, DbError> {
    let sql = Sql::new("q.user_id = ? AND q.changed_on >= ? ORDER BY q.id").bind(user_id).bind(since);
    select(db, sql).await
}

/// The newest query of an editor other than the named one.
pub async fn newest_of_editor(
    db: &dyn Executor,
    user_id: Option<i64>,
    editor: &str,
    except: &str,
) -> Result<Option<Query>, DbError> {
    let sql =
        Sql::new("q.client_id <> ? AND q.user_id = ? AND q.sql_editor_id = ? ORDER BY q.id DESC LIMIT 1");
    Ok(select(db, sql.bind(except).bind(user_id).bind(editor)).await?.pop())
}

/// Inserts a query; returns its id.
pub async fn insert(db: &dyn Executor, values: write::Values) -> Result<i64, DbError> {
    match write::insert(db, &QUERIES, values, None).await? {
        Value::Int(id) => Ok(id),
        _ => Err(DbError::Decode("query.id is no integer".into())),
    }
}

/// Changes a query.
pub async fn update(db: &dyn Executor, id: i64, values: write::Values) -> Result<(), DbError> {
    write::update(db, &QUERIES, Value::Int(id), values, None).await.map(drop)
}

/// Changes a query that is still in one of the states; false when it is not.
pub async fn update_in_state(
    db: &dyn Executor,
    id: i64,
    states: &[&str],
    values: write::Values,
) -> Result<bool, DbError> {
    let mut sql = Sql::new("UPDATE query SET changed_on = ");
    sql.push_bind(infra::clock::utc_now());
    for (column, value) in values {
        sql.push(&format!(", \"{column}\" = ")).push_bind(value);
    }
    sql.push(" WHERE id = ").push_bind(id).push(" AND status IN ").push_list(states.iter().copied());
    Ok(db.execute(sql).await? > 0)
}

/// Queries that were begun before a time and that their state says are still under way: their ids, and when they were
/// begun.
pub async fn unfinished(db: &dyn Executor, before: f64) -> Result<Vec<(i64, f64)>, DbError> {
    let sql = Sql::new(
        "SELECT id, start_time FROM query WHERE status IN ('pending', 'running', 'fetching') AND start_time < ? \
         ORDER BY id",
    );
    db.query(sql.bind(before)).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Moves a user's query to another editor.
pub async fn move_to_editor(
    db: &dyn Executor,
    user_id: Option<i64>,
    client_id: &str,
    editor: &str,
) -> Result<(), DbError> {
    let sql =
        Sql::new("UPDATE query SET sql_editor_id = ?, changed_on = ? WHERE client_id = ? AND user_id = ?");
    let sql = sql.bind(editor).bind(infra::clock::utc_now()).bind(client_id).bind(user_id);
    db.execute(sql).await.map(drop)
}

/// Deletes a user's query of an editor.
pub async fn delete_of_editor(
    db: &dyn Executor,
    user_id: Option<i64>,
    client_id: &str,
    editor: &str,
) -> Result<(), DbError> {
    let sql = Sql::new("DELETE FROM query WHERE client_id = ? AND user_id = ? AND sql_editor_id = ?");
    db.execute(sql.bind(client_id).bind(user_id).bind(editor)).await.map(drop)
}
