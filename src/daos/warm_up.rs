//! What is asked for before people do (`superset.tasks.cache`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

async fn ids(db: &dyn Executor, sql: Sql) -> Result<Vec<i64>, DbError> {
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// All charts.
pub async fn all_charts(db: &dyn Executor) -> Result<Vec<i64>, DbError> {
    ids(db, Sql::new("SELECT id FROM slices ORDER BY id")).await
}

/// The dashboards with most rows in the event log since a time, by their ids.
pub async fn top_dashboards(db: &dyn Executor, since: NaiveDateTime, most: i64) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(
        "SELECT l.dashboard_id FROM logs l JOIN dashboards b ON b.id = l.dashboard_id WHERE l.dttm >= ? \
         GROUP BY l.dashboard_id ORDER BY COUNT(*) DESC, l.dashboard_id",
    )
    .bind(since);
    sql.append(db.dialect().limit(Some(most), 0));
    let mut found = ids(db, sql).await?;
    found.sort_unstable();
    Ok(found)
}

/// Objects that have one of the tags, by their ids; `kind` is `chart` or `dashboard`.
pub async fn tagged(db: &dyn Executor, kind: &str, tags: &[String]) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new(
        "SELECT DISTINCT o.object_id FROM tagged_object o JOIN tag g ON g.id = o.tag_id WHERE o.object_type = ",
    );
    sql.push_bind(kind).push(" AND g.name IN ").push_list(tags.iter().map(String::as_str));
    sql.push(" ORDER BY o.object_id");
    ids(db, sql).await
}
