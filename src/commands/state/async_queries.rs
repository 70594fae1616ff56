//! Queries in the background: how many may wait, how many are at work, and that the process stops.

use std::time::Duration;

use infra::compute::Shares;
use tokio::sync::watch;

/// Jobs that wait or are at work; of one principal.
const PLACES: (usize, usize) = (20_000, 2_000);
/// Jobs at work.
const TURNS: (usize, usize) = (1_024, 256);
/// How long stopping waits for the jobs' last events.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// The queries of `GLOBAL_ASYNC_QUERIES`.
pub struct AsyncQueries {
    /// Room for jobs.
    pub(crate) places: Shares,
    /// Jobs at work.
    pub(crate) turns: Shares,
    stopping: watch::Sender<bool>,
}

impl Default for AsyncQueries {
    fn default() -> Self {
        let (places, turns) = (Shares::new(PLACES.0, PLACES.1), Shares::new(TURNS.0, TURNS.1));
        Self { places, turns, stopping: watch::Sender::new(false) }
    }
}

impl AsyncQueries {
    /// Ends all jobs; returns when they have told so.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let until = tokio::time::Instant::now() + LAST_EVENTS;
        while self.places.taken() > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the process stops.
    pub(crate) async fn stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        // the sender lives as long as `self`
        let _ = stopping.wait_for(|stops| *stops).await;
    }
}
