//! Lines for the operator while something takes long.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Says how far a loop is, at most once a second.
#[derive(Debug)]
pub(super) struct Progress(Mutex<Instant>);

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Progress {
    /// `done` of `total` are done.
    pub fn at(&self, what: &str, done: usize, total: usize) {
        let Ok(mut last) = self.0.lock() else { return };
        if last.elapsed() >= Duration::from_secs(1) {
            *last = Instant::now();
            tracing::info!("{what}: {done} of {total}");
        }
    }
}

/// Waits for something; says why if it takes longer than a second.
pub(super) async fn saying<T>(work: impl Future<Output = T>, why: &str) -> T {
    let mut work = std::pin::pin!(work);
    match tokio::time::timeout(Duration::from_secs(1), work.as_mut()).await {
        Ok(done) => done,
        Err(_) => {
            tracing::info!("{why}");
            work.await
        }
    }
}
