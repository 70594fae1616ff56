//! SQL Lab (`superset.sqllab`, `superset.sql_lab`, `superset.commands.sql_lab`).
//!
//! [`execute`] checks a request and writes the row of `query`; [`run`] executes it on a task of its own, which the
//! request waits for or not; `Running` of the services knows the tasks of this process, so that [`stop`] can end them.

mod columns;
mod create;
mod describe;
mod error;
pub mod estimate;
mod execute;
pub mod export;
mod orphans;
mod results;
mod run;
mod script;
pub mod source;
pub mod start;
pub mod stop;
pub mod tabs;
mod updates;

pub use describe::describe;
pub use error::Failure;
pub use execute::{ExecuteRequest, Execution, execute};
pub use orphans::close_orphans;
pub use results::read as read_results;
pub use updates::changed_since;

/// The states of a query (`QueryStatus`).
pub(crate) mod status {
    pub const PENDING: &str = "pending";
    pub const RUNNING: &str = "running";
    pub const SUCCESS: &str = "success";
    pub const FAILED: &str = "failed";
    pub const STOPPED: &str = "stopped";
    pub const TIMED_OUT: &str = "timed_out";
}

/// `now_as_float`: milliseconds since 1970.
fn now_ms() -> f64 {
    chrono::Utc::now().timestamp_micros() as f64 / 1000.0
}
