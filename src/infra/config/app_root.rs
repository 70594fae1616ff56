//! Where the application sits: at the root of a host or below a path (`superset.app:create_app`).
//!
//! `SUPERSET_APP_ROOT` is where requests are answered; `APPLICATION_ROOT` and `STATIC_ASSETS_PREFIX` are what pages
//! are told, and follow it where they are not set themselves.

use indexmap::IndexMap;
use serde_json::Value;

use super::Config;
use crate::json::truthy;

/// Read from the environment, as in the original; liteset's own file may name it, too.
pub(super) const KEY: &str = "SUPERSET_APP_ROOT";

/// No path of a proxy is longer.
const LONGEST: usize = 256;

/// Whether a text is a path and nothing that could mean more in a header, a page or an address: segments of plain
/// characters, each after one slash, perhaps a slash at the end.
pub fn is_plain_path(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    let path = text.strip_suffix('/').unwrap_or(text);
    let mut segments = path.split('/');
    !text.is_empty()
        && text.len() <= LONGEST
        && segments.next() == Some("")
        && segments.all(|s| !s.is_empty() && !matches!(s, "." | "..") && s.bytes().all(is_plain))
}

/// Fills in what depends on the root; a complaint where it is no path.
pub(super) fn apply(values: &mut IndexMap<String, Value>) -> Option<String> {
    let root = values.get(KEY)?;
    let text = root.as_str().unwrap_or_default().to_owned();
    if !truthy(root) || text == "/" {
        values.shift_remove(KEY);
        return None;
    }
    if !is_plain_path(&text) {
        return Some(format!("{KEY} is the path that the address of every page begins with, such as /bi"));
    }
    if !values.get("STATIC_ASSETS_PREFIX").is_some_and(truthy) {
        values.insert("STATIC_ASSETS_PREFIX".into(), text.clone().into());
    }
    if values.get("APPLICATION_ROOT").is_none_or(|own| own == "/") {
        values.insert("APPLICATION_ROOT".into(), text.into());
    }
    None
}

impl Config {
    /// The path below which requests are answered, without a slash at its end; empty for the root of the host.
    pub fn mount(&self) -> &str {
        self.str(KEY).trim_end_matches('/')
    }
    /// What links that are made without a request begin with (`APPLICATION_ROOT`), without a slash at the end.
    pub fn application_root(&self) -> &str {
        self.str("APPLICATION_ROOT").trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(keys: &[(&str, &str)]) -> (Option<String>, Config) {
        let mut values: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        (apply(&mut values), Config::with(values))
    }

    #[test]
    fn what_depends_on_the_root_follows_it() {
        let (_, config) = applied(&[(KEY, "/bi")]);
        assert_eq!((config.mount(), config.application_root()), ("/bi", "/bi"));
        assert_eq!(config.str("STATIC_ASSETS_PREFIX"), "/bi");
        let (_, config) = applied(&[
            (KEY, "/a/b/"),
            ("APPLICATION_ROOT", "/other"),
            ("STATIC_ASSETS_PREFIX", "https://cdn.example"),
        ]);
        assert_eq!((config.mount(), config.application_root()), ("/a/b", "/other"));
        assert_eq!(config.str("STATIC_ASSETS_PREFIX"), "https://cdn.example");
        for none in ["", "/"] {
            let (complaint, config) = applied(&[(KEY, none)]);
            assert_eq!((complaint, config.mount(), config.application_root()), (None, "", ""));
        }
        assert!(applied(&[(KEY, "bi")]).0.is_some_and(|text| text.contains("such as /bi")));
    }

    #[test]
    fn paths_and_nothing_else() {
        for good in ["/bi", "/bi/", "/a/b-c_d.e~f", "/"] {
            assert!(is_plain_path(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for bad in [
            "", "bi", "//evil", "/\\evil", "/a//b", "/../a", "/./a", "/a\"b", "/a'b", "/a<b", "/a b",
            "/a\r\nb", "/a?b", "/a#b", "/a%2fb", "/é", &long,
        ] {
            assert!(!is_plain_path(bad), "{bad:?}");
        }
    }
}
