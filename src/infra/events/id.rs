//! Ids of events in Redis's form, `<milliseconds>-<sequence>`, and the bounds of ranges of them.

use std::{fmt, str::FromStr};

/// An id: a moment and a number within it. Later events have greater ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct EventId {
    /// Milliseconds since the epoch.
    pub ms: u64,
    /// Counted from 0 within a millisecond.
    pub seq: u64,
}

impl EventId {
    /// The smallest id.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// The id of an event that comes after this one, at a moment that the clock tells; a clock that jumped back is not
    /// followed.
    #[must_use]
    pub fn next(self, now_ms: u64) -> Self {
        if now_ms > self.ms { Self { ms: now_ms, seq: 0 } } else { self.after() }
    }

    /// The id right after this one.
    #[must_use]
    fn after(self) -> Self {
        match self.seq.checked_add(1) {
            Some(seq) => Self { ms: self.ms, seq },
            None => Self { ms: self.ms.saturating_add(1), seq: 0 },
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// A text that Redis does not take for the bound of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid stream ID specified as stream command argument")]
pub struct NoId;

impl FromStr for EventId {
    type Err = NoId;

    /// `5` is `5-0`.
    fn from_str(text: &str) -> Result<Self, NoId> {
        let (ms, seq) = text.split_once('-').unwrap_or((text, "0"));
        Ok(Self { ms: number(ms)?, seq: number(seq)? })
    }
}

fn number(text: &str) -> Result<u64, NoId> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().map_err(|_| NoId) } else { Err(NoId) }
}

/// The first id of a range that begins with `text` (`XRANGE`): `-`, `+`, an id, or `(` and an id that is not part of
/// it.
pub(super) fn start(text: &str) -> Result<EventId, NoId> {
    match text {
        "-" => Ok(EventId::MIN),
        "+" => Ok(EventId::MAX),
        _ => match text.strip_prefix('(') {
            Some(id) => Ok(id.parse::<EventId>()?.after()),
            None => text.parse(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_when_the_clock_jumps_back() {
        let first = EventId::MIN.next(1000);
        let second = first.next(1000);
        let third = second.next(10);
        let fourth = third.next(1001);
        let texts = [first, second, third, fourth].map(|id| id.to_string());
        assert_eq!(texts, ["1000-0", "1000-1", "1000-2", "1001-0"]);
    }

    #[test]
    fn bounds_are_read_as_redis_reads_them() {
        assert_eq!(start("-"), Ok(EventId::MIN));
        assert_eq!(start("7"), Ok(EventId { ms: 7, seq: 0 }));
        assert_eq!(start("7-3"), Ok(EventId { ms: 7, seq: 3 }));
        assert_eq!(start("(7-3"), Ok(EventId { ms: 7, seq: 4 }));
        for bad in ["", "abc", "7-", "-3", "7-3-1", "7-NaN", "+7", "99999999999999999999999"] {
            assert_eq!(start(bad), Err(NoId), "{bad}");
        }
    }
}
