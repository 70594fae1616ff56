//! Where a form leads back to: the pages seen last, kept in the session (`flask_appbuilder.baseviews:update_redirect`,
//! `get_redirect`).

use serde_json::{Value, json};

use crate::Cx;

const KEY: &str = "page_history";
/// Pages that are remembered (`flask_appbuilder.urltools:Stack`).
const DEPTH: usize = 5;

/// Remembers the page of this request. Only its path: a `Host` header must not choose where a redirect goes.
pub fn remember(cx: &Cx) {
    let query = if cx.req.query_string.is_empty() { "" } else { "?" };
    let here = cx.req.url_for(&format!("{}{query}{}", cx.req.path, cx.req.query_string));
    let mut session = cx.session.lock();
    let mut pages = pages(&session.values.remove(KEY).unwrap_or_default());
    if pages.last() != Some(&here) {
        pages.push(here);
    }
    let surplus = pages.len().saturating_sub(DEPTH);
    pages.drain(..surplus);
    session.values.insert(KEY.into(), json!(pages));
    session.modified = true;
}

/// Forgets the page seen last and takes the one before it; the index page when there is none.
pub fn back(cx: &Cx) -> String {
    let mut session = cx.session.lock();
    let mut pages = pages(&session.values.remove(KEY).unwrap_or_default());
    pages.pop();
    let url = pages.pop();
    session.values.insert(KEY.into(), json!(pages));
    session.modified = true;
    url.unwrap_or_else(|| cx.req.url_for("/"))
}

fn pages(stored: &Value) -> Vec<String> {
    stored
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|url| path(url).to_owned())
        .collect()
}

/// The path of an address: Superset remembers whole addresses.
fn path(url: &str) -> &str {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url,
    };
    // `//host` would be another host
    if rest.starts_with('/') && !rest[1..].starts_with(['/', '\\']) { rest } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_paths_of_this_server() {
        assert_eq!(path("http://superset.example.org/users/list/?a=b"), "/users/list/?a=b");
        assert_eq!(path("/roles/list/"), "/roles/list/");
        assert_eq!(path("//evil.example.org"), "/");
        assert_eq!(path("http://h//evil.example.org"), "/");
        assert_eq!(path("javascript:alert(1)"), "/");
        assert_eq!(path("http://h"), "/");
    }
}
