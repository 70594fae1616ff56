//! Datasets.

mod columns;
mod date_format;
pub mod describe;
mod duplicate;
mod fields;
pub mod find;
mod folders;
pub(crate) mod permissions;
mod refresh;
mod save;
pub mod source;
pub mod trim;
mod uploaded;
mod validate;
pub mod write;

pub use columns::{delete_column, delete_metric};
pub use duplicate::duplicate;
pub use fields::{ColumnFields, CurrencyFields, DatasetFields, DuplicateFields, FolderFields, MetricFields};
pub use refresh::refresh;
pub use save::save;
pub use uploaded::{can_be_uploaded, uploaded};
