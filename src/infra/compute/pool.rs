//! Few turns for many pieces of work.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{JoinHandle, block_in_place},
};
use tracing::Instrument as _;

use super::{
    shares::{Share, Shares},
    ticket::{Step, Stopped, Ticket},
};
use crate::telemetry;

/// Pieces of work that wait for a turn; later ones are refused.
const MAX_WAITING: usize = 2_048;
/// Of one principal.
const MAX_WAITING_EACH: usize = 1_024;
/// How long a step waits for its turn.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Turns for work that takes the processor.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    turns: Shares,
    /// Places in the queue.
    queue: Shares,
    /// Time that one piece of work may take the processor.
    limit: Duration,
}

impl Pool {
    /// So many steps at once; a piece of work may take `limit` in all.
    pub fn new(turns: usize, limit: Duration) -> Self {
        let turns = turns.max(2);
        Self(Arc::new(Inner {
            turns: Shares::new(turns, turns - 1),
            queue: Shares::new(MAX_WAITING, MAX_WAITING_EACH),
            limit,
        }))
    }

    /// A turn more than there are processors: one principal may use all of them, and the others are not held up.
    pub fn of_this_machine(limit: Duration) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self::new(processors + 1, limit)
    }

    /// Starts a piece of work on behalf of somebody. It ends with the one who waits for it.
    pub fn spawn<F>(&self, who: &str, work: F) -> Work<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let ticket = Arc::new(Ticket::new(self.0.limit));
        let guard = Guard { ticket: ticket.clone() };
        let turns =
            Turns { pool: self.clone(), who: who.to_owned(), ticket, waiting: None, work: Box::pin(work) };
        Work { task: tokio::spawn(telemetry::carried(turns).in_current_span()), _guard: guard }
    }
}

/// Work that somebody waits for.
#[derive(Debug)]
pub struct Work<T> {
    task: JoinHandle<Result<T, Stopped>>,
    _guard: Guard,
}

impl<T> Future for Work<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ready!(Pin::new(&mut self.task).poll(cx));
        Poll::Ready(done.unwrap_or(Err(Stopped::Broken)))
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells the loops of the work that nobody waits any more.
#[derive(Debug)]
struct Guard {
    ticket: Arc<Ticket>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.ticket.leave();
    }
}

type Line = BoxFuture<'static, Option<Share>>;

/// A future each of whose steps waits for a turn.
struct Turns<F> {
    pool: Pool,
    who: String,
    ticket: Arc<Ticket>,
    /// The place in the queue and the turn that is waited for, and since when.
    waiting: Option<(Line, Instant)>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Turns<F> {
    type Output = Result<F::Output, Stopped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let turn = match this.waiting.take() {
            None => this.pool.0.turns.try_take(&this.who, 1),
            Some(line) => {
                this.waiting = Some(line);
                None
            }
        };
        let turn = match turn {
            Some(turn) => turn,
            None => {
                if this.waiting.is_none() {
                    let Some(line) = this.pool.line(&this.who) else {
                        return Poll::Ready(Err(Stopped::Busy));
                    };
                    this.waiting = Some((line, Instant::now()));
                }
                let Some((line, since)) = &mut this.waiting else {
                    return Poll::Ready(Err(Stopped::Busy));
                };
                let turn = ready!(line.as_mut().poll(cx));
                telemetry::turn(since.elapsed());
                this.waiting = None;
                match turn {
                    Some(turn) => turn,
                    None => return Poll::Ready(Err(Stopped::Busy)),
                }
            }
        };
        let mut step = || {
            let _step = Step::new(&this.ticket);
            this.work.as_mut().poll(cx)
        };
        let is_multi = Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
        let done = if is_multi { block_in_place(step) } else { step() };
        drop(turn);
        done.map(Ok)
    }
}

impl Pool {
    /// A place in the queue; none when it is full.
    fn line(&self, who: &str) -> Option<Line> {
        let place = self.0.queue.try_take(who, 1)?;
        let (turns, who) = (self.0.turns.clone(), who.to_owned());
        Some(Box::pin(async move {
            let turn = tokio::time::timeout(TIMEOUT, turns.take(&who, 1)).await;
            drop(place);
            turn.ok().flatten()
        }))
    }

    /// Pieces of work that are at a step.
    pub fn running(&self) -> usize {
        self.0.turns.taken()
    }

    /// Pieces of work that wait.
    pub fn waiting(&self) -> usize {
        self.0.queue.taken()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::compute::{check, run_blocking};

    /// Takes the processor until it is told to stop.
    fn busy() -> Stopped {
        loop {
            if let Err(why) = check() {
                return why;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_busy_pool_holds_nobody_up() {
        let pool = Pool::new(4, Duration::from_secs(60));
        let mut works: Vec<_> = (0..40).map(|_| pool.spawn("greedy", async { busy() })).collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(pool.0.turns.taken(), 3, "one turn is left for others");
        assert_eq!(pool.waiting(), 37);
        assert_eq!(pool.spawn("modest", async { 7 }).await, Ok(7));
        let start = Instant::now();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(start.elapsed() < Duration::from_secs(2), "the only worker is free");
        // whoever leaves makes room, in the queue and at work
        works.clear();
        for _ in 0..500 {
            if pool.0.turns.taken() + pool.waiting() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("work goes on that nobody waits for");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn time_is_counted_over_all_steps() {
        let limit = Duration::from_millis(60);
        let pool = Pool::new(2, limit);
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = steps.clone();
        let work = pool.spawn("a", async move {
            loop {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(10) {
                    check()?;
                }
                counted.fetch_add(1, Ordering::Relaxed);
                // waiting costs nothing
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            #[expect(unreachable_code, reason = "tells the type")]
            Ok::<(), Stopped>(())
        });
        assert_eq!(work.await, Ok(Err(Stopped::Late(limit))));
        assert!((1..=6).contains(&steps.load(Ordering::Relaxed)), "{steps:?}");
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let pool = Pool::new(2, Duration::from_secs(1));
        let _all = pool.0.turns.try_take("a", 1).unwrap();
        let _rest = pool.0.queue.try_take("a", MAX_WAITING_EACH).unwrap();
        assert_eq!(pool.spawn("a", async {}).await, Err(Stopped::Busy));
        assert_eq!(pool.spawn("b", async { run_blocking(|| 3).await.unwrap() }).await, Ok(3));
        assert_eq!(pool.spawn("b", async { panic!("broken") }).await, Err(Stopped::Broken));
    }
}
