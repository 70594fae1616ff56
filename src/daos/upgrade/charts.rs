//! Charts as upgrades read and write them.

use infra::db::{DbError, Executor, Sql};

/// Charts that are read at a time.
pub const PAGE: i64 = 200;

/// What of a chart an upgrade may change.
#[derive(Debug)]
pub struct Chart {
    /// Its key.
    pub id: i64,
    /// Its controls as JSON.
    pub params: Option<String>,
    /// Its query as JSON.
    pub query_context: Option<String>,
}

/// How many charts there are of some kinds.
pub async fn count(db: &dyn Executor, kinds: &[&str]) -> Result<usize, DbError> {
    let mut sql = Sql::new("SELECT count(*) FROM slices WHERE viz_type IN ");
    sql.push_list(kinds.iter().copied());
    let count: i64 = db.first(sql).await?.map_or(Ok(0), |row| row.at(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The next charts of some kinds.
pub async fn after(db: &dyn Executor, kinds: &[&str], id: i64) -> Result<Vec<Chart>, DbError> {
    let mut sql = Sql::new("SELECT id, params, query_context FROM slices WHERE viz_type IN ");
    sql.push_list(kinds.iter().copied()).push(" AND id > ").push_bind(id).push(" ORDER BY id");
    sql.append(db.dialect().limit(Some(PAGE), 0));
    let rows = db.query(sql).await?;
    rows.iter()
        .map(|row| Ok(Chart { id: row.at(0)?, params: row.at(1)?, query_context: row.at(2)? }))
        .collect()
}

/// Gives a chart another kind; `texts` are its controls and its query.
pub async fn set_kind(
    db: &dyn Executor,
    id: i64,
    kind: &str,
    texts: Option<(&str, &str)>,
) -> Result<(), DbError> {
    let mut values = vec![("viz_type", kind.into())];
    if let Some((params, context)) = texts {
        values.push(("params", params.into()));
        values.push(("query_context", context.into()));
    }
    db.update_row("slices", id, values).await.map(drop)
}

/// Writes the controls of a chart.
pub async fn set_params(db: &dyn Executor, id: i64, params: &str) -> Result<(), DbError> {
    db.update_row("slices", id, vec![("params", params.into())]).await.map(drop)
}
