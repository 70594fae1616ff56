//! Whether the page that asks for a socket is one of ours. Browsers send cookies with the WebSockets of any page, and
//! no policy of theirs forbids the page to read what comes (cross-site WebSocket hijacking).

use infra::config::Config;

use crate::{
    context::Req,
    guards::next_url::{is_allowed, split},
};

/// The page's host is the one that the request goes to, or one that the configuration names as ours. A program that is
/// no browser names no page; its cookie is its own.
pub(super) fn is_ours(config: &Config, req: &Req) -> bool {
    let Some(origin) = req.header("origin") else { return true };
    let Some((scheme, page)) =
        split(origin).filter(|(scheme, _)| matches!(scheme.as_str(), "http" | "https"))
    else {
        return false;
    };
    let page = without_default_port(&scheme, &page);
    let is_page =
        |host: &str| !host.is_empty() && without_default_port(&scheme, host).eq_ignore_ascii_case(&page);
    // no page can make a browser send these two
    let forwarded = req.header("x-forwarded-host").unwrap_or_default().split(',').map(str::trim);
    is_page(&req.host)
        || forwarded.into_iter().any(is_page)
        || is_allowed(config, &page).unwrap_or_default()
        || ["WEBDRIVER_BASEURL_USER_FRIENDLY", "WEBDRIVER_BASEURL"]
            .into_iter()
            .filter_map(|key| split(config.get(key).as_str()?))
            .any(|(_, host)| !host.starts_with("0.0.0.0") && is_page(&host))
}

fn without_default_port(scheme: &str, host: &str) -> String {
    let default = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(default).unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::{Value, json};

    use super::*;

    fn asked(origin: Option<&str>, host: &str, headers: &[(&str, &str)], keys: &[(&str, Value)]) -> bool {
        let origin = origin.map(|origin| ("origin", origin));
        let headers = headers.iter().copied().chain(origin);
        let headers = headers.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let keys: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        is_ours(&Config::with(keys), &Req { host: host.into(), headers, ..Req::default() })
    }

    #[test]
    fn only_pages_of_our_own_open_sockets() {
        let own = [
            (None, "bi.example.org"),
            (Some("http://bi.example.org"), "bi.example.org"),
            (Some("https://bi.example.org"), "bi.example.org"),
            (Some("https://bi.example.org"), "bi.example.org:443"),
            (Some("http://127.0.0.1:8088"), "127.0.0.1:8088"),
        ];
        for (origin, host) in own {
            assert!(asked(origin, host, &[], &[]), "{origin:?} {host}");
        }
        let foreign = [
            ("http://evil.example", "bi.example.org"),
            ("http://bi.example.org.evil.example", "bi.example.org"),
            ("http://bi.example.org:8080", "bi.example.org"),
            ("null", "bi.example.org"),
            ("", "bi.example.org"),
            ("file://bi.example.org", "bi.example.org"),
            ("http://evil.example", ""),
        ];
        for (origin, host) in foreign {
            assert!(!asked(Some(origin), host, &[], &[]), "{origin} {host}");
        }
    }

    #[test]
    fn proxies_and_the_configuration_name_our_host() {
        let page = Some("https://bi.example.org");
        assert!(!asked(page, "10.0.0.7:8088", &[], &[]));
        assert!(asked(page, "10.0.0.7:8088", &[("x-forwarded-host", "bi.example.org")], &[]));
        let public = [("WEBDRIVER_BASEURL_USER_FRIENDLY", json!("https://bi.example.org/"))];
        assert!(asked(page, "10.0.0.7:8088", &[], &public));
        let safe = [("FAB_SAFE_REDIRECT_HOSTS", json!(["*.example.org"]))];
        assert!(asked(page, "10.0.0.7:8088", &[], &safe));
        assert!(
            !asked(Some("http://0.0.0.0:8080"), "10.0.0.7:8088", &[], &[]),
            "the default is nobody's address"
        );
    }
}
