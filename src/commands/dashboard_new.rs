//! An empty dashboard to start from (`superset.views.dashboard.views:Dashboard.new`).

use daos::{
    dashboard,
    person::{self, Owned},
};
use infra::Result;
use uuid::Uuid;

use crate::{Caller, implicit_tags, tag::ObjectType};

/// Makes an untitled dashboard that belongs to the caller; its id.
pub async fn dashboard_new(caller: &Caller) -> Result<i64> {
    let now = chrono::Local::now().naive_local();
    let tx = caller.app.db.begin().await?;
    let values = vec![
        ("uuid", Uuid::new_v4().into()),
        ("dashboard_title", "[ untitled dashboard ]".into()),
        ("published", false.into()),
        ("is_managed_externally", false.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", caller.user.user_id().into()),
        ("changed_by_fk", caller.user.user_id().into()),
    ];
    let id = dashboard::insert(tx.exec(), values).await?;
    let owners: Vec<i64> = caller.user.user_id().into_iter().collect();
    person::set_owners(tx.exec(), Owned::Dashboard, id, &owners).await?;
    implicit_tags::created(&caller.app.config, tx.exec(), &caller.user, ObjectType::Dashboard, id, &owners)
        .await?;
    tx.commit().await?;
    Ok(id)
}
