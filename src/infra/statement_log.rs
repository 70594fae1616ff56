//! A line of the log, at debug, for every statement that ends: where it ran, its text without values, how long it took
//! and how many rows it found or changed.
//!
//! `LITESET_LOG=info,liteset::sql=debug` shows them.

use std::time::Instant;

use tracing::Level;

/// What the lines are filtered by.
const TARGET: &str = "liteset::sql";

/// Bytes of a text; more are left out.
const MAX_TEXT: usize = 4_000;

/// Which kind of database a statement goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Database {
    Metadata,
    Analytical,
}

/// A statement on its way; its line is written when this is dropped, also when nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Statement {
    database: Database,
    engine: &'static str,
    text: String,
    start: Instant,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// The future was dropped, which cancels the statement.
    Cancelled,
    Failed,
    /// Rows, where somebody has counted them.
    Done(Option<usize>),
}

impl Statement {
    /// None unless somebody reads such lines: `text` is not even made then. It must hold no values.
    pub fn begin(database: Database, engine: &'static str, text: impl FnOnce() -> String) -> Option<Self> {
        let is_read = tracing::enabled!(target: TARGET, Level::DEBUG);
        is_read.then(|| {
            let mut text = text();
            if text.len() > MAX_TEXT {
                text.truncate(text.floor_char_boundary(MAX_TEXT));
                text.push('…');
            }
            Self { database, engine, text, start: Instant::now(), end: End::Cancelled }
        })
    }
}

/// Waits for a statement and notes how it ended. What a driver says of a failure may quote values: it is left out.
pub(crate) async fn noted<T, E>(
    statement: Option<Statement>,
    work: impl Future<Output = Result<T, E>>,
    rows: impl FnOnce(&T) -> Option<usize>,
) -> Result<T, E> {
    let Some(mut statement) = statement else { return work.await };
    let done = work.await;
    statement.end = done.as_ref().map_or(End::Failed, |found| End::Done(rows(found)));
    done
}

impl Drop for Statement {
    fn drop(&mut self) {
        let Self { database, engine, text, start, end } = self;
        let database = match database {
            Database::Metadata => "metadata",
            Database::Analytical => "analytical",
        };
        let ms = start.elapsed().as_micros() as f64 / 1000.0;
        let (message, rows) = match *end {
            End::Cancelled => ("statement cancelled", None),
            End::Failed => ("statement failed", None),
            End::Done(rows) => ("statement", rows),
        };
        tracing::debug!(target: TARGET, database, engine, ms, rows, statement = text.as_str(), "{message}");
    }
}
