//! SQLAlchemy connection strings of the metadata database.

use std::{path::PathBuf, str::FromStr, time::Duration};

use super::uri_postgres;
use crate::{mysql, pg::Target};

/// Why a connection string cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UriError {
    /// Not of the form `dialect[+driver]://…`.
    #[error(
        "not a database URI: it must look like sqlite:////path, postgresql://user:password@host/name or \
             mysql://user:password@host/name"
    )]
    Malformed,
    /// A dialect that liteset does not keep metadata in.
    #[error("metadata cannot be kept in {0}: use sqlite, postgresql or mysql")]
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
    /// A MySQL or MariaDB server.
    Mysql(Box<mysql::Target>),
}

impl FromStr for DbUri {
    type Err = UriError;

    /// Reads `sqlite:///relative`, `sqlite:////absolute`, `postgresql[+driver]://user:pass@host:port/name?options`, and
    /// the same with `mysql` or `mariadb`.
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
            "postgresql" | "postgres" => {
                uri_postgres::target(body, query).map(|c| Self::Postgres(Box::new(c)))
            }
            "mysql" | "mariadb" => mysql(body, query).map(|t| Self::Mysql(Box::new(t))),
            other => Err(UriError::Unsupported(other.to_owned())),
        }
    }
}

/// The options of mysqlclient and PyMySQL that decide where the connection goes and who may read it. Their character
/// sets do not matter: it is always utf8mb4.
fn mysql(body: &str, query: &str) -> Result<mysql::Target, UriError> {
    let (authority, name) = body.split_once('/').unwrap_or((body, ""));
    let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(UriError::Malformed)?;
            (host, port.strip_prefix(':'))
        }
        None => address.split_once(':').map_or((address, None), |(h, p)| (h, Some(p))),
    };
    let mut options = Vec::new();
    for (key, value) in query.split('&').filter_map(|p| p.split_once('=')) {
        // what would be left out without a word
        if matches!(key, "ssl_cert" | "ssl_key" | "read_default_file" | "read_default_group") {
            return Err(UriError::Part(format!(
                "{key} in the URI of the metadata database is not supported"
            )));
        }
        options.push((key, decode_option(value)?));
    }
    let option = |key: &str| options.iter().find(|(k, _)| *k == key).map(|(_, value)| value.clone());
    if name.is_empty() {
        return Err(UriError::Part("the URI of the metadata database names no database".into()));
    }
    let seconds = match option("connect_timeout") {
        Some(text) => text.parse().map_err(|_| UriError::Part(format!("not a number: {text}")))?,
        None => 10,
    };
    Ok(mysql::Target {
        host: if host.is_empty() { "localhost".to_owned() } else { decode(host)? },
        port: match port {
            Some(p) => p.parse().map_err(|_| UriError::Part(format!("not a port: {p}")))?,
            None => 3306,
        },
        socket: option("unix_socket").map(PathBuf::from),
        user: decode(user)?,
        password: decode(password)?,
        database: Some(decode(name)?),
        tls: mysql::Tls::from_options(option, None),
        patience: Duration::from_secs(seconds).clamp(Duration::from_secs(1), Duration::from_secs(60)),
    })
}

/// A value of the part behind the question mark, where a plus stands for a blank.
pub(super) fn decode_option(text: &str) -> Result<String, UriError> {
    decode(&text.replace('+', " "))
}

/// Undoes percent-encoding.
pub(super) fn decode(text: &str) -> Result<String, UriError> {
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
    fn mysql_forms() {
        let target = |uri: &str| match uri.parse::<DbUri>().unwrap() {
            DbUri::Mysql(target) => *target,
            other => panic!("{other:?}"),
        };
        let found =
            target("mysql+pymysql://us%40er:p%2Fw@db.example:3307/meta?charset=utf8mb4&ssl_mode=REQUIRED");
        assert_eq!((found.host.as_str(), found.port, found.user.as_str()), ("db.example", 3307, "us@er"));
        assert_eq!((found.password.as_str(), found.database.as_deref()), ("p/w", Some("meta")));
        assert_eq!(found.tls, mysql::Tls::Required(crate::pg::Verify::Nothing));
        assert!(!format!("{found:?}").contains("p/w"));
        let found = target("mariadb+mariadbconnector://root@/meta?unix_socket=%2Frun%2Fmysqld.sock");
        assert_eq!((found.host.as_str(), found.socket), ("localhost", Some("/run/mysqld.sock".into())));
        assert_eq!(target("mysql://[::1]:3306/meta").host, "::1");
        for wrong in ["mysql://h", "mysql://h/", "mysql://h:x/meta", "mysql://h/meta?ssl_cert=a.pem"] {
            assert!(wrong.parse::<DbUri>().is_err(), "{wrong}");
        }
    }
}
