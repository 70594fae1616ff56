//! Opening databases.
//!
//! DuckDB locks a file against other processes, not against this one: two instances of one file in one process, one of
//! them writing, damage it. Hence whoever reads a file shares an instance that cannot write, and whoever writes has
//! the file alone.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Weak},
    time::Duration,
};

use duckdb::{AccessMode, Config, Connection};
use parking_lot::Mutex;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::{
    error::{error_text, gone},
    guard,
    settings::Settings,
};
use crate::engines::{error::EngineError, sqlite};

/// How long a statement waits for others that use the file.
const WAIT: Duration = Duration::from_secs(30);

/// The files in use, whichever databases they belong to.
static FILES: LazyLock<Mutex<HashMap<PathBuf, Weak<File>>>> = LazyLock::new(Mutex::default);

/// A file of this process.
#[derive(Default)]
struct File {
    /// Shared by those who read.
    gate: Arc<RwLock<()>>,
    /// The instances that read, by the settings they were opened with.
    reading: Mutex<HashMap<String, Weak<Instance>>>,
}

/// An open database; connections are made from it.
struct Instance(Mutex<Connection>);

/// Where a database is and how it is opened.
pub(super) struct Home {
    /// None: in memory, every connection its own.
    path: Option<PathBuf>,
    metadata: Option<sqlite::Metadata>,
    settings: Settings,
    file: Arc<File>,
}

/// The right to use a file.
pub(super) enum Access {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

/// A connection; its fields are dropped in this order.
pub(super) struct Lease {
    connection: Connection,
    _instance: Option<Arc<Instance>>,
    /// Files are tables here: what may be done to them is decided by the statement's text.
    files: bool,
    _access: Access,
}

impl Lease {
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Refuses statements that DuckDB itself would not.
    pub fn check(&self, sql: &str, write: bool) -> Result<(), EngineError> {
        match (write, self.files) {
            (true, _) => guard::refuse_copy_to(sql),
            (false, true) => guard::only_reads(&self.connection, sql),
            (false, false) => Ok(()),
        }
    }
}

impl Home {
    /// The database of a connection string.
    pub fn new(path: Option<PathBuf>, metadata: Option<&Path>, settings: Settings) -> Self {
        let file = path.as_deref().map(shared).unwrap_or_default();
        Self { path, metadata: metadata.map(sqlite::Metadata::new), settings, file }
    }

    /// Waits for the right to use the file.
    pub async fn enter(&self, write: bool) -> Result<Access, EngineError> {
        let busy = |_| EngineError::Connect("IO Error: the file is in use by other statements".to_owned());
        let gate = self.file.gate.clone();
        // a file that is not there yet is made first
        if self.writes(write) || self.path.as_deref().is_some_and(|p| !p.exists()) {
            let guard = tokio::time::timeout(WAIT, gate.write_owned()).await.map_err(busy)?;
            return Ok(Access::Alone { _guard: guard });
        }
        let guard = tokio::time::timeout(WAIT, gate.read_owned()).await.map_err(busy)?;
        Ok(Access::Shared { _guard: guard })
    }

    fn writes(&self, write: bool) -> bool {
        write && !self.settings.read_only
    }

    /// Opens the database, or joins those who read it already. On a blocking thread.
    pub fn lend(&self, access: Access, write: bool) -> Result<Lease, EngineError> {
        let files = !self.closed();
        let Some(path) = &self.path else {
            let connection = self.open(None, write)?;
            return Ok(Lease { connection, _instance: None, files, _access: access });
        };
        if self.metadata.as_ref().is_some_and(|m| m.covers(path)) {
            return Err(EngineError::Connect("the metadata database cannot be queried".to_owned()));
        }
        if self.writes(write) {
            let connection = self.open(Some(path), true)?;
            return Ok(Lease { connection, _instance: None, files, _access: access });
        }
        if matches!(access, Access::Alone { .. }) && !path.exists() {
            drop(self.open(Some(path), true)?);
        }
        let key = format!("{:?}", self.settings);
        let mut reading = self.file.reading.lock();
        let known = reading.get(&key).and_then(Weak::upgrade);
        let instance = match known {
            Some(instance) => instance,
            None => {
                let instance = Arc::new(Instance(Mutex::new(self.open(Some(path), false)?)));
                reading.retain(|_, other| other.strong_count() > 0);
                reading.insert(key, Arc::downgrade(&instance));
                instance
            }
        };
        drop(reading);
        let connection = instance.0.lock().try_clone().map_err(connect)?;
        Ok(Lease { connection, _instance: Some(instance), files, _access: access })
    }

    /// No statement that only reads needs a file besides the database's own.
    fn closed(&self) -> bool {
        self.settings.directories.is_empty() && self.settings.temp_directory.is_none()
    }

    fn open(&self, path: Option<&Path>, write: bool) -> Result<Connection, EngineError> {
        let settings = &self.settings;
        let mode = if write || path.is_none() { AccessMode::ReadWrite } else { AccessMode::ReadOnly };
        let mut config = Config::default()
            .access_mode(mode)
            .and_then(|c| c.enable_autoload_extension(false))
            .and_then(|c| c.with("allow_persistent_secrets", "false"))
            .and_then(|c| c.with("allow_community_extensions", "false"))
            .map_err(connect)?;
        if let Some(agent) = &settings.user_agent {
            config = config.custom_user_agent(agent).map_err(connect)?;
        }
        let connection = match path {
            Some(path) => Connection::open_with_flags(path, config),
            None => Connection::open_in_memory_with_flags(config),
        };
        let connection = connection.map_err(connect)?;
        guard::protect(&connection, settings, self.closed() && !write).map_err(connect)?;
        Ok(connection)
    }
}

/// The file that a connection string names; none for a database in memory.
pub(super) fn named(name: &str) -> Result<Option<PathBuf>, EngineError> {
    match name {
        "" => Ok(None),
        memory if memory.starts_with(":memory:") => Ok(None),
        cloud if cloud.starts_with("md:") || cloud.starts_with("motherduck:") => Err(EngineError::NoDriver {
            class: "MotherDuckEngineSpec".to_owned(),
            name: "MotherDuck".to_owned(),
            advice: "It takes DuckDB's extension \"motherduck\", which is downloaded and cannot be loaded here. Use a \
                     DuckDB file, or keep this database in Superset.",
        }),
        // sqlite:…, postgres:…, http:…
        other if other.split('/').next().is_some_and(|start| start.contains(':')) => {
            Err(EngineError::Connect("IO Error: only files can be opened".to_owned()))
        }
        file => Ok(Some(PathBuf::from(file))),
    }
}

fn connect(e: duckdb::Error) -> EngineError {
    EngineError::Connect(error_text(e))
}

/// The one entry of a file, by whatever name it is reached.
fn shared(path: &Path) -> Arc<File> {
    let named = || {
        let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(dir).ok()?.join(path.file_name()?))
    };
    let real = std::fs::canonicalize(path).ok().or_else(named).unwrap_or_else(|| path.to_path_buf());
    let mut files = FILES.lock();
    if let Some(file) = files.get(&real).and_then(Weak::upgrade) {
        return file;
    }
    let file = Arc::new(File::default());
    files.retain(|_, other| other.strong_count() > 0);
    files.insert(real, Arc::downgrade(&file));
    file
}

/// A connection of its own that is open for long.
pub(super) async fn lasting(home: &Arc<Home>, write: bool) -> Result<Lease, EngineError> {
    let access = home.enter(write).await?;
    let home = home.clone();
    tokio::task::spawn_blocking(move || home.lend(access, write)).await.map_err(|_| gone())?
}
