//! Connections to a SQLite file, as the pool keeps them. Nothing is asked of one before it is used: a file does not
//! hang up.

use std::{path::PathBuf, sync::Arc};

use deadpool::managed::{self, Metrics, RecycleResult};
use parking_lot::{Mutex, MutexGuard};
use tokio::{runtime::Handle, task::JoinError, task::spawn_blocking};

/// What is said to a connection before its first statement.
pub(super) type SetUp = fn(&mut rusqlite::Connection) -> rusqlite::Result<()>;

/// A connection of the pool.
pub(super) type Object = managed::Object<Manager>;

/// A connection that one thread has at a time. Who no longer waits for a statement does not end it: the next one waits.
#[derive(Debug)]
pub(super) struct Connection(Option<Arc<Mutex<rusqlite::Connection>>>);

impl Connection {
    /// Does something with it on a thread that may block.
    pub async fn interact<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let connection = self.0.clone().ok_or(Lost::Closed)?;
        Ok(spawn_blocking(move || f(&mut connection.lock())).await?)
    }

    /// The connection, if nobody has it at the moment.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, rusqlite::Connection>> {
        self.0.as_deref()?.try_lock()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // closing may write what the journal holds
        if let (Some(connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(connection));
        }
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the connection is closed")]
    Closed,
    #[error("{0}")]
    Thread(#[from] JoinError),
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Manager {
    pub path: PathBuf,
    pub set_up: SetUp,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = rusqlite::Error;

    async fn create(&self) -> rusqlite::Result<Connection> {
        let (path, set_up) = (self.path.clone(), self.set_up);
        let opened = spawn_blocking(move || {
            let mut connection = rusqlite::Connection::open(path)?;
            set_up(&mut connection)?;
            Ok(connection)
        });
        // a thread that was lost has opened nothing
        let opened: rusqlite::Result<_> = opened.await.map_err(|_| rusqlite::Error::InvalidQuery)?;
        Ok(Connection(Some(Arc::new(Mutex::new(opened?)))))
    }

    async fn recycle(&self, _: &mut Connection, _: &Metrics) -> RecycleResult<rusqlite::Error> {
        Ok(())
    }
}
