//! Where a server is, and how to get in.

use std::{fmt, path::PathBuf, time::Duration};

use crate::pg::Verify;

/// A server, a user and a database.
#[derive(Clone, PartialEq)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The file to connect to instead of host and port.
    pub socket: Option<PathBuf>,
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
    /// The database that unqualified names are looked up in.
    pub database: Option<String>,
    /// Encryption.
    pub tls: Tls,
    /// How long the server may take to let us in.
    pub patience: Duration,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, tls, .. } = self;
        write!(f, "Target({user}@{host}:{port}/{}, {tls:?})", database.as_deref().unwrap_or_default())
    }
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq)]
pub enum Tls {
    /// Never.
    Off,
    /// If the server can; nobody is authenticated.
    Preferred,
    /// Always, or there is no connection.
    Required(Verify),
}

impl Tls {
    /// The options of mysqlclient (`ssl_mode`, `ssl`) and PyMySQL (`ssl_ca`, `ssl_verify_cert`, …). `ssl` is the
    /// dictionary of that name: whether there is one, and its `ca`.
    pub(crate) fn from_options(option: impl Fn(&str) -> Option<String>, ssl: Option<Option<&str>>) -> Self {
        let ca = option("ssl_ca").or_else(|| ssl.flatten().map(str::to_owned));
        let on = |key: &str| option(key).is_some_and(|v| !matches!(v.as_str(), "" | "0" | "false" | "False"));
        let roots = ca.map(PathBuf::from);
        let mode = option("ssl_mode").or_else(|| option("ssl-mode")).unwrap_or_default().to_uppercase();
        match mode.as_str() {
            "DISABLED" => Self::Off,
            "REQUIRED" => Self::Required(Verify::Nothing),
            "VERIFY_CA" | "VERIFY_IDENTITY" => Self::Required(Verify::Full(roots)),
            _ if on("ssl_verify_cert") || on("ssl_verify_identity") => Self::Required(Verify::Full(roots)),
            _ if on("ssl_disabled") => Self::Off,
            _ if roots.is_some() => Self::Required(Verify::Full(roots)),
            _ if on("ssl") || ssl.is_some() => Self::Required(Verify::Nothing),
            _ => Self::Preferred,
        }
    }
}
