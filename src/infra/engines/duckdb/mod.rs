//! DuckDB (`superset.db_engine_specs.duckdb` over `duckdb_engine`): embedded, on blocking threads, behind the cargo
//! feature `duckdb`.

mod error;
mod file;
mod guard;
mod introspect;
mod rows;
mod session;
mod settings;
mod value;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use duckdb::{Connection, InterruptHandle};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{
    FILE_POOL_SIZE, QueryOptions, Session, Size, Source, Statements,
    builder::ColumnBuilder,
    column::ResultSet,
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
};
use error::{CONNECT_CLASS, failure, gone};
use file::{Home, Lease};
use rows::Rows;
use settings::Settings;

/// How often a statement that is no longer wanted is told to stop: one that has not begun yet does not listen.
const NUDGE: Duration = Duration::from_millis(20);

/// Prepares a file.
pub(super) fn open(source: &Source, files: &Files) -> Result<Box<dyn Driver>, EngineError> {
    let metadata = files.metadata.as_deref();
    Ok(Box::new(Database::new(source, metadata, &files.directories, FILE_POOL_SIZE)?))
}

/// A file, or a database in memory.
pub(super) struct Database {
    home: Arc<Home>,
    permits: Arc<Semaphore>,
}

/// What connects a statement on its thread with the one who waits for it.
#[derive(Default)]
struct Watch {
    /// Nobody waits any more.
    left: AtomicBool,
    /// The thread is done with the connection.
    done: AtomicBool,
    handle: Mutex<Option<Arc<InterruptHandle>>>,
}

/// Stops the statement when the one who waits for it goes away.
struct StopOnDrop(Arc<Watch>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.left.store(true, Ordering::Relaxed);
        if self.0.done.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let watch = self.0.clone();
        runtime.spawn(async move {
            // whoever held the other ends may be gone without a word: never begun, or fallen
            while !watch.done.load(Ordering::Relaxed) && Arc::strong_count(&watch) > 1 {
                if let Some(handle) = watch.handle.lock().as_ref() {
                    handle.interrupt();
                }
                tokio::time::sleep(NUDGE).await;
            }
        });
    }
}

impl Watch {
    fn left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Works on a connection that can be interrupted from now on.
    fn during<T>(&self, connection: &Connection, work: impl FnOnce() -> T) -> T {
        *self.handle.lock() = Some(connection.interrupt_handle());
        let result = work();
        self.done.store(true, Ordering::Relaxed);
        result
    }
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        CONNECT_CLASS
    }

    /// Opens the file; one that does not exist is made, as by the Python driver.
    async fn ping(&self) -> Result<(), EngineError> {
        self.on_lease(false, None, |_, _| Ok(())).await
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        let (sql, limits) = (sql.to_owned(), options.clone());
        self.on_lease(options.allow_write, Some(options.timeout), move |lease, watch| {
            lease.check(&sql, limits.allow_write)?;
            fetch(lease.connection(), &sql, &limits, watch)
        })
        .await
    }

    async fn execute_all(&self, statements: Statements) -> Result<(), EngineError> {
        self.on_lease(true, None, move |lease, _| {
            let one = |sql: &str| lease.connection().execute_batch(sql).map_err(failure);
            one("BEGIN TRANSACTION")?;
            let mut statements = statements;
            // a connection that goes away takes its transaction with it
            while let Some(sql) = statements.next_blocking() {
                one(&sql?)?;
            }
            one("COMMIT")
        })
        .await
    }

    async fn session(&self, options: &QueryOptions) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(Some(Box::new(self.begin(options).await?)))
    }

    async fn batches(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        self.send(sql, options, cells, out).await
    }
}

impl Database {
    /// A database of a source; nothing is opened yet. `metadata` is a file that is never opened, `directories` are
    /// those whose files the operator offers.
    pub fn new(
        source: &Source,
        metadata: Option<&Path>,
        directories: &[std::path::PathBuf],
        connections: usize,
    ) -> Result<Self, EngineError> {
        let path = file::named(source.url.database.as_deref().unwrap_or_default())?;
        let settings = Settings::read(source, metadata, directories)?;
        let home = Home::new(path, metadata, settings);
        Ok(Self { home: Arc::new(home), permits: Arc::new(Semaphore::new(connections)) })
    }

    /// Works on a connection of its own, on a blocking thread. When the time is over or the future is dropped, the
    /// statement is interrupted.
    async fn on_lease<T: Send + 'static>(
        &self,
        write: bool,
        limit: Option<Duration>,
        work: impl FnOnce(&Lease, &Watch) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let watch = Arc::new(Watch::default());
        let guard = StopOnDrop(watch.clone());
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let access = self.home.enter(write).await?;
        let home = self.home.clone();
        let working = tokio::task::spawn_blocking(move || {
            let result = home.lend(access, write).and_then(|lease| {
                let done = watch.during(lease.connection(), || work(&lease, &watch));
                drop(lease);
                done
            });
            watch.done.store(true, Ordering::Relaxed);
            drop(permit);
            result
        });
        let result = match limit {
            Some(limit) => match tokio::time::timeout(limit, working).await {
                Ok(done) => done,
                Err(_) => return Err(EngineError::Timeout(limit)),
            },
            None => working.await,
        };
        drop(guard);
        result.map_err(|_| gone())?
    }
}

/// The rows of a statement, as far as the limits allow.
fn fetch(
    connection: &Connection,
    sql: &str,
    options: &QueryOptions,
    watch: &Watch,
) -> Result<ResultSet, EngineError> {
    let mut rows = Rows::start(connection, sql)?;
    let mut builders = rows.builders();
    let mut size = Size::new(options, builders.len());
    while rows.next(watch)? {
        if size.add(rows.push(&mut builders)?)? {
            break;
        }
    }
    Ok(ResultSet { columns: rows.columns, data: builders.into_iter().map(ColumnBuilder::finish).collect() })
}

#[cfg(test)]
mod tests;
