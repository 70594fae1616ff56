//! Charts: `/api/v1/chart/` (`superset.charts`).

mod data;
mod item;
mod resource;
mod thumbnail;
mod write;

pub(super) use data::refused;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), item::rules(), write::rules(), data::rules(), thumbnail::rules()].concat()
}
