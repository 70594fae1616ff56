//! Connections: `/api/v1/database/` (`superset.databases`).

mod fields;
mod item;
mod metadata;
mod oauth2;
mod resource;
mod upload;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), metadata::rules(), item::rules(), write::rules(), upload::rules(), oauth2::rules()]
        .concat()
}
