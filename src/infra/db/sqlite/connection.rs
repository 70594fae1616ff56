//! Connections to a SQLite file, as the pool keeps them. Nothing is asked of one before it is used, which
//! deadpool-sqlite would do on a thread of its own each time: a file does not hang up.

use std::path::Path;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_sqlite::{Config, Runtime};

/// What is said to a connection before its first statement.
pub(super) type SetUp = fn(&mut rusqlite::Connection) -> rusqlite::Result<()>;

/// A connection of the pool. One thread has it at a time; who no longer waits for a statement does not end it.
pub(super) type Object = managed::Object<Manager>;

/// Opens connections.
#[derive(Debug)]
pub(super) struct Manager {
    inner: deadpool_sqlite::Manager,
    set_up: SetUp,
}

impl Manager {
    /// Connections to a file.
    pub fn new(path: &Path, set_up: SetUp) -> Self {
        let inner = deadpool_sqlite::Manager::from_config(&Config::new(path), Runtime::Tokio1);
        Self { inner, set_up }
    }
}

impl managed::Manager for Manager {
    type Type = <deadpool_sqlite::Manager as managed::Manager>::Type;
    type Error = rusqlite::Error;

    async fn create(&self) -> rusqlite::Result<Self::Type> {
        let connection = self.inner.create().await?;
        // a thread that was lost has prepared nothing
        connection.interact(self.set_up).await.map_err(|_| rusqlite::Error::InvalidQuery)??;
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut Self::Type, _: &Metrics) -> RecycleResult<rusqlite::Error> {
        if connection.is_mutex_poisoned() {
            return Err(RecycleError::message("a statement panicked on it"));
        }
        Ok(())
    }
}
