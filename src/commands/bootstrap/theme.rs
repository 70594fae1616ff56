//! The theme that a page wears.

use daos::system_themes;
use infra::Result;
use serde_json::{Value, json};

use crate::{Services, theme::is_valid_theme};

/// From the metadata database when the administrator may choose it there, else from the configuration.
pub(super) async fn theme(app: &Services) -> Result<Value> {
    let administered = app.config.bool("ENABLE_UI_THEME_ADMINISTRATION");
    let stored =
        if administered { system_themes::in_force(app.db.exec()).await? } else { Default::default() };
    let choose = |stored: Option<String>, key: &str| {
        let parsed = stored.and_then(|json| serde_json::from_str(&json).ok());
        let theme: Value = parsed.unwrap_or_else(|| app.config.get(key).clone());
        if is_valid_theme(&theme) {
            return theme;
        }
        tracing::warn!(key, "not a valid theme: an empty one is used");
        json!({})
    };
    Ok(json!({
        "default": choose(stored.default, "THEME_DEFAULT"),
        "dark": choose(stored.dark, "THEME_DARK"),
        "enableUiThemeAdministration": administered,
    }))
}
