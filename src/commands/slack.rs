//! Channels of a Slack workspace (`superset.utils.slack`), and pictures of its people.

use infra::slack::{Client, SlackError};
use serde_json::{Map, Value, json};

use crate::Services;

/// Where the list is kept (`slack_conversations_list`).
const KEY: &str = "slack_conversations_list";

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id: `C0123`.
    pub id: String,
    /// Its name, without `#`.
    pub name: String,
    /// The bot is in it; none when Slack does not say.
    pub is_member: Option<bool>,
    /// It is not for everybody; none when Slack does not say.
    pub is_private: Option<bool>,
}

/// Which channels are looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search<'a> {
    /// Names or ids, separated by commas; all of them when empty.
    pub text: &'a str,
    /// `public_channel`, `private_channel`; all of them when empty.
    pub types: &'a [String],
    /// The whole name or id, in any case; otherwise a part of it.
    pub exact: bool,
    /// The kept list is not used.
    pub force: bool,
}

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChannels {
    /// Slack says no: words for the person (`SupersetException`).
    #[error("{0}")]
    Refused(String),
    /// Slack was not reached.
    #[error("{0}")]
    Unreachable(String),
}

impl Channel {
    fn read(row: &Map<String, Value>) -> Self {
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |key: &str| row.get(key).and_then(Value::as_bool);
        Self {
            id: text("id"),
            name: text("name"),
            is_member: flag("is_member"),
            is_private: flag("is_private"),
        }
    }

    /// As the API shows it.
    pub fn to_json(&self) -> Value {
        let mut shown = json!({"id": self.id, "name": self.name});
        for (key, value) in [("is_member", self.is_member), ("is_private", self.is_private)] {
            if let Some(value) = value {
                shown[key] = json!(value);
            }
        }
        shown
    }

    fn matches(&self, search: &str, exact: bool) -> bool {
        let search = search.to_lowercase();
        [&self.name, &self.id].into_iter().any(|own| {
            let own = own.to_lowercase();
            if exact { own == search } else { own.contains(&search) }
        })
    }
}

/// The channels that a search finds, in Slack's order; the list is kept for `SLACK_CACHE_TIMEOUT` seconds.
pub async fn channels(app: &Services, search: &Search<'_>) -> Result<Vec<Channel>, NoChannels> {
    let mut found = list(app, search.force).await?;
    let named = |kind: &str| search.types.iter().any(|t| t == kind);
    let (public, private) = (named("public_channel"), named("private_channel"));
    if search.types.len() == 1 {
        found.retain(|channel| match channel.is_private {
            Some(true) => private,
            _ => public,
        });
    }
    let wanted = infra::mail::addresses(search.text);
    if !search.text.is_empty() {
        found.retain(|channel| wanted.iter().any(|text| channel.matches(text, search.exact)));
    }
    Ok(found)
}

async fn list(app: &Services, force: bool) -> Result<Vec<Channel>, NoChannels> {
    let kept = if force { None } else { app.cache.get(KEY).await };
    let rows: Vec<Value> = match kept.as_deref().and_then(Value::as_array) {
        Some(rows) => rows.clone(),
        None => {
            let timeout = app.config.int("SLACK_CACHE_TIMEOUT").unwrap_or(86_400);
            let rows = fetch(app).await.map_err(refused)?;
            let value = std::sync::Arc::new(Value::Array(rows.clone()));
            let bytes = value.to_string().len();
            app.cache.insert(KEY.to_owned(), value, bytes, timeout).await;
            rows
        }
    };
    Ok(rows.iter().filter_map(Value::as_object).map(Channel::read).collect())
}

async fn fetch(app: &Services) -> Result<Vec<Value>, SlackError> {
    let client = Client::from_config(&app.config)?;
    if !client.has_token() {
        return Err(SlackError::Request(
            "no Slack workspace is connected: SLACK_API_TOKEN is not set".to_owned(),
        ));
    }
    let rows = client.channels().await?;
    Ok(rows.iter().map(|row| Channel::read(row).to_json()).collect())
}

fn refused(error: SlackError) -> NoChannels {
    match error {
        SlackError::Api { words, status: 429 } => NoChannels::Refused(format!(
            "Slack API rate limit exceeded: {words}. For large workspaces, consider increasing \
             SLACK_API_RATE_LIMIT_RETRY_COUNT"
        )),
        SlackError::Api { words, .. } => NoChannels::Refused(format!("Failed to list channels: {words}")),
        SlackError::Request(words) | SlackError::Network(words) => NoChannels::Unreachable(words),
    }
}

/// The address of somebody's picture on Slack; none without a token, or when Slack has none.
pub async fn avatar(app: &Services, email: &str) -> Option<String> {
    let client = Client::from_config(&app.config).ok().filter(Client::has_token)?;
    match client.avatar(email).await {
        Ok(found) => found,
        Err(error) => {
            tracing::info!(%error, "Slack has no picture of a user");
            None
        }
    }
}
