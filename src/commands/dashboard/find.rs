//! Opening a dashboard by its id, slug or UUID (`DashboardDAO.get_by_id_or_slug`).

use daos::dashboard::{self, DashboardKey};
use infra::{Error, Result};

use crate::{
    Caller, Services,
    access::{lists, objects},
};

pub use daos::dashboard::Dashboard;

/// The dashboard, if the caller may open it: 404 when it is hidden from lists, 403 when it is not theirs to open. A
/// UUID is not looked up in lists: embedded pages and links to unpublished dashboards use it.
pub async fn by_id_or_slug(caller: &Caller, text: &str) -> Result<Dashboard> {
    let db = caller.app.db.exec();
    let key = DashboardKey::parse(text);
    let condition = match key {
        DashboardKey::Uuid(_) => None,
        _ => lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "b"),
    };
    let dashboard = dashboard::find_where(db, &key, condition).await?.ok_or_else(Error::not_found)?;
    if objects::can_access_dashboard(caller, &dashboard).await? {
        Ok(dashboard)
    } else {
        Err(Error::forbidden())
    }
}

/// The dashboard of an id, if lists show it to the caller (`DashboardDAO.find_by_id`).
pub async fn listed(caller: &Caller, id: i64) -> Result<Option<Dashboard>> {
    let db = caller.app.db.exec();
    let condition = lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "b");
    Ok(dashboard::find_where(db, &DashboardKey::Id(id), condition).await?)
}

/// The dashboard of an id, UUID or slug, whoever may open it.
pub async fn unchecked(app: &Services, text: &str) -> Result<Option<Dashboard>> {
    Ok(dashboard::find_where(app.db.exec(), &DashboardKey::parse(text), None).await?)
}
