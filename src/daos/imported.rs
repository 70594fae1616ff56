//! Rows that imports look for and write (`superset.models.helpers:ImportExportMixin.import_from_dict`).

use std::collections::HashMap;

use infra::db::{DbError, Executor, Row, Sql, Value};
use uuid::Uuid;

use crate::{
    base::{self, Query},
    record::{Record, Selection},
    rows,
    table::Table,
    write::Values,
};

/// The key of the row with a UUID.
pub async fn id_of(db: &dyn Executor, table: &Table, uuid: Uuid) -> Result<Option<i64>, DbError> {
    let sql = Sql::new(format!("SELECT {} FROM {} WHERE uuid = ?", table.pk, table.name)).bind(uuid);
    db.first(sql).await?.map(|row| row.at(0)).transpose()
}

/// Keys of all rows by their UUIDs.
pub async fn ids(db: &dyn Executor, table: &Table) -> Result<HashMap<Uuid, i64>, DbError> {
    let sql = Sql::new(format!("SELECT uuid, {} FROM {} WHERE uuid IS NOT NULL", table.pk, table.name));
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Which of some UUIDs are taken.
pub async fn existing(db: &dyn Executor, table: &Table, uuids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let mut found = Vec::new();
    for chunk in uuids.chunks(1_000) {
        let mut sql = Sql::new(format!("SELECT uuid FROM {} WHERE uuid IN ", table.name));
        sql.push_list(chunk.iter().copied());
        for row in db.query(sql).await? {
            found.push(row.at(0)?);
        }
    }
    Ok(found)
}

/// Keys of the rows, at most two, that agree in all values of `with` and in those of one of the unique constraints; a
/// null agrees with everything.
pub async fn matching(
    db: &dyn Executor,
    table: &Table,
    with: &[(&'static str, Value)],
    constraints: &[Values],
) -> Result<Vec<i64>, DbError> {
    let equal =
        |(column, value): &(&'static str, Value)| Sql::new(format!("\"{column}\" = ?")).bind(value.clone());
    let mut any = Sql::default();
    let alternatives: Vec<Sql> = constraints
        .iter()
        .map(|values| values.iter().filter(|(_, v)| *v != Value::Null).map(equal).collect::<Vec<_>>())
        .filter(|terms| !terms.is_empty())
        .map(|terms| {
            let mut all = Sql::new("(");
            all.push_joined(terms, " AND ").push(")");
            all
        })
        .collect();
    any.push("(").push_joined(alternatives, " OR ").push(")");
    let mut sql = Sql::new(format!("SELECT {} FROM {} WHERE ", table.pk, table.name));
    let terms: Vec<Sql> = with.iter().map(equal).chain([any]).collect();
    sql.push_joined(terms, " AND ").push(" LIMIT 2");
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// The children of a dataset by their names.
pub async fn children(
    db: &dyn Executor,
    table: &'static Table,
    dataset: i64,
    name: &'static str,
) -> Result<HashMap<String, Record>, DbError> {
    let condition = Sql::new(format!("{}.table_id = ?", table.name)).bind(dataset);
    let found = base::fetch(db, &Selection::all(table), &Query::filter(condition)).await?;
    Ok(found.into_iter().map(|row| (row.text(name), row)).collect())
}

/// Puts charts on a dashboard, beside those that are there.
pub async fn link_charts(db: &dyn Executor, dashboard: i64, charts: &[i64]) -> Result<(), DbError> {
    let sql = Sql::new("SELECT slice_id FROM dashboard_slices WHERE dashboard_id = ?").bind(dashboard);
    let known: Vec<Option<i64>> =
        db.query(sql).await?.iter().map(|row| row.at(0)).collect::<Result<_, _>>()?;
    let mut all: Vec<i64> = known.into_iter().flatten().collect();
    all.extend(charts.iter().filter(|id| !all.contains(id)).copied().collect::<Vec<_>>());
    rows::set_links(db, ("dashboard_slices", "dashboard_id", "slice_id"), dashboard, &all).await
}

/// Charts or dashboards that came from elsewhere: their keys and the JSON in which their old key may stand.
pub async fn with_remote_id(db: &dyn Executor, table: &Table) -> Result<Vec<(i64, String)>, DbError> {
    let column = if table.name == "slices" { "params" } else { "json_metadata" };
    let sql = Sql::new(format!("SELECT id, {column} FROM {} WHERE {column} LIKE ? ORDER BY id", table.name));
    let read = |row: &Row| Ok((row.at(0)?, row.at(1)?));
    db.query(sql.bind("%\"remote_id\"%")).await?.iter().map(read).collect()
}
