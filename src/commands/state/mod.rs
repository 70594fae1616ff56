//! What every command works with: the running application, who asks, and what is kept in memory.

mod async_queries;
mod bootstrap_texts;
mod browser_settings;
mod caller;
pub mod claims;
mod flight;
pub mod functions;
mod grant_cache;
pub mod jobs;
pub(crate) mod local_files;
pub mod metastore_cache;
mod numbers;
mod principal;
pub mod processes;
mod query_run;
pub mod readiness;
mod results;
mod running;
mod services;
pub mod thumbnails;
mod unwritten_ends;

pub use async_queries::AsyncQueries;
pub use bootstrap_texts::{BootstrapKey, BootstrapTexts};
pub use caller::Caller;
pub use flight::Flights;
pub use grant_cache::{GrantCache, RoleGrants};
pub use numbers::numbers;
pub use principal::{GuestToken, Permissions, Principal, Role, User};
pub use query_run::QueryRun;
pub(crate) use query_run::{hint, unescaped};
pub use results::Results;
pub(crate) use running::Place as RunningPlace;
pub use running::Running;
pub use services::{Services, catch_up_seconds, lease_seconds};
pub use unwritten_ends::UnwrittenEnds;
