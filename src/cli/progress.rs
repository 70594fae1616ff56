//! What is shown of work that takes longer than a moment: a line that moves on a terminal, lines of the log now and
//! then elsewhere.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use commands::import_export::import::Progress;

/// How long nothing is shown.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is written.
const PACE: Duration = Duration::from_millis(200);
/// How often a line of the log is written where there is no terminal.
const LOGGED: Duration = Duration::from_secs(10);

/// The line.
pub struct Line {
    began: Instant,
    shown: Option<Instant>,
    on_terminal: bool,
}

impl Line {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self { began: Instant::now(), shown: None, on_terminal: std::io::stderr().is_terminal() }
    }

    /// What is being done now.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let (quiet, pace) = if self.on_terminal { (QUIET, PACE) } else { (LOGGED, LOGGED) };
        let due = self.shown.map_or(self.began + quiet, |shown| shown + pace);
        if Instant::now() < due {
            return;
        }
        self.shown = Some(Instant::now());
        let text = text();
        if self.on_terminal {
            // the rest of a longer line goes
            let _ = write!(std::io::stderr(), "\r{text}\u{1b}[K");
        } else {
            tracing::info!("{text}");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.on_terminal && self.shown.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// Counted files and objects of imports and exports.
pub struct Counter {
    line: Line,
    count: usize,
    all: usize,
}

impl Counter {
    /// Nothing is counted yet.
    pub fn new() -> Self {
        Self { line: Line::new(), count: 0, all: 0 }
    }

    /// So many files were dealt with.
    pub fn files(&mut self, verb: &'static str, count: usize, all: Option<usize>) {
        self.line.show(|| match all {
            Some(all) => format!("{count} of {all} files {verb}"),
            None => format!("{count} files {verb}"),
        });
    }

    /// One more file is written.
    pub fn file(&mut self) {
        self.count += 1;
        let count = self.count;
        self.line.show(|| format!("{count} files exported"));
    }
}

impl Progress for Counter {
    fn checked(&mut self, files: usize, all: usize) {
        self.all = all;
        self.files("checked", files, Some(all));
    }
    fn done(&mut self) {
        self.count += 1;
        let (count, all) = (self.count, self.all);
        self.line.show(|| format!("{count} of {all} files imported"));
    }
}
