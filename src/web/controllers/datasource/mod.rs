//! Datasets as pages ask for them: `/datasource/…`, `/api/v1/datasource/…` (`superset.views.datasource`,
//! `superset.datasource`).

mod kinds;
mod rows;
mod views;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [rows::rules(), views::rules()].concat()
}
