//! Where sockets are opened, and how pages learn of it (`GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL`).

use std::{collections::HashSet, sync::LazyLock};

use infra::config::Config;
use serde_json::Value;

use crate::{Cx, context::Req, guards::next_url::split};

const KEY: &str = "GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL";

/// Our own path.
const PATH: &str = "/ws";

/// The paths at which this server opens sockets: its own, that of the address that the configuration names, and the
/// root, where Superset's WebSocket server has it; with `SUPERSET_APP_ROOT` before them.
pub(super) fn paths(config: &Config) -> HashSet<String> {
    let mount = config.mount();
    let mut paths = HashSet::from([format!("{mount}{PATH}"), format!("{mount}/")]);
    let url = config.str(KEY);
    if let Some((_, rest)) = url.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        if let Some(at) = rest.find('/') {
            let path = rest.get(at..).unwrap_or_default();
            let is_here = path.strip_prefix(mount).is_some_and(|path| path.starts_with('/'));
            paths.extend(is_here.then(|| path.to_owned()));
            if mount.is_empty() {
                // a proxy takes the root off
                let root = config.application_root();
                paths.extend(path.strip_prefix(root).filter(|path| path.starts_with('/')).map(str::to_owned));
            }
        }
    }
    paths
}

/// The address that a page is told, where the configuration names none: this server, as the page's browser sees it.
pub fn own_address(cx: &Cx) -> Option<String> {
    let config = &cx.caller.app.config;
    static DEFAULT: LazyLock<Value> =
        LazyLock::new(|| Config::defaults().shift_remove(KEY).unwrap_or_default());
    let is_default = || *DEFAULT == *config.get(KEY) || config.str(KEY).is_empty();
    (config.flag("GLOBAL_ASYNC_QUERIES") && is_default()).then(|| address(config, &cx.req))
}

fn address(config: &Config, req: &Req) -> String {
    let path = format!("{}{PATH}", prefix(config, req));
    // a host that nothing confirms stands in no page: browsers complete a path themselves
    let Some((scheme, host)) = req.origin.as_deref().and_then(split) else { return path };
    let is_secure = scheme == "https" || req.header("x-forwarded-proto") == Some("https");
    format!("{}://{host}{path}", if is_secure { "wss" } else { "ws" })
}

/// What a trusted proxy, or else the configuration, says that paths begin with.
fn prefix<'a>(config: &'a Config, req: &'a Req) -> &'a str {
    if req.script_root.is_empty() { config.application_root() } else { &req.script_root }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(keys: &[(&str, Value)]) -> Config {
        let keys: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        Config::with(keys)
    }

    fn address_for(keys: &[(&str, Value)], origin: Option<&str>, headers: &[(&str, &str)]) -> String {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        address(&config(keys), &Req { origin: origin.map(str::to_owned), headers, ..Req::default() })
    }

    #[test]
    fn pages_are_told_of_this_server() {
        assert_eq!(address_for(&[], Some("http://127.0.0.1:8088"), &[]), "ws://127.0.0.1:8088/ws");
        assert_eq!(address_for(&[], Some("https://bi.example"), &[]), "wss://bi.example/ws");
        let behind_tls = [("x-forwarded-proto", "https")];
        assert_eq!(address_for(&[], Some("http://bi.example"), &behind_tls), "wss://bi.example/ws");
        assert_eq!(address_for(&[], None, &[]), "/ws", "a host that may be forged is not told");
        let root = [("APPLICATION_ROOT", json!("/bi/"))];
        assert_eq!(address_for(&root, Some("https://x"), &[]), "wss://x/bi/ws");
    }

    #[test]
    fn pages_below_a_root_are_told_of_it() {
        let config = config(&[("APPLICATION_ROOT", json!("/other"))]);
        let of = |script_root: &str| {
            let req =
                Req { origin: Some("http://x".into()), script_root: script_root.into(), ..Req::default() };
            address(&config, &req)
        };
        assert_eq!((of("/bi"), of("")), ("ws://x/bi/ws".into(), "ws://x/other/ws".into()));
    }

    #[test]
    fn sockets_are_opened_where_the_configuration_says() {
        let of = |url: &str| paths(&config(&[(KEY, json!(url)), ("APPLICATION_ROOT", json!("/bi"))]));
        assert!(of("ws://127.0.0.1:8080/").contains("/ws"));
        let named = of("wss://bi.example/bi/events?x=1");
        assert!(named.contains("/bi/events") && named.contains("/events") && named.contains("/"));
        assert_eq!(of("nonsense").len(), 2);
        let mounted = [("SUPERSET_APP_ROOT", json!("/bi")), (KEY, json!("wss://bi.example/bi/events"))];
        let wanted = HashSet::from(["/bi/ws", "/bi/", "/bi/events"].map(str::to_owned));
        assert_eq!(paths(&config(&mounted)), wanted);
    }
}
