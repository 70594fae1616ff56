//! What databases tell about themselves: schemas, tables, columns, partitions.

pub mod partitions;
pub mod select_star;
pub mod tables;
