//! How a server that is busy, or a statement that runs, is asked again: later each time.

use std::time::Duration;

use reqwest::Response;

/// The pauses between questions.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
    left: u32,
}

impl Backoff {
    /// At most `tries` questions, of which the first has been asked.
    pub fn new(first: Duration, longest: Duration, tries: u32) -> Self {
        Self { next: first.min(longest), longest, left: tries.saturating_sub(1) }
    }

    /// Questions about what runs: whoever waits has a clock of their own.
    pub fn endless(first: Duration, longest: Duration) -> Self {
        Self::new(first, longest, u32::MAX)
    }

    /// Waits, as long as the server has asked for where it has; false when it was asked often enough.
    pub async fn again(&mut self, asked_for: Option<Duration>) -> bool {
        let Some(pause) = self.pause(asked_for) else { return false };
        tokio::time::sleep(pause).await;
        true
    }

    fn pause(&mut self, asked_for: Option<Duration>) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let pause = asked_for.unwrap_or(self.next).min(self.longest);
        self.next = self.next.saturating_mul(2).min(self.longest);
        Some(pause)
    }
}

/// The seconds after which a busy server wants to be asked again.
pub fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 3 * second, 5);
        let asked = [None, None, Some(9 * second), None, None].map(|asked| backoff.pause(asked));
        assert_eq!(asked, [Some(second), Some(2 * second), Some(3 * second), Some(3 * second), None]);
        assert_eq!(Backoff::new(second, second, 1).pause(None), None);
        assert_eq!(Backoff::new(second, second, 0).pause(None), None);
        assert_eq!(Backoff::endless(9 * second, second).pause(Some(second / 2)), Some(second / 2));
    }
}
