//! Where a redirect may lead (`flask_appbuilder.utils.base:is_safe_redirect_url`) and how `?next=` is written.

use infra::config::Config;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::host;
use crate::context::Req;

/// `urllib.parse.quote_plus`, without the plus.
pub const QUOTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
/// What Werkzeug's `url_for` leaves alone in a query.
const URL_FOR: &AsciiSet = &QUOTE
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'?')
    .remove(b'@');

/// The login page that leads back to a request (`superset.views.utils:redirect_to_login`): path and query only, so that
/// nobody can lead away with it.
pub fn login_with(req: &Req) -> String {
    let query = if req.query_string.is_empty() { String::new() } else { format!("?{}", req.query_string) };
    let next = utf8_percent_encode(&format!("{}{query}", req.path), QUOTE).to_string();
    format!("{}/login/?next={}", req.script_root, next.replace("%20", "+"))
}

/// The login page that leads back to the whole address of a request (`has_access`).
pub fn login_from(req: &Req) -> String {
    let query =
        if req.query_string.is_empty() { String::new() } else { format!("?{}", unquoted(&req.query_string)) };
    let url = host::link(req, &format!("{}{query}", req.path));
    let quoted = utf8_percent_encode(&url, URL_FOR).to_string().replace("%20", "+");
    format!("{}/login/?next={quoted}", req.script_root)
}

/// What `request.url` shows: percent-escapes of characters that are no ASCII or that mean nothing in a query undone.
fn unquoted(query: &str) -> String {
    let bytes = query.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let escaped = (*b == b'%').then(|| query.get(i + 1..i + 3)).flatten();
        let decoded = escaped.and_then(|h| u8::from_str_radix(h, 16).ok());
        match decoded {
            Some(d) if d > b' ' && !matches!(d, b'%' | b'#' | b'&' | b'+' | b'=' | 0x7f) => {
                out.push(d);
                i += 3;
            }
            _ => {
                out.push(*b);
                i += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| query.to_owned())
}

/// `next` when it leads to this site, else the index page. The log-in page is told of paths without the root that this
/// server sits below ([`login_with`]): there they get it back. In the original they lead outside.
pub fn safe(config: &Config, req: &Req, next: &str) -> String {
    if next.is_empty() || !is_safe(config, req, next) {
        return req.url_for("/");
    }
    let root = &req.script_root;
    let is_below =
        next.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_path = next.starts_with('/') && !next.starts_with("//");
    if is_path && !is_below { format!("{root}{next}") } else { next.to_owned() }
}

fn is_safe(config: &Config, req: &Req, url: &str) -> bool {
    // browsers read a backslash as a slash and skip white space and control characters: none of them belongs here
    if url.starts_with("///")
        || url.contains('\\')
        || url.chars().any(char::is_control)
        || url.starts_with(' ')
    {
        return false;
    }
    let Some((scheme, host)) = split(url) else { return false };
    if !scheme.is_empty() && host.is_empty() {
        return false;
    }
    if !matches!(scheme.as_str(), "" | "http" | "https") {
        return false;
    }
    if host.is_empty() {
        return true;
    }
    is_allowed(config, &host)
        .unwrap_or_else(|| req.origin.as_deref().and_then(split).is_some_and(|(_, own)| own == host))
}

/// Whether `FAB_SAFE_REDIRECT_HOSTS` allows a host; none where it names no host.
pub(crate) fn is_allowed(config: &Config, host: &str) -> Option<bool> {
    let allowed = config.get("FAB_SAFE_REDIRECT_HOSTS").as_array()?;
    let mut allowed = allowed.iter().filter_map(|v| v.as_str()).peekable();
    allowed.peek()?;
    Some(allowed.any(|pattern| matches_glob(pattern, host)))
}

/// Scheme and authority of an address, either possibly empty; none when it makes no sense.
pub(crate) fn split(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), url),
    };
    let host = match rest.strip_prefix("//") {
        Some(rest) => rest.split(['/', '?', '#']).next()?,
        None => "",
    };
    (host.contains('[') == host.contains(']')).then(|| (scheme, host.to_owned()))
}

/// `fnmatch` with `*` and `?`.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Scheme and host with port are the same (`flask_wtf.csrf:same_origin`).
pub fn same_origin(a: &str, b: &str) -> bool {
    match (split(a), split(b)) {
        (Some(a), Some(b)) => a == b && !a.1.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Req {
        Req { origin: Some("http://me:9001".into()), path: "/chart/list/".into(), ..Req::default() }
    }

    #[test]
    fn only_this_site() {
        let (config, req) = (Config::default(), request());
        for good in ["/superset/welcome/", "relative", "http://me:9001/x", "//me:9001/x", "/a?u=http://evil"]
        {
            assert_eq!(safe(&config, &req, good), good);
        }
        for bad in [
            "",
            "///evil",
            "//evil",
            "http://evil/",
            "https:evil",
            "http:///evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "\\\\evil",
            "/\\evil",
            "\u{1}/x",
            "/\t/evil",
            "http://me:9001@evil/",
            "http://[me:9001/",
            " //evil",
        ] {
            assert_eq!(safe(&config, &req, bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn below_a_root() {
        let (config, req) = (Config::default(), Req { script_root: "/bi".into(), ..request() });
        assert_eq!(login_with(&req), "/bi/login/?next=%2Fchart%2Flist%2F");
        assert_eq!(login_from(&req), "/bi/login/?next=http://me:9001/bi/chart/list/");
        for (next, to) in [
            ("", "/bi/"),
            ("//evil", "/bi/"),
            ("/chart/list/?a=b", "/bi/chart/list/?a=b"),
            ("/bi/chart/list/", "/bi/chart/list/"),
            ("/bi", "/bi"),
            ("/bix", "/bi/bix"),
            ("relative", "relative"),
            ("http://me:9001/bi/x", "http://me:9001/bi/x"),
        ] {
            assert_eq!(safe(&config, &req, next), to);
        }
    }

    #[test]
    fn hosts_by_pattern() {
        assert!(matches_glob("*.example.com", "a.example.com"));
        assert!(!matches_glob("*.example.com", "example.com"));
        assert!(matches_glob("h?st*", "host:80") && !matches_glob("", "x") && matches_glob("*", ""));
    }

    #[test]
    fn next_arguments() {
        assert_eq!(login_with(&request()), "/login/?next=%2Fchart%2Flist%2F");
        assert_eq!(login_from(&request()), "/login/?next=http://me:9001/chart/list/");
        let req = Req { query_string: "a=b%20c&d=%C3%A9".into(), ..request() };
        assert_eq!(login_with(&req), "/login/?next=%2Fchart%2Flist%2F%3Fa%3Db%2520c%26d%3D%25C3%25A9");
        assert_eq!(login_from(&req), "/login/?next=http://me:9001/chart/list/?a%3Db%2520c%26d%3D%C3%A9");
    }
}
