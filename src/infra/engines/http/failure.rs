//! Why a server did not answer, in the words of Python's urllib3, which both of the original's drivers print.

use std::{error::Error, io, time::Duration};

use super::{super::error::EngineError, Access};

/// What can go wrong between us and a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The host's name is not known.
    UnknownName,
    /// Nobody listens on the port.
    Refused,
    /// No connection could be made for another reason.
    Unreachable(String),
    /// No connection was made in time.
    ConnectTimedOut,
    /// No encrypted connection could be agreed on, or the certificate is not trusted.
    Tls(String),
    /// The answer did not come in time.
    TimedOut(Duration),
    /// The connection broke in the middle.
    Broken,
    /// The answer is larger than it may be.
    TooLarge,
    /// The answer is not one of the protocol.
    Protocol(String),
}

/// A name that no server of names knows.
#[derive(Debug, thiserror::Error)]
#[error("name not known")]
pub(super) struct UnknownName;

impl Failure {
    /// What a request failed of.
    pub fn from_error(error: &reqwest::Error) -> Self {
        let mut kind = None;
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if cause.is::<UnknownName>() {
                return Self::UnknownName;
            }
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls.to_string());
            }
            let Some(io) = cause.downcast_ref::<io::Error>() else {
                next = cause.source();
                continue;
            };
            kind = Some(io.kind());
            // an error that wraps another does not name it among its sources
            next = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
        }
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => Self::Refused,
            _ if error.is_connect() && error.is_timeout() => Self::ConnectTimedOut,
            Some(kind) if error.is_connect() => Self::Unreachable(kind.to_string()),
            None if error.is_connect() => Self::Unreachable("no connection".to_owned()),
            _ => Self::Broken,
        }
    }

    /// The error of an answer that was to have so many bytes at most, and so long a time; `other` words the rest.
    pub fn into_error(
        self,
        limit: usize,
        patience: Duration,
        other: impl FnOnce(&Self) -> EngineError,
    ) -> EngineError {
        match self {
            Self::TooLarge => EngineError::TooLarge(limit >> 20),
            Self::TimedOut(_) => EngineError::Timeout(patience),
            failure => other(&failure),
        }
    }

    /// No connection was ever made.
    pub fn is_connecting(&self) -> bool {
        matches!(
            self,
            Self::UnknownName | Self::Refused | Self::Unreachable(_) | Self::ConnectTimedOut | Self::Tls(_)
        )
    }

    /// `str()` of urllib3's exception for a request of a path, without the addresses of objects in memory.
    pub fn text(&self, access: &Access, path: &str) -> String {
        let scheme = if access.tls.is_some() { "HTTPS" } else { "HTTP" };
        let at = format!("(host='{}', port={})", access.host, access.port);
        let connection = format!("{scheme}Connection{at}");
        let caused = |cause: &str| {
            format!("{scheme}ConnectionPool{at}: Max retries exceeded with url: {path} (Caused by {cause})")
        };
        let new = |words: &str| {
            caused(&format!(
                "NewConnectionError(\"{connection}: Failed to establish a new connection: {words}\")"
            ))
        };
        match self {
            Self::UnknownName => caused(&format!(
                "NameResolutionError(\"{connection}: Failed to resolve '{}' ([Errno -2] Name or service not known)\")",
                access.host
            )),
            Self::Refused => new("[Errno 111] Connection refused"),
            Self::Unreachable(words) => new(words),
            Self::ConnectTimedOut => caused(&format!(
                "ConnectTimeoutError('Connection to {} timed out. (connect timeout={})')",
                access.host,
                access.connect.as_secs()
            )),
            Self::Tls(words) => caused(&format!("SSLError('[SSL] {words}')")),
            Self::TimedOut(after) => {
                format!("{scheme}ConnectionPool{at}: Read timed out. (read timeout={})", after.as_secs())
            }
            Self::Broken => {
                "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
                    .to_owned()
            }
            Self::TooLarge => "the answer is too large".to_owned(),
            Self::Protocol(words) => words.clone(),
        }
    }
}
