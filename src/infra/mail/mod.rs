//! Mail: messages as Python's `email` package writes them, and their way to a mail server by SMTP
//! (`superset.utils.core:send_email_smtp`).

mod header;
mod message;
mod send;

pub use header::{addresses, one_line};
pub use message::{Inline, Message, content_id};
pub use send::{SendError, send};

use crate::config::Config;

/// Where mail goes (`SMTP_*`).
#[derive(Clone)]
pub struct Settings {
    /// `SMTP_HOST`.
    pub host: String,
    /// `SMTP_PORT`.
    pub port: u16,
    /// `SMTP_USER` and `SMTP_PASSWORD`; none unless both are set.
    pub login: Option<(String, String)>,
    /// `SMTP_SSL`: encrypted from the first byte.
    pub tls: bool,
    /// `SMTP_STARTTLS`: encrypted once the server has greeted.
    pub starttls: bool,
    /// `SMTP_SSL_SERVER_AUTH`: the server's certificate is checked.
    pub verify: bool,
}

impl Settings {
    /// Those of the configuration.
    pub fn from_config(config: &Config) -> Self {
        let (user, password) = (config.str("SMTP_USER"), config.str("SMTP_PASSWORD"));
        let login =
            (!user.is_empty() && !password.is_empty()).then(|| (user.to_owned(), password.to_owned()));
        Self {
            host: config.str("SMTP_HOST").to_owned(),
            port: config.int("SMTP_PORT").and_then(|port| u16::try_from(port).ok()).unwrap_or(25),
            login,
            tls: config.bool("SMTP_SSL"),
            starttls: config.bool("SMTP_STARTTLS"),
            verify: config.bool("SMTP_SSL_SERVER_AUTH"),
        }
    }
}
