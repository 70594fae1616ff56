//! What is shown of work that takes longer than a moment: a line that moves on a terminal, nothing elsewhere.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How long nothing is shown.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is written.
const PACE: Duration = Duration::from_millis(200);

/// The line.
pub struct Line {
    began: Instant,
    shown: Option<Instant>,
    text: String,
}

impl Line {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self { began: Instant::now(), shown: None, text: String::new() }
    }

    /// What is being done now.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let due = self.shown.map_or(self.began + QUIET, |shown| shown + PACE);
        if Instant::now() >= due && std::io::stderr().is_terminal() {
            self.shown = Some(Instant::now());
            self.text = text();
            // the rest of a longer line goes
            let _ = write!(std::io::stderr(), "\r{}\u{1b}[K", self.text);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}
