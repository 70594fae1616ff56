//! Annotation layers and their annotations (`superset.annotation_layers`).

mod resource;
mod write;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [resource::rules(), write::rules()].concat()
}
