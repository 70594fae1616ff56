//! Row-level rules: `/api/v1/rowlevelsecurity/` (`superset.row_level_security`).

mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), write::rules()].concat()
}
