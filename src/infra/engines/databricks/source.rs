//! What a connection string of databricks-sql-connector or sqlalchemy-databricks means.

use serde_json::Value;

use super::super::{
    Source,
    error::EngineError,
    http::{Access, Auth, Verify, connect_timeout},
};
use crate::engine_specs::url::Url;

/// How a warehouse is spoken to.
#[derive(Debug)]
pub(super) struct Target {
    pub access: Access,
    pub warehouse: String,
    pub catalog: Option<String>,
    pub schema: Option<String>,
}

fn refused(text: &str) -> EngineError {
    EngineError::Uri(text.to_owned())
}

impl Target {
    pub fn from_source(source: &Source) -> Result<Self, EngineError> {
        let url = &source.url;
        let path = source.option("http_path").unwrap_or_default();
        let warehouse = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        if !path.contains("warehouses/") && !path.contains("endpoints/") || warehouse.is_empty() {
            return Err(refused(
                "The option \"http_path\" must be the path of a SQL warehouse: /sql/1.0/warehouses/…; clusters for all \
                 purposes cannot be asked over HTTP",
            ));
        }
        let named = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = named(url.password.clone()).or_else(|| source.option("access_token"));
        let token = token.ok_or_else(|| refused("A personal access token is required as the password"))?;
        let database = named(url.database.clone());
        Ok(Self {
            access: access(source, token)?,
            warehouse,
            catalog: named(source.option("catalog")),
            schema: named(source.option("schema")).or(database),
        })
    }
}

fn access(source: &Source, token: String) -> Result<Access, EngineError> {
    let connect = connect_timeout(source, &["_socket_timeout", "timeout"]);
    let auth = Auth::Bearer(token);
    // the connector's way around its own address, for a proxy in front of the service
    if let Some(given) = source.arguments.get("_connection_uri").and_then(Value::as_str) {
        let wrong = || refused("The argument \"_connection_uri\" is no address of HTTP");
        let given = Url::parse(given).ok_or_else(wrong)?;
        let tls = match given.drivername.as_str() {
            "https" => Some(verify(source)),
            "http" => None,
            _ => return Err(wrong()),
        };
        let usual = if tls.is_some() { 443 } else { 80 };
        let port = given.port.and_then(|p| u16::try_from(p).ok()).unwrap_or(usual);
        return Ok(Access { host: given.host.ok_or_else(wrong)?, port, tls, auth, connect });
    }
    let host = source.url.host.clone().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| refused("The workspace's host name is missing"))?;
    let port = source.url.port.and_then(|p| u16::try_from(p).ok()).filter(|p| *p != 0).unwrap_or(443);
    Ok(Access { host, port, tls: Some(verify(source)), auth, connect })
}

fn verify(source: &Source) -> Verify {
    let off = source.arguments.get("_tls_no_verify").and_then(Value::as_bool).unwrap_or_default();
    match &source.server_cert {
        Some(pem) => Verify::Pem(pem.clone()),
        None if off => Verify::Nothing,
        None => Verify::Public,
    }
}
