//! Dashboards: `/api/v1/dashboard/` (`superset.dashboards`).

mod embedded;
mod filter_state;
mod item;
mod resource;
mod thumbnail;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [
        resource::rules(),
        item::rules(),
        write::rules(),
        embedded::rules(),
        filter_state::rules(),
        thumbnail::rules(),
    ]
    .concat()
}
