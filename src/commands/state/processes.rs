//! Which processes are alive: each counts up in a row of `key_value`.
//!
//! Whether a process is gone is decided by watching its row: it is, when the number has not changed for a while by the
//! watcher's own clock that nobody can set. Clocks of other machines and their jumps do not matter.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use daos::key_value::{self, NewEntry};
use infra::{Result, clock, db::Db};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const RESOURCE: &str = "liteset_process";
/// A row that nobody counts up any more is deleted with other expired ones after this time.
const KEEP: TimeDelta = TimeDelta::days(1);

/// A process, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Its number on its machine.
    pub pid: u32,
    /// When it began, by its own clock.
    pub since: DateTime<Utc>,
    /// When it last counted, by its own clock.
    pub at: DateTime<Utc>,
    /// Counts up.
    pub beat: u64,
    /// What runs in it, what failed in it.
    #[serde(default)]
    pub live: Value,
}

impl Process {
    /// Queries of SQL Lab that it runs; none from a release that does not tell.
    pub fn queries(&self) -> Option<Vec<i64>> {
        let ids = self.live.get("queries")?.as_array()?;
        Some(ids.iter().filter_map(Value::as_i64).collect())
    }
}

/// The other processes on the metadata database.
#[derive(Debug, Default)]
pub struct Others {
    /// Those that may be alive: nobody has watched them for long enough to know that they are gone.
    pub alive: Vec<Process>,
    /// Those that are gone and did not leave.
    pub gone: Vec<Process>,
}

/// This process and what it knows of others.
pub struct Processes {
    owner: Uuid,
    own: Mutex<Process>,
    /// A process that does not count up for so long is gone.
    lease: Duration,
    seen: Mutex<HashMap<Uuid, (Option<u64>, Instant)>>,
    /// The same for those that nobody asks for by name.
    watched: Mutex<HashMap<Uuid, (u64, Instant)>>,
}

impl Processes {
    /// This process, under the name that its claims have.
    pub fn new(owner: Uuid, lease: Duration) -> Self {
        let now = Utc::now();
        let own = Process { pid: std::process::id(), since: now, at: now, beat: 0, live: Value::Null };
        Self { owner, own: Mutex::new(own), lease, seen: Mutex::default(), watched: Mutex::default() }
    }

    /// Counts up, and tells what runs here.
    pub async fn beat(&self, db: &Db, live: Value) -> Result<()> {
        let own = {
            let mut own = self.own.lock();
            (own.beat, own.at, own.live) = (own.beat.saturating_add(1), Utc::now(), live);
            own.clone()
        };
        let entry = NewEntry {
            resource: RESOURCE,
            uuid: self.owner,
            value: serde_json::to_vec(&own).unwrap_or_default(),
            user_id: None,
            now: clock::now(),
            expires_on: clock::now().checked_add_signed(KEEP),
        };
        key_value::upsert(db.exec(), entry).await?;
        Ok(())
    }

    /// Says that this process has ended.
    pub async fn leave(&self, db: &Db) -> Result<()> {
        key_value::delete(db.exec(), RESOURCE, self.owner).await?;
        Ok(())
    }

    /// Those of other processes that are gone; to be asked again and again.
    pub async fn gone(&self, db: &Db, owners: &[Uuid]) -> Result<Vec<Uuid>> {
        let alive: HashMap<Uuid, u64> =
            self.all(db).await?.into_iter().map(|(owner, process)| (owner, process.beat)).collect();
        let mut seen = self.seen.lock();
        seen.retain(|owner, _| owners.contains(owner));
        let others = owners.iter().filter(|owner| **owner != self.owner);
        Ok(others
            .filter(|owner| {
                let beat = alive.get(owner).copied();
                let last = seen.entry(**owner).or_insert((beat, Instant::now()));
                if last.0 != beat {
                    *last = (beat, Instant::now());
                }
                last.1.elapsed() >= self.lease
            })
            .copied()
            .collect())
    }

    /// When this process began, by its own clock.
    pub fn since(&self) -> DateTime<Utc> {
        self.own.lock().since
    }

    /// The other processes that have not left; to be asked again and again.
    pub async fn others(&self, db: &Db) -> Result<Others> {
        let mut all = self.all(db).await?;
        all.retain(|(owner, _)| *owner != self.owner);
        let mut watched = self.watched.lock();
        watched.retain(|owner, _| all.iter().any(|(known, _)| known == owner));
        let mut others = Others::default();
        for (owner, process) in all {
            let last = watched.entry(owner).or_insert((process.beat, Instant::now()));
            if last.0 != process.beat {
                *last = (process.beat, Instant::now());
            }
            let is_gone = last.1.elapsed() >= self.lease;
            if is_gone { &mut others.gone } else { &mut others.alive }.push(process);
        }
        Ok(others)
    }

    /// All processes that have not left, gone or not.
    pub async fn all(&self, db: &Db) -> Result<Vec<(Uuid, Process)>> {
        let found = key_value::alive(db.exec(), RESOURCE, clock::now()).await?;
        Ok(found
            .into_iter()
            .filter_map(|(owner, value)| Some((owner, serde_json::from_slice(&value).ok()?)))
            .collect())
    }
}
