//! Sessions that were logged out before their cookies expire.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// As long as a session cookie is good for (`PERMANENT_SESSION_LIFETIME`).
const LIFETIME: Duration = Duration::from_secs(31 * 24 * 3600);
/// Names remembered at a time; past it the oldest are forgotten.
const MAX_NAMES: usize = 100_000;

/// Names of logged-out sessions. The original keeps none: there a copied cookie outlives the logout. Kept in
/// memory only, so that a restart forgets them.
#[derive(Debug, Default)]
pub struct RevokedSessions {
    names: Mutex<HashMap<String, Instant>>,
}

impl RevokedSessions {
    /// Ends a session.
    pub fn insert(&self, name: &str) {
        let mut names = self.names.lock();
        if names.len() >= MAX_NAMES {
            names.retain(|_, at| at.elapsed() < LIFETIME);
            let oldest = names.iter().min_by_key(|(_, at)| **at).map(|(name, _)| name.clone());
            if let (true, Some(oldest)) = (names.len() >= MAX_NAMES, oldest) {
                names.remove(&oldest);
            }
        }
        names.insert(name.to_owned(), Instant::now());
    }
    /// Whether a session was ended.
    pub fn contains(&self, name: &str) -> bool {
        self.names.lock().contains_key(name)
    }
}
