//! SQLAlchemy connection strings of the metadata database.

use std::{path::PathBuf, str::FromStr, time::Duration};

use crate::pg::{Target, Verify};

/// Why a connection string cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UriError {
    /// Not of the form `dialect[+driver]://…`.
    #[error("not a database URI: it must look like sqlite:////path or postgresql://user:password@host/name")]
    Malformed,
    /// A dialect that liteset does not keep metadata in.
    #[error("metadata cannot be kept in {0}: use sqlite or postgresql")]
    Unsupported(String),
    /// A part of the URI makes no sense.
    #[error("{0}")]
    Part(String),
}

/// Where the metadata database lies.
#[derive(Debug, Clone)]
pub enum DbUri {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres(Box<Target>),
}

impl FromStr for DbUri {
    type Err = UriError;

    /// Reads `sqlite:///relative`, `sqlite:////absolute`, `postgresql[+driver]://user:pass@host:port/name?options`.
    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Malformed)?;
        let dialect = scheme.split('+').next().unwrap_or(scheme);
        let (body, query) = rest.split_once('?').unwrap_or((rest, ""));
        match dialect {
            "sqlite" => {
                let path = body.strip_prefix('/').ok_or(UriError::Malformed)?;
                if path.is_empty() || path == ":memory:" {
                    return Err(UriError::Part("an in-memory SQLite database would lose everything".into()));
                }
                let path = path.strip_prefix("file:").unwrap_or(path);
                Ok(Self::Sqlite { path: PathBuf::from(path) })
            }
            "postgresql" | "postgres" => postgres(body, query).map(|c| Self::Postgres(Box::new(c))),
            other => Err(UriError::Unsupported(other.to_owned())),
        }
    }
}

fn postgres(body: &str, query: &str) -> Result<Target, UriError> {
    let mut config = tokio_postgres::Config::new();
    config.connect_timeout(Duration::from_secs(10)).application_name("liteset");
    let (authority, name) = body.split_once('/').unwrap_or((body, ""));
    let (credentials, address) = match authority.rsplit_once('@') {
        Some((c, a)) => (Some(c), a),
        None => (None, authority),
    };
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        config.user(decode(user)?);
        if let Some(password) = password {
            config.password(decode(password)?);
        }
    }
    let mut hosts = false;
    let (mut full, mut roots) = (false, None);
    for one in address.split(',').filter(|a| !a.is_empty()) {
        let (host, port) = if let Some(rest) = one.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(UriError::Malformed)?;
            (host, port.strip_prefix(':'))
        } else {
            one.split_once(':').map_or((one, None), |(h, p)| (h, Some(p)))
        };
        config.host(decode(host)?);
        hosts = true;
        config.port(match port {
            Some(p) => p.parse().map_err(|_| UriError::Part(format!("not a port: {p}")))?,
            None => 5432,
        });
    }
    if !name.is_empty() {
        config.dbname(decode(name)?);
    }
    for (key, value) in query.split('&').filter_map(|p| p.split_once('=')) {
        let value = decode(value)?;
        match key {
            "host" => {
                config.host(value);
                hosts = true;
            }
            "port" => {
                config.port(value.parse().map_err(|_| UriError::Part(format!("not a port: {value}")))?);
            }
            "user" => {
                config.user(value);
            }
            "password" => {
                config.password(value);
            }
            "options" => {
                config.options(value);
            }
            "application_name" => {
                config.application_name(value);
            }
            "connect_timeout" => {
                let seconds = value.parse().map_err(|_| UriError::Part(format!("not a number: {value}")))?;
                config.connect_timeout(Duration::from_secs(seconds));
            }
            "sslmode" => {
                use tokio_postgres::config::SslMode;
                full = value.starts_with("verify");
                config.ssl_mode(match value.as_str() {
                    "disable" => SslMode::Disable,
                    "allow" | "prefer" => SslMode::Prefer,
                    "require" | "verify-ca" | "verify-full" => SslMode::Require,
                    // a misspelt `verify-full` must not mean less than it says
                    _ => return Err(UriError::Part(format!("invalid sslmode value: \"{value}\""))),
                });
            }
            "sslrootcert" if value != "system" => roots = Some(PathBuf::from(value)),
            _ => {} // keys of other drivers have no meaning here
        }
    }
    if !hosts {
        // libpq's default: the local socket
        config.host("/var/run/postgresql");
    }
    let verify = if full { Verify::Full(roots) } else { Verify::Nothing };
    Ok(Target { config, verify })
}

fn decode(text: &str) -> Result<String, UriError> {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(bytes.len()), 0);
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|_| UriError::Part("percent-encoding is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_paths() {
        for (uri, want) in [
            ("sqlite:////var/lib/superset.db?check_same_thread=false", "/var/lib/superset.db"),
            ("sqlite:///superset.db", "superset.db"),
            ("sqlite+pysqlite:////a.db", "/a.db"),
        ] {
            match uri.parse::<DbUri>().unwrap() {
                DbUri::Sqlite { path } => assert_eq!(path, PathBuf::from(want)),
                other => panic!("{other:?}"),
            }
        }
        assert!("sqlite://".parse::<DbUri>().is_err());
    }

    #[test]
    fn postgres_forms() {
        let uri = "postgresql+psycopg2://us%40er:p%2Fw@db.example:6543/meta?sslmode=disable";
        match uri.parse::<DbUri>().unwrap() {
            DbUri::Postgres(c) => {
                let c = c.config;
                assert_eq!(c.get_user(), Some("us@er"));
                assert_eq!(c.get_password(), Some(&b"p/w"[..]));
                assert_eq!(c.get_ports(), [6543]);
                assert_eq!(c.get_dbname(), Some("meta"));
            }
            other => panic!("{other:?}"),
        }
        assert!("postgresql:///meta".parse::<DbUri>().is_ok());
        let misspelt = "postgresql://db.example/meta?sslmode=verify_full".parse::<DbUri>();
        assert_eq!(misspelt.unwrap_err().to_string(), "invalid sslmode value: \"verify_full\"");
        assert!(matches!("mssql://x/y".parse::<DbUri>(), Err(UriError::Unsupported(_))));
    }
}
