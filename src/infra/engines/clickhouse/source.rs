//! What the options of clickhouse-connect and clickhouse-sqlalchemy mean.

use super::super::{
    Source,
    error::EngineError,
    http::{Access, Auth, Verify, connect_timeout},
};

/// Options that name files of this machine or other ways to the server.
const REFUSED: &[&str] = &[
    "client_cert",
    "client_cert_key",
    "http_proxy",
    "https_proxy",
    "certfile",
    "keyfile",
    "ca_certs",
    "pool_mgr",
];

/// Options of the drivers that are no settings of the server.
const OPTIONS: &[&str] = &[
    "secure",
    "verify",
    "interface",
    "protocol",
    "ca_cert",
    "connect_timeout",
    "send_receive_timeout",
    "client_name",
    "compress",
    "compression",
    "query_limit",
    "query_retries",
    "server_host_name",
    "session_id",
    "access_token",
    "apply_server_timezone",
    "tz_source",
    "tz_mode",
    "utc_tz_aware",
    "autogenerate_session_id",
    "send_progress",
    "show_clickhouse_errors",
    "dsn",
    "database",
    "username",
    "user",
    "user_name",
    "password",
    "host",
    "port",
    "alt_hosts",
    "timeout",
    "engine",
    "readonly",
    "settings",
    "form_encode_query_params",
    "autogenerate_query_id",
    "proxy_path",
    "headers",
    "pool_mgr",
    "client_revision",
    "settings_is_important",
    "tcp_keepalive",
];

fn on(source: &Source, key: &str) -> Option<bool> {
    source.option(key).map(|v| matches!(v.to_lowercase().as_str(), "true" | "1" | "yes" | "y" | "on"))
}

/// Where the server is and how to get in.
pub(super) fn access(source: &Source) -> Result<Access, EngineError> {
    for key in REFUSED {
        if source.option(key).is_some() {
            return Err(EngineError::Uri(format!("The option \"{key}\" is not supported")));
        }
    }
    let ca = source.option("ca_cert").filter(|ca| ca != "certifi");
    if ca.is_some() && source.server_cert.is_none() {
        let text =
            "The option \"ca_cert\" names a file; put the certificate into the connection's field for it";
        return Err(EngineError::Uri(text.to_owned()));
    }
    let url = &source.url;
    let port = url.port.and_then(|p| u16::try_from(p).ok()).filter(|p| *p != 0);
    let native = url.driver().is_some_and(|d| matches!(d, "native" | "asynch"));
    let scheme = source.option("interface").or_else(|| source.option("protocol"));
    let tls = match on(source, "secure") {
        Some(true) => true,
        _ if scheme.is_some() => scheme.as_deref() == Some("https"),
        _ => matches!(port, Some(443 | 8443)) || native && port == Some(9440) || source.server_cert.is_some(),
    };
    let usual = if tls { 8443 } else { 8123 };
    let port = match port {
        Some(9000 | 9440) if native => usual,
        Some(port) => port,
        None => usual,
    };
    let verify = match &source.server_cert {
        _ if on(source, "verify") == Some(false) => Verify::Nothing,
        Some(pem) => Verify::Pem(pem.clone()),
        None => Verify::Public,
    };
    let text = |t: &Option<String>| t.clone().filter(|t| !t.is_empty());
    let auth = match (source.option("access_token"), text(&url.username), text(&url.password)) {
        (Some(token), _, _) => Auth::Bearer(token),
        (None, None, None) => Auth::Nobody,
        (None, user, password) => {
            Auth::Basic(user.unwrap_or_else(|| "default".to_owned()), password.unwrap_or_default())
        }
    };
    Ok(Access {
        host: text(&url.host).unwrap_or_else(|| "localhost".to_owned()),
        port,
        tls: tls.then_some(verify),
        auth,
        connect: connect_timeout(source, &["connect_timeout"]),
    })
}

/// The database of the connection string.
pub(super) fn database(source: &Source) -> Option<String> {
    let named = source.url.database.as_deref().map(|d| d.split('/').next().unwrap_or(d));
    let named = named.filter(|d| !d.is_empty() && *d != "__default__")?;
    // Superset encodes schemas that it puts into the string
    Some(percent_encoding::percent_decode_str(named).decode_utf8_lossy().into_owned())
}

/// Settings of the server: every option that no driver knows.
pub(super) fn settings(source: &Source) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: Option<String>| {
        let known = OPTIONS.contains(&key);
        let name = key.strip_prefix("ch_").unwrap_or(key);
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // parameters of the interface are not for settings to change
        let ours = matches!(
            name,
            "query" | "query_id" | "default_format" | "database" | "user" | "password" | "quota_key"
        );
        if let (false, true, false, Some(value)) = (known, plain, ours, value) {
            all.retain(|(k, _)| k != name);
            all.push((name.to_owned(), value));
        }
    };
    for (key, value) in &source.url.query {
        add(key, Some(value.clone()));
    }
    for key in source.arguments.keys() {
        add(key, source.option(key));
    }
    let nested = source.arguments.get("settings").and_then(serde_json::Value::as_object);
    for (key, value) in nested.into_iter().flatten() {
        add(key, Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_specs::url::Url;

    fn source(uri: &str) -> Source {
        Source { url: Url::parse(uri).unwrap(), ..Source::default() }
    }

    #[test]
    fn where_servers_are() {
        for (uri, port, tls) in [
            ("clickhousedb://h/d", 8123, None),
            ("clickhousedb+connect://h/d?secure=true", 8443, Some(Verify::Public)),
            ("clickhousedb://h:8443/d", 8443, Some(Verify::Public)),
            ("clickhousedb://h:9999/d?secure=true&verify=false", 9999, Some(Verify::Nothing)),
            ("clickhouse+native://h:9000/d", 8123, None),
            ("clickhouse+native://h:9440/d", 8443, Some(Verify::Public)),
            ("clickhouse+native://h/d?secure=True", 8443, Some(Verify::Public)),
            ("clickhouse+http://h:9000/d", 9000, None),
            ("clickhouse+http://h/d?protocol=https", 8443, Some(Verify::Public)),
        ] {
            let found = access(&source(uri)).unwrap();
            assert_eq!((found.port, found.tls), (port, tls), "{uri}");
        }
        assert_eq!(access(&source("clickhousedb://h")).unwrap().auth, Auth::Nobody);
        assert_eq!(
            access(&source("clickhousedb://:p@h")).unwrap().auth,
            Auth::Basic("default".into(), "p".into())
        );
        for refused in ["client_cert=%2Fetc%2Fpasswd", "ca_cert=%2Fx", "http_proxy=x"] {
            assert!(access(&source(&format!("clickhousedb://h/d?{refused}"))).is_err(), "{refused}");
        }
    }

    #[test]
    fn databases_and_settings() {
        assert_eq!(database(&source("clickhousedb://h/__default__")), None);
        assert_eq!(database(&source("clickhousedb://h/a%20b")).as_deref(), Some("a b"));
        let uri =
            "clickhousedb://h/d?secure=true&max_threads=2&ch_session_timezone=UTC&readonly=0&query=x&a%26b=1";
        let want = [("max_threads".to_owned(), "2".to_owned()), ("session_timezone".into(), "UTC".into())];
        assert_eq!(settings(&source(uri)), want);
    }
}
