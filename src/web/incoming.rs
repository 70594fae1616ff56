//! Reading a request: its parts, its form or body, and what a trusted proxy says about its origin.

use infra::config::{Config, app_root::is_plain_path};
use salvo::{
    Request,
    conn::SocketAddr,
    http::{Version, uri::Scheme},
};

use crate::context::Req;

/// Everything but the body; a status when it makes no sense.
pub fn read_parts(request: &Request) -> Result<Req, u16> {
    let uri = request.uri();
    let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8().map_err(|_| 404_u16)?;
    let query_string = uri.query().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    // RFC 9112, 3.2: two hosts mean two things to two servers
    let hosts = request.headers().get_all("host").iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(400);
    }
    let named = headers.iter().find(|(k, _)| k == "host").map(|(_, v)| v.clone());
    let host = match (request.version(), uri.authority()) {
        // RFC 9113, 8.3.1: it stands beside the path, and a header says the same
        (Version::HTTP_2, Some(authority)) => {
            if named.is_some_and(|named| !named.eq_ignore_ascii_case(authority.as_str())) {
                return Err(400);
            }
            authority.as_str().to_owned()
        }
        _ => named.unwrap_or_default(),
    };
    Ok(Req {
        method: request.method().as_str().to_owned(),
        path: path.into_owned(),
        args: parse_query(&query_string),
        query_string,
        headers,
        remote_addr: address(request.remote_addr()),
        peer: address(request.remote_addr()),
        local_addr: address(request.local_addr()),
        scheme: request.scheme().as_str().to_owned(),
        in_clear: is_in_clear(request),
        host,
        ..Req::default()
    })
}

/// Whether others on the way could read it. A UNIX socket does not leave the machine.
pub fn is_in_clear(request: &Request) -> bool {
    request.scheme() != &Scheme::HTTPS && !matches!(request.remote_addr(), SocketAddr::Unix(_))
}

fn address(socket: &SocketAddr) -> String {
    // no address: nothing that names addresses means it
    if let SocketAddr::Unix(_) = socket {
        return "unix".to_owned();
    }
    let address = socket.to_string();
    // "socket://127.0.0.1:4711" → "127.0.0.1"
    let address = address.rsplit("//").next().unwrap_or_default();
    address.rsplit_once(':').map_or(address, |(ip, _)| ip).trim_matches(['[', ']']).to_owned()
}

/// `a=1&b=%20` with `+` as a space; bytes that are not UTF-8 are replaced, as Werkzeug does.
pub fn parse_query(text: &str) -> Vec<(String, String)> {
    let decode = |s: &str| {
        let s = s.replace('+', " ");
        percent_encoding::percent_decode_str(&s).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            p.split_once('=').map_or_else(|| (decode(p), String::new()), |(k, v)| (decode(k), decode(v)))
        })
        .collect()
}

/// Werkzeug's `ProxyFix` (`ENABLE_PROXY_FIX`): the last of as many values as there are trusted proxies.
pub fn trust_proxy(config: &Config, req: &mut Req) {
    if !config.bool("ENABLE_PROXY_FIX") {
        return;
    }
    let counts = config.get("PROXY_FIX_CONFIG");
    let value = |key: &str, header: &str| {
        let trusted = counts.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let trusted = usize::try_from(trusted).ok().filter(|n| *n > 0)?;
        let values: Vec<&str> = req.header(header)?.split(',').map(str::trim).collect();
        let at = values.len().checked_sub(trusted)?;
        values.get(at).filter(|v| !v.is_empty()).map(|v| (*v).to_owned())
    };
    let (address, scheme) = (value("x_for", "x-forwarded-for"), value("x_proto", "x-forwarded-proto"));
    let (host, port) = (value("x_host", "x-forwarded-host"), value("x_port", "x-forwarded-port"));
    let prefix = value("x_prefix", "x-forwarded-prefix").filter(|prefix| is_plain_path(prefix));
    if let Some(address) = address {
        req.remote_addr = address;
    }
    if let Some(prefix) = prefix {
        req.script_root = prefix.trim_end_matches('/').to_owned();
    }
    if let Some(scheme) = scheme.filter(|s| matches!(s.as_str(), "http" | "https")) {
        req.scheme = scheme;
    }
    if let Some(host) = host.filter(|h| is_host(h)) {
        req.host = host;
        req.host_of_proxy = true;
    }
    if let Some(port) = port.filter(|p| p.parse::<u16>().is_ok()) {
        let name = match req.host.rsplit_once(':') {
            Some((name, old)) if !old.contains(']') => name,
            _ => req.host.as_str(),
        };
        req.host = format!("{name}:{port}");
    }
}

/// Takes `SUPERSET_APP_ROOT` off the path (`superset.app:AppRootMiddleware`); whether the request was for a path below
/// it. The original looks no further than at the first letters: `/bix` would be a path below `/bi`, too.
pub fn unmount(config: &Config, req: &mut Req) -> bool {
    let mount = config.mount();
    if mount.is_empty() {
        return true;
    }
    match req.path.strip_prefix(mount) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            req.path = rest.to_owned();
            mount.clone_into(&mut req.script_root);
            true
        }
        _ => false,
    }
}

/// A host name or address with an optional port, and nothing that could mean something else in an address or page.
pub fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_believed_only_when_configured() {
        let headers = [
            ("x-forwarded-for", "6.6.6.6, 10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "bi.example"),
            ("x-forwarded-port", "8443"),
        ];
        let headers: Vec<_> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let req =
            || Req { headers: headers.clone(), scheme: "http".into(), host: "in:1".into(), ..Req::default() };
        let mut untouched = req();
        trust_proxy(&Config::with(indexmap::IndexMap::new()), &mut untouched);
        assert_eq!((untouched.scheme.as_str(), untouched.host.as_str()), ("http", "in:1"));
        let on = Config::with(indexmap::IndexMap::from([("ENABLE_PROXY_FIX".to_owned(), true.into())]));
        let mut fixed = req();
        trust_proxy(&on, &mut fixed);
        assert_eq!((fixed.scheme.as_str(), fixed.host.as_str()), ("https", "bi.example:8443"));
        assert_eq!(fixed.remote_addr, "10.0.0.1");
    }

    #[test]
    fn prefixes_of_proxies_are_plain_paths() {
        let root = |keys: &[(&str, serde_json::Value)], said: &str| {
            let keys = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let headers = vec![("x-forwarded-prefix".to_owned(), said.to_owned())];
            let mut req = Req { headers, path: "/bi/x".into(), ..Req::default() };
            trust_proxy(&Config::with(keys.clone().collect()), &mut req);
            let is_below = unmount(&Config::with(keys.collect()), &mut req);
            (req.script_root, req.path, is_below)
        };
        let on = ("ENABLE_PROXY_FIX", serde_json::json!(true));
        let none = ("PROXY_FIX_CONFIG", serde_json::json!({"x_for": 1, "x_prefix": 0}));
        let mount = ("SUPERSET_APP_ROOT", "/bi".into());
        let is = |root: &str, path: &str| (root.to_owned(), path.to_owned(), true);
        assert_eq!(root(&[], "/a"), is("", "/bi/x"), "a stranger's header");
        assert_eq!(root(&[on.clone(), none], "/a"), is("", "/bi/x"));
        assert_eq!(root(std::slice::from_ref(&on), "/a/"), is("/a", "/bi/x"));
        assert_eq!(root(std::slice::from_ref(&on), "/evil, /a"), is("/a", "/bi/x"), "the last proxy's");
        for bad in ["//evil.example", "/\\evil", "/a\"><script>", "/a'b", "/a\r\nx: y", "evil", "/../a"] {
            assert_eq!(root(std::slice::from_ref(&on), bad), is("", "/bi/x"), "{bad}");
        }
        assert_eq!(root(&[on.clone(), mount.clone()], "/a"), is("/bi", "/x"), "the server's own goes first");
        let elsewhere = ("SUPERSET_APP_ROOT", "/b".into());
        assert!(!root(&[elsewhere], "").2, "/bi is not below /b");
    }

    #[test]
    fn hosts() {
        assert!(is_host("a.b:80") && is_host("[::1]:80"));
        assert!(!is_host("") && !is_host("a/b") && !is_host("a b") && !is_host("<a>") && !is_host("a@b"));
    }

    #[test]
    fn query_strings_decode_like_werkzeug() {
        let want = [("q", "(a:b c)"), ("x", ""), ("q", "é")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(parse_query("q=(a:b+c)&x&&q=%C3%A9"), want);
    }
}
