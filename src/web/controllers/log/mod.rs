//! The event log and what people did last: `/api/v1/log/` (`superset.views.log`).

mod recent_activity;
mod resource;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), recent_activity::rules()].concat()
}
