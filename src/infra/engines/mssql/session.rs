//! Sessions and streamed results on SQL Server.

use std::sync::Arc;

use tokio::{sync::mpsc::Sender, time::timeout};

use super::{Database, Lease, Rows, begin, end, fetch, guard};
use crate::engines::{
    QueryOptions,
    batch::{Batcher, relay},
    column::ResultSet,
    error::EngineError,
};

/// One connection in one transaction.
pub struct Session {
    lease: Lease,
    options: QueryOptions,
}

impl Database {
    /// Opens a session.
    pub async fn session(self: &Arc<Self>, options: &QueryOptions) -> Result<Session, EngineError> {
        let mut lease = self.lease().await?;
        begin(&mut lease, options).await?;
        lease.resting();
        Ok(Session { lease, options: options.clone() })
    }

    /// Sends the rows of a statement piece by piece.
    pub async fn batches(
        self: &Arc<Self>,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Sender<Result<ResultSet, EngineError>>,
    ) {
        relay(options, out, self.stream(sql, options, cells, out)).await;
    }

    async fn stream(
        self: &Arc<Self>,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Sender<Result<ResultSet, EngineError>>,
    ) -> Result<(), EngineError> {
        guard::check(sql, options.allow_write)?;
        let mut lease = self.lease().await?;
        begin(&mut lease, options).await?;
        let sent = send(&mut lease, sql, options, cells, out).await;
        if lease.judged(sent, options)? {
            end(&mut lease, options.allow_write, Ok(())).await?;
            lease.resting();
        }
        Ok(())
    }
}

/// Sends the rows; true when all of them were.
async fn send(
    lease: &mut Lease,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Sender<Result<ResultSet, EngineError>>,
) -> Result<bool, EngineError> {
    let mut rows = Rows::start(lease, sql, options.max_bytes).await?;
    let mut batcher = Batcher::new(options, rows.columns.clone(), cells);
    let mut complete = false;
    while batcher.wants_more() {
        if !rows.next().await? {
            complete = true;
            break;
        }
        let bytes = rows.push(batcher.builders());
        if let Some(full) = batcher.row(bytes)?
            && out.send(Ok(full)).await.is_err()
        {
            return Ok(false);
        }
    }
    drop(rows);
    if let Some(rest) = batcher.rest() {
        let _ = out.send(Ok(rest)).await;
    }
    Ok(complete)
}

impl Session {
    /// Executes one statement.
    pub async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        guard::check(sql, self.options.allow_write)?;
        self.lease.working();
        let limit = self.options.timeout;
        let work = fetch(&mut self.lease, sql, &self.options);
        let result = timeout(limit, work).await.map_err(|_| EngineError::Timeout(limit))?;
        let result = self.lease.judged(result, &self.options);
        if matches!(result, Ok(_) | Err(EngineError::Statement { .. })) {
            self.lease.resting();
        }
        result
    }

    /// Ends the transaction.
    pub async fn finish(mut self, commit: bool) -> Result<(), EngineError> {
        let commit = commit && self.options.allow_write;
        // a connection that was given up has been undone by the server
        if self.lease.stream.is_none() && !commit {
            return Ok(());
        }
        end(&mut self.lease, commit, Ok(())).await
    }
}
