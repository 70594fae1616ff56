//! YAML as PyYAML writes and reads it: what exports consist of (`yaml.safe_dump(…, sort_keys=False)`,
//! `yaml.safe_load`).
//!
//! Written here because no crate does either: exports are compared byte for byte (folding at column 80, quoting,
//! escapes), and the texts of errors in imports are PyYAML's, positions included.

mod emit;
mod error;
mod from_json;
mod parse;
mod scalar;
mod scan;
mod scan_scalar;
mod to_json;
mod token;
mod value;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod property_tests;

pub use emit::dump;
pub use error::{ErrorKind, YamlError};
pub use from_json::json_loads;
pub use parse::load;
pub use to_json::{NotJson, json_dumps};
pub use value::{Key, Map, Yaml};
