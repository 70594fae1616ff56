//! Frames as bytes: JSON, CSV, XLSX.

pub mod json;
