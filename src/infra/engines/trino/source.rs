//! What the options of trino-python-client and PyHive mean.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    super::{
        Source,
        error::EngineError,
        http::{Access, Auth, Verify, connect_timeout},
    },
    Flavour,
};

/// How a server is spoken to.
pub(super) struct Target {
    pub access: Access,
    /// Sent with every request.
    pub headers: HeaderMap,
    pub catalog: Option<String>,
    pub schema: Option<String>,
}

fn refused(text: impl Into<String>) -> EngineError {
    EngineError::Uri(text.into())
}

fn non_empty(t: &Option<String>) -> Option<String> {
    t.clone().filter(|t| !t.is_empty())
}

fn on(source: &Source, key: &str) -> bool {
    source.option(key).is_some_and(|v| matches!(v.to_lowercase().as_str(), "true" | "1"))
}

impl Target {
    pub fn from_source(source: &Source, flavour: Flavour) -> Result<Self, EngineError> {
        let (catalog, schema) = place(source, flavour)?;
        Ok(Self { access: access(source, flavour)?, headers: headers(source, flavour)?, catalog, schema })
    }
}

/// Catalog and schema of the connection string.
fn place(source: &Source, flavour: Flavour) -> Result<(Option<String>, Option<String>), EngineError> {
    let database = source.url.database.as_deref().unwrap_or_default();
    let decoded = |t: &str| percent_encoding::percent_decode_str(t).decode_utf8_lossy().into_owned();
    let mut parts = database.split('/').map(|part| Some(decoded(part)).filter(|p| !p.is_empty()));
    let (catalog, schema) = (parts.next().flatten(), parts.next().flatten());
    if parts.next().is_some() {
        return Err(refused(format!("Unexpected database format {database}")));
    }
    let usual = if flavour == Flavour::Trino { "system" } else { "hive" };
    let schema = schema.or_else(|| (flavour == Flavour::Presto).then(|| "default".to_owned()));
    Ok((catalog.or_else(|| Some(usual.to_owned())), schema))
}

fn access(source: &Source, flavour: Flavour) -> Result<Access, EngineError> {
    let url = &source.url;
    let given_port = url.port.and_then(|p| u16::try_from(p).ok()).filter(|p| *p != 0);
    let scheme = match flavour {
        Flavour::Trino => source.option("http_scheme"),
        Flavour::Presto => source.option("protocol"),
    };
    let encrypted = match scheme.as_deref() {
        _ if source.server_cert.is_some() => true,
        Some(scheme) => scheme == "https",
        None => flavour == Flavour::Trino && given_port == Some(443),
    };
    let auth = auth(source, flavour)?;
    // a personal token goes wherever the connection goes, as the original's session of HTTP has it
    let guarded = matches!(auth, Auth::Basic(..) | Auth::Bearer(_));
    if guarded && !encrypted && !(flavour == Flavour::Trino && on(source, "allow_insecure_auth")) {
        return Err(refused(match flavour {
            Flavour::Trino => {
                "TLS/SSL is required for authentication. To use HTTPS, pass http_scheme='https' in the \
                               connection's arguments."
            }
            Flavour::Presto => "Protocol must be https when passing a password",
        }));
    }
    let usual = if encrypted && flavour == Flavour::Trino { 443 } else { 8080 };
    Ok(Access {
        host: non_empty(&url.host).unwrap_or_else(|| "localhost".to_owned()),
        port: given_port.unwrap_or(usual),
        tls: if encrypted { Some(verify(source)?) } else { None },
        auth,
        connect: connect_timeout(source, &["connect_timeout"]),
    })
}

fn verify(source: &Source) -> Result<Verify, EngineError> {
    let nested = source.arguments.get("requests_kwargs").and_then(|k| k.get("verify"));
    let given = source.arguments.get("verify").or(nested).cloned();
    let given =
        given.or_else(|| source.url.option("verify").map(|v| serde_json::from_str(v).unwrap_or(v.into())));
    match (given, &source.server_cert) {
        (_, Some(pem)) => Ok(Verify::Pem(pem.clone())),
        (Some(Value::Bool(false)), None) => Ok(Verify::Nothing),
        (Some(Value::String(_)), None) => Err(refused(
            "The option \"verify\" names a file; put the certificate into the connection's field for it",
        )),
        _ => Ok(Verify::Public),
    }
}

/// `auth` is what `encrypted_extra` says (`TrinoEngineSpec.update_params_from_encrypted_extra`).
fn auth(source: &Source, flavour: Flavour) -> Result<Auth, EngineError> {
    let unsupported = |what: &str| {
        let way = "with a password or a JSON web token";
        Err(refused(format!("Authentication by {what} is not supported; authenticate {way}")))
    };
    for (key, what) in [
        ("cert", "certificate"),
        ("key", "certificate"),
        ("externalAuthentication", "a browser"),
        ("KerberosRemoteServiceName", "Kerberos"),
        ("KerberosConfigPath", "Kerberos"),
        ("KerberosKeytabPath", "Kerberos"),
    ] {
        if source.url.option(key).is_some() || source.arguments.contains_key(key) {
            return unsupported(what);
        }
    }
    if let Some(named) = source.arguments.get("auth").and_then(Value::as_object) {
        let of = |key: &str| {
            let found = named.get("auth_params").and_then(|p| p.get(key)).and_then(Value::as_str);
            found.map(str::to_owned).ok_or_else(|| refused(format!("auth_params lacks \"{key}\"")))
        };
        return match named.get("auth_method").and_then(Value::as_str).unwrap_or_default() {
            "basic" => Ok(Auth::Basic(of("username")?, of("password")?)),
            "jwt" => Ok(Auth::Bearer(of("token")?)),
            "kerberos" => unsupported("Kerberos"),
            "certificate" => unsupported("certificate"),
            other => Err(refused(format!(
                "For security reason, custom authentication '{other}' must be listed in \
                 'ALLOWED_EXTRA_AUTHENTICATIONS' config"
            ))),
        };
    }
    if let Some(token) = source.option("access_token").filter(|_| flavour == Flavour::Trino) {
        return Ok(Auth::Bearer(token));
    }
    match (
        non_empty(&source.url.username),
        non_empty(&source.url.password).or_else(|| source.option("password")),
    ) {
        (Some(user), Some(password)) => Ok(Auth::Basic(user, password)),
        (None, Some(_)) => Err(refused("Username is required when specify password in connection URL")),
        (_, None) => Ok(match &source.token {
            Some(token) if flavour == Flavour::Trino => Auth::Personal(token.clone()),
            _ => Auth::Nobody,
        }),
    }
}

/// An option that is a JSON document, in the string or among the arguments.
fn document(source: &Source, key: &str) -> Option<Value> {
    let given = source.arguments.get(key).cloned();
    given.or_else(|| serde_json::from_str(source.url.option(key)?).ok())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `a=1,b=2` with encoded values.
fn pairs(document: Option<Value>) -> Option<String> {
    let encoded = |v: &Value| {
        percent_encoding::utf8_percent_encode(&plain(v), percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let all: Vec<String> = match document? {
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect(),
        Value::Array(list) => {
            let pair = |v: &Value| Some(format!("{}={}", v.get(0)?.as_str()?, encoded(v.get(1)?)));
            list.iter().filter_map(pair).collect()
        }
        _ => return None,
    };
    (!all.is_empty()).then(|| all.join(","))
}

fn headers(source: &Source, flavour: Flavour) -> Result<HeaderMap, EngineError> {
    let mut all = HeaderMap::new();
    let mut add = |name: &str, value: Option<String>| -> Result<(), EngineError> {
        let Some(value) = value.filter(|v| !v.is_empty()) else { return Ok(()) };
        let wrong = || refused(format!("The option for the header {name} cannot be sent"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        all.insert(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?);
        Ok(())
    };
    // what is free to name comes first: it may not stand for what follows
    if let Some(Value::Object(free)) = document(source, "http_headers").filter(|_| flavour == Flavour::Trino)
    {
        for (name, value) in free {
            add(&name, Some(plain(&value)))?;
        }
    }
    let prefix = flavour.prefix();
    let own = match flavour {
        Flavour::Trino => source.arguments.get("user").map(plain),
        Flavour::Presto => source.option("principal_username"),
    };
    let user = own.or_else(|| non_empty(&source.url.username)).or_else(|| source.option("username"));
    add(&format!("{prefix}User"), Some(user.unwrap_or_else(|| "liteset".to_owned())))?;
    add(&format!("{prefix}Source"), source.option("source").or_else(|| Some("Apache Superset".to_owned())))?;
    let properties = if flavour == Flavour::Trino { "session_properties" } else { "session_props" };
    add(&format!("{prefix}Session"), pairs(document(source, properties)))?;
    if flavour == Flavour::Trino {
        add(&format!("{prefix}Client-Capabilities"), Some("PARAMETRIC_DATETIME".to_owned()))?;
        add(&format!("{prefix}Time-Zone"), source.option("timezone"))?;
        add(&format!("{prefix}Extra-Credential"), pairs(document(source, "extra_credential")))?;
        add(&format!("{prefix}Role"), roles(document(source, "roles")))?;
        let tags = document(source, "client_tags").and_then(|t| t.as_array().cloned()).unwrap_or_default();
        add(&format!("{prefix}Client-Tags"), Some(tags.iter().map(plain).collect::<Vec<_>>().join(",")))?;
    }
    Ok(all)
}

/// A role of the system, or one for each catalog; names stand in `ROLE{…}`.
fn roles(document: Option<Value>) -> Option<String> {
    let role = |name: &str| {
        let bare = matches!(name, "ALL" | "NONE") || name.starts_with("ROLE{");
        Value::String(if bare { name.to_owned() } else { format!("ROLE{{{name}}}") })
    };
    let all = match document? {
        Value::String(name) => [("system".to_owned(), role(&name))].into_iter().collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), role(&plain(v)))).collect(),
        _ => return None,
    };
    pairs(Some(Value::Object(all)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine_specs::url::Url;

    fn target(uri: &str, arguments: Value) -> Result<Target, EngineError> {
        let url = Url::parse(uri).unwrap();
        let flavour = if url.backend() == "presto" { Flavour::Presto } else { Flavour::Trino };
        let arguments = arguments.as_object().cloned().unwrap();
        Target::from_source(&Source { url, arguments, ..Source::default() }, flavour)
    }

    #[test]
    fn where_servers_are_and_who_asks() {
        let found = target("trino://ann@h/hive/web%20logs", json!({})).unwrap();
        assert_eq!((found.access.port, &found.access.tls), (8080, &None));
        assert_eq!((found.catalog.as_deref(), found.schema.as_deref()), (Some("hive"), Some("web logs")));
        assert_eq!(found.headers["x-trino-user"], "ann");
        let found = target("trino://ann:pw@h:443", json!({"user": "bob"})).unwrap();
        assert_eq!(found.access.auth, Auth::Basic("ann".into(), "pw".into()));
        assert_eq!(
            (found.headers["x-trino-user"].to_str().ok(), found.catalog.as_deref()),
            (Some("bob"), Some("system"))
        );
        let found = target("presto://ann@h:8080/hive", json!({"principal_username": "bob"})).unwrap();
        assert_eq!(
            (found.headers["x-presto-user"].to_str().ok(), found.schema.as_deref()),
            (Some("bob"), Some("default"))
        );
        assert!(target("trino://h/a/b/c", json!({})).is_err());
    }

    #[test]
    fn personal_tokens() {
        let source = |uri: &str| Source {
            url: Url::parse(uri).unwrap(),
            token: Some("mine".into()),
            ..Source::default()
        };
        let auth = |uri: &str, flavour| Target::from_source(&source(uri), flavour).unwrap().access.auth;
        assert_eq!(auth("trino://ann@h:8080/x", Flavour::Trino), Auth::Personal("mine".into()));
        // what the connection itself proves goes before
        assert_eq!(auth("trino://ann:pw@h:443/x", Flavour::Trino), Auth::Basic("ann".into(), "pw".into()));
        assert_eq!(auth("presto://ann@h:8080/x", Flavour::Presto), Auth::Nobody);
    }

    #[test]
    fn proofs_and_options() {
        let jwt =
            json!({"auth": {"auth_method": "jwt", "auth_params": {"token": "abc"}}, "http_scheme": "https"});
        let found = target("trino://ann@h/x", jwt).unwrap();
        assert_eq!((found.access.auth, found.access.port), (Auth::Bearer("abc".into()), 443));
        for (uri, arguments) in [
            ("trino://ann:pw@h:8080/x", json!({})),
            ("presto://ann:pw@h/x", json!({})),
            ("trino://ann@h/x?cert=%2Fetc%2Fpasswd&key=%2Fx", json!({})),
            ("trino://ann@h:443/x", json!({"verify": "/etc/passwd"})),
            ("trino://ann@h/x", json!({"auth": {"auth_method": "own.Thing"}})),
            ("trino://ann@h/x", json!({"http_headers": {"a\r\nb": "c"}})),
            ("presto://h/x", json!({"KerberosConfigPath": "/etc/krb5.conf"})),
        ] {
            assert!(target(uri, arguments).is_err(), "{uri}");
        }
        let options = json!({"session_properties": {"query_max_run_time": "1h 2"}, "roles": {"hive": "ALL",
            "x": "admin"},
                             "http_headers": {"X-Trino-User": "root"}, "client_tags": ["a", "b"]});
        let headers = target("trino://ann@h/x", options).unwrap().headers;
        assert_eq!(headers["x-trino-session"], "query_max_run_time=1h%202");
        assert_eq!(headers["x-trino-role"], "hive=ALL,x=ROLE%7Badmin%7D");
        assert_eq!(
            (headers["x-trino-user"].to_str().ok(), headers["x-trino-client-tags"].to_str().ok()),
            (Some("ann"), Some("a,b"))
        );
        assert!(
            target("presto://ann:pw@h/x?protocol=https", json!({"requests_kwargs": {"verify": false}}))
                .is_ok()
        );
    }
}
