//! Datasets.

pub mod describe;
pub mod select_star;
pub mod trim;
