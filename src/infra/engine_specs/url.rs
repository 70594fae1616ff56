//! SQLAlchemy 1.4 connection strings: taken apart and put together as `sqlalchemy.engine.url` does it.

use std::sync::LazyLock;

use regex::Regex;

/// What stands for a password that is there (`superset.constants:PASSWORD_MASK`).
pub const MASK: &str = "XXXXXXXXXX";

/// The parts of a connection string; clear text, not yet or no longer percent-encoded.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Url {
    /// `postgresql+psycopg2`.
    pub drivername: String,
    /// User.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Host name or address; IPv6 without its brackets.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u32>,
    /// What stands after the first slash, as it stands there.
    pub database: Option<String>,
    /// Options in their order; keys may repeat.
    pub query: Vec<(String, String)>,
}

/// The pattern of `_parse_url`; what follows a match is ignored, as there.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = r"(?x)^(?P<name>[\w\+]+)://
        (?:(?P<username>[^:/]*)(?::(?P<password>[^@]*))?@)?
        (?:(?:\[(?P<ipv6>[^/\?]+)\]|(?P<ipv4>[^/:\?]+))?(?::(?P<port>[^/\?]*))?)?
        (?:/(?P<database>[^\?]*))?
        (?:\?(?P<query>.*))?";
    Regex::new(text).ok()
});

impl Url {
    /// `make_url_safe`: `None` for what is no connection string.
    pub fn parse(text: &str) -> Option<Self> {
        let found = PATTERN.as_ref()?.captures(text.trim())?;
        let part = |name: &str| found.name(name).map(|m| m.as_str());
        let port = match part("port") {
            Some(port) => Some(port.trim().parse().ok()?),
            None => None,
        };
        Some(Self {
            drivername: part("name")?.to_owned(),
            username: part("username").map(|t| decoded(t, false)),
            password: part("password").map(|t| decoded(t, false)),
            host: part("ipv4").or(part("ipv6")).map(str::to_owned),
            port,
            database: part("database").map(str::to_owned),
            query: part("query").map(pairs).unwrap_or_default(),
        })
    }

    /// First part of the driver's name: `postgresql`.
    pub fn backend(&self) -> &str {
        self.drivername.split('+').next().unwrap_or_default()
    }

    /// The driver that is named: `psycopg2`.
    pub fn driver(&self) -> Option<&str> {
        self.drivername.split_once('+').map(|(_, driver)| driver)
    }

    /// The value of an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// Sets an option.
    pub fn set_option(&mut self, key: &str, value: impl Into<String>) {
        self.query.retain(|(k, _)| k != key);
        self.query.push((key.to_owned(), value.into()));
    }

    /// The same string with the mask in the place of a password that is there.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if self.password.as_deref().is_some_and(|p| !p.is_empty()) {
            self.password = Some(MASK.to_owned());
        }
        self
    }

    /// `str(url)`: options sorted, only `:`, `@` and `/` encoded in user and password.
    pub fn text(&self) -> String {
        let quoted =
            |text: &str| text.replace('%', "%25").replace(':', "%3A").replace('@', "%40").replace('/', "%2F");
        self.render(&quoted, &str::to_owned, &quoted_plus)
    }

    /// A form in which every part is encoded, that other readers understand.
    pub fn encoded(&self) -> String {
        self.render(&quoted, &|t| encoded(t, b"/:"), &quoted)
    }

    fn render(
        &self,
        quoted: &dyn Fn(&str) -> String,
        database: &dyn Fn(&str) -> String,
        option: &dyn Fn(&str) -> String,
    ) -> String {
        let mut out = format!("{}://", self.drivername);
        if let Some(user) = &self.username {
            out.push_str(&quoted(user));
            if let Some(password) = &self.password {
                out.push(':');
                out.push_str(&quoted(password));
            }
            out.push('@');
        }
        match &self.host {
            Some(host) if host.contains(':') => out.push_str(&format!("[{host}]")),
            Some(host) => out.push_str(host),
            None => {}
        }
        if let Some(port) = self.port {
            out.push_str(&format!(":{port}"));
        }
        if let Some(name) = &self.database {
            out.push('/');
            out.push_str(&database(name));
        }
        let mut query: Vec<&(String, String)> = self.query.iter().collect();
        query.sort_by(|a, b| a.0.cmp(&b.0));
        for (i, (key, value)) in query.into_iter().enumerate() {
            out.push(if i == 0 { '?' } else { '&' });
            out.push_str(&format!("{}={}", option(key), option(value)));
        }
        out
    }
}

/// Never with its password, wherever it is printed.
impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.clone().masked().text())
    }
}

/// `parse_qsl`: blank values are dropped.
fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter_map(|p| p.split_once('=')).filter(|(_, v)| !v.is_empty());
    parts.map(|(k, v)| (decoded(k, true), decoded(v, true))).collect()
}

/// Percent-decoding; what is no UTF-8 is replaced.
fn decoded(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(b) = bytes.get(i) {
        let hex = (*b == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        if let Some(byte) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            out.push(byte);
            i += 3;
        } else {
            out.push(if plus && *b == b'+' { b' ' } else { *b });
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of everything but unreserved characters and those that are named.
fn encoded(text: &str, but: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || but.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `quote` with nothing kept: for a name that becomes part of a path.
pub fn quoted(text: &str) -> String {
    encoded(text, b"")
}

/// `quote_plus`.
pub fn quoted_plus(text: &str) -> String {
    encoded(text, b" ").replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with SQLAlchemy 1.4.54.
    #[test]
    fn parts_as_sqlalchemy_sees_them() {
        let url = Url::parse(" postgresql+psycopg2://us%40er:p%2Fw@db:6543/meta?b=2&a=x+y&empty= ").unwrap();
        assert_eq!((url.backend(), url.driver()), ("postgresql", Some("psycopg2")));
        assert_eq!(url.username.as_deref(), Some("us@er"));
        assert_eq!(url.password.as_deref(), Some("p/w"));
        assert_eq!(url.port, Some(6543));
        assert_eq!(url.text(), "postgresql+psycopg2://us%40er:p%2Fw@db:6543/meta?a=x+y&b=2");
        assert_eq!(
            url.clone().masked().text(),
            "postgresql+psycopg2://us%40er:XXXXXXXXXX@db:6543/meta?a=x+y&b=2"
        );
        assert!(!format!("{url:?}").contains("p/w"));
        assert_eq!(Url::parse("mysql://[::1]:3306/x").unwrap().host.as_deref(), Some("::1"));
        assert_eq!(Url::parse("sqlite:////a/b.db").unwrap().database.as_deref(), Some("/a/b.db"));
        assert_eq!(Url::parse("sqlite://").unwrap().text(), "sqlite://");
        for wrong in ["nope", "", "postgresql://h:port/x", "a b://x", "mysql://h:/x"] {
            assert!(Url::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_encoded_form_reads_back() {
        let url = Url {
            drivername: "mysql".into(),
            username: Some("a%b".into()),
            password: Some("p@:/%41 ü".into()),
            host: Some("h".into()),
            database: Some("d".into()),
            ..Url::default()
        };
        assert_eq!(Url::parse(&url.encoded()).unwrap(), url);
        assert_eq!(Url::parse(&url.text()).unwrap(), url);
    }
}
