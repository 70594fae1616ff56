//! How long a log-in holds: until it is ended by name, by a new password, or with the account.
//!
//! Whoever logs in is given a mark of the password hash and of the user's generations (`daos::log_in`). A session of
//! Superset has no mark and holds until the user's log-ins are ended for the first time. What was ended stands in the
//! metadata database and is read in the statement that reads the user: a restart, or a second process, changes nothing.

use chrono::TimeDelta;
use daos::{
    log_in::{self, Ends, Scope},
    security,
};
use infra::{
    Result, clock,
    config::Config,
    crypto::{constant_time_eq, hex, hmac_sha256},
};
use uuid::Uuid;

use crate::Services;
use crate::access::load;
use crate::state::Principal;

/// Key of a session: the mark of its log-in. Superset does not know it and carries it along; a session that has it ends
/// with the password and the account.
pub const MARK: &str = "_pw";
/// Key of a session: a random name, by which a logout ends every copy of its cookie.
pub const SESSION_NAME: &str = "_sid";

/// What a request shows to be somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A session cookie.
    Session,
    /// A JSON Web Token.
    Token,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// A log-in as the cookie or token tells it.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// Cookie or token.
    pub kind: Kind,
    /// Whose.
    pub user_id: i64,
    /// What it was given when it began; none of Superset's has one.
    pub mark: Option<String>,
    /// Its name; all copies of it, and the tokens that came of it, share it.
    pub name: Option<String>,
}

/// Whether a log-in is still valid.
#[derive(Debug)]
pub enum LogInState {
    /// It is valid.
    Valid(Box<Principal>),
    /// It was ended.
    Ended,
    /// The user does not exist or is not active.
    UnknownUser,
}

impl LogInState {
    /// The user of a valid log-in.
    pub fn principal(self) -> Option<Principal> {
        match self {
            Self::Valid(principal) => Some(*principal),
            _ => None,
        }
    }
}

impl LogIn {
    fn id(&self) -> Option<Uuid> {
        self.name.as_deref().map(|name| log_in::name(self.kind.word(), name))
    }

    /// Whether it still holds, and for whom.
    pub async fn state(&self, app: &Services) -> Result<LogInState> {
        let id = self.id();
        if id.is_some_and(|id| app.unwritten_ends.contains(id)) {
            return Ok(LogInState::Ended);
        }
        let Some(known) = security::user_with_roles(app.db.exec(), self.user_id, id).await? else {
            return Ok(LogInState::UnknownUser);
        };
        if !known.credentials.user.active {
            return Ok(LogInState::UnknownUser);
        }
        let hash = known.credentials.password.as_deref().unwrap_or_default();
        if known.ends.ended || !self.bears_mark(&app.config, hash, &known.ends) {
            return Ok(LogInState::Ended);
        }
        Ok(LogInState::Valid(Box::new(load::principal(app, known).await?)))
    }

    fn bears_mark(&self, config: &Config, password_hash: &str, ends: &Ends) -> bool {
        match &self.mark {
            Some(mark) => {
                constant_time_eq(mark.as_bytes(), mark_of(config, self.kind, password_hash, ends).as_bytes())
            }
            None => ends.all.is_none() && (self.kind == Kind::Session || ends.tokens.is_none()),
        }
    }

    /// Ends it and all its copies; `lifetime` is how long they would have held.
    pub async fn end(&self, app: &Services, lifetime: i64) {
        let Some(id) = self.id() else { return };
        let lifetime = TimeDelta::try_seconds(lifetime).filter(|l| *l > TimeDelta::zero());
        let until = clock::now().checked_add_signed(lifetime.unwrap_or(TimeDelta::days(31)));
        let written = log_in::end(app.db.exec(), id, until.unwrap_or_default()).await;
        if let Err(error) = written {
            tracing::error!(%error, "the end of a log-in is not written down: it holds until a restart");
            app.unwritten_ends.insert(id);
        }
    }
}

/// The mark of a log-in that begins now.
pub async fn new_mark(app: &Services, kind: Kind, user_id: i64, password_hash: &str) -> Result<String> {
    let ends = Ends::find(app.db.exec(), user_id).await?;
    Ok(mark_of(&app.config, kind, password_hash, &ends))
}

/// Ends the tokens of a user.
pub async fn end_tokens(app: &Services, user_id: i64) {
    if let Err(error) = log_in::end_all(app.db.exec(), user_id, Scope::Tokens).await {
        tracing::error!(%error, user_id, "the tokens of a user are not ended");
    }
}

pub(crate) fn mark_of(config: &Config, kind: Kind, password_hash: &str, ends: &Ends) -> String {
    let part = |generation: &Option<String>| generation.clone().unwrap_or_default();
    let mut text = format!("log-in\0{}\0{password_hash}\0{}", kind.word(), part(&ends.all));
    if kind == Kind::Token {
        text.push_str(&format!("\0{}", part(&ends.tokens)));
    }
    hex(&hmac_sha256(config.str("SECRET_KEY").as_bytes(), text.as_bytes())).chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_in(kind: Kind, mark: Option<String>) -> LogIn {
        LogIn { kind, user_id: 7, mark, name: None }
    }

    #[test]
    fn marks_change_with_everything_that_ends_a_log_in() {
        let config = Config::default();
        let first = Ends::default();
        let closed = Ends { all: Some("x".into()), ..Ends::default() };
        let out = Ends { tokens: Some("y".into()), ..Ends::default() };
        for kind in [Kind::Session, Kind::Token] {
            let begun = log_in(kind, Some(mark_of(&config, kind, "hash", &first)));
            assert!(begun.bears_mark(&config, "hash", &first));
            assert!(!begun.bears_mark(&config, "another", &first));
            assert!(!begun.bears_mark(&config, "hash", &closed));
            assert_eq!(begun.bears_mark(&config, "hash", &out), kind == Kind::Session);
            // what Superset gave out
            let foreign = log_in(kind, None);
            assert!(foreign.bears_mark(&config, "hash", &first));
            assert!(!foreign.bears_mark(&config, "hash", &closed));
            assert_eq!(foreign.bears_mark(&config, "hash", &out), kind == Kind::Session);
        }
        let session = mark_of(&config, Kind::Session, "hash", &first);
        assert!(!log_in(Kind::Token, Some(session)).bears_mark(&config, "hash", &first));
    }
}
