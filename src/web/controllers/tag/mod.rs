//! Tags and what has them: `/api/v1/tag/` (`superset.tags`).

mod objects;
mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), objects::rules(), write::rules()].concat()
}
