//! Sessions and streamed results on MySQL.

use async_trait::async_trait;
use tokio::time::timeout;

use super::{Database, Lease, Rows, end, fetch, kill};
use crate::{
    engines::{
        QueryOptions, Session,
        batch::{Batcher, relay},
        column::ResultSet,
        driver::Out,
        error::EngineError,
    },
    mysql::read_row,
};

/// One connection in one transaction.
pub(super) struct Transaction {
    lease: Lease,
    options: QueryOptions,
}

impl Database {
    /// Opens a session.
    pub(super) async fn begin_session(&self, options: &QueryOptions) -> Result<Transaction, EngineError> {
        let mut lease = self.lease(options.schema.as_deref()).await?;
        self.begin(lease.get()?, options).await?;
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
        let mut lease = self.lease(options.schema.as_deref()).await?;
        let python = self.python;
        self.begin(lease.get()?, options).await?;
        let mut rows = Rows::start(&mut lease.get()?.wire, sql, options, python).await?;
        let mut batcher = Batcher::new(options, rows.infos(), cells);
        let mut complete = false;
        while batcher.wants_more() {
            let Some(bytes) = rows.next(batcher.builders()).await? else {
                complete = true;
                break;
            };
            if let Some(full) = batcher.row(bytes)?
                && out.send(Ok(full)).await.is_err()
            {
                return Ok(());
            }
        }
        if let Some(rest) = batcher.rest() {
            let _ = out.send(Ok(rest)).await;
        }
        if complete {
            end(&mut lease.get()?.wire, options.allow_write, python).await?;
            lease.done = true;
        }
        Ok(())
    }
}

impl Transaction {
    async fn execute(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let python = self.lease.python;
        let (target, connection) = (self.lease.target.clone(), self.lease.get()?);
        let (found, complete) = fetch(&mut connection.wire, sql, &self.options, python).await?;
        if !complete {
            // the next statement needs the connection: what is still being sent is ended and read
            let _ = kill(&target, connection.thread).await;
            while let Ok(Some(_)) = read_row(&mut connection.wire).await {}
        }
        Ok(found)
    }
}

#[async_trait]
impl Session for Transaction {
    fn cancel_id(&self) -> Option<i64> {
        self.lease.connection.as_ref().map(|connection| connection.thread.into())
    }

    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let limit = self.options.timeout;
        timeout(limit, self.execute(sql)).await.map_err(|_| EngineError::Timeout(limit))?
    }

    async fn finish(mut self: Box<Self>, commit: bool) -> Result<(), EngineError> {
        let python = self.lease.python;
        let wire = &mut self.lease.get()?.wire;
        end(wire, commit && self.options.allow_write, python).await?;
        self.lease.done = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::super::tests::{options, server};
    use crate::engines::{Session as _, column::Scalar, driver::Driver as _};

    #[tokio::test]
    async fn live_statements_share_a_connection() {
        let Some(db) = server().await else { return };
        let mut session = Box::new(db.begin_session(&options()).await.unwrap());
        session.query("SET @liteset = 7").await.unwrap();
        assert_eq!(session.query("SELECT @liteset AS v").await.unwrap().data[0].get(0), Scalar::Int(7));
        assert!(session.cancel_id().is_some_and(|thread| thread > 0));
        // a statement that fails leaves the session in order
        assert!(session.query("SELECT nope").await.is_err());
        // a result that is cut: what is left of it is not taken for the next answer
        session.options.max_rows = Some(3);
        let sql = "SELECT REPEAT('x', 1000) AS v FROM seq_1_to_1000000";
        assert_eq!(session.query(sql).await.unwrap().row_count(), 3);
        assert_eq!(session.query("SELECT @liteset AS v").await.unwrap().data[0].get(0), Scalar::Int(7));
        session.finish(false).await.unwrap();
    }

    #[tokio::test]
    async fn live_results_arrive_in_pieces() {
        let Some(db) = server().await else { return };
        let (out, mut batches) = mpsc::channel(2);
        let options = options();
        let work = db.send("SELECT seq FROM seq_1_to_2500", &options, 1000, &out);
        let read = async {
            let mut sizes = Vec::new();
            while sizes.iter().sum::<usize>() < 2500 {
                sizes.push(batches.recv().await.unwrap().unwrap().row_count());
            }
            sizes
        };
        assert_eq!(tokio::join!(work, read).1, [1000, 1000, 500]);
        // whoever leaves ends the statement, and the next one finds a connection
        let (out, batches) = mpsc::channel(2);
        drop(batches);
        let endless = "SELECT a.seq FROM seq_1_to_1000000 AS a CROSS JOIN seq_1_to_1000000 AS b";
        let left = db.send(endless, &options, 1000, &out);
        // whether that counts as a failure is nobody's concern any more
        let _ = tokio::time::timeout(Duration::from_secs(9), left).await.unwrap();
        assert_eq!(db.query("SELECT 1", &options).await.unwrap().row_count(), 1);
    }
}
