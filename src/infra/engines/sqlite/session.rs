//! Sessions and streamed results on SQLite.

use std::sync::{Arc, atomic::AtomicBool};

use async_trait::async_trait;
use deadpool::managed::Object;
use rusqlite::Connection;

use super::{Database, Places, QueryOptions, StopOnDrop, columns_of, error, fetch, push_row, watched};
use crate::engines::{Session, batch::Batcher, column::ResultSet, driver::Out, error::EngineError};

/// A connection of its own; one that may write holds a transaction.
pub(super) struct Transaction {
    /// Gone after a statement that was given up.
    connection: Option<Connection>,
    options: QueryOptions,
    _place: Object<Places>,
}

fn gone() -> EngineError {
    EngineError::Connect("the connection is gone".to_owned())
}

impl Database {
    /// Opens a connection and begins.
    pub(super) async fn begin(&self, options: &QueryOptions) -> Result<Transaction, EngineError> {
        let place = self.places.get().await?;
        let (file, write) = (self.file.clone(), options.allow_write);
        let opened = tokio::task::spawn_blocking(move || {
            let connection = file.open(write)?;
            if write {
                connection.execute_batch("BEGIN").map_err(error)?;
            }
            Ok::<_, EngineError>(connection)
        });
        let connection = Some(opened.await.map_err(|_| gone())??);
        Ok(Transaction { connection, options: options.clone(), _place: place })
    }

    /// Sends the rows of a statement piece by piece.
    pub(super) async fn send(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let (sql, options, sender) = (sql.to_owned(), options.clone(), out.clone());
        let work = self.on_thread(move |file, place| {
            file.reading(place, |connection| {
                watched(connection, &options, &stop, |c| stream(c, &sql, &options, cells, &sender))
            })
        });
        let done = tokio::select! {
            done = work => done,
            () = out.closed() => Ok(()),
        };
        drop(guard);
        done
    }
}

fn stream(
    connection: &Connection,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Out,
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

impl Transaction {
    async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection, &Arc<AtomicBool>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let connection = self.connection.take().ok_or_else(gone)?;
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&connection, &stop);
            (connection, result)
        });
        let (connection, result) = done.await.map_err(|_| gone())?;
        drop(guard);
        self.connection = Some(connection);
        result
    }
}

#[async_trait]
impl Session for Transaction {
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let (sql, options) = (sql.to_owned(), self.options.clone());
        self.on_thread(move |connection, stop| {
            watched(connection, &options, stop, |c| fetch(c, &sql, &options))
        })
        .await
    }

    async fn finish(mut self: Box<Self>, commit: bool) -> Result<(), EngineError> {
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
        let db = Database::new(None, None, 1).unwrap();
        let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
        let mut session = Box::new(db.begin(&options).await.unwrap());
        session.query("CREATE TEMP TABLE t AS SELECT 7 AS a").await.unwrap();
        let found = session.query("SELECT a FROM t").await.unwrap();
        assert_eq!(found.data[0], ColumnData::Int(vec![Some(7)]));
        assert!(session.query("ATTACH '/tmp/x.db' AS x").await.is_err());
        session.finish(true).await.unwrap();
    }

    #[tokio::test]
    async fn rows_come_in_batches() {
        let db = Database::new(None, None, 1).unwrap();
        let (out, mut batches) = tokio::sync::mpsc::channel(2);
        let options = QueryOptions { max_rows: Some(7), ..QueryOptions::default() };
        tokio::spawn(async move { db.send(NUMBERS, &options, 3, &out).await });
        let mut sizes = Vec::new();
        while let Some(batch) = batches.recv().await {
            sizes.push(batch.unwrap().row_count());
        }
        assert_eq!(sizes, [3, 3, 1]);
    }

    #[tokio::test]
    async fn a_result_without_rows_still_has_columns() {
        let db = Database::new(None, None, 1).unwrap();
        let (out, mut batches) = tokio::sync::mpsc::channel(2);
        let options = QueryOptions::default();
        tokio::spawn(async move { db.send("SELECT 1 AS a WHERE 0", &options, 3, &out).await });
        assert_eq!(batches.recv().await.unwrap().unwrap().columns[0].name, "a");
        assert!(batches.recv().await.is_none());
    }
}
