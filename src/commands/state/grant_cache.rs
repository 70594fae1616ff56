//! What roles grant, remembered for a moment: every request asks for it, and it changes rarely.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use infra::{Result, db::Executor, json::dumps};
use parking_lot::Mutex;
use serde_json::json;

use super::{Permissions, Role};

/// How long another node's change may go unnoticed; changes made here are noticed at once.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);
/// Installations have a handful of role combinations; a hostile number of roles must not grow the map for ever.
const MAX_ENTRIES: usize = 1024;

/// What a set of roles grants.
#[derive(Debug, Default)]
pub struct RoleGrants {
    /// The union of all roles.
    pub all: Arc<Permissions>,
    /// Per role id, in the order in which it was granted.
    pub by_role: HashMap<i64, Vec<(String, String)>>,
    /// The same as JSON, made when first wanted.
    written: OnceLock<HashMap<i64, String>>,
}

impl RoleGrants {
    /// What a role grants, as the JSON of pages.
    pub fn json_of(&self, role_id: i64) -> &str {
        let written = self
            .written
            .get_or_init(|| self.by_role.iter().map(|(id, granted)| (*id, dumps(&json!(granted)))).collect());
        written.get(&role_id).map_or("[]", String::as_str)
    }
}

#[derive(Debug, Clone)]
struct Entry {
    read_at: Instant,
    grants: Arc<RoleGrants>,
}

/// Remembers [`RoleGrants`] by the sorted ids of the roles.
#[derive(Debug, Default)]
pub struct GrantCache {
    entries: Mutex<HashMap<Vec<i64>, Entry>>,
    by_name: Mutex<HashMap<String, (Instant, Option<Role>)>>,
}

impl GrantCache {
    /// What the roles grant: from memory, or with one statement.
    pub async fn load(&self, db: &dyn Executor, role_ids: &[i64]) -> Result<Arc<RoleGrants>> {
        let mut key = role_ids.to_vec();
        key.sort_unstable();
        key.dedup();
        if let Some(entry) = self.entries.lock().get(&key)
            && entry.read_at.elapsed() < TIME_TO_LIVE
        {
            return Ok(entry.grants.clone());
        }
        // taken before reading, so that a change during the read is not remembered as older than it is
        let read_at = Instant::now();
        let mut all = Permissions::new();
        let mut by_role: HashMap<i64, Vec<(String, String)>> = HashMap::new();
        for grant in daos::security::grants(db, &key).await? {
            let pair = (grant.permission, grant.view_menu);
            all.insert(pair.clone());
            by_role.entry(grant.role_id).or_default().push(pair);
        }
        let mut entries = self.entries.lock();
        // what is made of them is known by them: the same grants stay the same ones
        let grants = match entries.get(&key) {
            Some(entry) if entry.grants.by_role == by_role => entry.grants.clone(),
            _ => Arc::new(RoleGrants { all: Arc::new(all), by_role, written: OnceLock::new() }),
        };
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(key, Entry { read_at, grants: grants.clone() });
        Ok(grants)
    }

    /// A role by its name; names come from the configuration, so that the map stays small.
    pub async fn role_by_name(&self, db: &dyn Executor, name: &str) -> Result<Option<Role>> {
        if let Some((read_at, role)) = self.by_name.lock().get(name)
            && read_at.elapsed() < TIME_TO_LIVE
        {
            return Ok(role.clone());
        }
        let read_at = Instant::now();
        let role = daos::security::role_by_name(db, name).await?;
        self.by_name.lock().insert(name.to_owned(), (read_at, role.clone()));
        Ok(role)
    }

    /// Forgets everything: to be called after any change of roles or permissions.
    pub fn clear(&self) {
        self.entries.lock().clear();
        self.by_name.lock().clear();
    }
}
