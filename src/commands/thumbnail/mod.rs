//! Thumbnails and screenshots that wait in a cache (`superset.tasks.thumbnails`, `superset.utils.screenshots`).
//!
//! Who asks for a picture that is not there gets a promise: the picture is taken by a queue of this process, which
//! takes few at a time and none twice.

pub mod compute;
pub mod digest;
mod lookup;
mod work;

pub use crate::state::thumbnails::{Kind, Payload, Status, ThumbnailRequest};
pub use lookup::{Lookup, image, look_up};
