//! The address under which a caller sees this server, as far as it can be believed (T28).
//!
//! Anybody can send any `Host`. Links in answers are made of one that is known to be ours; else of the address that
//! the configuration names (`WEBDRIVER_BASEURL_USER_FRIENDLY`, `WEBDRIVER_BASEURL`); else they are paths without a
//! host.

use std::net::IpAddr;

use infra::config::Config;

use super::next_url::{is_allowed, same_origin, split};
use crate::context::Req;

/// Superset's default, which is nobody's address.
const NOWHERE: &str = "0.0.0.0";

/// `scheme://host` of this server, or nothing that could be believed.
pub fn origin(config: &Config, req: &Req) -> Option<String> {
    let own = format!("{}://{}", req.scheme, req.host);
    if !req.host.is_empty() && is_ours(config, req, &own) {
        return Some(own);
    }
    configured(config).next().map(|(scheme, host)| format!("{scheme}://{host}"))
}

/// A path of this server as a link for others.
pub fn link(req: &Req, path: &str) -> String {
    format!("{}{}{path}", req.origin.as_deref().unwrap_or_default(), req.script_root)
}

/// Addresses that the configuration names.
fn configured(config: &Config) -> impl Iterator<Item = (String, String)> {
    let keys = ["WEBDRIVER_BASEURL_USER_FRIENDLY", "WEBDRIVER_BASEURL"];
    keys.into_iter()
        .filter_map(|key| split(config.get(key).as_str()?))
        .filter(|(scheme, host)| matches!(scheme.as_str(), "http" | "https") && name(host) != NOWHERE)
        .filter(|(_, host)| !host.is_empty())
}

fn is_ours(config: &Config, req: &Req, own: &str) -> bool {
    let name = name(&req.host);
    let ip = name.parse::<IpAddr>().ok();
    let here = name.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback());
    here || req.host_of_proxy
        || ip.is_some_and(|ip| ip.to_string() == req.local_addr)
        || is_allowed(config, &req.host).unwrap_or_default()
        || configured(config).any(|(_, host)| host.eq_ignore_ascii_case(&req.host))
        // a browser names the page that sends; no page can make it name another
        || req.header("origin").is_some_and(|page| same_origin(page, own))
}

/// Host without its port.
fn name(host: &str) -> &str {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    host.trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::{Value, json};

    use super::*;

    fn origin_of(host: &str, keys: &[(&str, Value)], headers: &[(&str, &str)]) -> Option<String> {
        let keys: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let req = Req {
            host: host.into(),
            scheme: "https".into(),
            local_addr: "10.0.0.7".into(),
            headers,
            ..Req::default()
        };
        origin(&Config::with(keys), &req)
    }

    /// T28.
    #[test]
    fn a_host_is_believed_when_something_else_says_the_same() {
        for host in ["localhost", "localhost:8088", "127.0.0.1:8088", "[::1]:8088", "10.0.0.7:8088"] {
            assert_eq!(origin_of(host, &[], &[]), Some(format!("https://{host}")));
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.8", "localhost.evil.example:80", ""] {
            assert_eq!(origin_of(host, &[], &[]), None, "{host}");
        }
        let safe = [("FAB_SAFE_REDIRECT_HOSTS", json!(["*.example.org"]))];
        assert_eq!(origin_of("bi.example.org", &safe, &[]).as_deref(), Some("https://bi.example.org"));
        assert_eq!(origin_of("evil.example", &safe, &[]), None);
        let public = [("WEBDRIVER_BASEURL_USER_FRIENDLY", json!("https://bi.example.org/"))];
        for host in ["bi.example.org", "evil.example", ""] {
            assert_eq!(origin_of(host, &public, &[]).as_deref(), Some("https://bi.example.org"), "{host}");
        }
        let browser = [("origin", "https://bi.example.org")];
        assert_eq!(origin_of("bi.example.org", &[], &browser).as_deref(), Some("https://bi.example.org"));
        assert_eq!(origin_of("evil.example", &[], &browser), None);
    }
}
