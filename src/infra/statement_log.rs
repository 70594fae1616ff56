//! What is told of every statement that ends: where it ran, its text without values, how long it took and how many rows
//! it found or changed.
//!
//! `LITESET_LOG=info,liteset::sql=debug` shows all of them; those that took longer than `SLOW_STATEMENT_MS` are lines
//! of target `liteset::slow`, at info.

use std::time::Instant;

use tracing::Level;

use crate::telemetry::{self, Database};

/// What the lines are filtered by.
const TARGET: &str = "liteset::sql";
/// What the lines of slow ones are filtered by.
const SLOW: &str = "liteset::slow";

/// Bytes of a text; more are left out.
const MAX_TEXT: usize = 4_000;

/// Takes the values out of a text of an engine.
pub(crate) type WithoutValues = fn(&str, &str) -> String;

/// A statement on its way; it is told when this is dropped, also when nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Statement {
    database: Database,
    engine: &'static str,
    /// None unless somebody could read it.
    text: Option<String>,
    without_values: WithoutValues,
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
    /// It begins. Its values are taken out only if its text is written at all.
    pub fn begin(
        database: Database,
        engine: &'static str,
        text: &str,
        without_values: WithoutValues,
    ) -> Self {
        let is_read = telemetry::a_statement_can_be_slow() || tracing::enabled!(target: TARGET, Level::DEBUG);
        let text = is_read.then(|| text.to_owned());
        Self { database, engine, text, without_values, start: Instant::now(), end: End::Cancelled }
    }

    fn text(&self) -> Option<String> {
        let mut text = (self.without_values)(self.text.as_deref()?, self.engine);
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            text.push('…');
        }
        Some(text)
    }
}

/// Waits for a statement and notes how it ended. What a driver says of a failure may quote values: it is left out.
pub(crate) async fn noted<T, E>(
    mut statement: Statement,
    work: impl Future<Output = Result<T, E>>,
    rows: impl FnOnce(&T) -> Option<usize>,
) -> Result<T, E> {
    let done = work.await;
    statement.end = done.as_ref().map_or(End::Failed, |found| End::Done(rows(found)));
    done
}

impl Drop for Statement {
    fn drop(&mut self) {
        let took = self.start.elapsed();
        let (outcome, rows) = match self.end {
            End::Cancelled => ("cancelled", None),
            End::Failed => ("failed", None),
            End::Done(rows) => ("done", rows),
        };
        telemetry::statement_ended(self.database, self.engine, outcome, took);
        let (database, engine) = (self.database.name(), self.engine);
        let ms = took.as_micros() as f64 / 1000.0;
        if tracing::enabled!(target: TARGET, Level::DEBUG)
            && let Some(statement) = self.text()
        {
            let message = match self.end {
                End::Cancelled => "statement cancelled",
                End::Failed => "statement failed",
                End::Done(_) => "statement",
            };
            tracing::debug!(target: TARGET, database, engine, ms, rows, statement, "{message}");
        }
        if telemetry::statement_is_slow(took)
            && let Some(statement) = self.text()
        {
            tracing::info!(target: SLOW, database, engine, ms, rows, outcome, statement, "slow statement");
        }
    }
}
