//! Who runs what: claims in the table `key_value`, of which each can be inserted by one process only.
//!
//! A claim is a row whose UUID is made of what is claimed, so that the unique index refuses a second one
//! (`superset.distributed_lock` works alike). Its value is JSON. Every change of it is conditional on the value that
//! was read: a process whose claim was taken over finds out before it does anything more.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use daos::key_value::{self, NewEntry};
use infra::{
    Result, clock,
    db::{Db, Executor},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Claims that are not over.
const OPEN: &str = "report_firing";
/// Claims that are over: they stay for a while, so that nothing is run twice.
const OVER: &str = "report_fired";

/// What was claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A firing of an alert or report.
    Schedule(i64),
    /// An entry of the beat, by its name.
    Task(String),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its owner runs it, or will.
    Running,
    /// Its owner has stopped in order: anybody may take it.
    Released,
    /// It was run and did what it was for.
    Done,
    /// It was run and did not.
    Failed,
    /// Nobody was there in time.
    Missed,
}

/// A claim, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What was claimed.
    pub subject: Subject,
    /// The instant at which it was due.
    pub due: DateTime<Utc>,
    /// How far it is.
    pub stage: Stage,
    /// The process.
    pub owner: Uuid,
    /// When the owner last changed the claim, by its own clock.
    pub at: DateTime<Utc>,
    /// How many processes had it before.
    pub takeovers: u32,
    /// State of the schedule when it was claimed.
    pub state_before: Option<String>,
    /// What was handed over already: keys of messages.
    #[serde(default)]
    pub sent: Vec<String>,
    /// The value as it was read, which another release may have written with more in it.
    #[serde(skip)]
    read: Vec<u8>,
}

impl Claim {
    /// The name of a claim: also the execution id of what is run for it.
    pub fn name(&self) -> Uuid {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"liteset.jobs");
        let subject = match &self.subject {
            Subject::Schedule(id) => format!("report:{id}"),
            Subject::Task(name) => format!("task:{name}"),
        };
        Uuid::new_v5(&namespace, format!("{subject}:{}", self.due.to_rfc3339()).as_bytes())
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::Failed | Stage::Missed)
    }

    fn value(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn read(value: Vec<u8>) -> Option<Self> {
        let claim: Self = serde_json::from_slice(&value).ok()?;
        Some(Self { read: value, ..claim })
    }

    fn entry(&self, keep: TimeDelta) -> NewEntry<'static> {
        NewEntry {
            resource: if self.is_over() { OVER } else { OPEN },
            uuid: self.name(),
            value: self.value(),
            user_id: None,
            now: clock::now(),
            expires_on: expiry(keep),
        }
    }
}

fn expiry(keep: TimeDelta) -> Option<NaiveDateTime> {
    clock::now().checked_add_signed(keep)
}

/// The claims of this process.
pub struct Claims {
    /// This process; another one after each start.
    pub owner: Uuid,
    /// Rows stay for so long.
    keep: TimeDelta,
    held: Mutex<HashMap<Uuid, Claim>>,
    /// Ends that could not be written down yet.
    unwritten: Mutex<Vec<(Claim, Claim)>>,
}

impl Claims {
    /// No claims yet; rows stay for `keep`.
    pub fn new(keep: TimeDelta) -> Self {
        Self { owner: Uuid::new_v4(), keep, held: Mutex::default(), unwritten: Mutex::default() }
    }

    /// Claims something; none when somebody has it or had it.
    pub async fn take(
        &self,
        db: &Db,
        subject: Subject,
        due: DateTime<Utc>,
        state_before: Option<String>,
    ) -> Result<Option<Claim>> {
        let claim = self.claim(subject, due, Stage::Running, state_before);
        if !key_value::insert_new(db.exec(), claim.entry(self.keep)).await? {
            // a clock that ran ahead has written off what is due only now
            let Some(known) = self.find(db, claim.name()).await? else { return Ok(None) };
            if known.stage != Stage::Missed || !self.change(db.exec(), &known, &claim).await? {
                return Ok(None);
            }
        }
        self.held.lock().insert(claim.name(), claim.clone());
        Ok(Some(claim))
    }

    /// Writes off what nobody ran in time; false when somebody has it or had it.
    pub async fn miss(&self, db: &dyn Executor, subject: Subject, due: DateTime<Utc>) -> Result<bool> {
        let claim = self.claim(subject, due, Stage::Missed, None);
        Ok(key_value::insert_new(db, claim.entry(self.keep)).await?)
    }

    fn claim(
        &self,
        subject: Subject,
        due: DateTime<Utc>,
        stage: Stage,
        state_before: Option<String>,
    ) -> Claim {
        let (owner, at) = (self.owner, Utc::now());
        let (sent, read) = (Vec::new(), Vec::new());
        Claim { subject, due, stage, owner, at, takeovers: 0, state_before, sent, read }
    }

    /// A claim by its name.
    pub async fn find(&self, db: &Db, name: Uuid) -> Result<Option<Claim>> {
        for resource in [OPEN, OVER] {
            if let Some(found) = key_value::find(db.exec(), resource, name).await? {
                return Ok(Claim::read(found.value));
            }
        }
        Ok(None)
    }

    /// Claims that are not over, of all processes.
    pub async fn open(&self, db: &Db) -> Result<Vec<Claim>> {
        let found = key_value::alive(db.exec(), OPEN, clock::now()).await?;
        Ok(found.into_iter().filter_map(|(_, value)| Claim::read(value)).collect())
    }

    async fn change(&self, db: &dyn Executor, known: &Claim, new: &Claim) -> Result<bool> {
        let value = if known.read.is_empty() { known.value() } else { known.read.clone() };
        Ok(key_value::replace(db, new.name(), &value, &new.entry(self.keep)).await?)
    }

    /// Takes a claim over from a process that is gone; none when somebody else was faster.
    pub async fn take_over(&self, db: &Db, known: &Claim) -> Result<Option<Claim>> {
        let takeovers = known.takeovers.saturating_add(1);
        let claim = Claim {
            owner: self.owner,
            at: Utc::now(),
            stage: Stage::Running,
            takeovers,
            read: Vec::new(),
            ..known.clone()
        };
        if !self.change(db.exec(), known, &claim).await? {
            return Ok(None);
        }
        self.held.lock().insert(claim.name(), claim.clone());
        Ok(Some(claim))
    }

    /// Ends a claim of a process that is gone; false when somebody else was faster.
    pub async fn close(&self, db: &dyn Executor, known: &Claim, stage: Stage) -> Result<bool> {
        let (owner, at) = (self.owner, Utc::now());
        let claim = Claim { owner, at, stage, read: Vec::new(), ..known.clone() };
        self.change(db, known, &claim).await
    }

    /// Whether this process still has what it runs as this execution: to be asked before a message is handed over.
    /// What is run without a claim is nobody else's.
    pub async fn confirm(&self, db: &Db, execution: Uuid) -> Result<bool> {
        self.update(db, execution, |_| {}).await
    }

    /// Whether a message of this execution has been handed over already, perhaps by a process that ended afterwards.
    pub fn is_sent(&self, execution: Uuid, message: &str) -> bool {
        self.held.lock().get(&execution).is_some_and(|claim| claim.sent.iter().any(|key| key == message))
    }

    /// Writes down that a message of this execution was handed over; false when the claim is somebody else's.
    pub async fn sent(&self, db: &Db, execution: Uuid, message: &str) -> Result<bool> {
        self.update(db, execution, |claim| claim.sent.push(message.to_owned())).await
    }

    async fn update(&self, db: &Db, execution: Uuid, change: impl FnOnce(&mut Claim)) -> Result<bool> {
        let Some(known) = self.held.lock().get(&execution).cloned() else { return Ok(true) };
        let mut claim = Claim { at: Utc::now(), read: Vec::new(), ..known.clone() };
        change(&mut claim);
        if !self.change(db.exec(), &known, &claim).await? {
            return Ok(false);
        }
        self.held.lock().insert(execution, claim);
        Ok(true)
    }

    /// Ends a claim. What cannot be written down is tried again with [`Self::write_ends`].
    pub async fn end(&self, db: &Db, execution: Uuid, stage: Stage) {
        let Some(known) = self.held.lock().get(&execution).cloned() else { return };
        let claim = Claim { stage, at: Utc::now(), read: Vec::new(), ..known.clone() };
        match self.change(db.exec(), &known, &claim).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(%execution, "a claim was taken over while it was run"),
            Err(error) => {
                tracing::warn!(%error, %execution, "the end of a claim could not be written down: it is tried again");
                self.unwritten.lock().push((known, claim));
            }
        }
        self.held.lock().remove(&execution);
    }

    /// Writes down what could not be written down before.
    pub async fn write_ends(&self, db: &Db) {
        let ends = std::mem::take(&mut *self.unwritten.lock());
        for (known, claim) in ends {
            if let Err(error) = self.change(db.exec(), &known, &claim).await {
                tracing::debug!(%error, "the end of a claim still cannot be written down");
                self.unwritten.lock().push((known, claim));
            }
        }
    }

    /// Whether this process runs or ends something under this name.
    pub fn holds(&self, name: Uuid) -> bool {
        self.held.lock().contains_key(&name)
            || self.unwritten.lock().iter().any(|(claim, _)| claim.name() == name)
    }
}
