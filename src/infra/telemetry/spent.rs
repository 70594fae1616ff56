//! What the time of a request goes to, so that a slow one can be told with its cause.
//!
//! An account belongs to a request. It goes along into the tasks that work for it ([`carried`]); what several do at
//! once is counted for each, so that the parts of a request can be more than the whole.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::Either;

use super::Database;

/// Microseconds and how often.
#[derive(Debug, Default)]
struct Part {
    micros: AtomicU64,
    times: AtomicU64,
}

impl Part {
    fn add(&self, took: Duration) {
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.times.fetch_add(1, Relaxed);
    }

    fn ms(&self) -> u64 {
        self.micros.load(Relaxed) / 1000
    }

    fn times(&self) -> u64 {
        self.times.load(Relaxed)
    }
}

/// The account of a request.
#[derive(Debug, Default)]
pub struct Spent {
    metadata: Part,
    analytical: Part,
    connection: Part,
    turn: Part,
    joined: Part,
}

tokio::task_local! {
    static ACCOUNT: Arc<Spent>;
}

/// Work on an account.
pub async fn account<T>(spent: Arc<Spent>, work: impl Future<Output = T>) -> T {
    ACCOUNT.scope(spent, work).await
}

/// Work that is to be spawned, on the account of the one who spawns it.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match ACCOUNT.try_with(Arc::clone) {
        Ok(spent) => Either::Left(ACCOUNT.scope(spent, work)),
        Err(_) => Either::Right(work),
    }
}

fn note(part: impl FnOnce(&Spent) -> &Part, took: Duration) {
    // what no request waits for has no account
    let _ = ACCOUNT.try_with(|spent| part(spent).add(took));
}

pub(super) fn statement(database: Database, took: Duration) {
    match database {
        Database::Metadata => note(|spent| &spent.metadata, took),
        Database::Analytical => note(|spent| &spent.analytical, took),
    }
}

pub(super) fn connection(waited: Duration) {
    note(|spent| &spent.connection, waited);
}

pub(super) fn turn(waited: Duration) {
    note(|spent| &spent.turn, waited);
}

pub(super) fn joined(waited: Duration) {
    note(|spent| &spent.joined, waited);
}

impl Spent {
    /// What the most of `took` went to.
    #[must_use]
    pub fn cause(&self, took: Duration) -> &'static str {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        // statements have the wait for their connection in them
        let connection = self.connection.ms();
        let metadata = self.metadata.ms();
        let analytical = self.analytical.ms();
        let statements = (metadata + analytical).saturating_sub(connection);
        let parts = [
            (connection, "waited for a connection"),
            (if analytical >= metadata { statements } else { 0 }, "statements on an analytical database"),
            (if metadata > analytical { statements } else { 0 }, "statements on the metadata database"),
            (self.joined.ms(), "waited for the same query of another request"),
            (self.turn.ms(), "waited for the processor"),
        ];
        let largest = parts.into_iter().max_by_key(|(ms, _)| *ms);
        match largest {
            Some((ms, cause)) if ms * 2 >= took => cause,
            // neither a database nor a queue has half of it
            _ => "computing, or waiting for what is not counted",
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metadata, analytical, connection, turn, joined } = self;
        write!(
            f,
            "metadata {} ms in {}, analytical {} ms in {}, connections {} ms, processor {} ms, joined {} ms",
            metadata.ms(),
            metadata.times(),
            analytical.ms(),
            analytical.times(),
            connection.ms(),
            turn.ms(),
            joined.ms()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn tasks_work_on_the_account_of_their_request() {
        let spent = Arc::new(Spent::default());
        let work = async {
            statement(Database::Metadata, SECOND / 10);
            tokio::spawn(carried(async { statement(Database::Analytical, SECOND) })).await.unwrap();
            tokio::spawn(async { statement(Database::Analytical, SECOND) }).await.unwrap();
        };
        account(spent.clone(), work).await;
        statement(Database::Metadata, SECOND);
        let text = spent.to_string();
        assert!(text.starts_with("metadata 100 ms in 1, analytical 1000 ms in 1,"), "{text}");
    }

    #[test]
    fn the_cause_is_what_took_half_of_the_time() {
        let spent = Spent::default();
        assert!(spent.cause(SECOND).starts_with("computing"));
        spent.analytical.add(SECOND);
        assert_eq!(spent.cause(SECOND), "statements on an analytical database");
        spent.connection.add(SECOND * 9 / 10);
        assert_eq!(spent.cause(SECOND), "waited for a connection");
        assert!(spent.cause(SECOND * 10).starts_with("computing"));
    }
}
