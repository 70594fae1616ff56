//! The theme of a dashboard.

use daos::upgrade::ddl::{ForeignKey, Holds, add_column, add_foreign_key};

use crate::upgrade::{Result, Work};

const KEY: ForeignKey = ForeignKey {
    name: "fk_dashboards_theme_id_themes",
    table: "dashboards",
    column: "theme_id",
    to: "themes",
    cascade: false,
};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    add_column(work.db, "dashboards", "theme_id", Holds::Integer).await?;
    Ok(add_foreign_key(work.db, &KEY).await?)
}
