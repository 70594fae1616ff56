//! Themes as the REST API changes them (`superset.commands.theme`).

use daos::{dashboard, rows, tables::THEMES, theme, write};
use infra::{Error, Result, db::Executor};

use crate::{Caller, Services, refused::refused};

/// A system theme of the installation: shown by day or by night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemTheme {
    /// `is_system_default`.
    Default,
    /// `is_system_dark`.
    Dark,
}

impl SystemTheme {
    fn column(self) -> &'static str {
        match self {
            Self::Default => "is_system_default",
            Self::Dark => "is_system_dark",
        }
    }
}

/// Makes a theme.
pub async fn theme_create(caller: &Caller, name: &str, json_data: &str) -> Result<i64> {
    let values =
        vec![("theme_name", name.into()), ("json_data", json_data.into()), ("is_system", false.into())];
    let tx = caller.app.db.begin().await?;
    let pk = write::insert(tx.exec(), &THEMES, values, caller.user.user_id()).await;
    // the original answers with the arguments of an exception that has none
    let pk = pk.map_err(|e| refused("()")(e.into()))?;
    tx.commit().await?;
    Ok(rows::key(&pk)?)
}

/// Changes a theme; system themes are protected.
pub async fn theme_update(caller: &Caller, id: i64, name: &str, json_data: &str) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    let (is_system, _) = state(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    if is_system {
        return Err(Error::forbidden());
    }
    let values = vec![("theme_name", name.into()), ("json_data", json_data.into())];
    let changed = write::update(tx.exec(), &THEMES, id.into(), values, caller.user.user_id()).await;
    changed.map_err(|e| refused("Could not process entity")(e.into()))?;
    Ok(tx.commit().await?)
}

/// Deletes themes; dashboards that use them go back to the default.
pub async fn theme_delete(app: &Services, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    let mut states = Vec::new();
    for id in ids {
        states.push(state(tx.exec(), *id).await?.ok_or_else(Error::not_found)?);
    }
    if states.is_empty() {
        return Err(Error::not_found());
    }
    for (is_system, in_use) in states {
        if is_system {
            return Err(Error::forbidden());
        }
        if in_use {
            let text = "Cannot delete theme that is set as system default or dark theme.";
            return Err(Error::unprocessable(text));
        }
    }
    for id in ids {
        dashboard::clear_theme(tx.exec(), *id).await?;
    }
    rows::delete(tx.exec(), THEMES.name, ids).await?;
    Ok(tx.commit().await?)
}

/// Makes a theme the system's, or with none, clears the choice; for admins where the configuration allows it.
pub async fn system_theme_set(caller: &Caller, which: SystemTheme, id: Option<i64>) -> Result<()> {
    if !caller.user.is_admin {
        return Err(Error::message(403, "Only administrators can set system themes"));
    }
    if !caller.app.config.bool("ENABLE_UI_THEME_ADMINISTRATION") {
        return Err(Error::message(403, "UI theme administration is not enabled"));
    }
    let tx = caller.app.db.begin().await?;
    if let Some(id) = id {
        state(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    }
    let column = which.column();
    theme::clear_mark(tx.exec(), column).await?;
    if let Some(id) = id {
        write::update(tx.exec(), &THEMES, id.into(), vec![(column, true.into())], caller.user.user_id())
            .await?;
    }
    Ok(tx.commit().await?)
}

/// Whether a theme is a system theme, and whether the system uses it.
async fn state(ex: &dyn Executor, id: i64) -> Result<Option<(bool, bool)>> {
    let found = theme::find(ex, id).await?;
    Ok(found.map(|theme| (theme.is_system, theme.is_system_default || theme.is_system_dark)))
}
