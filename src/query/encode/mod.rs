//! Frames as bytes: JSON, CSV, XLSX.

pub mod csv;
pub mod json;
pub mod records_iso;
pub mod xlsx;
