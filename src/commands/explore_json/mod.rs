//! Data of the charts that still ask `/superset/explore_json/` (`superset.views.core:Superset.explore_json`).
//!
//! [`read_form_data`] gathers the chart's settings from a request, [`Explored::open`] finds the dataset and checks the
//! caller's rights, and the methods of [`Explored`] answer in the forms that the endpoint knows.

mod form_data;
mod layers;
mod payload;
mod viz;

pub use form_data::{Sources, read_form_data};
pub use payload::Payload;
pub use viz::Explored;
