//! Connections to analytical databases: describing, testing, writing them.

pub mod describe;
pub mod errors;
pub mod oauth2;
pub mod parameters;
mod permissions;
pub mod secrets;
pub mod test;
pub mod tunnel;
pub mod upload;
pub mod uri;
pub mod validate_sql;
pub mod write;
