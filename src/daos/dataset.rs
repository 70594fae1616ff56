//! Datasets with their columns and metrics (`superset.connectors.sqla.models`, `superset.daos.dataset`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::db::{DbError, Dialect, Executor, Row, Sql};
use serde_json::Value as Json;
use uuid::Uuid;

/// A row of `tables`, with the name of its database.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Dataset {
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
    pub database_name: String,
}

impl Dataset {
    /// The select list, over the alias `t`.
    pub const COLUMNS: &'static str = "t.id, t.table_name, t.main_dttm_col, t.default_endpoint, t.database_id, t.\"offset\", t.description, t.is_featured, t.cache_timeout, t.schema, t.catalog, t.sql, t.params, t.perm, t.schema_perm, t.catalog_perm, t.filter_select_enabled, t.fetch_values_predicate, t.is_sqllab_view, t.template_params, t.extra, t.uuid, t.is_managed_externally, t.external_url, t.normalize_columns, t.always_filter_main_dttm, t.folders, t.created_on, t.changed_on, t.created_by_fk, t.changed_by_fk, d.database_name AS database_name";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            table_name: row.get("table_name")?,
            main_dttm_col: row.get("main_dttm_col")?,
            default_endpoint: row.get("default_endpoint")?,
            database_id: row.get("database_id")?,
            offset: row.get("offset")?,
            description: row.get("description")?,
            is_featured: row.get("is_featured")?,
            cache_timeout: row.get("cache_timeout")?,
            schema: row.get("schema")?,
            catalog: row.get("catalog")?,
            sql: row.get("sql")?,
            params: row.get("params")?,
            perm: row.get("perm")?,
            schema_perm: row.get("schema_perm")?,
            catalog_perm: row.get("catalog_perm")?,
            filter_select_enabled: row.get("filter_select_enabled")?,
            fetch_values_predicate: row.get("fetch_values_predicate")?,
            is_sqllab_view: row.get("is_sqllab_view")?,
            template_params: row.get("template_params")?,
            extra: row.get("extra")?,
            uuid: row.get("uuid")?,
            is_managed_externally: row.get("is_managed_externally")?,
            external_url: row.get("external_url")?,
            normalize_columns: row.get("normalize_columns")?,
            always_filter_main_dttm: row.get("always_filter_main_dttm")?,
            folders: row.get("folders")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
            created_by_fk: row.get("created_by_fk")?,
            changed_by_fk: row.get("changed_by_fk")?,
            database_name: row.get("database_name")?,
        })
    }
}

/// A row of `table_columns`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Column {
    pub id: i64,
    pub table_id: i64,
    pub column_name: String,
    pub verbose_name: Option<String>,
    pub is_dttm: Option<bool>,
    pub is_active: Option<bool>,
    pub type_: Option<String>,
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

impl Column {
    /// The select list, over the alias `c`.
    pub const COLUMNS: &'static str = "c.id, c.table_id, c.column_name, c.verbose_name, c.is_dttm, c.is_active, c.type AS type_, c.groupby, c.filterable, c.description, c.expression, c.python_date_format, c.uuid, c.extra, c.advanced_data_type, c.created_on, c.changed_on";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            table_id: row.get("table_id")?,
            column_name: row.get("column_name")?,
            verbose_name: row.get("verbose_name")?,
            is_dttm: row.get("is_dttm")?,
            is_active: row.get("is_active")?,
            type_: row.get("type_")?,
            groupby: row.get("groupby")?,
            filterable: row.get("filterable")?,
            description: row.get("description")?,
            expression: row.get("expression")?,
            python_date_format: row.get("python_date_format")?,
            uuid: row.get("uuid")?,
            extra: row.get("extra")?,
            advanced_data_type: row.get("advanced_data_type")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
        })
    }
}

/// A row of `sql_metrics`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Metric {
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

impl Metric {
    /// The select list, over the alias `m`.
    pub const COLUMNS: &'static str = "m.id, m.table_id, m.metric_name, m.verbose_name, m.metric_type, m.expression, m.description, m.d3format, m.currency, m.warning_text, m.extra, m.uuid, m.created_on, m.changed_on";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            table_id: row.get("table_id")?,
            metric_name: row.get("metric_name")?,
            verbose_name: row.get("verbose_name")?,
            metric_type: row.get("metric_type")?,
            expression: row.get("expression")?,
            description: row.get("description")?,
            d3format: row.get("d3format")?,
            currency: row.get("currency")?,
            warning_text: row.get("warning_text")?,
            extra: row.get("extra")?,
            uuid: row.get("uuid")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
        })
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

/// Superset names no order for columns and metrics: on PostgreSQL people see them as they lie in the table, the last
/// edited one last, and so they do here.
fn unless_postgres<'a>(db: &dyn Executor, order: &'a str) -> &'a str {
    if db.dialect() == Dialect::Postgres { "" } else { order }
}

/// Columns of several datasets, in the order in which they were made.
pub async fn columns(db: &dyn Executor, table_ids: &[i64]) -> Result<HashMap<i64, Vec<Column>>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM table_columns c WHERE c.table_id IN ", Column::COLUMNS));
    sql.push_list(table_ids.iter().copied()).push(unless_postgres(db, " ORDER BY c.id"));
    let mut of: HashMap<i64, Vec<Column>> = HashMap::new();
    for row in db.query(sql).await? {
        let column = Column::read(&row)?;
        of.entry(column.table_id).or_default().push(column);
    }
    Ok(of)
}

/// Metrics of several datasets, in the order in which they were made.
pub async fn metrics(db: &dyn Executor, table_ids: &[i64]) -> Result<HashMap<i64, Vec<Metric>>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM sql_metrics m WHERE m.table_id IN ", Metric::COLUMNS));
    sql.push_list(table_ids.iter().copied()).push(unless_postgres(db, " ORDER BY m.id"));
    let mut of: HashMap<i64, Vec<Metric>> = HashMap::new();
    for row in db.query(sql).await? {
        let metric = Metric::read(&row)?;
        of.entry(metric.table_id).or_default().push(metric);
    }
    Ok(of)
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
