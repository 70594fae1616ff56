//! UUIDs of CSS templates and stars. Rows that are there get none, as in the original.

use daos::upgrade::ddl::{Holds, add_column};

use crate::upgrade::{Result, Work};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    for table in ["css_templates", "favstar"] {
        add_column(work.db, table, "uuid", Holds::Uuid).await?;
    }
    Ok(())
}
