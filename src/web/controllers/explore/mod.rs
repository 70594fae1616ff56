//! The chart builder: `/api/v1/explore/`, and `/superset/explore_json/` of older charts.

mod explore_json;
mod form_data;
mod get;

use crate::routes::Rule;

/// Rules of this folder.
pub fn rules() -> Vec<Rule> {
    [get::rules(), form_data::rules(), explore_json::rules()].concat()
}
