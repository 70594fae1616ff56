//! Charts (`superset.models.slice:Slice`, `superset.daos.chart`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};
use uuid::Uuid;

/// A row of `slices`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Chart {
    pub id: i64,
    pub slice_name: Option<String>,
    pub datasource_id: Option<i64>,
    pub datasource_type: Option<String>,
    pub datasource_name: Option<String>,
    pub viz_type: Option<String>,
    pub params: Option<String>,
    pub query_context: Option<String>,
    pub description: Option<String>,
    pub cache_timeout: Option<i64>,
    pub perm: Option<String>,
    pub schema_perm: Option<String>,
    pub catalog_perm: Option<String>,
    pub uuid: Option<Uuid>,
    pub last_saved_at: Option<NaiveDateTime>,
    pub last_saved_by_fk: Option<i64>,
    pub certified_by: Option<String>,
    pub certification_details: Option<String>,
    pub is_managed_externally: bool,
    pub external_url: Option<String>,
    pub created_on: Option<NaiveDateTime>,
    pub changed_on: Option<NaiveDateTime>,
    pub created_by_fk: Option<i64>,
    pub changed_by_fk: Option<i64>,
}

impl Chart {
    /// The select list, over the alias `s`.
    pub const COLUMNS: &'static str = "s.id, s.slice_name, s.datasource_id, s.datasource_type, s.datasource_name, s.viz_type, s.params, s.query_context, s.description, s.cache_timeout, s.perm, s.schema_perm, s.catalog_perm, s.uuid, s.last_saved_at, s.last_saved_by_fk, s.certified_by, s.certification_details, s.is_managed_externally, s.external_url, s.created_on, s.changed_on, s.created_by_fk, s.changed_by_fk";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            slice_name: row.get("slice_name")?,
            datasource_id: row.get("datasource_id")?,
            datasource_type: row.get("datasource_type")?,
            datasource_name: row.get("datasource_name")?,
            viz_type: row.get("viz_type")?,
            params: row.get("params")?,
            query_context: row.get("query_context")?,
            description: row.get("description")?,
            cache_timeout: row.get("cache_timeout")?,
            perm: row.get("perm")?,
            schema_perm: row.get("schema_perm")?,
            catalog_perm: row.get("catalog_perm")?,
            uuid: row.get("uuid")?,
            last_saved_at: row.get("last_saved_at")?,
            last_saved_by_fk: row.get("last_saved_by_fk")?,
            certified_by: row.get("certified_by")?,
            certification_details: row.get("certification_details")?,
            is_managed_externally: row.get("is_managed_externally")?,
            external_url: row.get("external_url")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
            created_by_fk: row.get("created_by_fk")?,
            changed_by_fk: row.get("changed_by_fk")?,
        })
    }
}

/// How a chart is named in an address.
#[derive(Debug, Clone, PartialEq)]
pub enum ChartKey {
    /// `slices.id`.
    Id(i64),
    /// `slices.uuid`.
    Uuid(Uuid),
}

impl ChartKey {
    /// Digits are an id, anything else must be a UUID; nothing else names a chart.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::Id);
        }
        Uuid::parse_str(text).ok().map(Self::Uuid)
    }
}

/// A chart, if a condition over the alias `s` lets it through.
pub async fn find_where(
    db: &dyn Executor,
    key: &ChartKey,
    condition: Option<Sql>,
) -> Result<Option<Chart>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM slices s WHERE ", Chart::COLUMNS));
    match key {
        ChartKey::Id(id) => sql.push("s.id = ").push_bind(*id),
        ChartKey::Uuid(uuid) => sql.push("s.uuid = ").push_bind(*uuid),
    };
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    db.first(sql).await?.as_ref().map(Chart::read).transpose()
}

/// A chart by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Chart>, DbError> {
    // PostgreSQL refuses to compare what no key can be
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    find_where(db, &ChartKey::Id(id), None).await
}

/// Several charts by their ids, in the order of the ids.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<Vec<Chart>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM slices s WHERE s.id IN ", Chart::COLUMNS));
    sql.push_list(ids.iter().copied()).push(" ORDER BY s.id");
    db.query(sql).await?.iter().map(Chart::read).collect()
}

/// The charts of a dataset, found by the names of its database and table; none when there is not exactly one such
/// dataset.
pub async fn of_table(db: &dyn Executor, database: &str, table: &str) -> Result<Option<Vec<Chart>>, DbError> {
    let mut sql = Sql::new("SELECT t.id FROM tables t JOIN dbs d ON d.id = t.database_id WHERE ");
    sql.push("d.database_name = ").push_bind(database).push(" AND t.table_name = ").push_bind(table);
    let ids = db.query(sql).await?;
    let [row] = ids.as_slice() else { return Ok(None) };
    of_dataset(db, row.at(0)?).await.map(Some)
}

/// What a table's name leads to.
#[derive(Debug)]
pub enum OfTable {
    /// No dataset has that name.
    Missing,
    /// Several have it.
    Several,
    /// The charts of the only one.
    Charts(Vec<Chart>),
}

/// The charts of the only dataset of a name, in whatever database it is.
pub async fn of_tables_named(db: &dyn Executor, table: &str) -> Result<OfTable, DbError> {
    let mut sql =
        Sql::new("SELECT t.id FROM tables t JOIN dbs d ON d.id = t.database_id WHERE t.table_name = ");
    sql.push_bind(table).push(" LIMIT 2");
    let ids = db.query(sql).await?;
    match ids.as_slice() {
        [] => Ok(OfTable::Missing),
        [row] => of_dataset(db, row.at(0)?).await.map(OfTable::Charts),
        _ => Ok(OfTable::Several),
    }
}

async fn of_dataset(db: &dyn Executor, id: i64) -> Result<Vec<Chart>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM slices s WHERE s.datasource_id = ", Chart::COLUMNS));
    sql.push_bind(id).push(" AND s.datasource_type = 'table' ORDER BY s.id");
    db.query(sql).await?.iter().map(Chart::read).collect()
}

/// The charts of a dashboard.
pub async fn of_dashboard(db: &dyn Executor, dashboard_id: i64) -> Result<Vec<Chart>, DbError> {
    let mut sql = Sql::new(format!(
        "SELECT {} FROM slices s JOIN dashboard_slices ds ON ds.slice_id = s.id WHERE ds.dashboard_id = ",
        Chart::COLUMNS
    ));
    sql.push_bind(dashboard_id).push(" ORDER BY s.id");
    db.query(sql).await?.iter().map(Chart::read).collect()
}

/// Id, title and metadata of the dashboards that show a chart.
pub async fn dashboards(
    db: &dyn Executor,
    chart_id: i64,
) -> Result<Vec<(i64, Option<String>, Option<String>)>, DbError> {
    let sql = Sql::new(
        "SELECT b.id, b.dashboard_title, b.json_metadata FROM dashboards b \
         JOIN dashboard_slices ds ON ds.dashboard_id = b.id WHERE ds.slice_id = ? ORDER BY b.id",
    );
    db.query(sql.bind(chart_id)).await?.iter().map(|r| Ok((r.at(0)?, r.at(1)?, r.at(2)?))).collect()
}
