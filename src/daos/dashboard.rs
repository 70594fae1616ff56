//! Dashboards (`superset.models.dashboard`, `superset.daos.dashboard`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};
use uuid::Uuid;

/// A row of `dashboards`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Dashboard {
    pub id: i64,
    pub dashboard_title: Option<String>,
    pub position_json: Option<String>,
    pub json_metadata: Option<String>,
    pub css: Option<String>,
    pub description: Option<String>,
    pub slug: Option<String>,
    pub published: Option<bool>,
    pub uuid: Option<Uuid>,
    pub certified_by: Option<String>,
    pub certification_details: Option<String>,
    pub is_managed_externally: bool,
    pub external_url: Option<String>,
    pub theme_id: Option<i64>,
    pub created_on: Option<NaiveDateTime>,
    pub changed_on: Option<NaiveDateTime>,
    pub created_by_fk: Option<i64>,
    pub changed_by_fk: Option<i64>,
}

impl Dashboard {
    /// The select list, over the alias `b`.
    pub const COLUMNS: &'static str = "b.id, b.dashboard_title, b.position_json, b.json_metadata, b.css, b.description, b.slug, b.published, b.uuid, b.certified_by, b.certification_details, b.is_managed_externally, b.external_url, b.theme_id, b.created_on, b.changed_on, b.created_by_fk, b.changed_by_fk";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            dashboard_title: row.get("dashboard_title")?,
            position_json: row.get("position_json")?,
            json_metadata: row.get("json_metadata")?,
            css: row.get("css")?,
            description: row.get("description")?,
            slug: row.get("slug")?,
            published: row.get("published")?,
            uuid: row.get("uuid")?,
            certified_by: row.get("certified_by")?,
            certification_details: row.get("certification_details")?,
            is_managed_externally: row.get("is_managed_externally")?,
            external_url: row.get("external_url")?,
            theme_id: row.get("theme_id")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
            created_by_fk: row.get("created_by_fk")?,
            changed_by_fk: row.get("changed_by_fk")?,
        })
    }
}

impl Dashboard {
    /// Where it is shown.
    pub fn url(&self) -> String {
        match self.slug.as_deref() {
            Some(slug) if !slug.is_empty() => format!("/superset/dashboard/{slug}/"),
            _ => format!("/superset/dashboard/{}/", self.id),
        }
    }
}

/// How a dashboard is named in an address.
#[derive(Debug, Clone, PartialEq)]
pub enum DashboardKey {
    /// `dashboards.id`.
    Id(i64),
    /// `dashboards.uuid`.
    Uuid(Uuid),
    /// `dashboards.slug`.
    Slug(String),
}

impl DashboardKey {
    /// What Python's `int()` reads is an id, then UUIDs, then slugs.
    pub fn parse(text: &str) -> Self {
        if let Ok(id) = text.trim().parse() {
            return Self::Id(id);
        }
        Uuid::parse_str(text).map_or_else(|_| Self::Slug(text.to_owned()), Self::Uuid)
    }
}

/// A dashboard, if a condition over the alias `b` lets it through.
pub async fn find_where(
    db: &dyn Executor,
    key: &DashboardKey,
    condition: Option<Sql>,
) -> Result<Option<Dashboard>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM dashboards b WHERE ", Dashboard::COLUMNS));
    match key {
        DashboardKey::Id(id) => sql.push("b.id = ").push_bind(*id),
        DashboardKey::Uuid(uuid) => sql.push("b.uuid = ").push_bind(*uuid),
        DashboardKey::Slug(slug) => sql.push("b.slug = ").push_bind(slug),
    };
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    db.first(sql).await?.as_ref().map(Dashboard::read).transpose()
}

/// A dashboard by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Dashboard>, DbError> {
    find_where(db, &DashboardKey::Id(id), None).await
}

/// Several dashboards by their ids, in the order of the ids.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<Vec<Dashboard>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM dashboards b WHERE b.id IN ", Dashboard::COLUMNS));
    sql.push_list(ids.iter().copied()).push(" ORDER BY b.id");
    db.query(sql).await?.iter().map(Dashboard::read).collect()
}

/// Id and name of the roles that a dashboard is given to.
pub async fn roles(db: &dyn Executor, id: i64) -> Result<Vec<(i64, String)>, DbError> {
    let sql = Sql::new(
        "SELECT r.id, r.name FROM ab_role r JOIN dashboard_roles dr ON dr.role_id = r.id \
         WHERE dr.dashboard_id = ? ORDER BY r.id",
    );
    db.query(sql.bind(id)).await?.iter().map(|r| Ok((r.at(0)?, r.at(1)?))).collect()
}

/// Ids of the datasets of a dashboard's charts.
pub async fn dataset_ids(db: &dyn Executor, id: i64) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new(
        "SELECT DISTINCT s.datasource_id FROM slices s JOIN dashboard_slices ds ON ds.slice_id = s.id \
         WHERE ds.dashboard_id = ? AND s.datasource_id IS NOT NULL ORDER BY s.datasource_id",
    );
    db.query(sql.bind(id)).await?.iter().map(|r| r.at(0)).collect()
}
