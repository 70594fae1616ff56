//! What a connection string of snowflake-sqlalchemy means, with the arguments of snowflake-connector-python.

use serde_json::{Map, Value};

use super::{
    super::{
        Source,
        error::EngineError,
        http::{Access, Auth, Verify, connect_timeout},
    },
    key_pair::KeyPair,
};
use crate::engine_specs::url::Url;

/// Where the service lives.
const DOMAIN: &str = ".snowflakecomputing.com";
/// Arguments that the dialect takes no more from a connection string (`_URL_QUERY_BLOCKED_KWARGS`).
const BLOCKED: [&str; 9] = [
    "host",
    "protocol",
    "token_file_path",
    "private_key_file",
    "ocsp_response_cache_filename",
    "connection_diag_log_path",
    "crl_cache_dir",
    "unsafe_file_write",
    "unsafe_skip_file_permissions_check",
];

/// How an account is spoken to.
pub(super) struct Target {
    pub access: Access,
    pub account: String,
    pub user: String,
    pub login: Login,
    /// The database of unqualified names.
    pub database: Option<String>,
    pub schema: Option<String>,
    pub warehouse: Option<String>,
    pub role: Option<String>,
    /// How the service is told that we are called.
    pub application: Option<String>,
    /// Parameters of the session, by name.
    pub parameters: Map<String, Value>,
}

/// What proves who we are.
pub(super) enum Login {
    Password(String),
    KeyPair(Box<KeyPair>),
    /// A token, and how the service calls its kind.
    Token(&'static str, String),
    /// What is missing, in the words of the connector, which tells it only when it connects.
    Missing(&'static str),
}

fn refused(text: impl Into<String>) -> EngineError {
    EngineError::Uri(text.into())
}

fn named(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// `unquote_plus`.
fn decoded(part: &str) -> String {
    let spaced = part.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

impl Target {
    pub fn from_source(source: &Source) -> Result<Self, EngineError> {
        let url = &source.url;
        if let Some(name) = BLOCKED.iter().find(|name| url.option(name).is_some()) {
            return Err(refused(format!(
                "Connection parameter '{name}' cannot be set via the URL query string for safety reasons. Pass it via \
                 connect_args= in create_engine() instead. To restore the previous behaviour temporarily, pass \
                 legacy_url_params=True to create_engine() or set the SNOWFLAKE_SQLALCHEMY_LEGACY_URL_PARAMS \
                 environment variable."
            )));
        }
        let (database, schema) = name_space(url)?;
        let (account, access) = place(source)?;
        let user = named(source.option("user")).or(named(url.username.clone())).unwrap_or_default();
        let parameters = source.arguments.get("session_parameters").and_then(Value::as_object);
        Ok(Self {
            login: login(source, &account, &user)?,
            access,
            account,
            user,
            database: named(source.option("database")).or(database),
            schema: named(source.option("schema")).or(schema),
            warehouse: named(source.option("warehouse")),
            role: named(source.option("role")),
            application: named(source.option("application")),
            parameters: parameters.cloned().unwrap_or_default(),
        })
    }
}

/// Database and schema of the path.
fn name_space(url: &Url) -> Result<(Option<String>, Option<String>), EngineError> {
    let path = url.database.as_deref().unwrap_or_default().trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [database] => Ok((named(Some(decoded(database))), None)),
        [database, schema] => Ok((named(Some(decoded(database))), named(Some(decoded(schema))))),
        _ => Err(refused(format!("Invalid name space is specified: {path}"))),
    }
}

/// The account's name, and where it is served.
fn place(source: &Source) -> Result<(String, Access), EngineError> {
    let url = &source.url;
    let given = named(url.host.clone());
    let port = url.port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
    let mut host = None;
    let mut account = None;
    match given {
        Some(name) if port.is_none() && !name.contains(DOMAIN) => {
            account = Some(name.clone());
            host = Some(hostname(&name, None));
        }
        Some(name) => host = Some(name),
        None => {}
    }
    let stated = named(source.option("account"));
    let region = named(source.option("region"));
    if host.is_none() {
        host = stated.as_deref().map(|account| hostname(account, region.as_deref()));
    }
    // arguments are those of the connector, which knows a host beside the account
    let host = named(source.arguments.get("host").and_then(Value::as_str).map(str::to_owned)).or(host);
    let host = host.ok_or_else(|| refused("251001: 251001: Account must be specified"))?;
    let account = stated.or(account).unwrap_or_else(|| host.clone());
    let number = source.arguments.get("port").and_then(|port| match port {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|port| u16::try_from(port).ok()),
    });
    let protocol = source.arguments.get("protocol").and_then(Value::as_str).unwrap_or("https");
    let tls = match protocol {
        "https" => Some(source.server_cert.clone().map_or(Verify::Public, Verify::Pem)),
        "http" => None,
        _ => return Err(refused("The argument \"protocol\" must be https or http")),
    };
    let usual = if tls.is_some() { 443 } else { 80 };
    let access = Access {
        host: host.trim_end_matches('.').to_owned(),
        port: number.or(port).unwrap_or(usual),
        tls,
        auth: Auth::Nobody,
        connect: connect_timeout(source, &["login_timeout"]),
    };
    Ok((short(&account), access))
}

/// The host of an account (`construct_hostname`); an underline is no letter of a host's name.
fn hostname(account: &str, region: Option<&str>) -> String {
    let name = match region.filter(|region| *region != "us-west-2") {
        Some(region) => format!("{}.{region}", account.split('.').next().unwrap_or(account)),
        None => account.to_owned(),
    };
    let name = name.replace('_', "-");
    let china = name.split('.').nth(1).is_some_and(|region| region.to_lowercase().starts_with("cn-"));
    if china { format!("{name}.snowflakecomputing.cn") } else { format!("{name}{DOMAIN}") }
}

/// The account without region and cloud (`parse_account`).
fn short(account: &str) -> String {
    let Some((name, rest)) = account.split_once('.') else { return account.to_owned() };
    match rest.starts_with("global") {
        // what stands behind the last dash tells customers of a moved account apart
        true => name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned(),
        false => name.to_owned(),
    }
}

/// How to prove who we are.
fn login(source: &Source, account: &str, user: &str) -> Result<Login, EngineError> {
    if let Some(token) = &source.token {
        return Ok(Login::Token("OAUTH", token.clone()));
    }
    let authenticator = source.option("authenticator").unwrap_or_default().to_lowercase();
    let token = || {
        let token = named(source.option("token")).or(named(source.url.password.clone()));
        token.ok_or_else(|| refused("The authenticator needs the argument \"token\""))
    };
    match authenticator.as_str() {
        "oauth" => return Ok(Login::Token("OAUTH", token()?)),
        "programmatic_access_token" => return Ok(Login::Token("PROGRAMMATIC_ACCESS_TOKEN", token()?)),
        "" | "snowflake" | "snowflake_jwt" => {}
        other => {
            return Err(refused(format!(
                "The authenticator \"{other}\" is not supported: a password, a key pair, oauth and \
                 programmatic_access_token are"
            )));
        }
    }
    if user.is_empty() {
        return Ok(Login::Missing(
            "251005: 251005: User is empty, but it must be provided unless authenticator is one of NO_AUTH, OAUTH, \
             PAT_WITH_EXTERNAL_SESSION, OAUTH_CLIENT_CREDENTIALS, PROGRAMMATIC_ACCESS_TOKEN, OAUTH_AUTHORIZATION_CODE, \
             WORKLOAD_IDENTITY.",
        ));
    }
    if let Some(pair) = key_pair(source, account, user)? {
        return Ok(Login::KeyPair(Box::new(pair)));
    }
    if authenticator == "snowflake_jwt" {
        return Err(refused("The authenticator \"snowflake_jwt\" needs a private key"));
    }
    let password = named(source.option("password")).or(named(source.url.password.clone()));
    Ok(password.map_or(Login::Missing("251006: 251006: Password is empty"), Login::Password))
}

/// The key of `encrypted_extra` (`update_params_from_encrypted_extra`), or the connector's argument.
fn key_pair(source: &Source, account: &str, user: &str) -> Result<Option<KeyPair>, EngineError> {
    if let Some(key) = source.arguments.get("private_key") {
        let text = key.as_str().unwrap_or_default();
        return KeyPair::from_base64(text, account, user).map(Some).map_err(refused);
    }
    let Some(auth) = source.arguments.get("auth") else { return Ok(None) };
    let method = auth.get("auth_method").and_then(Value::as_str).unwrap_or_default();
    if method != "keypair" {
        return Err(refused(format!(
            "For security reason, custom authentication '{method}' must be listed in \
             'ALLOWED_EXTRA_AUTHENTICATIONS' config"
        )));
    }
    let text = |key: &str| auth.pointer(&format!("/auth_params/{key}")).and_then(Value::as_str);
    let Some(pem) = text("privatekey_body").filter(|pem| !pem.is_empty()) else {
        return Err(refused(
            "\"auth_params\" needs \"privatekey_body\", the private key in PEM form; files of this machine are not \
             read",
        ));
    };
    KeyPair::from_pem(pem, account, user).map(Some).map_err(refused)
}
