//! An empty dashboard to start from (`superset.views.dashboard.views:Dashboard.new`).

use infra::Result;
use uuid::Uuid;

use crate::{Principal, Services, implicit_tags, tag::ObjectType};

/// Makes an untitled dashboard that belongs to the caller; its id.
pub async fn dashboard_new(app: &Services, caller: &Principal) -> Result<i64> {
    let now = chrono::Local::now().naive_local();
    let tx = app.db.begin().await?;
    let values = vec![
        ("uuid", Uuid::new_v4().into()),
        ("dashboard_title", "[ untitled dashboard ]".into()),
        ("published", false.into()),
        ("is_managed_externally", false.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", caller.user_id().into()),
        ("changed_by_fk", caller.user_id().into()),
    ];
    let id = tx.exec().insert_row("dashboards", values).await?;
    if let Some(user_id) = caller.user_id() {
        let owner = vec![("dashboard_id", id.into()), ("user_id", user_id.into())];
        tx.exec().insert_row("dashboard_user", owner).await?;
    }
    let owners: Vec<i64> = caller.user_id().into_iter().collect();
    implicit_tags::created(&app.config, tx.exec(), caller, ObjectType::Dashboard, id, &owners).await?;
    tx.commit().await?;
    Ok(id)
}
