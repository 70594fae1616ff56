//! `OAUTH_PROVIDERS` as they are written for Authlib, and the one that `OIDC_*` describe.

use std::path::PathBuf;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::config::Config;

/// How a client proves at the token's address who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// Name and secret in the header.
    Basic,
    /// In the form.
    Post,
    /// The name alone in the form: a public client.
    None,
    /// As the provider says that it likes it.
    Announced,
}

/// A provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name, in addresses of ours and on the page.
    pub name: String,
    /// Its picture on the page.
    pub icon: Value,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// How both are sent.
    pub client_auth: ClientAuth,
    /// What is asked for.
    pub scope: String,
    /// Where people are sent, if it is not discovered.
    pub authorize_url: Option<String>,
    /// Where tokens are, if it is not discovered.
    pub token_url: Option<String>,
    /// What its API is below.
    pub api_base_url: Option<String>,
    /// Its discovery document.
    pub metadata_url: Option<String>,
    /// What is known of it without the document.
    pub metadata: Map<String, Value>,
    /// More for the way there.
    pub authorize_params: Vec<(String, String)>,
    /// More for the request for tokens.
    pub token_params: Vec<(String, String)>,
    /// `code_challenge_method`.
    pub pkce: bool,
    /// Under which name the answer has the token.
    pub token_key: String,
    /// Addresses that are let in; none is asked for without a list.
    pub whitelist: Option<Vec<Regex>>,
    /// Authorities, if not the usual ones: a file, or anybody's.
    pub authorities: Option<Option<PathBuf>>,
    /// `OIDC_ROLES_CLAIM`.
    pub roles_claim: Option<String>,
    /// Its issuer must be this one: that of `OIDC_ISSUER`, which shapes what it knows as the standard says.
    pub issuer: Option<String>,
}

impl Provider {
    /// The scope asks for an `id_token`.
    pub fn is_openid(&self) -> bool {
        self.scope.split_whitespace().any(|word| word == "openid")
    }
}

/// All providers of the configuration; the error says what makes no sense.
pub fn providers(config: &Config) -> Result<Vec<Provider>, String> {
    let listed = match config.get("OAUTH_PROVIDERS") {
        Value::Null => &[],
        Value::Array(list) => list.as_slice(),
        _ => return Err("OAUTH_PROVIDERS is not a list".to_owned()),
    };
    let mut all = listed.iter().map(provider).collect::<Result<Vec<_>, _>>()?;
    all.extend(openid(config)?);
    for (at, one) in all.iter().enumerate() {
        if all.iter().skip(at + 1).any(|other| other.name == one.name) {
            return Err(format!("OAUTH_PROVIDERS: {} is there twice", one.name));
        }
    }
    Ok(all)
}

/// The provider that `OIDC_ISSUER`, `OIDC_CLIENT_ID` and `OIDC_CLIENT_SECRET` are enough for. A key of liteset's own.
fn openid(config: &Config) -> Result<Option<Provider>, String> {
    let issuer = config.str("OIDC_ISSUER");
    if issuer.is_empty() {
        return Ok(None);
    }
    let or = |key: &str, default: &str| {
        Some(config.str(key)).filter(|v| !v.is_empty()).unwrap_or(default).to_owned()
    };
    let client_id = config.str("OIDC_CLIENT_ID");
    if client_id.is_empty() {
        return Err("OIDC_ISSUER is set without OIDC_CLIENT_ID".to_owned());
    }
    let name = or("OIDC_NAME", "oidc");
    let entry = json!({
        "name": name,
        "icon": or("OIDC_ICON", "fa-openid"),
        "token_key": "access_token",
        "remote_app": {
            "client_id": client_id,
            "client_secret": config.str("OIDC_CLIENT_SECRET"),
            "client_kwargs": {"scope": or("OIDC_SCOPE", "openid email profile"), "code_challenge_method": "S256"},
            "server_metadata_url": format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
        },
    });
    let mut provider = provider(&entry).map_err(|why| why.replace("OAUTH_PROVIDERS", "OIDC_*"))?;
    provider.issuer = Some(issuer.to_owned());
    provider.roles_claim = Some(config.str("OIDC_ROLES_CLAIM").to_owned()).filter(|claim| !claim.is_empty());
    provider.client_auth =
        if config.str("OIDC_CLIENT_SECRET").is_empty() { ClientAuth::None } else { ClientAuth::Announced };
    Ok(Some(provider))
}

fn provider(entry: &Value) -> Result<Provider, String> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text(entry, "name");
    let wrong = |what: &str| format!("OAUTH_PROVIDERS: {what} in the entry {name:?}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(is_plain) || name == "logout" {
        return Err(wrong("no name of letters, digits, - and _"));
    }
    let app = entry.get("remote_app").filter(|app| app.is_object());
    let app = app.ok_or_else(|| wrong("no dictionary remote_app"))?;
    if name == "twitter" || app.get("request_token_url").is_some_and(|url| url.is_string()) {
        return Err(wrong("OAuth 1, which liteset does not have (request_token_url)"));
    }
    let kwargs = app.get("client_kwargs").cloned().unwrap_or_else(|| json!({}));
    let client_id = text(app, "client_id");
    if client_id.is_empty() {
        return Err(wrong("no client_id"));
    }
    let scope = match kwargs.get("scope").or_else(|| app.get("scope")) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Some(Value::String(scope)) => scope.clone(),
        _ => String::new(),
    };
    let client_auth = match text(&kwargs, "token_endpoint_auth_method").as_str() {
        "" if text(app, "client_secret").is_empty() => ClientAuth::None,
        "" | "client_secret_basic" => ClientAuth::Basic,
        "client_secret_post" => ClientAuth::Post,
        "none" => ClientAuth::None,
        _ => return Err(wrong("a token_endpoint_auth_method that liteset does not have")),
    };
    let pkce = match kwargs.get("code_challenge_method") {
        None | Some(Value::Null) => false,
        Some(Value::String(method)) if method == "S256" => true,
        _ => return Err(wrong("a code_challenge_method other than S256")),
    };
    let authorities = match kwargs.get("verify") {
        Some(Value::Bool(false)) => Some(None),
        Some(Value::String(file)) => Some(Some(PathBuf::from(file))),
        _ => None,
    };
    let url = |key: &str| app.get(key).and_then(Value::as_str).filter(|u| !u.is_empty()).map(str::to_owned);
    let (authorize_url, token_url) = (url("authorize_url"), url("access_token_url"));
    let metadata_url = url("server_metadata_url");
    if metadata_url.is_none() && (authorize_url.is_none() || token_url.is_none()) {
        return Err(wrong("neither server_metadata_url nor authorize_url and access_token_url"));
    }
    let known = ["issuer", "jwks_uri", "jwks", "userinfo_endpoint", "end_session_endpoint"];
    let known = known.iter().filter_map(|key| Some(((*key).to_owned(), app.get(*key)?.clone())));
    let token_key = Some(text(entry, "token_key")).filter(|key| !key.is_empty());
    let icon = entry.get("icon").cloned().unwrap_or(Value::Null);
    Ok(Provider {
        icon,
        client_id,
        client_secret: text(app, "client_secret"),
        client_auth,
        scope,
        authorize_url,
        token_url,
        api_base_url: url("api_base_url"),
        metadata_url,
        metadata: known.collect(),
        authorize_params: params(app.get("authorize_params")),
        token_params: params(app.get("access_token_params")),
        pkce,
        token_key: token_key.unwrap_or_else(|| "oauth_token".to_owned()),
        whitelist: entry.get("whitelist").map(|list| whitelist(list, &wrong)).transpose()?,
        authorities,
        roles_claim: None,
        issuer: None,
        name,
    })
}

fn params(value: Option<&Value>) -> Vec<(String, String)> {
    let params = value.and_then(Value::as_object).into_iter().flatten();
    params.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

/// Patterns that are looked for in addresses. One with a host ends where the address ends: `@example.net` does not mean
/// `@example.net.attacker.example`.
fn whitelist(list: &Value, wrong: &dyn Fn(&str) -> String) -> Result<Vec<Regex>, String> {
    let list = list.as_array().ok_or_else(|| wrong("a whitelist that is no list"))?;
    let pattern = |value: &Value| {
        let text = value.as_str().ok_or_else(|| wrong("a whitelist with something else than texts"))?;
        let has_host = text.rsplit_once('@').is_some_and(|(_, host)| !host.is_empty());
        let text = if has_host { format!("(?:{text})$") } else { text.to_owned() };
        Regex::new(&text).map_err(|_| wrong("a pattern of the whitelist that is none"))
    };
    list.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn read(providers_: Value) -> Result<Vec<Provider>, String> {
        providers(&Config::with(IndexMap::from([("OAUTH_PROVIDERS".to_owned(), providers_)])))
    }

    #[test]
    fn entries_as_they_are_written_for_the_original() {
        let entry = json!({
            "name": "google", "icon": "fa-google", "token_key": "access_token",
            "whitelist": ["@example.net", "^bob@"],
            "remote_app": {
                "client_id": "c", "client_secret": "s", "api_base_url": "https://www.googleapis.com/oauth2/v2/",
                "client_kwargs": {"scope": "email profile"}, "request_token_url": null,
                "access_token_url": "https://t", "authorize_url": "https://a",
                "authorize_params": {"hd": "example.net"},
            },
        });
        let all = read(json!([entry])).unwrap();
        let one = &all[0];
        assert_eq!((one.name.as_str(), one.client_auth, one.pkce), ("google", ClientAuth::Basic, false));
        assert!(!one.is_openid() && one.metadata_url.is_none());
        assert_eq!(one.authorize_params, [("hd".to_owned(), "example.net".to_owned())]);
        let fits = |address: &str| one.whitelist.as_ref().unwrap().iter().any(|p| p.is_match(address));
        assert!(fits("a@example.net") && fits("bob@elsewhere") && !fits("eve@example.net.attacker.example"));
        for (key, value) in [
            ("name", json!("")),
            ("name", json!("a/b")),
            ("remote_app", json!(null)),
            ("remote_app", json!({"client_id": "c"})),
            ("remote_app", json!({"server_metadata_url": "https://x"})),
            ("whitelist", json!(["("])),
        ] {
            let mut wrong = entry.clone();
            wrong[key] = value;
            assert!(read(json!([wrong])).is_err(), "{key}");
        }
        assert!(read(json!([entry, entry])).unwrap_err().contains("twice"));
    }

    #[test]
    fn three_keys_are_enough() {
        let keys =
            [("OIDC_ISSUER", "https://id.example/"), ("OIDC_CLIENT_ID", "c"), ("OIDC_CLIENT_SECRET", "s")];
        let mut keys: IndexMap<_, _> = keys.into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
        let all = providers(&Config::with(keys.clone())).unwrap();
        assert_eq!(
            all[0].metadata_url.as_deref(),
            Some("https://id.example/.well-known/openid-configuration")
        );
        assert!(all[0].is_openid() && all[0].pkce && all[0].name == "oidc");
        keys.shift_remove("OIDC_CLIENT_ID");
        assert!(providers(&Config::with(keys)).is_err());
    }
}
