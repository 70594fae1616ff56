//! What people did and looked at (`superset.utils.log`, `superset.daos.log`).

use chrono::{Local, TimeDelta};
use daos::event_log::{self, ActivityQuery};
use infra::Result;

use crate::{Caller, Services};

pub use daos::event_log::{Activity, Event};

/// Writes events.
pub async fn write(app: &Services, events: Vec<Event>) -> Result<()> {
    Ok(event_log::insert(app.db.exec(), events).await?)
}

/// A page of what the caller has looked at, newest first; `distinct` is each object once, within a year.
pub async fn recent_activity(
    caller: &Caller,
    actions: &[&str],
    distinct: bool,
    (page, page_size): (i64, i64),
) -> Result<Vec<Activity>> {
    let Some(user_id) = caller.user.user_id() else { return Ok(Vec::new()) };
    let query = ActivityQuery {
        user_id,
        actions,
        distinct_since: distinct.then(|| Local::now().naive_local() - TimeDelta::days(365)),
        limit: page_size,
        offset: page.saturating_mul(page_size),
    };
    Ok(event_log::activities(caller.app.db.exec(), &query).await?)
}
