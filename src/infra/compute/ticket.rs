//! Whether work should go on: asked by its loops, told by those who wait for it.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Error,
    error::{ErrorType, SupersetError},
};

/// Why work does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Nobody waits for it any more.
    #[error("nobody waits for the answer")]
    Gone,
    /// It took the processor for longer than it may.
    #[error("The request exceeded the timeout of {} seconds", .0.as_secs())]
    Late(Duration),
    /// Others were before it for too long, or too many wait already.
    #[error("The server is busy with other requests. Please try again in a moment.")]
    Busy,
    /// It broke.
    #[error("the work broke off")]
    Broken,
}

impl From<Stopped> for Error {
    fn from(why: Stopped) -> Self {
        let status = match why {
            // `SupersetTimeoutException`
            Stopped::Late(_) => 408,
            Stopped::Busy | Stopped::Gone => 503,
            Stopped::Broken => return Self::internal(why),
        };
        Self::sip40(status, SupersetError::new(ErrorType::BackendTimeoutError, why.to_string()))
    }
}

/// What a piece of work is known by while it runs.
#[derive(Debug)]
pub(super) struct Ticket {
    gone: AtomicBool,
    /// Microseconds that it has taken.
    spent: AtomicU64,
    limit: Duration,
}

impl Ticket {
    pub fn new(limit: Duration) -> Self {
        Self { gone: AtomicBool::new(false), spent: AtomicU64::new(0), limit }
    }

    /// Nobody waits any more.
    pub fn leave(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    fn left(&self) -> Duration {
        self.limit.saturating_sub(Duration::from_micros(self.spent.load(Ordering::Relaxed)))
    }
}

/// The piece of work of this thread, and until when its step may take.
struct Current {
    ticket: Arc<Ticket>,
    until: Instant,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// One step of a piece of work on this thread; a panic ends it, too.
pub(super) struct Step {
    before: Option<Current>,
    ticket: Arc<Ticket>,
    start: Instant,
}

impl Step {
    pub fn new(ticket: &Arc<Ticket>) -> Self {
        let start = Instant::now();
        let current = Current { ticket: ticket.clone(), until: start + ticket.left() };
        let before = CURRENT.with(|c| c.borrow_mut().replace(current));
        Self { before, ticket: ticket.clone(), start }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let took = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.ticket.spent.fetch_add(took, Ordering::Relaxed);
        CURRENT.with(|c| *c.borrow_mut() = self.before.take());
    }
}

/// Whether this thread works on a step of a pool.
pub(super) fn is_inside() -> bool {
    CURRENT.with(|c| c.borrow().is_some())
}

/// Whether the work of this thread should go on. Work outside of a pool always does.
pub fn check() -> Result<(), Stopped> {
    CURRENT.with(|current| match &*current.borrow() {
        Some(current) if current.ticket.gone.load(Ordering::Relaxed) => Err(Stopped::Gone),
        Some(current) if Instant::now() >= current.until => Err(Stopped::Late(current.ticket.limit)),
        _ => Ok(()),
    })
}

/// Asks [`check`] every so many steps of a loop.
#[derive(Debug, Default)]
pub struct Pace(u32);

impl Pace {
    /// Steps between two looks at the clock.
    const STRIDE: u32 = 512;

    /// One step of about equal cost.
    #[inline]
    pub fn step(&mut self) -> Result<(), Stopped> {
        self.0 = self.0.wrapping_add(1);
        if self.0.is_multiple_of(Self::STRIDE) { check() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_end_with_their_time_and_with_those_who_wait() {
        let endless = || {
            let mut pace = Pace::default();
            loop {
                if let Err(why) = pace.step() {
                    return why;
                }
            }
        };
        assert_eq!(check(), Ok(()));
        let limit = Duration::from_millis(20);
        let ticket = Arc::new(Ticket::new(limit));
        let step = Step::new(&ticket);
        assert_eq!(endless(), Stopped::Late(limit));
        drop(step);
        assert_eq!(ticket.left(), Duration::ZERO, "what was spent is gone in the next step, too");
        let long = Arc::new(Ticket::new(Duration::from_secs(600)));
        let _step = Step::new(&long);
        {
            let _inner = Step::new(&ticket);
            assert_eq!(check(), Err(Stopped::Late(limit)));
        }
        assert_eq!(check(), Ok(()));
        long.leave();
        assert_eq!(endless(), Stopped::Gone);
    }
}
