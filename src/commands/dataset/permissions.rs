//! Permissions that follow a dataset (`superset.security.manager:dataset_after_insert`, `dataset_before_update`,
//! `dataset_after_delete`): roles are granted view menus, and datasets and charts carry copies of their names.

use daos::{
    chart,
    dataset::{self, Dataset},
    view_menu,
    write::Values,
};
use infra::{Result, db::Executor};

use crate::access::objects::{catalog_perm, schema_perm};

/// View menu of a dataset (`get_dataset_perm`).
pub fn dataset_perm(database: &str, table: &str, id: i64) -> String {
    format!("[{database}].[{table}](id:{id})")
}

/// Where a dataset lies: what its permissions are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Name of the database.
    pub database: String,
    /// Key of the database.
    pub database_id: i64,
    /// Catalog.
    pub catalog: Option<String>,
    /// Schema.
    pub schema: Option<String>,
    /// Table.
    pub table: String,
}

impl Place {
    /// The place of a stored dataset.
    pub fn from_dataset(dataset: &Dataset) -> Self {
        Self {
            database: dataset.database_name.clone(),
            database_id: dataset.database_id,
            catalog: dataset.catalog.clone(),
            schema: dataset.schema.clone(),
            table: dataset.table_name.clone(),
        }
    }
    fn catalog_perm(&self) -> Option<String> {
        catalog_perm(&self.database, self.catalog.as_deref())
    }
    fn schema_perm(&self) -> Option<String> {
        schema_perm(&self.database, self.catalog.as_deref(), self.schema.as_deref())
    }
}

/// After a dataset was made.
pub async fn created(db: &dyn Executor, id: i64, place: &Place) -> Result<()> {
    let perm = dataset_perm(&place.database, &place.table, id);
    view_menu::ensure(db, "datasource_access", &perm).await?;
    let mut values: Values = vec![("perm", perm.into())];
    if let Some(perm) = place.schema_perm() {
        view_menu::ensure(db, "schema_access", &perm).await?;
        values.push(("schema_perm", perm.into()));
    }
    if let Some(perm) = place.catalog_perm() {
        view_menu::ensure(db, "catalog_access", &perm).await?;
        values.push(("catalog_perm", perm.into()));
    }
    Ok(dataset::update(db, id, values).await?)
}

/// Before a dataset moves or is renamed.
pub async fn moved(db: &dyn Executor, dataset: &Dataset, to: &Place) -> Result<()> {
    let from = Place::from_dataset(dataset);
    let new = dataset_perm(&to.database, &to.table, dataset.id);
    if from.database_id != to.database_id {
        rename(db, dataset.id, dataset.perm.as_deref().unwrap_or_default(), &new).await?;
        set_schema(db, dataset.id, to).await?;
    }
    if from.table != to.table {
        let old = dataset_perm(&to.database, &from.table, dataset.id);
        rename(db, dataset.id, &old, &new).await?;
    }
    if from.catalog != to.catalog || from.schema != to.schema {
        set_schema(db, dataset.id, to).await?;
    }
    Ok(())
}

/// After a dataset was deleted; the permissions on its schema stay.
pub async fn deleted(db: &dyn Executor, dataset: &Dataset) -> Result<()> {
    let perm = dataset_perm(&dataset.database_name, &dataset.table_name, dataset.id);
    Ok(view_menu::remove(db, "datasource_access", &perm).await?)
}

async fn rename(db: &dyn Executor, id: i64, old: &str, new: &str) -> Result<()> {
    if view_menu::exists(db, new).await? {
        return Ok(());
    }
    if !view_menu::exists(db, old).await? {
        return Ok(view_menu::ensure(db, "datasource_access", new).await?);
    }
    view_menu::rename(db, old, new).await?;
    dataset::update(db, id, vec![("perm", new.into())]).await?;
    Ok(chart::set_perm_of_dataset(db, id, new).await?)
}

async fn set_schema(db: &dyn Executor, id: i64, to: &Place) -> Result<()> {
    let (catalog, schema) = (to.catalog_perm(), to.schema_perm());
    for (permission, perm) in [("catalog_access", &catalog), ("schema_access", &schema)] {
        if let Some(perm) = perm {
            view_menu::ensure(db, permission, perm).await?;
        }
    }
    Ok(dataset::set_place(db, id, catalog, schema).await?)
}
