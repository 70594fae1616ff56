//! A quantity that many share, and of which nobody gets all.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Names of holders that are kept after they have gone.
const FORGOTTEN: usize = 256;

/// Units of something: turns, bytes.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    whole: Arc<Semaphore>,
    total: usize,
    /// What one holder has at most.
    each: usize,
    holders: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// Units that somebody has, until they are dropped.
#[derive(Debug)]
pub struct Share {
    whole: OwnedSemaphorePermit,
    own: OwnedSemaphorePermit,
    /// Keeps the holder's part alive: while it lives, the same name finds it.
    _holder: Arc<Semaphore>,
}

impl Share {
    /// Adds what the same holder took besides.
    pub fn merge(&mut self, other: Self) {
        self.whole.merge(other.whole);
        self.own.merge(other.own);
    }
}

impl Shares {
    /// So many units, of which one holder has at most `each`.
    pub fn new(total: usize, each: usize) -> Self {
        let total = total.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            whole: Arc::new(Semaphore::new(total)),
            total,
            each: each.clamp(1, total),
            holders: Mutex::default(),
        }))
    }

    /// The most that one holder can have.
    pub fn each(&self) -> usize {
        self.0.each
    }

    /// All that there is.
    pub fn total(&self) -> usize {
        self.0.total
    }

    /// What is taken.
    pub fn taken(&self) -> usize {
        self.0.total - self.0.whole.available_permits().min(self.0.total)
    }

    fn holder(&self, name: &str) -> Arc<Semaphore> {
        let mut holders = self.0.holders.lock();
        if let Some(known) = holders.get(name).and_then(Weak::upgrade) {
            return known;
        }
        if holders.len() > FORGOTTEN {
            holders.retain(|_, weak| weak.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(self.0.each));
        holders.insert(name.to_owned(), Arc::downgrade(&own));
        own
    }

    /// As much of `units` as one holder can have at all.
    fn capped(&self, units: usize) -> u32 {
        u32::try_from(units.min(self.0.each)).unwrap_or(u32::MAX)
    }

    /// Units for a holder; waits in line for them. More than one can have is as much as one can have.
    pub async fn take(&self, name: &str, units: usize) -> Option<Share> {
        let (holder, units) = (self.holder(name), self.capped(units));
        // one's own part first: whoever waits for that stands in nobody's way
        let own = holder.clone().acquire_many_owned(units).await.ok()?;
        let whole = self.0.whole.clone().acquire_many_owned(units).await.ok()?;
        Some(Share { whole, own, _holder: holder })
    }

    /// The same, or nothing when it would have to wait.
    pub fn try_take(&self, name: &str, units: usize) -> Option<Share> {
        if units > self.0.each {
            return None;
        }
        let (holder, units) = (self.holder(name), self.capped(units));
        let own = holder.clone().try_acquire_many_owned(units).ok()?;
        let whole = self.0.whole.clone().try_acquire_many_owned(units).ok()?;
        Some(Share { whole, own, _holder: holder })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn nobody_has_all_and_nothing_is_lost() {
        let shares = Shares::new(4, 3);
        let mut held = shares.take("a", 2).await.unwrap();
        held.merge(shares.try_take("a", 1).unwrap());
        assert!(shares.try_take("a", 1).is_none(), "its part is used up");
        let other = shares.try_take("b", 1).unwrap();
        assert!(shares.try_take("c", 1).is_none());
        let waiting = tokio::spawn({
            let shares = shares.clone();
            async move { shares.take("c", 9).await.is_some() }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!waiting.is_finished());
        drop((held, other));
        assert!(waiting.await.unwrap(), "more than one can have is what one can have");
        assert_eq!(shares.taken(), 0);
        for n in 0..3 * FORGOTTEN {
            drop(shares.try_take(&n.to_string(), 1));
        }
        assert!(shares.0.holders.lock().len() <= FORGOTTEN + 1);
    }
}
