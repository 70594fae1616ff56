//! Themes (`superset.models.core:Theme`, `superset.daos.theme`).

use infra::db::{DbError, Executor, Sql};

/// A row of `themes`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Theme {
    pub id: i64,
    pub theme_name: Option<String>,
    pub json_data: Option<String>,
    pub is_system: bool,
    pub is_system_default: bool,
    pub is_system_dark: bool,
}

/// A theme by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Theme>, DbError> {
    // PostgreSQL refuses to compare what no key can be
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    let sql = Sql::new(
        "SELECT id, theme_name, json_data, is_system, is_system_default, is_system_dark FROM themes WHERE id = ?",
    );
    let Some(row) = db.first(sql.bind(id)).await? else { return Ok(None) };
    let flag = |column: &str| Ok(row.get::<Option<bool>>(column)?.unwrap_or_default());
    Ok(Some(Theme {
        id,
        theme_name: row.get("theme_name")?,
        json_data: row.get("json_data")?,
        is_system: flag("is_system")?,
        is_system_default: flag("is_system_default")?,
        is_system_dark: flag("is_system_dark")?,
    }))
}

/// Takes a mark (`is_system_default`, `is_system_dark`) off the theme that has it.
pub async fn clear_mark(db: &dyn Executor, column: &'static str) -> Result<(), DbError> {
    let sql = Sql::new(format!("UPDATE themes SET {column} = ? WHERE {column} = ?"));
    db.execute(sql.bind(false).bind(true)).await.map(drop)
}
