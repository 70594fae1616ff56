//! Log-ins whose end could not be written down: the metadata database was full, or away. In memory only.

use std::collections::HashSet;

use parking_lot::Mutex;
use uuid::Uuid;

/// Of them, at a time.
const MOST: usize = 10_000;

/// The log-ins, by the names of `daos::log_in`.
#[derive(Debug, Default)]
pub struct UnwrittenEnds(Mutex<HashSet<Uuid>>);

impl UnwrittenEnds {
    /// Whether a log-in is one of them.
    pub fn contains(&self, id: Uuid) -> bool {
        self.0.lock().contains(&id)
    }

    /// Keeps one in mind, as far as there is room.
    pub fn insert(&self, id: Uuid) {
        let mut ids = self.0.lock();
        if ids.len() < MOST {
            ids.insert(id);
        }
    }
}
