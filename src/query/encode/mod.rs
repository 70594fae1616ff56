//! Frames as bytes: JSON, CSV, XLSX.

pub mod csv;
pub mod json;
pub mod xlsx;
