//! The queries that this process executes, so that they can be stopped.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Queries under way, by their id.
#[derive(Default)]
pub struct Running(Arc<Mutex<HashMap<i64, watch::Sender<bool>>>>);

/// The place of one query; it is left when this is dropped.
pub(crate) struct Place {
    running: Arc<Mutex<HashMap<i64, watch::Sender<bool>>>>,
    id: i64,
    stopped: watch::Receiver<bool>,
}

impl Running {
    /// Takes the place of a query.
    pub(crate) fn enter(&self, id: i64) -> Place {
        let (sender, stopped) = watch::channel(false);
        self.0.lock().insert(id, sender);
        Place { running: self.0.clone(), id, stopped }
    }

    /// Tells a query to stop; false when it does not run here.
    pub(crate) fn stop(&self, id: i64) -> bool {
        self.0.lock().get(&id).is_some_and(|sender| sender.send(true).is_ok())
    }

    /// The ids of all that run here, in order.
    pub fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.0.lock().keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a query runs here.
    pub fn contains(&self, id: i64) -> bool {
        self.0.lock().contains_key(&id)
    }
}

impl Place {
    /// Waits until somebody stops the query.
    pub async fn stopped(&mut self) {
        if self.stopped.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stops_what_runs_here() {
        let running = Running::default();
        let mut place = running.enter(7);
        assert_eq!(running.ids(), [7]);
        assert!(!running.stop(8));
        assert!(running.stop(7));
        place.stopped().await;
        drop(place);
        assert!(!running.contains(7) && !running.stop(7));
    }
}
