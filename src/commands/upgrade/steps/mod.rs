//! The revisions: a file for each that does something, named by its identifier.

mod r32bf93dfe2a4_cascades;
mod r363a9b1e8992_currency_objects;
mod r378cecfdba9f_x_axis_sort;
mod r3fd555e76e3d_themes;
mod r74ad1125881c_upload_permission;
mod r7b17aa722e30_uuids;
mod r94e7a3499973_folders;
mod rc233f5365c9e_system_themes;
mod rcd1fb11291f2_theme_of_dashboard;
mod rd482d51c15ca_legacy_charts;
mod rf1edd4a4d4f2_currency_json;

use infra::db::Executor;

use super::{Result, Work, refused};

/// Applies a revision.
pub(super) async fn apply(work: &Work<'_>, revision: &str) -> Result<()> {
    match revision {
        // looks for a unique constraint in a way that never finds one: nothing changes
        "df3d7e2eb9a4" => Ok(()),
        "7b17aa722e30" => r7b17aa722e30_uuids::apply(work).await,
        // only joins two lines of revisions
        "eb1c288c71c4" => Ok(()),
        "d482d51c15ca" => rd482d51c15ca_legacy_charts::apply(work).await,
        "74ad1125881c" => r74ad1125881c_upload_permission::apply(work).await,
        "94e7a3499973" => r94e7a3499973_folders::apply(work).await,
        "32bf93dfe2a4" => r32bf93dfe2a4_cascades::apply(work).await,
        "378cecfdba9f" => r378cecfdba9f_x_axis_sort::apply(work).await,
        "f1edd4a4d4f2" => rf1edd4a4d4f2_currency_json::apply(work).await,
        "363a9b1e8992" => r363a9b1e8992_currency_objects::apply(work).await,
        "3fd555e76e3d" => r3fd555e76e3d_themes::apply(work).await,
        "cd1fb11291f2" => rcd1fb11291f2_theme_of_dashboard::apply(work).await,
        "c233f5365c9e" => rc233f5365c9e_system_themes::apply(work).await,
        other => Err(refused(format!("revision {other} has no step"))),
    }
}

/// What a revision will change, in words; nothing where that goes without saying.
pub(super) async fn changes(db: &dyn Executor, revision: &str) -> Result<Vec<String>> {
    match revision {
        "d482d51c15ca" => rd482d51c15ca_legacy_charts::changes(db).await,
        "74ad1125881c" => r74ad1125881c_upload_permission::changes(db).await,
        "378cecfdba9f" => r378cecfdba9f_x_axis_sort::changes(db).await,
        _ => Ok(Vec::new()),
    }
}

/// Columns that come with a revision: table and column, or a whole table.
pub(super) fn brings(revision: &str) -> &'static [(&'static str, Option<&'static str>)] {
    match revision {
        "7b17aa722e30" => &[("css_templates", Some("uuid")), ("favstar", Some("uuid"))],
        "94e7a3499973" => &[("tables", Some("folders"))],
        "3fd555e76e3d" => &[("themes", None)],
        "cd1fb11291f2" => &[("dashboards", Some("theme_id"))],
        "c233f5365c9e" => &[("themes", Some("is_system_default")), ("themes", Some("is_system_dark"))],
        _ => &[],
    }
}
