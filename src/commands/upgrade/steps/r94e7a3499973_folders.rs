//! Folders of a dataset's columns and metrics.

use daos::upgrade::ddl::{Holds, add_column};

use crate::upgrade::{Result, Work};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    Ok(add_column(work.db, "tables", "folders", Holds::Json).await?)
}
