//! A dashboard with its charts, owners, roles, tags and theme; how it is embedded.

use daos::{
    chart,
    dashboard::{self, Dashboard},
    embedded,
    person::{self, Owned},
    tag::{self, Tag},
    theme::{self, Theme},
};
use infra::Result;
use uuid::Uuid;

use crate::Services;

pub use daos::{chart::Chart, embedded::Embedded, person::Person};

/// What `GET /api/v1/dashboard/1` shows besides the dashboard itself.
#[derive(Debug, Clone)]
pub struct DashboardDetail {
    /// Its charts.
    pub charts: Vec<Chart>,
    /// Its owners.
    pub owners: Vec<Person>,
    /// Id and name of the roles that it is given to.
    pub roles: Vec<(i64, String)>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Who made it.
    pub created_by: Option<Person>,
    /// Who changed it last.
    pub changed_by: Option<Person>,
    /// Its theme.
    pub theme: Option<Theme>,
}

/// Reads what is shown with a dashboard that the caller may open.
pub async fn load(app: &Services, dashboard: &Dashboard) -> Result<DashboardDetail> {
    let db = app.db.exec();
    let charts = chart::of_dashboard(db, dashboard.id).await?;
    let owners = person::owners(db, Owned::Dashboard, &[dashboard.id]).await?.remove(&dashboard.id);
    let roles = dashboard::roles(db, dashboard.id).await?;
    let tags = tag::of_object(db, "dashboard", dashboard.id).await?;
    let [created_by, changed_by] =
        person::find_each(db, [dashboard.created_by_fk, dashboard.changed_by_fk]).await?;
    let theme = match dashboard.theme_id {
        Some(id) => theme::find(db, id).await?,
        None => None,
    };
    Ok(DashboardDetail {
        charts,
        owners: owners.unwrap_or_default(),
        roles,
        tags,
        created_by,
        changed_by,
        theme,
    })
}

/// The charts of a dashboard.
pub async fn charts(app: &Services, dashboard: &Dashboard) -> Result<Vec<Chart>> {
    Ok(chart::of_dashboard(app.db.exec(), dashboard.id).await?)
}

/// How a dashboard is embedded, if it is.
pub async fn embedding(app: &Services, dashboard: &Dashboard) -> Result<Option<Embedded>> {
    Ok(embedded::of_dashboard(app.db.exec(), dashboard.id).await?.into_iter().next())
}

/// The embedding of a UUID; a text that is none finds nothing.
pub async fn embedding_of(app: &Services, uuid: &str) -> Result<Option<Embedded>> {
    match Uuid::parse_str(uuid) {
        Ok(uuid) => Ok(embedded::find(app.db.exec(), uuid).await?),
        Err(_) => Ok(None),
    }
}

/// Who changed an embedding last.
pub async fn embedding_changed_by(app: &Services, embedded: &Embedded) -> Result<Option<Person>> {
    let [person] = person::find_each(app.db.exec(), [embedded.changed_by_fk]).await?;
    Ok(person)
}
