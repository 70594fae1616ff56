//! Columns that follow the source (`superset.connectors.sqla.models:SqlaTable.fetch_metadata`,
//! `superset.commands.dataset.refresh`).

use daos::{
    database,
    dataset::{self, Column, Dataset},
    tables::{SQL_METRICS, TABLE_COLUMNS, TABLES},
    write::{self, Values},
};
use infra::{Error, Result, db::Executor};

use super::{
    source::{Source, SourceColumn, source_columns},
    write::owned,
};
use crate::{Caller, Principal};

/// Reads the columns of a dataset from its source again. The caller must own it.
pub async fn refresh(caller: &Caller, id: i64) -> Result<()> {
    let dataset = owned(caller, id).await?;
    let missing = || Error::unprocessable("Dataset could not be updated.");
    let database = database::find(caller.app.db.exec(), dataset.database_id).await?.ok_or_else(missing)?;
    let source = Source::from_dataset(&dataset, &database);
    let columns = source_columns(caller, &source).await?.ok_or_else(missing)?;
    let tx = caller.app.db.begin().await?;
    merge(tx.exec(), &caller.user, &dataset, &columns).await?;
    Ok(tx.commit().await?)
}

/// Merges the columns of the source into those that are stored; expressions of people stay.
pub async fn merge(
    db: &dyn Executor,
    user: &Principal,
    dataset: &Dataset,
    source: &[SourceColumn],
) -> Result<()> {
    let (me, id) = (user.user_id(), dataset.id);
    let old = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
    let mut main = None;
    let mut new: Vec<&SourceColumn> = Vec::new();
    let mut changed = Vec::new();
    for column in source {
        let temporal = match old.iter().find(|c| c.column_name == column.name) {
            Some(stored) => {
                changed.push((stored.id, changes(stored, column)));
                stored.is_dttm.unwrap_or(column.temporal)
            }
            None => {
                if new.iter().any(|c| c.name == column.name) {
                    continue;
                }
                new.push(column);
                column.temporal
            }
        };
        if temporal && main.is_none() {
            main = Some(column.name.as_str());
        }
    }
    // in the order of SQLAlchemy's unit of work: PostgreSQL shows columns in the order in which they were written
    changed.sort_by_key(|(id, _)| *id);
    for (column, values) in changed {
        write::update(db, &TABLE_COLUMNS, column.into(), values, me).await?;
    }
    for column in new {
        write::insert(db, &TABLE_COLUMNS, fresh(id, column), me).await?;
    }
    let is_source = |c: &Column| source.iter().any(|s| s.name == c.column_name);
    let is_calculated = |c: &Column| c.expression.as_deref().is_some_and(|e| !e.is_empty());
    for gone in old.iter().filter(|c| !is_source(c) && !is_calculated(c)) {
        write::delete(db, &TABLE_COLUMNS, gone.id.into()).await?;
    }
    if dataset.main_dttm_col.as_deref().is_none_or(str::is_empty)
        && let Some(main) = main
    {
        write::update(db, &TABLES, id.into(), vec![("main_dttm_col", main.into())], me).await?;
    }
    let metrics = dataset::metrics(db, &[id]).await?.remove(&id).unwrap_or_default();
    if !metrics.iter().any(|m| m.metric_name == "count") {
        let values = vec![
            ("metric_name", "count".into()),
            ("verbose_name", "COUNT(*)".into()),
            ("metric_type", "count".into()),
            ("expression", "COUNT(*)".into()),
            ("table_id", id.into()),
        ];
        write::insert(db, &SQL_METRICS, values, me).await?;
    }
    Ok(())
}

/// Only what differs: a row that stays the same keeps its time of change.
fn changes(stored: &Column, source: &SourceColumn) -> Values {
    let mut values = Values::new();
    if stored.type_ != source.type_ {
        values.push(("type", source.type_.clone().into()));
    }
    if stored.expression.as_deref() != Some("") {
        values.push(("expression", "".into()));
    }
    if let Some(comment) = source.comment.as_ref().filter(|c| stored.description.as_ref() != Some(*c)) {
        values.push(("description", comment.clone().into()));
    }
    for (column, value) in [("groupby", stored.groupby), ("filterable", stored.filterable)] {
        if value != Some(true) {
            values.push((column, true.into()));
        }
    }
    values
}

fn fresh(dataset: i64, column: &SourceColumn) -> Values {
    let mut values: Values = vec![
        ("table_id", dataset.into()),
        ("column_name", column.name.clone().into()),
        ("type", column.type_.clone().into()),
        ("is_dttm", column.temporal.into()),
        ("groupby", true.into()),
        ("filterable", true.into()),
    ];
    if let Some(comment) = &column.comment {
        values.push(("description", comment.clone().into()));
    }
    values
}
