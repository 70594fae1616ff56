//! Opening a dashboard by its id, slug or UUID (`DashboardDAO.get_by_id_or_slug`).

use daos::dashboard::{self, Dashboard, DashboardKey};
use infra::{Error, Result};

use crate::{
    Services,
    access::{Principal, lists, objects},
};

/// The dashboard, if the caller may open it: 404 when it is hidden from lists, 403 when it is not theirs to open. A
/// UUID is not looked up in lists: embedded pages and links to unpublished dashboards use it.
pub async fn by_id_or_slug(app: &Services, user: &Principal, text: &str) -> Result<Dashboard> {
    let db = app.db.exec();
    let key = DashboardKey::parse(text);
    let condition = match key {
        DashboardKey::Uuid(_) => None,
        _ => lists::dashboards(&app.config, user, db.dialect(), "b"),
    };
    let board = dashboard::find_where(db, &key, condition).await?.ok_or_else(Error::not_found)?;
    if objects::can_access_dashboard(app, user, &board).await? { Ok(board) } else { Err(Error::forbidden()) }
}

/// The dashboard of an id, if lists show it to the caller (`DashboardDAO.find_by_id`).
pub async fn listed(app: &Services, user: &Principal, id: i64) -> Result<Option<Dashboard>> {
    let db = app.db.exec();
    let condition = lists::dashboards(&app.config, user, db.dialect(), "b");
    Ok(dashboard::find_where(db, &DashboardKey::Id(id), condition).await?)
}
