//! Sessions and streamed results on SQL Server.

use async_trait::async_trait;
use tokio::time::timeout;

use super::{Database, Lease, Rows, begin, end, fetch, guard};
use crate::engines::{
    QueryOptions, Session,
    batch::{Batcher, relay},
    column::ResultSet,
    driver::Out,
    error::EngineError,
};

/// One connection in one transaction.
pub(super) struct Transaction {
    lease: Lease,
    options: QueryOptions,
}

impl Database {
    /// Opens a session.
    pub(super) async fn begin(&self, options: &QueryOptions) -> Result<Transaction, EngineError> {
        let mut lease = self.lease().await?;
        begin(&mut lease, options).await?;
        lease.resting();
        Ok(Transaction { lease, options: options.clone() })
    }

    /// Sends the rows of a statement piece by piece.
    pub(super) async fn send(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        relay(options, out, self.stream(sql, options, cells, out)).await
    }

    async fn stream(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
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
    out: &Out,
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

#[async_trait]
impl Session for Transaction {
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
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

    async fn finish(mut self: Box<Self>, commit: bool) -> Result<(), EngineError> {
        let commit = commit && self.options.allow_write;
        // a connection that was given up has been undone by the server
        if self.lease.stream.is_none() && !commit {
            return Ok(());
        }
        end(&mut self.lease, commit, Ok(())).await
    }
}
