//! The common bootstrap data as JSON.

use std::sync::Arc;

use infra::{Result, json::dumps};
use serde_json::Value;

use super::{Language, common, theme};
use crate::{Caller, state::BootstrapKey};

/// Functions of the configuration that have a say in the data, each time anew.
const FUNCTIONS: [&str; 3] =
    ["COMMON_BOOTSTRAP_OVERRIDES_FUNC", "GET_FEATURE_FLAGS_FUNC", "IS_FEATURE_ENABLED_FUNC"];

/// The key `common` of the bootstrap data as JSON, written once for all who are told the same; `socket` is the address
/// of WebSockets, where the page names it.
pub async fn common_text(
    caller: &Caller,
    language: &Language<'_>,
    flashes: Value,
    socket: Option<String>,
) -> Result<Arc<str>> {
    let app = &caller.app;
    let key = BootstrapKey {
        locale: language.locale.to_owned(),
        script_root: caller.user.script_root.clone(),
        is_anonymous: caller.user.is_anonymous(),
        permissions: caller.user.permissions.clone(),
        themes: theme::stored(app).await?,
        socket,
    };
    let has_flashes = flashes.as_array().is_none_or(|list| !list.is_empty());
    let is_kept = !has_flashes && FUNCTIONS.iter().all(|name| app.config.function(name).is_none());
    if let Some(text) = is_kept.then(|| app.bootstrap.get(&key)).flatten() {
        return Ok(text);
    }
    let mut data = common(caller, language, &key.themes, flashes)?;
    if let Some(address) = &key.socket {
        data["conf"]["GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL"] = address.as_str().into();
    }
    let text: Arc<str> = dumps(&data).into();
    if is_kept {
        app.bootstrap.keep(key, text.clone());
    }
    Ok(text)
}
