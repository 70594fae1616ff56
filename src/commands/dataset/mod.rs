//! Datasets.

mod columns;
mod date_format;
pub mod describe;
mod duplicate;
mod folders;
mod permissions;
mod refresh;
mod save;
pub mod select_star;
pub mod source;
pub mod trim;
mod uploaded;
mod validate;
pub mod write;

pub use columns::{delete_column, delete_metric};
pub use date_format::is_date_format;
pub use duplicate::duplicate;
pub use refresh::refresh;
pub use save::save;
pub use uploaded::uploaded;
