//! Dashboards (`superset.models.dashboard`, `superset.daos.dashboard`).

use chrono::NaiveDateTime;
use infra::{
    Error,
    db::{DbError, Executor, Row, Sql},
};
use uuid::Uuid;

use crate::{rows, typed_row::row, write::Values};

row! {
    /// A row of `dashboards`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Dashboard over "b" {
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

/// Inserts a dashboard; its id.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("dashboards", values).await
}

/// Changes a dashboard.
pub async fn update(db: &dyn Executor, id: i64, values: Values) -> Result<(), DbError> {
    db.update_row("dashboards", id, values).await.map(drop)
}

/// Another dashboard than `but` has this slug.
pub async fn is_slug_taken(db: &dyn Executor, slug: &str, but: Option<i64>) -> Result<bool, DbError> {
    rows::has_other(db, "dashboards", "slug", slug, but).await
}

/// Those of `ids` that are dashboards which a condition over the alias `b` lets through.
pub async fn existing(db: &dyn Executor, ids: &[i64], condition: Option<Sql>) -> Result<Vec<i64>, DbError> {
    rows::existing_where(db, ("dashboards", "b"), ids, condition).await
}

/// Makes these the charts of a dashboard; links that stay are not touched.
pub async fn set_charts(db: &dyn Executor, id: i64, charts: &[i64]) -> Result<(), DbError> {
    rows::set_links(db, ("dashboard_slices", "dashboard_id", "slice_id"), id, charts).await
}

/// Gives a dashboard to these roles and no others.
pub async fn set_roles(db: &dyn Executor, id: i64, roles: &[i64]) -> Result<(), DbError> {
    rows::set_links(db, ("dashboard_roles", "dashboard_id", "role_id"), id, roles).await
}

/// Takes a theme away from the dashboards that use it.
pub async fn clear_theme(db: &dyn Executor, theme_id: i64) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE dashboards SET theme_id = NULL WHERE theme_id = ?").bind(theme_id);
    db.execute(sql).await.map(drop)
}

/// Deletes dashboards with their links; nobody is greeted by them any more.
pub async fn delete(db: &dyn Executor, ids: &[i64]) -> Result<(), Error> {
    for table in ["dashboard_user", "dashboard_slices", "dashboard_roles", "embedded_dashboards"] {
        rows::delete_where(db, table, "dashboard_id", ids).await?;
    }
    let mut sql =
        Sql::new("UPDATE user_attribute SET welcome_dashboard_id = NULL WHERE welcome_dashboard_id IN ");
    sql.push_list(ids.iter().copied());
    db.execute(sql).await?;
    rows::delete(db, "dashboards", ids).await
}

/// A dashboard as the question "what hangs on this dataset" names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct DashboardName {
    pub id: i64,
    pub json_metadata: Option<String>,
    pub slug: Option<String>,
    pub dashboard_title: Option<String>,
}

/// The dashboards that show charts of several datasets.
pub async fn names_of_datasets(
    db: &dyn Executor,
    dataset_ids: &[i64],
) -> Result<Vec<DashboardName>, DbError> {
    let mut sql = Sql::new(
        "SELECT b.id, b.json_metadata, b.slug, b.dashboard_title FROM dashboards b WHERE b.id IN \
         (SELECT ds.dashboard_id FROM dashboard_slices ds JOIN slices s ON s.id = ds.slice_id \
         WHERE s.datasource_type = 'table' AND s.datasource_id IN ",
    );
    sql.push_list(dataset_ids.iter().copied()).push(") ORDER BY b.id");
    let read = |r: &Row| {
        Ok(DashboardName { id: r.at(0)?, json_metadata: r.at(1)?, slug: r.at(2)?, dashboard_title: r.at(3)? })
    };
    db.query(sql).await?.iter().map(read).collect()
}
