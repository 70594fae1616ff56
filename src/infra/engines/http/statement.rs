//! What is the same around every statement over HTTP: its turn, its time, and where its rows go.

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{
    super::{QueryOptions, batch::Sink, column::ResultSet, driver::Out, error::EngineError},
    turn,
};

/// A driver that sends one statement and reads its rows.
#[async_trait]
pub trait Fetch: Sync {
    /// How many statements may run at a time.
    fn turns(&self) -> &Semaphore;

    /// Executes a statement and puts its rows into `sink`, about `cells` values at a time. Dropping the future, as
    /// when the time is over, cancels it in the server.
    async fn fetch(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError>;
}

/// All rows of a statement as one result (`Driver::query`).
pub async fn whole(driver: &impl Fetch, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
    let mut sink = Sink::Whole(ResultSet::default());
    run(driver, sql, options, usize::MAX, &mut sink).await?;
    Ok(sink.whole())
}

/// The rows of a statement as they come (`Driver::batches`).
pub async fn pieces(
    driver: &impl Fetch,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    out: &Out,
) -> Result<(), EngineError> {
    run(driver, sql, options, cells, &mut Sink::Pieces(out)).await
}

async fn run(
    driver: &impl Fetch,
    sql: &str,
    options: &QueryOptions,
    cells: usize,
    sink: &mut Sink<'_>,
) -> Result<(), EngineError> {
    let _turn = turn(driver.turns()).await?;
    let fetched = tokio::time::timeout(options.timeout, driver.fetch(sql, options, cells, sink)).await;
    fetched.unwrap_or(Err(EngineError::Timeout(options.timeout)))
}
