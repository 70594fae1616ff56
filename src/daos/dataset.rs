//! Datasets with their columns and metrics (`superset.connectors.sqla.models`, `superset.daos.dataset`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::{
    Error,
    db::{DbError, Dialect, Executor, Sql},
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{chart, condition, natural_order, rows, typed_row::row, write::Values};

row! {
    /// A row of `tables`, with the name of its database.
    #[derive(Debug, Clone, PartialEq, Default)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Dataset over "t" {
        pub id: i64,
        pub table_name: String,
        pub main_dttm_col: Option<String>,
        pub default_endpoint: Option<String>,
        pub database_id: i64,
        pub offset: Option<i64>,
        pub description: Option<String>,
        pub is_featured: Option<bool>,
        pub cache_timeout: Option<i64>,
        pub schema: Option<String>,
        pub catalog: Option<String>,
        pub sql: Option<String>,
        pub params: Option<String>,
        pub perm: Option<String>,
        pub schema_perm: Option<String>,
        pub catalog_perm: Option<String>,
        pub filter_select_enabled: Option<bool>,
        pub fetch_values_predicate: Option<String>,
        pub is_sqllab_view: Option<bool>,
        pub template_params: Option<String>,
        pub extra: Option<String>,
        pub uuid: Option<Uuid>,
        pub is_managed_externally: bool,
        pub external_url: Option<String>,
        pub normalize_columns: Option<bool>,
        pub always_filter_main_dttm: Option<bool>,
        pub folders: Option<Json>,
        pub created_on: Option<NaiveDateTime>,
        pub changed_on: Option<NaiveDateTime>,
        pub created_by_fk: Option<i64>,
        pub changed_by_fk: Option<i64>,
        pub database_name: String = "d.database_name",
    }
}

row! {
    /// A row of `table_columns`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Column over "c" {
        pub id: i64,
        pub table_id: i64,
        pub column_name: String,
        pub verbose_name: Option<String>,
        pub is_dttm: Option<bool>,
        pub is_active: Option<bool>,
        pub type_: Option<String> = "c.type",
        pub groupby: Option<bool>,
        pub filterable: Option<bool>,
        pub description: Option<String>,
        pub expression: Option<String>,
        pub python_date_format: Option<String>,
        pub uuid: Option<Uuid>,
        pub extra: Option<String>,
        pub advanced_data_type: Option<String>,
        pub created_on: Option<NaiveDateTime>,
        pub changed_on: Option<NaiveDateTime>,
    }
}

row! {
    /// A row of `sql_metrics`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Metric over "m" {
        pub id: i64,
        pub table_id: i64,
        pub metric_name: String,
        pub verbose_name: Option<String>,
        pub metric_type: Option<String>,
        pub expression: String,
        pub description: Option<String>,
        pub d3format: Option<String>,
        pub currency: Option<Json>,
        pub warning_text: Option<String>,
        pub extra: Option<String>,
        pub uuid: Option<Uuid>,
        pub created_on: Option<NaiveDateTime>,
        pub changed_on: Option<NaiveDateTime>,
    }
}

impl Dataset {
    /// `schema.table`, or only the table (`SqlaTable.name`).
    pub fn name(&self) -> String {
        match self.schema.as_deref() {
            Some(schema) if !schema.is_empty() => format!("{schema}.{}", self.table_name),
            _ => self.table_name.clone(),
        }
    }
    /// Defined by SQL rather than by a table of the database.
    pub fn is_virtual(&self) -> bool {
        self.sql.as_deref().is_some_and(|sql| !sql.is_empty())
    }
    /// `/explore/?…` or the endpoint that was set for it (`explore_url`).
    pub fn explore_url(&self) -> String {
        match self.default_endpoint.as_deref() {
            Some(endpoint) if !endpoint.is_empty() => endpoint.to_owned(),
            _ => format!("/explore/?datasource_type=table&datasource_id={}", self.id),
        }
    }
    /// The permission that grants it (`get_perm`).
    pub fn own_perm(&self) -> String {
        format!("[{}].[{}](id:{})", self.database_name, self.table_name, self.id)
    }
}

fn select() -> Sql {
    Sql::new(format!("SELECT {} FROM tables t JOIN dbs d ON d.id = t.database_id", Dataset::COLUMNS))
}

/// A dataset by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Dataset>, DbError> {
    // PostgreSQL refuses to compare what no key can be
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    let mut sql = select();
    sql.push(" WHERE t.id = ").push_bind(id);
    db.first(sql).await?.as_ref().map(Dataset::read).transpose()
}

/// A dataset by its id, if a condition over the alias `t` lets it through.
pub async fn find_where(
    db: &dyn Executor,
    id: i64,
    condition: Option<Sql>,
) -> Result<Option<Dataset>, DbError> {
    let mut sql = select();
    sql.push(" WHERE t.id = ").push_bind(id);
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    db.first(sql).await?.as_ref().map(Dataset::read).transpose()
}

/// Several datasets, by id.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Dataset>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = select();
    sql.push(" WHERE t.id IN ").push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|row| Dataset::read(row).map(|d| (d.id, d))).collect()
}

/// Datasets of a database that stand for a table of a name (`query_datasources_by_name`).
pub async fn find_by_name(
    db: &dyn Executor,
    database_id: i64,
    table: &str,
    schema: Option<&str>,
    catalog: Option<&str>,
) -> Result<Vec<Dataset>, DbError> {
    let mut sql = select();
    sql.push(" WHERE t.database_id = ").push_bind(database_id);
    sql.push(" AND t.table_name = ").push_bind(table);
    for (column, value) in [("catalog", catalog), ("schema", schema)] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            sql.push(&format!(" AND t.{column} = ")).push_bind(value);
        }
    }
    db.query(sql).await?.iter().map(Dataset::read).collect()
}

/// Columns of several datasets.
pub async fn columns(db: &dyn Executor, table_ids: &[i64]) -> Result<HashMap<i64, Vec<Column>>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM table_columns c WHERE c.table_id IN ", Column::COLUMNS));
    sql.push_list(table_ids.iter().copied()).push(&natural_order::of_dataset_parts(db.dialect(), "c"));
    let mut of: HashMap<i64, Vec<Column>> = HashMap::new();
    for row in db.query(sql).await? {
        let column = Column::read(&row)?;
        of.entry(column.table_id).or_default().push(column);
    }
    Ok(of)
}

/// Metrics of several datasets.
pub async fn metrics(db: &dyn Executor, table_ids: &[i64]) -> Result<HashMap<i64, Vec<Metric>>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM sql_metrics m WHERE m.table_id IN ", Metric::COLUMNS));
    sql.push_list(table_ids.iter().copied()).push(&natural_order::of_dataset_parts(db.dialect(), "m"));
    let mut of: HashMap<i64, Vec<Metric>> = HashMap::new();
    for row in db.query(sql).await? {
        let metric = Metric::read(&row)?;
        of.entry(metric.table_id).or_default().push(metric);
    }
    Ok(of)
}

/// Whether another dataset may have this name: SQLite's schema has it once in the whole installation.
pub async fn takes_name(db: &dyn Executor, name: &str) -> Result<bool, DbError> {
    match db.dialect() {
        Dialect::Sqlite => Ok(!rows::has(db, "tables", "table_name", name).await?),
        Dialect::Postgres | Dialect::Mysql => Ok(true),
    }
}

/// All datasets of a database.
pub async fn of_database(db: &dyn Executor, database_id: i64) -> Result<Vec<Dataset>, DbError> {
    let mut sql = select();
    sql.push(" WHERE t.database_id = ").push_bind(database_id).push(" ORDER BY t.id");
    db.query(sql).await?.iter().map(Dataset::read).collect()
}

/// Ids of the datasets of a database that bear a name (`DatasetDAO.get_table_by_name`).
pub async fn id_by_name(db: &dyn Executor, database_id: i64, name: &str) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM tables WHERE database_id = ? AND table_name = ? LIMIT 2");
    db.query(sql.bind(database_id).bind(name)).await?.iter().map(|r| r.at(0)).collect()
}

/// Another dataset stands for the table (`DatasetDAO.validate_uniqueness`).
pub async fn is_taken(
    db: &dyn Executor,
    database_id: i64,
    (catalog, schema, table): (Option<&str>, Option<&str>, &str),
    but: Option<i64>,
) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT id FROM tables WHERE database_id = ");
    sql.push_bind(database_id).push(" AND table_name = ").push_bind(table);
    for (column, value) in [("catalog", catalog), ("schema", schema)] {
        match value {
            Some(value) => sql.push(&format!(" AND {column} = ")).push_bind(value),
            None => sql.push(&format!(" AND {column} IS NULL")),
        };
    }
    if let Some(id) = but {
        sql.push(" AND id <> ").push_bind(id);
    }
    Ok(db.first(sql).await?.is_some())
}

/// A dataset that a condition over the alias `t` lets through has this name, wherever it lies.
pub async fn is_named(db: &dyn Executor, name: &str, condition: Option<Sql>) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT t.id FROM tables t WHERE t.table_name = ");
    sql.push_bind(name);
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    Ok(db.first(sql).await?.is_some())
}

/// Those of `ids` that are datasets which a condition over the alias `t` lets through.
pub async fn existing(db: &dyn Executor, ids: &[i64], condition: Option<Sql>) -> Result<Vec<i64>, DbError> {
    rows::existing_where(db, ("tables", "t"), ids, condition).await
}

/// Inserts a dataset with nothing but the given columns; its id.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("tables", values).await
}

/// Changes a dataset and nothing besides: who changed it, and when, stays.
pub async fn update(db: &dyn Executor, id: i64, values: Values) -> Result<(), DbError> {
    db.update_row("tables", id, values).await.map(drop)
}

/// A permission has a new name: datasets and charts carry copies of it.
pub async fn rename_perm(db: &dyn Executor, old: &str, new: &str) -> Result<(), DbError> {
    for table in ["tables", "slices"] {
        let sql = Sql::new(format!("UPDATE {table} SET perm = ? WHERE perm = ?"));
        db.execute(sql.bind(new).bind(old)).await?;
    }
    Ok(())
}

/// A dataset and its charts have the permissions on the catalog and schema.
pub async fn set_place(
    db: &dyn Executor,
    id: i64,
    catalog_perm: Option<String>,
    schema_perm: Option<String>,
) -> Result<(), DbError> {
    let values =
        vec![("catalog_perm", catalog_perm.clone().into()), ("schema_perm", schema_perm.clone().into())];
    update(db, id, values).await?;
    chart::set_place_of_dataset(db, id, catalog_perm, schema_perm).await
}

/// Names of the permissions on all datasets, on their schemas and on their catalogs.
pub async fn perms(db: &dyn Executor) -> Result<Vec<[Option<String>; 3]>, DbError> {
    let rows = db.query(Sql::new("SELECT perm, schema_perm, catalog_perm FROM tables")).await?;
    rows.iter().map(|row| Ok([row.at(0)?, row.at(1)?, row.at(2)?])).collect()
}

/// Deletes datasets with their columns, metrics and links.
pub async fn delete(db: &dyn Executor, ids: &[i64]) -> Result<(), Error> {
    for table in ["sqlatable_user", "rls_filter_tables", "table_columns", "sql_metrics"] {
        rows::delete_where(db, table, "table_id", ids).await?;
    }
    rows::delete(db, "tables", ids).await
}

/// Ids of the datasets of a database.
pub async fn ids_of_database(db: &dyn Executor, database_id: i64) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM tables WHERE database_id = ?").bind(database_id);
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}

/// A condition on lists of datasets: somebody certified it, or nobody did.
pub fn is_certified(dialect: Dialect, yes: bool) -> Sql {
    let text = "\"certification\":";
    if yes {
        return condition::contains(dialect, "tables.extra", text);
    }
    Sql::new("tables.extra NOT LIKE ? OR tables.extra IS NULL").bind(format!("%{text}%"))
}
