//! What is known of engines without connecting to them: a file each in `specs/`, as data.
//!
//! Whatever depends on an engine asks its [`EngineSpec`]; drivers stand above, in `engines`.

mod dialect;
pub mod facts;
pub mod grains;
pub mod registry;
pub mod spec;
pub mod url;

pub use dialect::{Dialect, Family, LimitForm};
pub use registry::{spec, spec_for_uri, specs};
pub use spec::{EngineSpec, GenericType};
