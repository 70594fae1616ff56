//! Users, roles, groups and permissions: `/api/v1/security/` (`flask_appbuilder.security.sqla.apis`).

mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), write::rules()].concat()
}
