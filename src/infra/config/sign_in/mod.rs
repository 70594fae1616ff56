//! Whether the keys of signing in (`AUTH_*`, `OAUTH_PROVIDERS`, `OIDC_*`) make sense together.

pub mod directory;
pub mod provider;

use indexmap::IndexMap;
use serde_json::Value;

use super::Config;
use crate::{jmespath::Expression, network::Network};

/// What is wrong with them.
pub(super) fn complaints(values: &IndexMap<String, Value>) -> Vec<String> {
    let kind = values.get("AUTH_TYPE").cloned().unwrap_or_else(|| 1.into());
    let config = Config { values: values.clone(), ..Config::default() };
    let mut found = match kind.as_i64() {
        Some(1) => Vec::new(),
        Some(2) => directory(&config),
        Some(3) => proxies(&config),
        Some(4) => oauth_providers(&config),
        other => {
            let name = match other {
                Some(0) => "OpenID 2, which Superset 6 does not have either",
                Some(5) => "SAML",
                _ => "unknown",
            };
            // local passwords that nothing accepts today would open accounts
            vec![format!(
                "AUTH_TYPE is {kind} ({name}), and liteset knows 1 (AUTH_DB), 2 (AUTH_LDAP), 3 \
                 (AUTH_REMOTE_USER) and 4 (AUTH_OAUTH): set LITESET_AUTH_TYPE in the environment to one of them \
                 only if people are to sign in that way"
            )]
        }
    };
    if !config.str("OIDC_ISSUER").is_empty() && kind != 4 {
        found.push(format!("OIDC_ISSUER is set, and AUTH_TYPE is {kind}: nobody would be sent there"));
    }
    let mapping = config.get("AUTH_ROLES_MAPPING");
    let is_mapping = |map: &serde_json::Map<String, Value>| map.values().all(Value::is_array);
    if !mapping.is_null() && !mapping.as_object().is_some_and(is_mapping) {
        found.push("AUTH_ROLES_MAPPING is not a dictionary of keys and their lists of roles".to_owned());
    }
    let expression = config.str("AUTH_USER_REGISTRATION_ROLE_JMESPATH");
    if let Some(wrong) = Expression::parse(expression).err().filter(|_| !expression.is_empty()) {
        found.push(format!("AUTH_USER_REGISTRATION_ROLE_JMESPATH: {wrong}"));
    }
    found
}

fn directory(config: &Config) -> Vec<String> {
    let mut found: Vec<String> = directory::Settings::from_config(config).err().into_iter().collect();
    let format = config.str("AUTH_LDAP_USERNAME_FORMAT");
    if !format.is_empty() && format.replace("%%", "").matches('%').count() != 1
        || format.matches("%s").count() > 1
    {
        found.push("AUTH_LDAP_USERNAME_FORMAT must have one %s, where the name goes".to_owned());
    }
    // a text such as "False" would be true in Python; whether a certificate is demanded follows from the second alone
    for key in ["AUTH_LDAP_USE_TLS", "AUTH_LDAP_ALLOW_SELF_SIGNED", "AUTH_LDAP_TLS_DEMAND"] {
        if !matches!(config.get(key), Value::Null | Value::Bool(_)) {
            found.push(format!("{key} is neither True nor False"));
        }
    }
    for key in ["AUTH_LDAP_TLS_CERTFILE", "AUTH_LDAP_TLS_KEYFILE"] {
        let other = if key.contains("CERT") { "AUTH_LDAP_TLS_KEYFILE" } else { "AUTH_LDAP_TLS_CERTFILE" };
        if !config.str(key).is_empty() && config.str(other).is_empty() {
            found.push(format!("{key} is set without {other}"));
        }
    }
    found
}

fn oauth_providers(config: &Config) -> Vec<String> {
    match provider::providers(config) {
        Ok(all) if all.is_empty() => {
            vec!["AUTH_TYPE is 4 (OAuth), and neither OAUTH_PROVIDERS nor OIDC_ISSUER is set".to_owned()]
        }
        Ok(_) => Vec::new(),
        Err(wrong) => vec![wrong],
    }
}

/// What `OIDC_ISSUER` means where nothing else is said: people sign in there, and new ones are let in.
pub(super) fn fill(values: &mut IndexMap<String, Value>) {
    if values.get("OIDC_ISSUER").and_then(Value::as_str).is_some_and(|issuer| !issuer.is_empty()) {
        values.entry("AUTH_TYPE".into()).or_insert_with(|| 4.into());
        values.entry("AUTH_USER_REGISTRATION".into()).or_insert(Value::Bool(true));
    }
}

fn proxies(config: &Config) -> Vec<String> {
    let listed: Vec<String> = match config.get("AUTH_REMOTE_USER_TRUSTED_PROXIES") {
        Value::Null => Vec::new(),
        Value::String(text) => text.split([',', ' ']).filter(|t| !t.is_empty()).map(str::to_owned).collect(),
        Value::Array(list) => {
            list.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
        }
        other => vec![other.to_string()],
    };
    let wrong = listed.iter().filter(|text| Network::parse(text).is_none());
    wrong
        .map(|text| {
            format!(
                "AUTH_REMOTE_USER_TRUSTED_PROXIES: {text} is no address and no network such as 10.0.0.0/8"
            )
        })
        .collect()
}
