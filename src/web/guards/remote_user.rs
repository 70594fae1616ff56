//! Who is there, as a proxy in front says (`AUTH_REMOTE_USER`): believed of the addresses in
//! `AUTH_REMOTE_USER_TRUSTED_PROXIES` alone, which has none by default. Whoever reaches the server past the proxy could
//! say anything.

use commands::sign_in::Kind;
use infra::{config::Config, network::Network};
use serde_json::Value;

use crate::context::Req;

/// What a request says of its sender.
#[derive(Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// Nobody who may say something has sent it.
    Nothing,
    /// A proxy has sent it and names nobody.
    Nobody,
    /// A proxy names somebody.
    Name(&'a str),
}

/// Reads the header that `AUTH_REMOTE_USER_ENV_VAR` names as WSGI does: `HTTP_X_PROXY_USER` is `X-Proxy-User`. Other
/// variables are set by nobody here.
pub fn said<'a>(config: &Config, req: &'a Req) -> Said<'a> {
    if Kind::from_config(config) != Kind::RemoteUser {
        return Said::Nothing;
    }
    let variable = config.str("AUTH_REMOTE_USER_ENV_VAR");
    let Some(header) = variable.strip_prefix("HTTP_").filter(|name| !name.is_empty()) else {
        return Said::Nothing;
    };
    if !is_trusted(config, &req.peer) {
        return Said::Nothing;
    }
    let header = header.to_ascii_lowercase().replace('_', "-");
    let mut values = req.headers.iter().filter(|(name, _)| *name == header).map(|(_, value)| value.trim());
    match (values.next(), values.next()) {
        // two say two things: one of them came from outside
        (Some(name), None) if !name.is_empty() => Said::Name(name),
        _ => Said::Nobody,
    }
}

fn is_trusted(config: &Config, peer: &str) -> bool {
    let Ok(peer) = peer.parse() else { return false };
    let trusted = match config.get("AUTH_REMOTE_USER_TRUSTED_PROXIES") {
        Value::String(text) => text.split([',', ' ']).filter_map(Network::parse).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).filter_map(Network::parse).collect(),
        _ => Vec::new(),
    };
    trusted.iter().any(|network| network.holds(peer))
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(variable: &str, trusted: Value) -> Config {
        let keys = [
            ("AUTH_TYPE", json!(3)),
            ("AUTH_REMOTE_USER_ENV_VAR", json!(variable)),
            ("AUTH_REMOTE_USER_TRUSTED_PROXIES", trusted),
        ];
        Config::with(keys.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<IndexMap<_, _>>())
    }

    #[test]
    fn only_proxies_are_believed() {
        let from = |peer: &str, names: &[&str]| Req {
            peer: peer.into(),
            remote_addr: "127.0.0.1".into(),
            headers: names.iter().map(|n| ("x-proxy-user".to_owned(), (*n).to_owned())).collect(),
            ..Req::default()
        };
        let trusting = config("HTTP_X_PROXY_USER", json!(["127.0.0.1", "10.0.0.0/8"]));
        assert_eq!(said(&trusting, &from("10.1.2.3", &["alice"])), Said::Name("alice"));
        assert_eq!(said(&trusting, &from("192.168.0.1", &["admin"])), Said::Nothing);
        for names in [&[][..], &[" "], &["alice", "admin"]] {
            assert_eq!(said(&trusting, &from("127.0.0.1", names)), Said::Nobody, "{names:?}");
        }
        let nobody = config("HTTP_X_PROXY_USER", json!(null));
        assert_eq!(said(&nobody, &from("127.0.0.1", &["admin"])), Said::Nothing);
        let variable = config("REMOTE_USER", json!("127.0.0.1"));
        assert_eq!(said(&variable, &from("127.0.0.1", &["admin"])), Said::Nothing);
        assert_eq!(said(&Config::default(), &from("127.0.0.1", &["admin"])), Said::Nothing);
    }
}
