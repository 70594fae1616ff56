//! The themes that the whole installation wears (`superset.daos.theme.ThemeDAO`, the parts about system themes).

use infra::db::{DbError, Executor, Sql};

/// What a page needs of the system themes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemThemes {
    /// `json_data` of the light theme.
    pub default: Option<String>,
    /// `json_data` of the dark theme.
    pub dark: Option<String>,
}

/// Name of the seeded light theme.
pub const THEME_DEFAULT: &str = "THEME_DEFAULT";
/// Name of the seeded dark theme.
pub const THEME_DARK: &str = "THEME_DARK";

/// The themes in force: the one that is marked as system default (or dark), or else the seeded one.
pub async fn in_force(db: &dyn Executor) -> Result<SystemThemes, DbError> {
    let yes = db.dialect().boolean(true);
    let sql = format!(
        "SELECT theme_name, json_data, is_system, is_system_default, is_system_dark FROM themes \
         WHERE is_system = {yes} OR is_system_default = {yes} OR is_system_dark = {yes} ORDER BY id"
    );
    let rows = db.query(Sql::new(sql)).await?;
    let choose = |mark: &str, name: &str| -> Result<Option<String>, DbError> {
        let mut marked = Vec::new();
        let mut seeded = None;
        for row in &rows {
            let json = row.get::<Option<String>>("json_data")?;
            if row.get::<bool>(mark)? {
                marked.push(json);
            } else if seeded.is_none()
                && row.get::<bool>("is_system")?
                && row.get::<Option<String>>("theme_name")?.as_deref() == Some(name)
            {
                seeded = Some(json);
            }
        }
        // more than one marked row: nobody can say which was meant
        Ok(if marked.len() == 1 { marked.pop() } else { seeded }.flatten())
    };
    Ok(SystemThemes {
        default: choose("is_system_default", THEME_DEFAULT)?,
        dark: choose("is_system_dark", THEME_DARK)?,
    })
}

/// `json_data` of the theme with a UUID.
pub async fn json_by_uuid(db: &dyn Executor, uuid: uuid::Uuid) -> Result<Option<String>, DbError> {
    let row = db.first(Sql::new("SELECT json_data FROM themes WHERE uuid = ?").bind(uuid)).await?;
    Ok(row.map(|row| row.get::<Option<String>>("json_data")).transpose()?.flatten())
}

/// Writes the system theme of a name; a row whose content is the same is left alone.
pub async fn upsert_system(
    db: &dyn Executor,
    name: &str,
    json: &str,
    now: chrono::NaiveDateTime,
) -> Result<(), DbError> {
    let yes = db.dialect().boolean(true);
    let sql =
        format!("SELECT id, json_data FROM themes WHERE theme_name = ? AND is_system = {yes} ORDER BY id");
    match db.first(Sql::new(sql).bind(name)).await? {
        Some(row) if row.get::<Option<String>>("json_data")?.as_deref() == Some(json) => Ok(()),
        Some(row) => {
            let values = vec![("json_data", json.into()), ("changed_on", now.into())];
            db.update_row("themes", row.get("id")?, values).await.map(drop)
        }
        None => {
            let values = vec![
                ("uuid", uuid::Uuid::new_v4().into()),
                ("theme_name", name.into()),
                ("json_data", json.into()),
                ("is_system", true.into()),
                ("is_system_default", false.into()),
                ("is_system_dark", false.into()),
                ("created_on", now.into()),
                ("changed_on", now.into()),
            ];
            db.insert_row("themes", values).await.map(drop)
        }
    }
}

/// Themes of which nobody knows whether they bear a mark do not.
pub async fn unmark_unknown(db: &dyn Executor, mark: &str) -> Result<(), DbError> {
    let no = db.dialect().boolean(false);
    db.execute(Sql::new(format!("UPDATE themes SET {mark} = {no} WHERE {mark} IS NULL"))).await.map(drop)
}
