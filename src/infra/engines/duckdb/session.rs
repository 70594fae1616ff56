//! Sessions and streamed results on DuckDB.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Database, QueryOptions, StopOnDrop, Watch,
    error::{failure, gone},
    fetch,
    file::{Lease, lasting},
    rows::Rows,
};
use crate::engines::{Session, batch::Batcher, column::ResultSet, driver::Out, error::EngineError};

/// A connection of its own; one that may write has the file alone and holds a transaction.
pub(super) struct Transaction {
    /// Gone after a statement that was given up.
    lease: Option<Lease>,
    options: QueryOptions,
    _permit: OwnedSemaphorePermit,
}

impl Database {
    /// Opens a connection and begins.
    pub(super) async fn begin(&self, options: &QueryOptions) -> Result<Transaction, EngineError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let lease = lasting(&self.home, options.allow_write).await?;
        let mut session = Transaction { lease: Some(lease), options: options.clone(), _permit: permit };
        if options.allow_write {
            session.on_thread(|lease, _| lease.connection().execute_batch("BEGIN").map_err(failure)).await?;
        }
        Ok(session)
    }

    /// Sends the rows of a statement piece by piece.
    pub(super) async fn send(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        let (sql, options, sender) = (sql.to_owned(), options.clone(), out.clone());
        let (write, limit) = (options.allow_write, options.timeout);
        let work = self.on_lease(write, Some(limit), move |lease, watch| {
            lease.check(&sql, write)?;
            stream(lease, &sql, &options, cells, &sender, watch)
        });
        tokio::select! {
            done = work => done,
            () = out.closed() => Ok(()),
        }
    }
}

fn stream(
    lease: &Lease,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Out,
    watch: &Watch,
) -> Result<(), EngineError> {
    let mut rows = Rows::start(lease.connection(), sql)?;
    let mut batcher = Batcher::new(options, rows.columns.clone(), cells);
    while batcher.wants_more() && rows.next(watch)? {
        let bytes = rows.push(batcher.builders())?;
        if let Some(full) = batcher.row(bytes)?
            && out.blocking_send(Ok(full)).is_err()
        {
            return Ok(());
        }
    }
    if let Some(rest) = batcher.rest() {
        let _ = out.blocking_send(Ok(rest));
    }
    Ok(())
}

impl Transaction {
    async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Lease, &Watch) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let lease = self.lease.take().ok_or_else(gone)?;
        let watch = Arc::new(Watch::default());
        let guard = StopOnDrop(watch.clone());
        let working = tokio::task::spawn_blocking(move || {
            let result = watch.during(lease.connection(), || work(&lease, &watch));
            (lease, result)
        });
        let limit = self.options.timeout;
        let done = tokio::time::timeout(limit, working).await.map_err(|_| EngineError::Timeout(limit))?;
        let (lease, result) = done.map_err(|_| gone())?;
        drop(guard);
        self.lease = Some(lease);
        result
    }
}

#[async_trait]
impl Session for Transaction {
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let (sql, options) = (sql.to_owned(), self.options.clone());
        self.on_thread(move |lease, watch| {
            lease.check(&sql, options.allow_write)?;
            fetch(lease.connection(), &sql, &options, watch)
        })
        .await
    }

    async fn finish(mut self: Box<Self>, commit: bool) -> Result<(), EngineError> {
        if !self.options.allow_write {
            return Ok(());
        }
        let end = if commit { "COMMIT" } else { "ROLLBACK" };
        self.on_thread(move |lease, _| lease.connection().execute_batch(end).map_err(failure)).await?;
        // closing writes to the file
        let lease = self.lease.take();
        tokio::task::spawn_blocking(move || drop(lease)).await.map_err(|_| gone())
    }
}
