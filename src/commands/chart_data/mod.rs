//! Data of charts (`superset.charts.data`, `superset.common.query_context_processor`).
//!
//! [`prepare`] turns a request body into a checked [`Prepared`] request: dataset, access, row-level rules, query
//! objects. [`Prepared::run`] answers every query of it, from the cache, from a query that is under way for somebody
//! with the same rights, or from the database.

mod annotations;
mod file;
mod run;
mod samples;
mod stored;
mod values;
mod warm_up;

pub use file::file;
pub use run::{Check, Prepared, prepare, prepare_loaded, prepare_with};
pub use samples::{SamplesRequest, samples};
pub use stored::{Stored, answered, prepare_stored, stored};
pub use values::column_values;
pub use warm_up::WarmUp;
