//! Datasets: `/api/v1/dataset/` (`superset.datasets`).

mod item;
mod resource;
mod schema;
mod write;

pub(super) use item::related_objects;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), item::rules(), write::rules()].concat()
}
