//! Data access: a file per table family; rows, columns, filters, statements over an `Executor`.

pub mod security;
