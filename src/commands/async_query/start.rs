//! What global async queries need before the server starts (`AsyncQueryManager.init_app`).

use infra::{
    cache::{Backend, CacheSettings},
    config::Config,
    events,
};

/// PyJWT and Superset's WebSocket server want as much.
const SECRET_BYTES: usize = 32;

/// Why the server must not start.
pub fn refusal(config: &Config) -> Option<String> {
    if !config.flag("GLOBAL_ASYNC_QUERIES") {
        return None;
    }
    for key in ["CACHE_CONFIG", "DATA_CACHE_CONFIG"] {
        if CacheSettings::read(config, key).backend == Backend::Null {
            return Some(format!(
                "GLOBAL_ASYNC_QUERIES is on and {key} names no cache: results of queries in the background would be \
                 lost. Set {key} to {{\"CACHE_TYPE\": \"RedisCache\", …}}, or to {{\"CACHE_TYPE\": \"SimpleCache\"}} \
                 where one process serves all"
            ));
        }
    }
    if config.str("GLOBAL_ASYNC_QUERIES_JWT_SECRET").len() < SECRET_BYTES {
        return Some(format!(
            "GLOBAL_ASYNC_QUERIES_JWT_SECRET must have {SECRET_BYTES} bytes at least: whoever guesses it reads the \
             events of everybody. Make one with `openssl rand -base64 42`"
        ));
    }
    if !matches!(config.str("GLOBAL_ASYNC_QUERIES_TRANSPORT"), "polling" | "ws") {
        return Some("GLOBAL_ASYNC_QUERIES_TRANSPORT must be \"polling\" or \"ws\"".to_owned());
    }
    events::Settings::read(config).err()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::{Value, json};

    use super::*;

    fn refused(more: &[(&str, Value)]) -> String {
        let keys = [
            ("FEATURE_FLAGS", json!({"GLOBAL_ASYNC_QUERIES": true})),
            ("CACHE_CONFIG", json!({"CACHE_TYPE": "SimpleCache"})),
            ("DATA_CACHE_CONFIG", json!({"CACHE_TYPE": "SimpleCache"})),
            ("GLOBAL_ASYNC_QUERIES_JWT_SECRET", json!("0123456789abcdefghijklmnopqrstuv")),
        ];
        let keys: IndexMap<_, _> =
            keys.iter().chain(more).map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        refusal(&Config::with(keys)).unwrap_or_default()
    }

    #[test]
    fn results_need_a_place_and_tokens_a_secret() {
        assert_eq!(refused(&[]), "");
        assert!(refused(&[("CACHE_CONFIG", json!({}))]).contains("CACHE_CONFIG names no cache"));
        let null = json!({"CACHE_TYPE": "NullCache"});
        assert!(refused(&[("DATA_CACHE_CONFIG", null)]).contains("DATA_CACHE_CONFIG names no cache"));
        assert!(refused(&[("GLOBAL_ASYNC_QUERIES_JWT_SECRET", json!("short"))]).contains("32 bytes"));
        let other = json!({"CACHE_TYPE": "MemcachedCache"});
        assert!(refused(&[("GLOBAL_ASYNC_QUERIES_CACHE_BACKEND", other)]).contains("CACHE_TYPE"));
        assert!(refused(&[("GLOBAL_ASYNC_QUERIES_TRANSPORT", json!("carrier pigeon"))]).contains("polling"));
        assert_eq!(refused(&[("FEATURE_FLAGS", json!({})), ("CACHE_CONFIG", json!({}))]), "");
    }
}
