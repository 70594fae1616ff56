//! Themes: `/api/v1/theme/` (`superset.themes`).

mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), write::rules()].concat()
}
