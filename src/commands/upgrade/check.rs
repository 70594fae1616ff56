//! Is a schema what its revision says? One that was changed by hand is refused, with what differs, before anything is
//! done; and what an upgrade has made is compared with the head before it is kept.

use std::collections::BTreeMap;

use daos::upgrade::{
    currency,
    shape::{self, Column, Shape},
};
use infra::db::{Executor, baseline, revisions::Revision};

use super::{
    error::{Result, refused},
    steps,
};

/// Tables that Flask-AppBuilder of 6.0.0 makes when the application starts; no revision brings them.
pub(super) const OF_APP_BUILDER: [&str; 4] = ["ab_group", "ab_group_role", "ab_user_group", "ab_api_key"];

/// Tables with the columns that they must have.
type Wanted = BTreeMap<String, Vec<String>>;

/// What a database has before some revisions are applied. Where a table is there that would come with them, it must be
/// the one that would come.
fn wanted_before(pending: &[&'static Revision], shape: &Shape) -> Result<Wanted> {
    let brought: Vec<_> = pending.iter().flat_map(|revision| steps::brings(revision.id)).collect();
    let is_brought = |table: &str, column: Option<&str>| brought.iter().any(|b| **b == (table, column));
    let mut wanted = Wanted::new();
    for (table, columns) in baseline::columns()? {
        let comes = is_brought(&table, None) || OF_APP_BUILDER.contains(&table.as_str());
        if comes && !shape.contains_key(&table) {
            continue;
        }
        let columns = columns.into_iter().filter(|column| !is_brought(&table, Some(column))).collect();
        wanted.insert(table, columns);
    }
    Ok(wanted)
}

/// What is missing, and what would be in the way of new rows.
fn differences(wanted: &Wanted, shape: &Shape, ours: &Wanted) -> Vec<String> {
    let mut found = Vec::new();
    for (table, columns) in wanted {
        let Some(there) = shape.get(table) else {
            found.push(format!("table {table} is missing"));
            continue;
        };
        let missing = columns.iter().filter(|column| !there.contains_key(*column));
        found.extend(missing.map(|column| format!("column {table}.{column} is missing")));
        let known = |name: &String| ours.get(table).is_some_and(|columns| columns.contains(name));
        let in_the_way = |(name, column): &(&String, &Column)| !known(name) && !column.optional;
        found.extend(there.iter().filter(in_the_way).map(|(name, _)| {
            format!("column {table}.{name} is not Superset's and must have a value in every row")
        }));
    }
    found
}

fn at_head() -> Result<Wanted> {
    let columns = baseline::columns()?;
    Ok(columns.into_iter().map(|(table, columns)| (table, columns.into_iter().collect())).collect())
}

/// Refuses a database that is not what its revision says; returns what is remarkable, but in nobody's way.
pub(super) async fn before(db: &dyn Executor, pending: &[&'static Revision]) -> Result<Vec<String>> {
    let (shape, head) = (shape::of(db).await?, at_head()?);
    let mut wanted = wanted_before(pending, &shape)?;
    if pending.iter().any(|revision| revision.id == currency::REVISION)
        && shape.get("sql_metrics").is_some_and(|columns| columns.contains_key(currency::TEMPORARY))
        && let Some(columns) = wanted.get_mut("sql_metrics")
    {
        // an upgrade that was cut short, where each statement stands for itself
        columns.retain(|column| column != "currency");
    }
    let mut found = differences(&wanted, &shape, &head);
    if pending.iter().any(|revision| revision.id == currency::REVISION) {
        let texts = ["character", "varchar", "text", "json", "longtext"];
        let is_text = |column: &Column| texts.iter().any(|start| column.kind.starts_with(start));
        let column = shape.get("sql_metrics").and_then(|columns| columns.get("currency"));
        if let Some(column) = column.filter(|column| !is_text(column)) {
            found.push(format!("column sql_metrics.currency holds {}, not text", column.kind));
        }
    }
    if !found.is_empty() {
        return Err(refused(format!(
            "the schema is not what its revision says: somebody has changed it, or an upgrade was cut short by \
             something else than its end. Nothing was changed.\n{}",
            found.join("\n")
        )));
    }
    let foreign = shape.keys().filter(|table| !head.contains_key(*table));
    Ok(foreign.map(|table| format!("table {table} is not Superset's and stays as it is")).collect())
}

/// Refuses what an upgrade has made if it is not the head, or if rows lost what they refer to.
pub(super) async fn result(db: &dyn Executor, dangling_before: &[String]) -> Result<()> {
    let head = at_head()?;
    let mut found = differences(&head, &shape::of(db).await?, &head);
    found.extend(shape::dangling(db).await?.into_iter().filter(|text| !dangling_before.contains(text)));
    if found.is_empty() {
        return Ok(());
    }
    Err(refused(format!("the result would not be the schema of Superset 6.0.0:\n{}", found.join("\n"))))
}
