//! What it takes to connect: a connection string with its secrets and the driver's options.

use serde_json::{Map, Value};

use super::{EngineError, OAuth2Redirect};
use crate::engine_specs::url::Url;
use crate::engine_specs::{EngineSpec, registry};

/// Where a database is and how to get in.
#[derive(Clone, Default)]
pub struct Source {
    /// The connection string with its password.
    pub url: Url,
    /// `connect_args` of `engine_params`.
    pub arguments: Map<String, Value>,
    /// The server's certificate or its authority's, as PEM.
    pub server_cert: Option<String>,
    /// A personal token of whoever asks; only Trino's driver takes one.
    pub token: Option<String>,
    /// What they are told when the server wants such a token. No part of where the database is.
    pub oauth2_redirect: Option<OAuth2Redirect>,
    /// The SSH gateway that the server is reached through.
    pub tunnel: Option<super::Gateway>,
}

impl Source {
    /// The engine.
    pub fn spec(&self) -> &'static EngineSpec {
        registry::spec(self.url.backend(), self.url.driver())
    }

    /// An option of the connection string or, stronger, of the arguments.
    pub fn option(&self, key: &str) -> Option<String> {
        match self.arguments.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(flag)) => Some(flag.to_string()),
            _ => self.url.option(key).map(str::to_owned),
        }
    }

    /// Refuses options that let the driver read files of this machine (`validate_database_uri`).
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let spec = self.spec();
        let forbidden = |key: &str| spec.forbidden_query.iter().any(|f| f.eq_ignore_ascii_case(key));
        let keys = self.url.query.iter().map(|(k, _)| k).chain(self.arguments.keys());
        let mut found: Vec<String> = keys.filter(|k| forbidden(k)).map(|k| format!("'{k}'")).collect();
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return Ok(());
        }
        Err(EngineError::Uri(format!("Forbidden query parameter(s): {{{}}}", found.join(", "))))
    }

    /// The port that the server listens on; the engine's own where none is named (`get_default_port`).
    pub fn port(&self) -> Option<u32> {
        self.url.port.or(self.spec().connection.default_port)
    }

    /// Tells sources apart; holds secrets.
    pub(super) fn key(&self) -> String {
        let cert = self.server_cert.as_deref().unwrap_or_default();
        let tunnel = self.tunnel.as_ref().map(super::Gateway::key).unwrap_or_default();
        let token = self.token.as_deref().unwrap_or_default();
        let arguments = Value::Object(self.arguments.clone());
        format!("{}\n{arguments}\n{cert}\n{tunnel}\n{token}", self.url.encoded())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_read_files_are_refused() {
        let url = Url::parse("mysql://u:p@h/d?local_infile=1").unwrap();
        let source = Source { url, ..Source::default() };
        let want = EngineError::Uri("Forbidden query parameter(s): {'local_infile'}".into());
        assert_eq!(source.check(), Err(want));
        let arguments = serde_json::json!({"allow_local_infile": true}).as_object().cloned().unwrap();
        let source = Source { url: Url::parse("mysql://u:p@h/d").unwrap(), arguments, ..Source::default() };
        assert!(source.check().is_err());
        let source = Source { url: Url::parse("postgresql://h/d").unwrap(), ..Source::default() };
        assert_eq!(source.check(), Ok(()));
    }
}
