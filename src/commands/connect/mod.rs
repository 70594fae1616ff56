//! From a row of `dbs` to a database that answers: its URI, secrets, tunnel, personal tokens, and how it fails.

pub mod describe;
pub(crate) mod engine;
pub mod errors;
mod local_files;
pub mod oauth2;
pub mod secrets;
pub mod tunnel;
pub mod uri;

pub use engine::{
    arguments_of, effective_name, engine_as, engine_name, impersonate, limits, mutate, oauth2_client, source,
    source_as,
};
