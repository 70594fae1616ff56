//! Charts (`superset.models.slice:Slice`, `superset.daos.chart`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::{
    Error,
    db::{DbError, Dialect, Executor, Row, Sql},
};
use uuid::Uuid;

use crate::{condition, rows, typed_row::row, write::Values};

row! {
    /// A row of `slices`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Chart over "s" {
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

/// A chart as a dashboard names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Placed {
    pub id: i64,
    pub uuid: Option<Uuid>,
    pub slice_name: Option<String>,
}

/// The charts of several dashboards.
pub async fn of_dashboards(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Vec<Placed>>, DbError> {
    let mut sql = Sql::new(
        "SELECT ds.dashboard_id, s.id, s.uuid, s.slice_name FROM slices s \
         JOIN dashboard_slices ds ON ds.slice_id = s.id WHERE ds.dashboard_id IN ",
    );
    sql.push_list(ids.iter().copied()).push(" ORDER BY s.id");
    let mut found: HashMap<i64, Vec<Placed>> = HashMap::new();
    for row in db.query(sql).await? {
        let placed = Placed { id: row.at(1)?, uuid: row.at(2)?, slice_name: row.at(3)? };
        found.entry(row.at(0)?).or_default().push(placed);
    }
    Ok(found)
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

/// Keys of all charts of a kind; with `text` only those whose parameters have it.
pub async fn ids_of_kind(db: &dyn Executor, viz_type: &str, text: Option<&str>) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new("SELECT id FROM slices WHERE viz_type = ");
    sql.push_bind(viz_type);
    if let Some(text) = text {
        sql.push(" AND params LIKE ").push_bind(format!("%{text}%"));
    }
    sql.push(" ORDER BY id");
    db.query(sql).await?.iter().map(|row| row.at(0)).collect()
}

/// Inserts a chart; its id.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("slices", values).await
}

/// Changes a chart.
pub async fn update(db: &dyn Executor, id: i64, values: Values) -> Result<(), DbError> {
    db.update_row("slices", id, values).await.map(drop)
}

/// Those of `ids` that are charts which a condition over the alias `s` lets through.
pub async fn existing(db: &dyn Executor, ids: &[i64], condition: Option<Sql>) -> Result<Vec<i64>, DbError> {
    rows::existing_where(db, ("slices", "s"), ids, condition).await
}

/// UUIDs of those of `ids` that are on a dashboard or that a condition over the alias `s` lets through.
pub async fn uuids_on(
    db: &dyn Executor,
    ids: &[i64],
    dashboard_id: Option<i64>,
    condition: Option<Sql>,
) -> Result<HashMap<i64, Option<Uuid>>, DbError> {
    let mut sql = Sql::new("SELECT s.id, s.uuid FROM slices s WHERE s.id IN ");
    sql.push_list(ids.iter().copied());
    if let Some(condition) = condition {
        sql.push(" AND (").append(condition);
        sql.push(" OR s.id IN (SELECT slice_id FROM dashboard_slices WHERE dashboard_id = ");
        sql.push_bind(dashboard_id).push("))");
    }
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Puts a chart on these dashboards and no others.
pub async fn set_dashboards(db: &dyn Executor, id: i64, dashboards: &[i64]) -> Result<(), DbError> {
    rows::set_links(db, ("dashboard_slices", "slice_id", "dashboard_id"), id, dashboards).await
}

/// The charts of a dataset have the dataset's permission.
pub async fn set_perm_of_dataset(db: &dyn Executor, dataset_id: i64, perm: &str) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE slices SET perm = ? WHERE datasource_type = 'table' AND datasource_id = ?");
    db.execute(sql.bind(perm).bind(dataset_id)).await.map(drop)
}

/// The charts of a dataset have the permissions on the dataset's catalog and schema.
pub async fn set_place_of_dataset(
    db: &dyn Executor,
    dataset_id: i64,
    catalog_perm: Option<String>,
    schema_perm: Option<String>,
) -> Result<(), DbError> {
    let sql = Sql::new(
        "UPDATE slices SET catalog_perm = ?, schema_perm = ? WHERE datasource_type = 'table' AND datasource_id = ?",
    );
    db.execute(sql.bind(catalog_perm).bind(schema_perm).bind(dataset_id)).await.map(drop)
}

/// Deletes charts with their links.
pub async fn delete(db: &dyn Executor, ids: &[i64]) -> Result<(), Error> {
    for table in ["slice_user", "dashboard_slices"] {
        rows::delete_where(db, table, "slice_id", ids).await?;
    }
    rows::delete(db, "slices", ids).await
}

/// A chart as the question "what hangs on this dataset" names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct ChartName {
    pub id: i64,
    pub slice_name: Option<String>,
    pub viz_type: Option<String>,
}

/// The charts of several datasets.
pub async fn names_of_datasets(db: &dyn Executor, dataset_ids: &[i64]) -> Result<Vec<ChartName>, DbError> {
    let mut sql = Sql::new(
        "SELECT s.id, s.slice_name, s.viz_type FROM slices s \
         WHERE s.datasource_type = 'table' AND s.datasource_id IN ",
    );
    sql.push_list(dataset_ids.iter().copied()).push(" ORDER BY s.id");
    let read = |r: &Row| Ok(ChartName { id: r.at(0)?, slice_name: r.at(1)?, viz_type: r.at(2)? });
    db.query(sql).await?.iter().map(read).collect()
}

/// Conditions on lists of charts: the name, the description, the kind or the dataset's name contains a text.
pub fn contains(dialect: Dialect, text: &str) -> Sql {
    let columns = ["slices.slice_name", "slices.description", "slices.viz_type"];
    let mut sql = condition::any_contains(dialect, &columns, text);
    sql.push(
        " OR (slices.datasource_type = 'table' AND slices.datasource_id IN (SELECT t.id FROM tables t WHERE ",
    );
    sql.append(condition::contains(dialect, "t.table_name", text)).push("))");
    sql
}

/// A user owns, made, changed or starred it.
pub fn is_of(user_id: Option<i64>) -> Sql {
    let mut sql = Sql::new("slices.id IN (SELECT slice_id FROM slice_user WHERE user_id = ");
    sql.push_bind(user_id).push(") OR ").append(condition::is_touched_by("slices", user_id));
    sql.push(" OR ").append(condition::is_starred("slices", "slice", user_id, true));
    sql
}
