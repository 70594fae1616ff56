//! Form data that the chart builder puts away (`superset.commands.explore.form_data`).

use infra::{Error, Result};
use serde_json::{Value, json};

use super::access::{Denied, check};
use crate::{
    Caller,
    state::Principal,
    temporary_cache::{Cache, contextual_key},
};

/// What is put away, and by which browser tab.
#[derive(Debug, Clone)]
pub struct FormData {
    /// `table` or `query`.
    pub datasource_type: String,
    /// Id of the dataset or query.
    pub datasource_id: i64,
    /// Chart, when there is one already.
    pub chart_id: Option<i64>,
    /// JSON text.
    pub form_data: String,
    /// Tab of the browser.
    pub tab_id: Option<String>,
    /// `_id` of the session.
    pub session_id: Option<String>,
}

impl FormData {
    fn contextual(&self) -> String {
        contextual_key(&[
            self.session_id.clone(),
            self.tab_id.clone(),
            Some(self.datasource_id.to_string()),
            self.chart_id.map(|id| id.to_string()),
            Some(self.datasource_type.clone()),
        ])
    }
    fn state(&self, user: &Principal) -> Value {
        json!({
            "owner": user.user_id(),
            "datasource_id": self.datasource_id,
            "datasource_type": self.datasource_type,
            "chart_id": self.chart_id,
            "form_data": self.form_data,
        })
    }
    fn validate(&self) -> Result<()> {
        let valid = self.form_data.is_empty() || serde_json::from_str::<Value>(&self.form_data).is_ok();
        if valid { Ok(()) } else { Err(Error::bad_request(json!(["JSON not valid"]))) }
    }
    async fn check(&self, caller: &Caller) -> Result<()> {
        let checked = check(caller, &self.datasource_type, self.datasource_id, self.chart_id).await;
        checked.map_err(Denied::into_cache_error)
    }
}

/// Puts form data away; returns its key.
pub async fn create(caller: &Caller, data: &FormData) -> Result<String> {
    data.validate()?;
    data.check(caller).await?;
    let key = Cache::FormData.key_of_tab(caller, &data.contextual(), data.tab_id.as_deref()).await?;
    if !data.form_data.is_empty() {
        Cache::FormData.set(caller, &key, &data.state(&caller.user)).await?;
    }
    Ok(key)
}

/// Overwrites form data; returns its key, which is a new one for a new tab.
pub async fn update(caller: &Caller, key: &str, data: &FormData) -> Result<String> {
    data.validate()?;
    data.check(caller).await?;
    let Some(old) = Cache::FormData.get(&caller.app, key).await? else { return Ok(key.to_owned()) };
    if data.form_data.is_empty() {
        return Ok(key.to_owned());
    }
    raise_for_owner(&old, &caller.user)?;
    let key = Cache::FormData.key_of_tab(caller, &data.contextual(), data.tab_id.as_deref()).await?;
    Cache::FormData.set(caller, &key, &data.state(&caller.user)).await?;
    Ok(key)
}

/// Form data of a key, for whoever may use its dataset; reading prolongs its life.
pub async fn get(caller: &Caller, key: &str) -> Result<Option<String>> {
    let Some(state) = Cache::FormData.get(&caller.app, key).await? else { return Ok(None) };
    check_state(caller, &state).await?;
    let state = Cache::FormData.get_and_refresh(caller, key).await?.unwrap_or(state);
    Ok(state.get("form_data").and_then(Value::as_str).map(str::to_owned))
}

/// Forgets form data; false when there was none.
pub async fn delete(caller: &Caller, key: &str, session_id: Option<String>) -> Result<bool> {
    let Some(state) = Cache::FormData.get(&caller.app, key).await? else { return Ok(false) };
    check_state(caller, &state).await?;
    raise_for_owner(&state, &caller.user)?;
    let text = |key: &str| state.get(key).filter(|v| !v.is_null()).map(|v| v.to_string().replace('"', ""));
    let parts = [session_id, None, text("datasource_id"), text("chart_id"), text("datasource_type")];
    Cache::FormData.delete(&caller.app, &contextual_key(&parts)).await?;
    Cache::FormData.delete(&caller.app, key).await
}

async fn check_state(caller: &Caller, state: &Value) -> Result<()> {
    let id = |key: &str| state.get(key).and_then(Value::as_i64);
    let kind = state.get("datasource_type").and_then(Value::as_str).unwrap_or("table");
    let checked = check(caller, kind, id("datasource_id").unwrap_or_default(), id("chart_id")).await;
    checked.map_err(Denied::into_cache_error)
}

/// Only who put a value away may change it.
pub fn raise_for_owner(state: &Value, user: &Principal) -> Result<()> {
    if state.get("owner").and_then(Value::as_i64) == user.user_id() {
        Ok(())
    } else {
        Err(Error::message(403, "You don't have permission to modify the value."))
    }
}
