//! What upgrades of an older schema ask of the metadata database and change in it; `commands::upgrade` says in which
//! order. Statements that differ between the backends stand in [`ddl`] and [`rebuild`].
//!
//! Everything that changes the schema looks first and does nothing where it is done: on MySQL an upgrade that was cut
//! short has some of it.

pub mod charts;
pub mod currency;
pub mod ddl;
pub mod own_version;
pub mod permissions;
mod rebuild;
pub mod shape;
pub mod version;
