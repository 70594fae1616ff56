//! Themes as the REST API changes them (`superset.commands.theme`).

use daos::{tables::THEMES, write};
use infra::{
    Error, Result,
    db::{Executor, Sql},
};

use crate::{Principal, Services, annotation::key, refused::refused, relations::delete_rows};

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
pub async fn theme_create(app: &Services, user: &Principal, name: &str, json_data: &str) -> Result<i64> {
    let values =
        vec![("theme_name", name.into()), ("json_data", json_data.into()), ("is_system", false.into())];
    let tx = app.db.begin().await?;
    let pk = write::insert(tx.exec(), &THEMES, values, user.user_id()).await;
    // the original answers with the arguments of an exception that has none
    let pk = pk.map_err(|e| refused("()")(e.into()))?;
    tx.commit().await?;
    key(&pk)
}

/// Changes a theme; system themes are protected.
pub async fn theme_update(
    app: &Services,
    user: &Principal,
    id: i64,
    name: &str,
    json_data: &str,
) -> Result<()> {
    let tx = app.db.begin().await?;
    let (is_system, _) = state(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    if is_system {
        return Err(Error::forbidden());
    }
    let values = vec![("theme_name", name.into()), ("json_data", json_data.into())];
    let changed = write::update(tx.exec(), &THEMES, id.into(), values, user.user_id()).await;
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
        tx.exec()
            .execute(Sql::new("UPDATE dashboards SET theme_id = NULL WHERE theme_id = ?").bind(*id))
            .await?;
    }
    delete_rows(tx.exec(), "themes", ids).await?;
    Ok(tx.commit().await?)
}

/// Makes a theme the system's, or with none, clears the choice; for admins where the configuration allows it.
pub async fn system_theme_set(
    app: &Services,
    user: &Principal,
    which: SystemTheme,
    id: Option<i64>,
) -> Result<()> {
    if !user.is_admin {
        return Err(Error::message(403, "Only administrators can set system themes"));
    }
    if !app.config.bool("ENABLE_UI_THEME_ADMINISTRATION") {
        return Err(Error::message(403, "UI theme administration is not enabled"));
    }
    let tx = app.db.begin().await?;
    if let Some(id) = id {
        state(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    }
    let column = which.column();
    let clear = Sql::new(format!("UPDATE themes SET {column} = ? WHERE {column} = ?")).bind(false).bind(true);
    tx.exec().execute(clear).await?;
    if let Some(id) = id {
        write::update(tx.exec(), &THEMES, id.into(), vec![(column, true.into())], user.user_id()).await?;
    }
    Ok(tx.commit().await?)
}

/// Whether a theme is a system theme, and whether the system uses it.
async fn state(ex: &dyn Executor, id: i64) -> Result<Option<(bool, bool)>> {
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    let sql =
        Sql::new("SELECT is_system, is_system_default, is_system_dark FROM themes WHERE id = ?").bind(id);
    let Some(row) = ex.first(sql).await? else { return Ok(None) };
    let flag = |column: &str| -> Result<bool> { Ok(row.get::<Option<bool>>(column)?.unwrap_or_default()) };
    Ok(Some((flag("is_system")?, flag("is_system_default")? || flag("is_system_dark")?)))
}
