//! From a question to its rows: what charts, SQL Lab and the legacy charts share.
//!
//! A dataset is loaded with the caller's row-level rules ([`LoadedDataset`]), templates are rendered, SQL is built,
//! checked and executed ([`SqlContext`]), and the rows become an answer ([`Answer`]).

pub(crate) mod bounds;
pub mod cache_keys;
pub(crate) mod cached_run;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod dashboard_filters;
pub(crate) mod execute;
pub(crate) mod key;
pub(crate) mod load;
pub(crate) mod of_query;
pub(crate) mod offsets;
pub(crate) mod payload;
pub(crate) mod query_access;
pub(crate) mod query_template;
pub(crate) mod render_sql;
pub(crate) mod statement_columns;
pub mod table_rules;
pub(crate) mod templates;
pub(crate) mod time;
pub(crate) mod totals;
pub(crate) mod unread;

pub(crate) use crate::state::hint as column_hint;
pub use execute::SqlContext;
pub use load::LoadedDataset;
pub(crate) use of_query::columns as query_columns;
pub use payload::{Answer, ChartData, QueryRun, csv_encoding};
pub(crate) use payload::{Rows as QueryRows, epoch_ms};
pub(crate) use render_sql::{render_clause, render_sql};
pub use templates::TemplateScope;
pub use time::Clock;

pub(crate) use query_access::raise_for_past;
