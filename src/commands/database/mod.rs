//! Connections to analytical databases.

pub mod describe;
pub mod secrets;
pub mod uri;
