//! Alerts and reports: `/api/v1/report/` (`superset.reports`).

mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), write::rules()].concat()
}
