//! What SQL Lab asks of an engine: several statements on one connection, and results too large to be held at once.

use std::convert::Infallible;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{QueryOptions, column::ResultSet, engine::Engine, error::EngineError, statement_log};
use crate::statement_log::noted;

/// Pieces of a result in their order; an error is the last of them. Dropping the receiver cancels the statement.
pub type Batches = mpsc::Receiver<Result<ResultSet, EngineError>>;

/// Batches that wait for a slow reader.
const WAITING: usize = 2;

/// One connection in one transaction: what a statement sets up, the next one finds. Dropping it cancels and undoes.
#[async_trait]
pub trait Session: Send {
    /// What another process needs to cancel the session, as Superset notes it (`get_cancel_query_id`).
    fn cancel_id(&self) -> Option<i64> {
        None
    }

    /// Executes one statement.
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError>;

    /// Ends the transaction.
    async fn finish(self: Box<Self>, commit: bool) -> Result<(), EngineError>;
}

/// A driver without sessions: every statement stands alone.
struct Single {
    engine: Engine,
    options: QueryOptions,
}

#[async_trait]
impl Session for Single {
    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        self.engine.query(sql, &self.options).await
    }

    async fn finish(self: Box<Self>, _commit: bool) -> Result<(), EngineError> {
        Ok(())
    }
}

/// A session whose statements are logged; the other ones execute them by the engine, which logs them.
struct Logged {
    engine: &'static str,
    session: Box<dyn Session>,
}

#[async_trait]
impl Session for Logged {
    fn cancel_id(&self) -> Option<i64> {
        self.session.cancel_id()
    }

    async fn query(&mut self, sql: &str) -> Result<ResultSet, EngineError> {
        let statement = statement_log::begin(self.engine, sql);
        noted(statement, self.session.query(sql), |found| Some(found.row_count())).await
    }

    async fn finish(self: Box<Self>, commit: bool) -> Result<(), EngineError> {
        self.session.finish(commit).await
    }
}

impl Engine {
    /// Opens a session; the limits of the options hold for each of its statements.
    pub async fn session(&self, options: &QueryOptions) -> Result<Box<dyn Session>, EngineError> {
        let opened = self.driver().await?.session(options).await.map_err(|e| self.or_redirect(e))?;
        Ok(match opened {
            Some(session) => Box::new(Logged { engine: &self.spec().engine, session }),
            None => Box::new(Single { engine: self.clone(), options: options.clone() }),
        })
    }

    /// Executes one statement and hands its rows out as they arrive, as many at a time as make up `cells` values; there
    /// is always a first batch, for the names of the columns. `max_bytes` of the options bounds a batch.
    pub fn batches(&self, sql: &str, options: &QueryOptions, cells: usize) -> Batches {
        let (out, batches) = mpsc::channel(WAITING);
        let statement = statement_log::begin(&self.spec().engine, sql);
        let (engine, sql, options) = (self.clone(), sql.to_owned(), options.clone());
        let work = async move {
            let done = match engine.driver().await {
                Ok(driver) => driver.batches(&sql, &options, cells, &out).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                // nobody listens any more
                let _ = out.send(Err(engine.or_redirect(error))).await;
            }
        };
        let work = noted(statement, work.map(Ok::<(), Infallible>), |()| None);
        tokio::spawn(work.in_current_span());
        batches
    }
}
