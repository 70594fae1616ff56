//! Themes.

use daos::upgrade::ddl::{ForeignKey, add_foreign_key, create_themes};

use crate::upgrade::{Result, Work};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    create_themes(work.db).await?;
    for (name, column) in [
        ("fk_themes_created_by_fk_ab_user", "created_by_fk"),
        ("fk_themes_changed_by_fk_ab_user", "changed_by_fk"),
    ] {
        let key = ForeignKey { name, table: "themes", column, to: "ab_user", cascade: false };
        add_foreign_key(work.db, &key).await?;
    }
    Ok(())
}
