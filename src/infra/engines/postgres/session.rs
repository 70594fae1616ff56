//! Sessions and streamed results on PostgreSQL.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{
    Database, Kind, Lease, QueryOptions, begin, columns_of, failure, fetch, in_time, push_binary, push_text,
};
use crate::engines::{Session, batch::Batcher, column::ResultSet, driver::Out, error::EngineError};

/// A transaction on a connection of its own.
pub(super) struct Transaction {
    lease: Lease,
    options: QueryOptions,
    backend_pid: Option<i64>,
}

impl Database {
    /// Takes a connection and begins.
    pub(super) async fn begin(&self, options: &QueryOptions) -> Result<Transaction, EngineError> {
        let lease = self.client(options.max_bytes).await?;
        // the query takes a snapshot: from here on nothing can make a read-only transaction write
        let text = format!("{};SELECT pg_backend_pid()", begin(options));
        let asked = async { lease.get()?.simple_query(&text).await.map_err(|e| failure(&e, &text, options)) };
        let answer = in_time(options, asked).await;
        let answer = lease.judged(answer)?;
        let backend_pid = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        Ok(Transaction { lease, options: options.clone(), backend_pid })
    }

    /// Sends the rows of a statement piece by piece.
    pub(super) async fn send(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        let work = async {
            let mut lease = self.client(options.max_bytes).await?;
            let sent = stream(lease.get()?, sql, options, cells, out).await;
            lease.judged(sent)?;
            lease.done = lease.get()?.batch_execute("ROLLBACK").await.is_ok();
            Ok::<_, EngineError>(())
        };
        // a reader that is gone drops the lease, which cancels the statement
        tokio::select! {
            result = work => result,
            () = out.closed() => Ok(()),
        }
    }
}

async fn stream(
    client: &Client,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Out,
) -> Result<(), EngineError> {
    let failed = |e: tokio_postgres::Error| failure(&e, sql, options);
    let begin = begin(options);
    let prepared = async {
        let (begun, prepared) = tokio::join!(client.batch_execute(&begin), client.prepare(sql));
        begun.and(prepared).map_err(failed)
    };
    let statement = in_time(options, prepared).await?;
    let mut batcher = Batcher::new(options, columns_of(&statement), cells);
    let kinds: Option<Vec<Kind>> = statement.columns().iter().map(|c| Kind::from_type(c.type_())).collect();
    if let Some(kinds) = kinds {
        let none: [&str; 0] = [];
        let asked = async { client.query_raw(&statement, none).await.map_err(failed) };
        let mut found = pin!(in_time(options, asked).await?);
        while batcher.wants_more()
            && let Some(row) = in_time(options, async { found.try_next().await.map_err(failed) }).await?
        {
            let bytes = push_binary(&row, &kinds, batcher.builders());
            if let Some(full) = batcher.row(bytes)?
                && out.send(Ok(full)).await.is_err()
            {
                return Ok(());
            }
        }
    } else {
        let asked = async { client.simple_query_raw(sql).await.map_err(failed) };
        let mut found = pin!(in_time(options, asked).await?);
        while batcher.wants_more()
            && let Some(message) = in_time(options, async { found.try_next().await.map_err(failed) }).await?
        {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let bytes = push_text(&row, &statement, batcher.builders());
            if let Some(full) = batcher.row(bytes)?
                && out.send(Ok(full)).await.is_err()
            {
                return Ok(());
            }
        }
    }
    if let Some(rest) = batcher.rest() {
        let _ = out.send(Ok(rest)).await;
    }
    Ok(())
}

#[async_trait]
impl Session for Transaction {
    fn cancel_id(&self) -> Option<i64> {
        self.backend_pid
    }

    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let work = async {
            let client = self.lease.get()?;
            let statement = client.prepare(sql).await.map_err(|e| failure(&e, sql, &self.options))?;
            fetch(client, sql, &statement, &self.options).await
        };
        let result = in_time(&self.options, work).await;
        self.lease.judged(result)
    }

    async fn finish(mut self: Box<Self>, commit: bool) -> Result<(), EngineError> {
        let end = if commit { "COMMIT" } else { "ROLLBACK" };
        let ended =
            async { self.lease.get()?.batch_execute(end).await.map_err(|e| failure(&e, end, &self.options)) };
        in_time(&self.options, ended).await?;
        self.lease.done = true;
        Ok(())
    }
}
