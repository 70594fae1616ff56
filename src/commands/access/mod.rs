//! Who may see and do what (`superset.security.manager`): decisions, not HTTP.

pub mod executor;
mod grants;
pub mod guest;
pub mod lists;
mod load;
pub mod log_in;
pub mod objects;
pub mod ownership;
pub mod row_level;
pub mod rules_in_force;
pub mod sql_calls;
pub mod sql_tables;
mod via_dashboard;

pub use load::{load_anonymous, load_guest, load_user};

pub use log_in::{LogIn, LogInState};
