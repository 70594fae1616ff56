//! Analytical databases: what charts and SQL Lab query.

pub mod column;
