//! Which addresses a page may ask: its own server's, and what the content security policy allows.

use std::net::IpAddr;

use reqwest::Url;

use crate::outbound::{Reach, is_public};

/// What may be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Scheme, host and port of the pages.
    own: Option<(String, String, Option<u16>)>,
    others: Vec<Source>,
    /// The policy has no bound: any host that is not of this machine or its network.
    anywhere: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    scheme: Option<String>,
    /// `*.example.com` is kept as `.example.com`.
    host: String,
    port: Option<u16>,
}

impl Allowed {
    /// The server of an address, and the sources of a policy: the values of its directives. Without a policy any public
    /// host may be asked.
    pub fn new<'a>(own: &str, policy: Option<impl Iterator<Item = &'a str>>) -> Self {
        let own = Url::parse(own).ok();
        let own = own.and_then(|url| {
            Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()))
        });
        let mut allowed = Self { own, ..Self::default() };
        let Some(policy) = policy else { return Self { anywhere: true, ..allowed } };
        for source in policy.flat_map(str::split_whitespace) {
            match source {
                "*" | "https:" | "http:" => allowed.anywhere = true,
                _ => allowed.others.extend(Source::read(source)),
            }
        }
        allowed
    }

    /// How far a request to a host may go, if it may: whatever a policy names may be anywhere. Without a scheme any
    /// that the host is allowed with will do.
    pub fn reach(&self, scheme: Option<&str>, host: &str, port: u16) -> Option<Reach> {
        let own = |(own, name, number): &(String, String, Option<u16>)| {
            scheme.is_none_or(|scheme| scheme == own) && host == name && Some(port) == *number
        };
        if self.own.as_ref().is_some_and(own) || self.others.iter().any(|s| s.matches(scheme, host, port)) {
            return Some(Reach::Anywhere);
        }
        (self.anywhere && is_elsewhere(host)).then_some(Reach::Public)
    }

    /// An address of the page's own server without what its path begins with, where it does.
    pub fn without_prefix(&self, url: &str, prefix: &str) -> Option<String> {
        let mut url = Url::parse(url).ok().filter(|_| !prefix.is_empty())?;
        let (_, host, port) = self.own.as_ref()?;
        let own = url.host_str() == Some(host) && url.port_or_known_default() == *port;
        let path = url.path().strip_prefix(prefix).filter(|rest| own && rest.starts_with('/'))?.to_owned();
        url.set_path(&path);
        Some(url.into())
    }
}

impl Source {
    /// A host source; keywords, nonces and schemes are none.
    fn read(text: &str) -> Option<Self> {
        if text.starts_with('\'') || text.ends_with(':') {
            return None;
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_owned()), rest),
            None => (None, text),
        };
        let rest = rest.split('/').next()?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, "*")) => (host, None),
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (rest, None),
        };
        let host = match host.strip_prefix("*.") {
            Some(rest) => format!(".{rest}"),
            None => host.to_owned(),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        (!host.is_empty() && host.chars().all(plain)).then_some(Self { scheme, host, port })
    }

    fn matches(&self, scheme: Option<&str>, host: &str, port: u16) -> bool {
        let scheme = match (self.scheme.as_deref(), scheme) {
            (_, None) => true,
            (Some(own), Some(scheme)) => scheme == own || own == "http" && scheme == "https",
            (None, Some(scheme)) => matches!(scheme, "http" | "https"),
        };
        let name = if self.host.starts_with('.') {
            host.ends_with(&self.host)
        } else {
            host.eq_ignore_ascii_case(&self.host)
        };
        scheme && name && self.port.map_or(matches!(port, 80 | 443), |own| own == port)
    }
}

/// A host that is not named as one of this machine or its network.
fn is_elsewhere(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost") || !host.contains(['.', ':']) {
        return false;
    }
    host.trim_matches(['[', ']']).parse::<IpAddr>().map_or(true, is_public)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: [&str; 3] = [
        "'self' blob: data: https://static.scarf.sh/ ws://localhost:9000",
        "'strict-dynamic' 'nonce-abc' *.mapbox.com:*",
        "'none'",
    ];

    fn reach(allowed: &Allowed, url: &str) -> Option<Reach> {
        let url = Url::parse(url).unwrap();
        allowed.reach(Some(url.scheme()), url.host_str().unwrap(), url.port_or_known_default().unwrap())
    }

    #[test]
    fn pages_ask_their_server_and_what_the_policy_names() {
        let allowed = Allowed::new("http://127.0.0.1:8088/", Some(POLICY.into_iter()));
        for url in
            ["http://127.0.0.1:8088/static/x.js", "https://static.scarf.sh/a", "https://api.mapbox.com/v4"]
        {
            assert_eq!(reach(&allowed, url), Some(Reach::Anywhere), "{url}");
        }
        for url in [
            "http://127.0.0.1:5432/",
            "https://127.0.0.1:8088/",
            "http://localhost:8088/",
            "http://169.254.169.254/latest/meta-data",
            "https://evil.example/",
            "https://mapbox.com.evil.example/",
            "https://evilmapbox.com/",
            "https://static.scarf.sh:8443/",
        ] {
            assert_eq!(reach(&allowed, url), None, "{url}");
        }
        assert_eq!(allowed.reach(None, "127.0.0.1", 8088), Some(Reach::Anywhere));
        assert_eq!(allowed.reach(None, "localhost", 9000), Some(Reach::Anywhere));
        assert_eq!(allowed.reach(None, "127.0.0.1", 22), None);
    }

    #[test]
    fn the_prefix_of_a_proxy_is_taken_off() {
        let allowed = Allowed::new("http://127.0.0.1:8088/", Some(POLICY.into_iter()));
        let without = |url| allowed.without_prefix(url, "/bi");
        assert_eq!(
            without("http://127.0.0.1:8088/bi/a?b=/bi/c").as_deref(),
            Some("http://127.0.0.1:8088/a?b=/bi/c")
        );
        for url in
            ["http://127.0.0.1:8088/bizarre", "http://127.0.0.1:8088/a", "https://static.scarf.sh/bi/a"]
        {
            assert_eq!(without(url), None, "{url}");
        }
        assert_eq!(allowed.without_prefix("http://127.0.0.1:8088/a", ""), None);
    }

    #[test]
    fn a_policy_without_bounds_leaves_this_network_closed() {
        for allowed in [
            Allowed::new("http://127.0.0.1:8088/", Some(["'self' *"].into_iter())),
            Allowed::new("http://127.0.0.1:8088/", None::<std::iter::Empty<&str>>),
        ] {
            assert_eq!(reach(&allowed, "https://example.org/x"), Some(Reach::Public));
            assert_eq!(reach(&allowed, "http://127.0.0.1:8088/"), Some(Reach::Anywhere));
            for url in [
                "http://127.0.0.1:5432/",
                "http://10.0.0.1/",
                "http://localhost/",
                "http://[::1]/",
                "http://db/",
            ] {
                assert_eq!(reach(&allowed, url), None, "{url}");
            }
        }
    }
}
