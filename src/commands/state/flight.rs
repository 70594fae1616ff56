//! One execution per question: whoever asks the same while it is under way waits for the same answer.

use std::{collections::HashMap, future::Future, sync::Arc, time::Instant};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use infra::telemetry;
use parking_lot::Mutex;

type Flight<T> = Shared<BoxFuture<'static, T>>;

/// Executions under way, by key. An execution lives as long as somebody waits for it: when the last one leaves, it is
/// dropped, and with it the statement in the database.
pub struct Flights<T: Clone>(Mutex<HashMap<String, WeakShared<BoxFuture<'static, T>>>>);

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Joins the execution of a key or starts it.
    pub async fn join<F>(self: &Arc<Self>, key: &str, start: impl FnOnce() -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (flight, joined) = self.flight(key, start);
        if !joined {
            telemetry::query_begun();
            return flight.await;
        }
        let since = Instant::now();
        let answer = flight.await;
        telemetry::query_joined(since.elapsed());
        answer
    }

    /// The flight of a key, and whether somebody else has begun it.
    fn flight<F>(self: &Arc<Self>, key: &str, start: impl FnOnce() -> F) -> (Flight<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = self.0.lock();
        if let Some(flight) = flights.get(key).and_then(WeakShared::upgrade)
            && flight.peek().is_none()
        {
            return (flight, true);
        }
        // Those that were left by everyone leave their keys behind.
        if flights.len() > 256 {
            flights.retain(|_, weak| weak.upgrade().is_some());
        }
        let flight = start().boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key.to_owned(), weak);
        }
        (flight, false)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    struct Left(Arc<AtomicUsize>);
    impl Drop for Left {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn one_execution_for_all_who_wait() {
        let flights = Arc::new(Flights::default());
        let runs = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (flights, runs) = (flights.clone(), runs.clone());
            async move {
                flights
                    .join("k", || async move {
                        runs.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        7
                    })
                    .await
            }
        };
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_eq!((a, b, c, runs.load(Ordering::Relaxed)), (7, 7, 7, 1));
        ask().await;
        assert_eq!(runs.load(Ordering::Relaxed), 2, "a finished answer is not reused");
    }

    #[tokio::test]
    async fn the_last_who_leaves_ends_it() {
        let flights = Arc::new(Flights::default());
        let dropped = Arc::new(AtomicUsize::new(0));
        let wait = |left: Left| {
            let (flight, _) = flights.flight("k", move || async move {
                let _left = left;
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
            flight
        };
        let first = wait(Left(dropped.clone()));
        let second = wait(Left(Arc::default()));
        let _ = tokio::time::timeout(Duration::from_millis(5), first).await;
        assert_eq!(dropped.load(Ordering::Relaxed), 0, "the second still waits");
        let _ = tokio::time::timeout(Duration::from_millis(5), second).await;
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}
