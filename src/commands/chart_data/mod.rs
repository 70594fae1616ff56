//! Data of charts (`superset.charts.data`, `superset.common.query_context_processor`).
//!
//! [`prepare`] turns a request body into a checked [`Prepared`] request: dataset, access, row-level rules, query
//! objects. [`Prepared::run`] answers every query of it, from the cache, from a query that is under way for somebody
//! with the same rights, or from the database.

mod annotations;
mod client;
mod dashboard_filters;
mod execute;
mod flight;
mod key;
mod load;
mod of_query;
mod offsets;
mod payload;
mod render_sql;
mod run;
mod samples;
mod stored;
mod templates;
mod time;
mod totals;
mod values;
mod warm_up;

pub use execute::SqlContext;
pub use flight::Flights;
pub use load::LoadedDataset;
pub(crate) use of_query::columns as query_columns;
pub use payload::{Answer, ChartData, QueryRun};
pub(crate) use payload::{Rows as QueryRows, epoch_ms, hint as column_hint};
pub(crate) use render_sql::{render_clause, render_sql};
pub use run::{Prepared, prepare, prepare_loaded, prepare_with};
pub use samples::{SamplesRequest, samples};
pub use templates::TemplateScope;
pub use time::Clock;
pub use values::column_values;
pub use warm_up::WarmUp;
