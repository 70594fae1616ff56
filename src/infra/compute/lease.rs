//! The memory that a result takes while it is under way, out of the one budget for all results.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::{
    shares::{Share, Shares},
    ticket::Stopped,
};

/// Kilobytes that are taken at a time; a result begins with so many.
const STEP: usize = 1 << 10;
/// How long a result waits for its beginning.
const TIMEOUT: Duration = Duration::from_secs(30);

/// There is no more; who asks later finds some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The server has no memory for this result while others are under way. Please try again later.")]
pub struct NoMemory;

/// The memory of one result, given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    shares: Shares,
    who: String,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    bytes: usize,
    kilobytes: usize,
    share: Share,
}

impl Lease {
    /// Waits until a result may begin.
    pub async fn begin(shares: &Shares, who: &str) -> Result<Arc<Self>, Stopped> {
        let share = tokio::time::timeout(TIMEOUT, shares.take(who, STEP)).await;
        let share = share.ok().flatten().ok_or(Stopped::Busy)?;
        let held = Mutex::new(Held { bytes: 0, kilobytes: STEP.min(shares.each()), share });
        Ok(Arc::new(Self { shares: shares.clone(), who: who.to_owned(), held }))
    }

    /// Counts bytes that the result takes besides. It does not wait: all that wait for each other would wait for ever.
    pub fn charge(&self, bytes: usize) -> Result<(), NoMemory> {
        let mut held = self.held.lock();
        held.bytes = held.bytes.saturating_add(bytes);
        let missing = (held.bytes >> 10).saturating_sub(held.kilobytes);
        if missing > 0 {
            let more = missing.next_multiple_of(STEP);
            held.share.merge(self.shares.try_take(&self.who, more).ok_or(NoMemory)?);
            held.kilobytes += more;
        }
        Ok(())
    }

    /// Bytes that were counted.
    pub fn bytes(&self) -> usize {
        self.held.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_share_the_memory() {
        let shares = Shares::new(8 * STEP, 6 * STEP);
        let first = Lease::begin(&shares, "a").await.unwrap();
        for _ in 0..6 {
            first.charge(1 << 20).unwrap();
        }
        assert_eq!(first.charge(1), Ok(()), "less than a kilobyte more");
        assert_eq!(first.charge(1 << 20), Err(NoMemory), "one has not all of it");
        let second = Lease::begin(&shares, "b").await.unwrap();
        assert_eq!(second.charge(3 << 20), Err(NoMemory));
        drop(first);
        let third = Lease::begin(&shares, "b").await.unwrap();
        assert_eq!((third.charge(3 << 20), third.bytes()), (Ok(()), 3 << 20));
        drop((second, third));
        assert_eq!(shares.taken(), 0);
    }
}
