//! Writes the themes of the configuration into the metadata database (`superset.commands.theme.seed`).

use daos::system_themes::{self, THEME_DARK, THEME_DEFAULT};
use infra::{Result, db::Executor, json::dumps};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Services;

/// Upserts `THEME_DEFAULT` and `THEME_DARK`; to be called once at each start. A failure is not worth refusing to
/// start for (the database may be older than themes): the caller logs it.
pub async fn seed_system_themes(app: &Services) -> Result<()> {
    let tx = app.db.begin().await?;
    for name in [THEME_DEFAULT, THEME_DARK] {
        let config = app.config.get(name);
        if config.as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        let Some(theme) = resolve(tx.exec(), name, config).await? else { continue };
        let now = chrono::Local::now().naive_local();
        system_themes::upsert_system(tx.exec(), name, &dumps(&theme), now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// `{"uuid": X}` alone means: what the theme X is at this moment.
async fn resolve(db: &dyn Executor, name: &str, config: &Value) -> Result<Option<Value>> {
    let reference = config.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("uuid"));
    let Some(reference) = reference else { return Ok(Some(config.clone())) };
    let reference = reference.as_str().unwrap_or_default();
    let stored = match Uuid::parse_str(reference) {
        Ok(uuid) => system_themes::json_by_uuid(db, uuid).await?,
        Err(_) => None,
    };
    let copied = stored.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(Value::Object(mut theme)) = copied else {
        tracing::error!(
            theme = name,
            uuid = reference,
            "the theme that the configuration refers to cannot be read"
        );
        return Ok(None);
    };
    let note = format!("Copied at startup from theme UUID {reference} based on config reference");
    theme.insert("NOTE".into(), json!(note));
    Ok(Some(Value::Object(theme)))
}
