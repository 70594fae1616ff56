//! `AUTH_LDAP_*` as far as they say how the directory is reached.

use std::path::PathBuf;

use crate::config::Config;

/// What is known of the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Every certificate will do: encrypted, but nobody knows with whom.
    pub anybody: bool,
    /// A file of authorities, instead of the usual ones.
    pub file: Option<PathBuf>,
    /// A folder of such files.
    pub folder: Option<PathBuf>,
    /// Our own certificate, and its key.
    pub certificate: Option<PathBuf>,
    /// The key.
    pub key: Option<PathBuf>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `ldaps`: encrypted from the first byte.
    pub tls: bool,
}

/// Where the directory is, and how it is proved that it is the right one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AUTH_LDAP_SERVER`: one or several, which are tried in turn.
    pub servers: Vec<Server>,
    /// `AUTH_LDAP_USE_TLS`: encrypted once the server has agreed (StartTLS).
    pub start_tls: bool,
    /// What is known of certificates.
    pub trust: Trust,
}

impl Settings {
    /// Those of the configuration; the error says which key makes no sense.
    pub fn from_config(config: &Config) -> Result<Self, String> {
        let file = |key: &str| config.get(key).as_str().filter(|p| !p.is_empty()).map(PathBuf::from);
        let servers = config.str("AUTH_LDAP_SERVER").split([' ', ',']).filter(|s| !s.is_empty());
        let servers = servers.map(server).collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            return Err("AUTH_LDAP_SERVER is not set".to_owned());
        }
        Ok(Self {
            servers,
            start_tls: config.bool("AUTH_LDAP_USE_TLS"),
            trust: Trust {
                // accepts every certificate, and wins over AUTH_LDAP_TLS_DEMAND; without either a certificate is
                // demanded, as the library's own default on Debian is
                anybody: config.bool("AUTH_LDAP_ALLOW_SELF_SIGNED"),
                file: file("AUTH_LDAP_TLS_CACERTFILE"),
                folder: file("AUTH_LDAP_TLS_CACERTDIR"),
                certificate: file("AUTH_LDAP_TLS_CERTFILE"),
                key: file("AUTH_LDAP_TLS_KEYFILE"),
            },
        })
    }
}

fn server(text: &str) -> Result<Server, String> {
    let wrong =
        || format!("AUTH_LDAP_SERVER: {text:?} is no address such as ldap://host:389 or ldaps://host");
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "ldap" => false,
        "ldaps" => true,
        _ => return Err(wrong()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = inner.split_once(']').ok_or_else(wrong)?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.contains([':', '@']) && !authority.starts_with('[') {
        return Err(wrong());
    }
    let port = match port.filter(|p| !p.is_empty()) {
        Some(port) => port.parse().map_err(|_| wrong())?,
        None if tls => 636,
        None => 389,
    };
    Ok(Server { host: host.to_owned(), port, tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let read = |text: &str| server(text).map(|s| (s.host, s.port, s.tls));
        assert_eq!(read("ldap://dc.example.org"), Ok(("dc.example.org".into(), 389, false)));
        assert_eq!(read("LDAPS://10.0.0.1/"), Ok(("10.0.0.1".into(), 636, true)));
        assert_eq!(read("ldap://[::1]:3389"), Ok(("::1".into(), 3389, false)));
        for wrong in
            ["dc.example.org", "http://x", "ldap://", "ldap://h:x", "ldap://u@h", "ldapi:///var/run/x"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
