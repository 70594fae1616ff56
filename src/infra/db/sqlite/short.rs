//! Reads that are answered where they are asked, because they were short the last time.
//!
//! Nobody is held up by one that has become long: it is broken off after a moment and begun anew on a thread that may
//! block, and so are all of its text until one is short again. Nor does one wait for a lock.

use std::{
    collections::HashSet,
    ffi::c_int,
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::{BUSY_TIMEOUT, Object, Row, Sql, rows};

/// What took no longer is short.
const SHORT: Duration = Duration::from_micros(500);
/// When one that was short is broken off.
const LONG: Duration = Duration::from_millis(1);
/// Steps of SQLite between two looks at the clock.
const STEPS: c_int = 1_000;
/// Texts that are known; lists of ids make new ones for ever.
const MAX_KNOWN: usize = 4_096;

/// The texts of short reads.
#[derive(Debug, Default)]
pub(super) struct ShortReads(Mutex<HashSet<u64>>);

impl ShortReads {
    /// The rows, if that is known to be short; none where it has to be asked on a thread that may block. What goes
    /// wrong goes wrong there again.
    pub fn read(&self, conn: &Object, sql: &Sql) -> Option<Vec<Row>> {
        let name = name(sql);
        if !self.0.lock().contains(&name) {
            return None;
        }
        let c = conn.try_lock().ok()?;
        let found = bounded(&c, |c| {
            let mut statement = c.prepare_cached(&sql.text)?;
            rows(&mut statement, sql)
        });
        if found.is_err() {
            self.0.lock().remove(&name);
        }
        found.ok()
    }

    /// A read took so long.
    pub fn learn(&self, sql: &Sql, took: Duration) {
        let name = name(sql);
        // what returns rows and writes is never tried twice
        let is_short = took <= SHORT && sql.text.starts_with("SELECT ");
        let mut known = self.0.lock();
        if !is_short {
            known.remove(&name);
        } else {
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(name);
        }
    }
}

fn name(sql: &Sql) -> u64 {
    let mut hasher = DefaultHasher::new();
    sql.text.hash(&mut hasher);
    hasher.finish()
}

/// Runs something that ends after [`LONG`] and waits for no lock.
fn bounded<T>(c: &Connection, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let start = Instant::now();
    c.busy_timeout(Duration::ZERO)?;
    c.progress_handler(STEPS, Some(move || start.elapsed() > LONG))?;
    let done = run(c);
    c.progress_handler(0, None::<fn() -> bool>)?;
    c.busy_timeout(BUSY_TIMEOUT)?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    #[test]
    fn what_takes_long_is_broken_off_and_can_be_asked_again() {
        let c = Connection::open_in_memory().unwrap();
        let ask = |text: &str| bounded(&c, |c| c.query_row(text, [], |row| row.get::<_, i64>(0)));
        let start = Instant::now();
        let error = ask(ENDLESS).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(ask("SELECT 7").unwrap(), 7);
        // unbounded again
        let text = ENDLESS.replace("FROM n)", "FROM n WHERE i < 300000)");
        assert_eq!(c.query_row(&text, [], |row| row.get::<_, i64>(0)).unwrap(), 300_000);
    }

    #[test]
    fn only_short_reads_are_known() {
        let reads = ShortReads::default();
        let known = |text: &str| reads.0.lock().contains(&name(&Sql::new(text)));
        let learn = |text: &str, took| reads.learn(&Sql::new(text), took);
        learn("SELECT 1", SHORT);
        learn("SELECT 2", SHORT * 2);
        learn("INSERT INTO t VALUES (1) RETURNING id", Duration::ZERO);
        assert!(known("SELECT 1") && !known("SELECT 2") && !known("INSERT INTO t VALUES (1) RETURNING id"));
        learn("SELECT 1", SHORT * 2);
        assert!(!known("SELECT 1"));
    }
}
