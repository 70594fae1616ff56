//! Which authorization server gives tokens for a database, and who we are there (`get_oauth2_config`).

use daos::database::Database;
use infra::{engine_specs::spec_for_uri, outbound::Reach};
use serde_json::{Map, Value};

use crate::Services;
use crate::connect::secrets;

/// The path that authorization servers send people back to.
const CALLBACK: &str = "/api/v1/database/oauth2/";

/// `OAuth2ClientConfig`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the original")]
pub struct Client {
    pub id: String,
    pub secret: String,
    pub scope: String,
    pub redirect_uri: String,
    pub authorization_request_uri: String,
    pub token_request_uri: String,
    /// The token endpoint reads JSON; otherwise a form.
    pub json: bool,
    /// Where the token endpoint may be.
    pub reach: Reach,
}

/// Where authorization servers send people back to, on this installation. `origin` is the address under which the
/// caller sees this server; without a request there is only the configuration.
pub fn callback(app: &Services, origin: &str) -> String {
    format!("{}{CALLBACK}", if origin.is_empty() { app.config.application_root() } else { origin })
}

impl Client {
    /// The client of a database: its own, or that of its engine in `DATABASE_OAUTH2_CLIENTS`. `origin` is the address
    /// under which the caller sees this server.
    pub fn for_database(app: &Services, database: &Database, origin: &str) -> Option<Self> {
        let extra = database.encrypted_extra.as_deref().filter(|stored| !stored.is_empty());
        let extra = extra.and_then(|stored| secrets::decrypt(app, stored));
        Self::find(app, &database.sqlalchemy_uri, extra.as_deref(), origin)
    }

    /// The same for a connection string and the secret options in clear.
    pub fn find(app: &Services, uri: &str, encrypted_extra: Option<&str>, origin: &str) -> Option<Self> {
        let extra = encrypted_extra.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let own = extra.as_ref().and_then(|e| e.get("oauth2_client_info")).filter(|v| is_given(v));
        let found = match own {
            Some(Value::Object(own)) => Self::own(app, own, origin),
            Some(_) => None,
            None => {
                let engine = &spec_for_uri(uri).name;
                let named = app.config.get("DATABASE_OAUTH2_CLIENTS").get(engine)?;
                named.as_object().and_then(|named| Self::of_engine(app, named, origin))
            }
        };
        if found.is_none() {
            tracing::warn!("the OAuth2 client of a database is not described completely");
        }
        found
    }

    /// `oauth2_client_info` (`OAuth2ClientConfigSchema`): whoever edits the connection wrote it.
    fn own(app: &Services, map: &Map<String, Value>, origin: &str) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let token_request_uri = text("token_request_uri")?;
        let json = match map.get("request_content_type").map(Value::as_str) {
            None | Some(Some("json")) => true,
            Some(Some("data")) => false,
            Some(_) => return None,
        };
        Some(Self {
            id: text("id")?,
            secret: text("secret")?,
            scope: text("scope")?,
            redirect_uri: text("redirect_uri").unwrap_or_else(|| callback(app, origin)),
            authorization_request_uri: text("authorization_request_uri")?,
            reach: reach(app, &token_request_uri),
            token_request_uri,
            json,
        })
    }

    /// An entry of `DATABASE_OAUTH2_CLIENTS`: the administrator wrote it.
    fn of_engine(app: &Services, map: &Map<String, Value>, origin: &str) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let redirect = Some(app.config.str("DATABASE_OAUTH2_REDIRECT_URI")).filter(|uri| !uri.is_empty());
        Some(Self {
            id: text("id")?,
            secret: text("secret")?,
            scope: text("scope").unwrap_or_default(),
            redirect_uri: redirect.map_or_else(|| callback(app, origin), str::to_owned),
            authorization_request_uri: text("authorization_request_uri")?,
            token_request_uri: text("token_request_uri")?,
            json: map.get("request_content_type").is_some_and(|kind| kind != "data"),
            reach: Reach::Anywhere,
        })
    }

    /// Something differs that makes the tokens of one worthless for the other (`_handle_oauth2`).
    pub fn needs_other_tokens(&self, new: &Map<String, Value>) -> bool {
        [
            ("id", &self.id),
            ("scope", &self.scope),
            ("authorization_request_uri", &self.authorization_request_uri),
            ("token_request_uri", &self.token_request_uri),
        ]
        .into_iter()
        .any(|(key, old)| new.get(key).and_then(Value::as_str) != Some(old))
    }
}

/// Python's truth, as far as it matters here.
fn is_given(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
        && value.as_object().is_none_or(|map| !map.is_empty())
        && value.as_str() != Some("")
}

/// How far a request to an address goes that the editor of a connection wrote.
/// Where a request to an address may go: into our own network only to hosts that the configuration names.
pub fn reach(app: &Services, address: &str) -> Reach {
    let named = app.config.get("OUTBOUND_PRIVATE_HOSTS").as_array().into_iter().flatten();
    let host = infra::outbound::host(address);
    let known = named.filter_map(Value::as_str).any(|name| host.as_deref() == Some(name));
    if known { Reach::Anywhere } else { Reach::Public }
}
