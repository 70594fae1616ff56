//! Columns and metrics of a dataset that is written (`superset.daos.dataset:DatasetDAO.update_columns`,
//! `update_metrics`; `superset.commands.dataset.columns`, `metrics`).

use std::collections::HashSet;

use daos::{
    Table,
    table::Kind,
    tables::{SQL_METRICS, TABLE_COLUMNS},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, Sql, Value as Stored},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::write::Fields;
use crate::refused::refused;
use crate::{
    Principal, Services,
    access::{lists, ownership},
    relations::Invalid,
};

/// Columns or metrics: what a body calls them, their table, what names one.
struct Part {
    field: &'static str,
    table: &'static Table,
    name: &'static str,
}

const COLUMNS: Part = Part { field: "columns", table: &TABLE_COLUMNS, name: "column_name" };
const METRICS: Part = Part { field: "metrics", table: &SQL_METRICS, name: "metric_name" };

type Item = Map<String, Value>;

impl Part {
    fn items<'a>(&self, fields: &'a Fields) -> Option<Vec<&'a Item>> {
        Some(fields.get(self.field)?.as_array()?.iter().filter_map(Value::as_object).collect())
    }

    async fn validate(
        &self,
        db: &dyn Executor,
        dataset: i64,
        items: &[&Item],
        may_exist: bool,
        invalid: &mut Invalid,
    ) -> Result<(), DbError> {
        let complain = |what: &str| format!("One or more {} {what}", self.field);
        let mut names = HashSet::new();
        if !items.iter().all(|item| names.insert(name(item, self.name))) {
            invalid.add(self.field, &complain("are duplicated"));
            return Ok(());
        }
        let ids: Vec<i64> = items.iter().filter_map(|item| id(item)).collect();
        let known = |column: &str, db_values: Sql| {
            let mut sql = Sql::new(format!("SELECT id FROM {} WHERE table_id = ", self.table.name));
            sql.push_bind(dataset).push(&format!(" AND {column} IN ")).append(db_values);
            db.query(sql)
        };
        let list = |values: Vec<Stored>| {
            let mut sql = Sql::new("");
            sql.push_list(values);
            sql
        };
        let in_range = ids.iter().copied().filter(|id| i32::try_from(*id).is_ok());
        if known("id", list(in_range.map(Stored::from).collect())).await?.len() != ids.len() {
            invalid.add(self.field, &complain("do not exist"));
        }
        let new = items.iter().filter(|item| !item.contains_key("id"));
        let new: Vec<Stored> = new.map(|item| name(item, self.name).into()).collect();
        if !may_exist && !known(self.name, list(new)).await?.is_empty() {
            invalid.add(self.field, &complain("already exist"));
        }
        Ok(())
    }

    /// Makes the rows of a dataset those of a body.
    async fn write(
        &self,
        db: &dyn Executor,
        user: &Principal,
        dataset: i64,
        items: &[&Item],
        replace: bool,
    ) -> Result<()> {
        let sql = format!("SELECT id FROM {} WHERE table_id = ?", self.table.name);
        let rows = db.query(Sql::new(sql).bind(dataset)).await?;
        let before: Vec<i64> = rows.iter().map(|r| r.at(0)).collect::<Result<_, DbError>>()?;
        if replace {
            db.execute(Sql::new(format!("DELETE FROM {} WHERE table_id = ?", self.table.name)).bind(dataset))
                .await?;
        }
        for item in items.iter().filter(|item| replace || !item.contains_key("id")) {
            let mut values = self.values(item);
            values.extend(id(item).map(|id| ("id", id.into())));
            values.push(("table_id", dataset.into()));
            write::insert(db, self.table, values, user.user_id()).await?;
        }
        if replace {
            return Ok(());
        }
        let kept: Vec<i64> = items.iter().filter_map(|item| id(item)).collect();
        for item in items {
            if let Some(id) = id(item) {
                // as a bulk update: who changed it, and when, stays
                db.update_row(self.table.name, id, self.values(item)).await?;
            }
        }
        let mut gone = Sql::new(format!("DELETE FROM {} WHERE id IN ", self.table.name));
        gone.push_list(before.into_iter().filter(|id| !kept.contains(id)));
        db.execute(gone).await?;
        Ok(())
    }

    fn values(&self, item: &Item) -> Values {
        let mut values = Values::new();
        for column in self.table.columns.iter().filter(|c| !matches!(c.name, "id" | "table_id")) {
            let Some(value) = item.get(column.name) else { continue };
            let stored: Stored = match (column.kind, value) {
                (_, Value::Null) => Stored::Null,
                (Kind::Boolean, v) => v.as_bool().into(),
                (Kind::Uuid, v) => v.as_str().and_then(|u| Uuid::parse_str(u).ok()).into(),
                (Kind::Json, v) => v.to_string().into(),
                (_, v) => v.as_str().into(),
            };
            values.push((column.name, stored));
        }
        values
    }

    /// Deletes one row of a dataset that the caller owns.
    async fn delete(&self, app: &Services, user: &Principal, dataset: i64, id: i64) -> Result<()> {
        let missing = Error::not_found;
        let visible = daos::dataset::find_where(app.db.exec(), dataset, lists::datasets(user, "t")).await?;
        visible.ok_or_else(missing)?;
        let tx = app.db.begin().await?;
        let sql = format!("SELECT id FROM {} WHERE id = ? AND table_id = ?", self.table.name);
        tx.exec().first(Sql::new(sql).bind(id).bind(dataset)).await?.ok_or_else(missing)?;
        let owned = daos::person::Owned::Dataset;
        if !ownership::not_owned(tx.exec(), user, owned, &[dataset]).await?.is_empty() {
            return Err(Error::forbidden());
        }
        write::delete(tx.exec(), self.table, id.into()).await?;
        Ok(tx.commit().await?)
    }
}

fn name<'a>(item: &'a Item, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn id(item: &Item) -> Option<i64> {
    item.get("id").and_then(Value::as_i64)
}

/// Complaints about the columns and metrics of a body.
pub(super) async fn validate(
    db: &dyn Executor,
    dataset: i64,
    fields: &Fields,
    override_columns: bool,
    invalid: &mut Invalid,
) -> Result<()> {
    for (part, may_exist) in [(&COLUMNS, override_columns), (&METRICS, false)] {
        if let Some(items) = part.items(fields).filter(|items| !items.is_empty()) {
            part.validate(db, dataset, &items, may_exist, invalid).await?;
        }
    }
    Ok(())
}

/// Writes the columns and metrics of a body, if it has any; whether it had.
pub(super) async fn write(
    db: &dyn Executor,
    user: &Principal,
    dataset: i64,
    fields: &Fields,
    override_columns: bool,
) -> Result<bool> {
    let mut touched = false;
    for (part, replace) in [(&COLUMNS, override_columns), (&METRICS, false)] {
        if let Some(items) = part.items(fields) {
            part.write(db, user, dataset, &items, replace).await?;
            touched = true;
        }
    }
    Ok(touched)
}

/// Deletes a column.
pub async fn delete_column(app: &Services, user: &Principal, dataset: i64, id: i64) -> Result<()> {
    let outcome = COLUMNS.delete(app, user, dataset, id).await;
    outcome.map_err(refused("Dataset column delete failed."))
}

/// Deletes a metric.
pub async fn delete_metric(app: &Services, user: &Principal, dataset: i64, id: i64) -> Result<()> {
    let outcome = METRICS.delete(app, user, dataset, id).await;
    outcome.map_err(refused("Dataset metric delete failed."))
}
