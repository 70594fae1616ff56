//! Columns and metrics of a dataset that is written (`superset.daos.dataset:DatasetDAO.update_columns`,
//! `update_metrics`; `superset.commands.dataset.columns`, `metrics`).

use std::collections::HashSet;

use daos::{
    Table, dataset_parts, rows,
    tables::{SQL_METRICS, TABLE_COLUMNS},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, Value as Stored},
};

use super::{ColumnFields, DatasetFields, MetricFields};
use crate::refused::refused;
use crate::{
    Caller, Principal,
    access::{lists, ownership},
    relations::Invalid,
    schema::{Sent, columns},
};

/// Columns or metrics: what a body calls them, their table, what names one.
struct Part {
    field: &'static str,
    table: &'static Table,
    name: &'static str,
}

const COLUMNS: Part = Part { field: "columns", table: &TABLE_COLUMNS, name: "column_name" };
const METRICS: Part = Part { field: "metrics", table: &SQL_METRICS, name: "metric_name" };

/// A column or metric of a body.
trait PartFields {
    /// Its id; what has none is new.
    fn id(&self) -> &Sent<i64>;
    fn name(&self) -> Option<&str>;
    /// The columns of its row.
    fn values(&self) -> Values;
}

impl PartFields for ColumnFields {
    fn id(&self) -> &Sent<i64> {
        &self.id
    }
    fn name(&self) -> Option<&str> {
        self.column_name.text()
    }
    fn values(&self) -> Values {
        let mut values = columns![
            self; column_name, advanced_data_type, verbose_name, description, expression, extra, filterable,
            groupby, is_active, is_dttm, python_date_format, uuid,
        ];
        values.extend(self.kind.stored().map(|kind| ("type", kind)));
        values
    }
}

impl PartFields for MetricFields {
    fn id(&self) -> &Sent<i64> {
        &self.id
    }
    fn name(&self) -> Option<&str> {
        self.metric_name.text()
    }
    fn values(&self) -> Values {
        let mut values = columns![
            self; metric_name, expression, description, extra, metric_type, d3format, verbose_name,
            warning_text, uuid,
        ];
        values.extend(self.currency.stored_json().map(|currency| ("currency", currency)));
        values
    }
}

impl Part {
    async fn validate<T: PartFields>(
        &self,
        db: &dyn Executor,
        dataset: i64,
        items: &[T],
        may_exist: bool,
        invalid: &mut Invalid,
    ) -> Result<(), DbError> {
        let complain = |what: &str| format!("One or more {} {what}", self.field);
        let mut names = HashSet::new();
        if !items.iter().all(|item| names.insert(item.name().unwrap_or_default())) {
            invalid.add(self.field, &complain("are duplicated"));
            return Ok(());
        }
        let ids: Vec<i64> = items.iter().filter_map(|item| item.id().get()).collect();
        let known = |column, values| dataset_parts::count(db, self.table, dataset, column, values);
        let in_range = ids.iter().copied().filter(|id| i32::try_from(*id).is_ok());
        if known("id", in_range.map(Stored::from).collect()).await? != ids.len() {
            invalid.add(self.field, &complain("do not exist"));
        }
        let new = items.iter().filter(|item| !item.id().is_sent());
        let new: Vec<Stored> = new.map(|item| item.name().unwrap_or_default().into()).collect();
        if !may_exist && known(self.name, new).await? > 0 {
            invalid.add(self.field, &complain("already exist"));
        }
        Ok(())
    }

    /// Makes the rows of a dataset those of a body.
    async fn write<T: PartFields>(
        &self,
        db: &dyn Executor,
        user: &Principal,
        dataset: i64,
        items: &[T],
        replace: bool,
    ) -> Result<()> {
        let before = dataset_parts::ids(db, self.table, dataset).await?;
        if replace {
            dataset_parts::delete_all(db, self.table, dataset).await?;
        }
        for item in items.iter().filter(|item| replace || !item.id().is_sent()) {
            let mut values = item.values();
            values.extend(item.id().get().map(|id| ("id", id.into())));
            values.push(("table_id", dataset.into()));
            write::insert(db, self.table, values, user.user_id()).await?;
        }
        if replace {
            return Ok(());
        }
        let kept: Vec<i64> = items.iter().filter_map(|item| item.id().get()).collect();
        for item in items {
            if let Some(id) = item.id().get() {
                dataset_parts::update(db, self.table, id, item.values()).await?;
            }
        }
        let gone: Vec<i64> = before.into_iter().filter(|id| !kept.contains(id)).collect();
        rows::delete_where(db, self.table.name, "id", &gone).await?;
        Ok(())
    }

    /// Deletes one row of a dataset that the caller owns.
    async fn delete(&self, caller: &Caller, dataset: i64, id: i64) -> Result<()> {
        let missing = Error::not_found;
        let visible =
            daos::dataset::find_where(caller.app.db.exec(), dataset, lists::datasets(&caller.user, "t"))
                .await?;
        visible.ok_or_else(missing)?;
        let tx = caller.app.db.begin().await?;
        if dataset_parts::count(tx.exec(), self.table, dataset, "id", vec![id.into()]).await? == 0 {
            return Err(missing());
        }
        let owned = daos::person::Owned::Dataset;
        if !ownership::not_owned(tx.exec(), &caller.user, owned, &[dataset]).await?.is_empty() {
            return Err(Error::forbidden());
        }
        write::delete(tx.exec(), self.table, id.into()).await?;
        Ok(tx.commit().await?)
    }
}

/// Complaints about the columns and metrics of a body.
pub(super) async fn validate(
    db: &dyn Executor,
    dataset: i64,
    fields: &DatasetFields,
    override_columns: bool,
    invalid: &mut Invalid,
) -> Result<()> {
    if let Some(columns) = fields.columns.items().filter(|columns| !columns.is_empty()) {
        COLUMNS.validate(db, dataset, columns, override_columns, invalid).await?;
    }
    if let Some(metrics) = fields.metrics.items().filter(|metrics| !metrics.is_empty()) {
        METRICS.validate(db, dataset, metrics, false, invalid).await?;
    }
    Ok(())
}

/// Writes the columns and metrics of a body, if it has any; whether it had.
pub(super) async fn write(
    db: &dyn Executor,
    user: &Principal,
    dataset: i64,
    fields: &DatasetFields,
    override_columns: bool,
) -> Result<bool> {
    let (columns, metrics) = (fields.columns.items(), fields.metrics.items());
    if let Some(columns) = columns {
        COLUMNS.write(db, user, dataset, columns, override_columns).await?;
    }
    if let Some(metrics) = metrics {
        METRICS.write(db, user, dataset, metrics, false).await?;
    }
    Ok(columns.is_some() || metrics.is_some())
}

/// Deletes a column.
pub async fn delete_column(caller: &Caller, dataset: i64, id: i64) -> Result<()> {
    let outcome = COLUMNS.delete(caller, dataset, id).await;
    outcome.map_err(refused("Dataset column delete failed."))
}

/// Deletes a metric.
pub async fn delete_metric(caller: &Caller, dataset: i64, id: i64) -> Result<()> {
    let outcome = METRICS.delete(caller, dataset, id).await;
    outcome.map_err(refused("Dataset metric delete failed."))
}
