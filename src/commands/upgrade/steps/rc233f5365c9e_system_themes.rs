//! Themes that the whole installation wears.

use daos::{
    system_themes,
    upgrade::ddl::{Holds, add_column, create_index, set_not_null},
};

use crate::upgrade::{Result, Work};

const MARKS: [&str; 2] = ["is_system_default", "is_system_dark"];

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    for mark in MARKS {
        add_column(work.db, "themes", mark, Holds::Boolean).await?;
        system_themes::unmark_unknown(work.db, mark).await?;
    }
    set_not_null(work.db, "themes", &MARKS).await?;
    for mark in MARKS {
        create_index(work.db, "themes", &format!("idx_theme_{mark}"), mark).await?;
    }
    Ok(())
}
