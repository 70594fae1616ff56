//! Whether the server can do all of its work: ask the metadata database, and write.
//!
//! A disk that is full, or a database that takes no writes, leaves log-ins and reading alone; an operator has to hear
//! of it nevertheless. Who asks often is told what was found a moment ago.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::Path,
    time::{Duration, Instant},
};

use daos::key_value::{self, NewEntry};
use infra::{clock, db::DbError};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::Services;

/// How long an outcome is told again.
const MEMORY: Duration = Duration::from_secs(2);
/// A metadata database that answers later than this does not count as ready.
const TIMEOUT: Duration = Duration::from_secs(3);
/// `key_value.resource` of the row that is written; Superset passes over it.
const RESOURCE: &str = "liteset_ready";
const ROW: Uuid = Uuid::from_u128(0x2d1f_90b3_7c0e_4d35_8a3c_41d7_52f6_0b9d);
/// Bytes that must fit on the disk.
const PIECE: usize = 64 << 10;

/// What was found last.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Ready)>>);

/// What a server can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Everything.
    Yes,
    /// The process ends.
    Stopping,
    /// The metadata database does not answer.
    NoDatabase,
    /// The metadata database can be read, not written.
    NoWrites,
    /// Nothing can be written in the data directory.
    NoDisk,
}

impl Readiness {
    /// What the server can do, as of now or a moment ago.
    pub async fn look(&self, app: &Services) -> Ready {
        if app.async_queries.is_stopping() {
            return Ready::Stopping;
        }
        let mut last = self.0.lock().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < MEMORY
        {
            return ready;
        }
        let ready = look(app).await;
        *last = Some((Instant::now(), ready));
        ready
    }
}

async fn look(app: &Services) -> Ready {
    let asked = tokio::time::timeout(TIMEOUT, daos::schema_version::ask(app.db.exec()));
    match asked.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            return Ready::NoDatabase;
        }
        Err(_) => {
            tracing::warn!("not ready: the metadata database does not answer");
            return Ready::NoDatabase;
        }
    }
    // who writes for long is no full disk
    if let Ok(Err(error)) = tokio::time::timeout(TIMEOUT, write(app)).await {
        tracing::error!(error, "not ready: the metadata database takes no writes");
        return Ready::NoWrites;
    }
    let folder = app.config.str("DATA_DIR").to_owned();
    let fits = tokio::task::spawn_blocking(move || fits(Path::new(&folder)));
    if let Ok(Ok(Err(error))) = tokio::time::timeout(TIMEOUT, fits).await {
        tracing::error!(%error, "not ready: the data directory takes no writes");
        return Ready::NoDisk;
    }
    Ready::Yes
}

async fn write(app: &Services) -> Result<(), String> {
    let now = clock::now();
    let entry = NewEntry {
        resource: RESOURCE,
        uuid: ROW,
        value: clock::isoformat(now).into_bytes(),
        user_id: None,
        now,
        expires_on: None,
    };
    match key_value::upsert(app.db.exec(), entry).await {
        Ok(_) => Ok(()),
        // a second server was faster with the first row
        Err(DbError::Integrity(_)) => Ok(()),
        // an operator may want it so
        Err(error) if is_read_only(&error.to_string()) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn is_read_only(error: &str) -> bool {
    error.contains("readonly") || error.contains("read-only")
}

/// Whether a file can grow in the data directory; nobody waits for a directory that is not there.
fn fits(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".ready-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
    let mut file = match file {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(());
        }
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(()),
        other => other?,
    };
    let grown = file.write_all(&[0; PIECE]).and_then(|()| file.sync_data());
    let _ = std::fs::remove_file(path);
    grown
}
