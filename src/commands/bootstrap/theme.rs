//! The theme that a page wears.

use daos::system_themes::{self, SystemThemes};
use infra::Result;
use serde_json::{Value, json};

use crate::{Services, theme::is_valid_theme};

/// What the metadata database has, when the administrator may choose it there.
pub(super) async fn stored(app: &Services) -> Result<SystemThemes> {
    let administered = app.config.bool("ENABLE_UI_THEME_ADMINISTRATION");
    Ok(if administered { system_themes::in_force(app.db.exec()).await? } else { SystemThemes::default() })
}

/// From the metadata database, else from the configuration.
pub(super) fn theme(app: &Services, stored: &SystemThemes) -> Value {
    let choose = |stored: &Option<String>, key: &str| {
        let parsed = stored.as_ref().and_then(|json| serde_json::from_str(json).ok());
        let theme: Value = parsed.unwrap_or_else(|| app.config.get(key).clone());
        if is_valid_theme(&theme) {
            return theme;
        }
        tracing::warn!(key, "not a valid theme: an empty one is used");
        json!({})
    };
    json!({
        "default": choose(&stored.default, "THEME_DEFAULT"),
        "dark": choose(&stored.dark, "THEME_DARK"),
        "enableUiThemeAdministration": app.config.bool("ENABLE_UI_THEME_ADMINISTRATION"),
    })
}
