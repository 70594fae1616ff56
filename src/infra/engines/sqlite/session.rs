//! Sessions and streamed results on SQLite.

use std::sync::{Arc, atomic::AtomicBool};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, mpsc::Sender};

use super::{Database, Inner, QueryOptions, StopOnDrop, columns_of, error, fetch, push_row, watched};
use crate::engines::{batch::Batcher, column::ResultSet, error::EngineError};

/// A connection of its own; one that may write holds a transaction.
pub struct Session {
    inner: Arc<Inner>,
    /// Gone after a statement that was given up.
    connection: Option<Connection>,
    options: QueryOptions,
    _permit: OwnedSemaphorePermit,
}

fn gone() -> EngineError {
    EngineError::Connect("the connection is gone".to_owned())
}

impl Database {
    /// Opens a connection and begins.
    pub async fn session(&self, options: &QueryOptions) -> Result<Session, EngineError> {
        let permit = self.0.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let (inner, write) = (self.0.clone(), options.allow_write);
        let opened = tokio::task::spawn_blocking(move || {
            let connection = inner.open(write)?;
            if write {
                connection.execute_batch("BEGIN").map_err(error)?;
            }
            Ok::<_, EngineError>(connection)
        });
        let connection = Some(opened.await.map_err(|_| gone())??);
        Ok(Session { inner: self.0.clone(), connection, options: options.clone(), _permit: permit })
    }

    /// Sends the rows of a statement piece by piece.
    pub async fn batches(
        &self,
        sql: String,
        options: QueryOptions,
        cells: usize,
        out: Sender<Result<ResultSet, EngineError>>,
    ) {
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let (inner, sender) = (self.0.clone(), out.clone());
        let Ok(permit) = self.0.permits.clone().acquire_owned().await else { return };
        let work = tokio::task::spawn_blocking(move || {
            let run = |connection: &Connection| {
                watched(connection, &options, &stop, |c| stream(c, &sql, &options, cells, &sender))
            };
            if let Err(error) = inner.reading(run) {
                let _ = sender.blocking_send(Err(error));
            }
            drop(permit);
        });
        tokio::select! {
            _ = work => {}
            () = out.closed() => {}
        }
        drop(guard);
    }
}

fn stream(
    connection: &Connection,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Sender<Result<ResultSet, EngineError>>,
) -> Result<(), EngineError> {
    let mut statement = connection.prepare(sql).map_err(error)?;
    let mut batcher = Batcher::new(options, columns_of(&statement), cells);
    let mut found = statement.query([]).map_err(error)?;
    while batcher.wants_more()
        && let Some(row) = found.next().map_err(error)?
    {
        let bytes = push_row(row, batcher.builders())?;
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

impl Session {
    async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection, &Arc<AtomicBool>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let connection = self.connection.take().ok_or_else(gone)?;
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&connection, &stop);
            drop(inner);
            (connection, result)
        });
        let (connection, result) = done.await.map_err(|_| gone())?;
        drop(guard);
        self.connection = Some(connection);
        result
    }

    /// Executes one statement.
    pub async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let (sql, options) = (sql.to_owned(), self.options.clone());
        self.on_thread(move |connection, stop| {
            watched(connection, &options, stop, |c| fetch(c, &sql, &options))
        })
        .await
    }

    /// Ends the transaction.
    pub async fn finish(mut self, commit: bool) -> Result<(), EngineError> {
        if !self.options.allow_write {
            return Ok(());
        }
        self.on_thread(move |connection, _| {
            connection.execute_batch(if commit { "COMMIT" } else { "ROLLBACK" }).map_err(error)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::column::ColumnData;

    const NUMBERS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n";

    #[tokio::test]
    async fn a_session_keeps_what_statements_set_up() {
        let db = Database::new(None, None, 1);
        let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
        let mut session = db.session(&options).await.unwrap();
        session.query("CREATE TEMP TABLE t AS SELECT 7 AS a").await.unwrap();
        let found = session.query("SELECT a FROM t").await.unwrap();
        assert_eq!(found.data[0], ColumnData::Int(vec![Some(7)]));
        assert!(session.query("ATTACH '/tmp/x.db' AS x").await.is_err());
        session.finish(true).await.unwrap();
    }

    #[tokio::test]
    async fn rows_come_in_batches() {
        let db = Database::new(None, None, 1);
        let (out, mut batches) = tokio::sync::mpsc::channel(2);
        let (sql, options) =
            (NUMBERS.to_owned(), QueryOptions { max_rows: Some(7), ..QueryOptions::default() });
        tokio::spawn(async move { db.batches(sql, options, 3, out).await });
        let mut sizes = Vec::new();
        while let Some(batch) = batches.recv().await {
            sizes.push(batch.unwrap().row_count());
        }
        assert_eq!(sizes, [3, 3, 1]);
    }

    #[tokio::test]
    async fn a_result_without_rows_still_has_columns() {
        let db = Database::new(None, None, 1);
        let (out, mut batches) = tokio::sync::mpsc::channel(2);
        let sql = "SELECT 1 AS a WHERE 0".to_owned();
        tokio::spawn(async move { db.batches(sql, QueryOptions::default(), 3, out).await });
        assert_eq!(batches.recv().await.unwrap().unwrap().columns[0].name, "a");
        assert!(batches.recv().await.is_none());
    }
}
