//! What every command works with.

use infra::{config::Config, db::Db};

use crate::access::{GrantCache, RevokedSessions};

/// The running application: made once by the composition root (`app.rs`), shared by all requests and jobs.
pub struct Services {
    /// The configuration in force.
    pub config: Config,
    /// The metadata database.
    pub db: Db,
    /// What roles grant, remembered for a moment.
    pub grants: GrantCache,
    /// Logged-out sessions.
    pub revoked_sessions: RevokedSessions,
}

impl Services {
    /// An application over a configuration and a metadata database.
    pub fn new(config: Config, db: Db) -> Self {
        Self { config, db, grants: GrantCache::default(), revoked_sessions: RevokedSessions::default() }
    }
}
