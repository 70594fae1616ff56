//! `AUTH_TYPE` (`flask_appbuilder.const`).

use infra::config::Config;

/// Who vouches for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `AUTH_DB`: passwords of the metadata database.
    Database,
    /// `AUTH_LDAP`: a directory.
    Directory,
    /// `AUTH_REMOTE_USER`: a proxy in front.
    RemoteUser,
    /// `AUTH_OAUTH`: providers of OAuth 2 and OpenID Connect.
    OAuth,
}

impl Kind {
    /// That of the configuration; others stop the start.
    pub fn from_config(config: &Config) -> Self {
        match config.int("AUTH_TYPE") {
            Some(2) => Self::Directory,
            Some(3) => Self::RemoteUser,
            Some(4) => Self::OAuth,
            _ => Self::Database,
        }
    }
}
