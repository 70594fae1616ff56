//! `superset.utils.date_parser:normalize_time_delta`, and adding the result to a timestamp.

use chrono::{NaiveDateTime, TimeDelta};

use crate::frame::datetime::add_months;
use crate::frame::{FrameError, Result};

/// A calendar distance (`pandas.DateOffset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateDelta {
    /// Seconds.
    Seconds(i64),
    /// Calendar months; the day is clipped to the month.
    Months(i64),
}

impl DateDelta {
    /// Reads `3 days ago`, `1 year later`.
    pub fn parse(text: &str) -> Result<Self> {
        let ambiguous = || {
            FrameError::unexpected(format!(
                "Time delta is ambiguous. Please specify [{text} ago] or [{text} later]."
            ))
        };
        let trimmed = text.trim_start();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(ambiguous)?;
        let (number, rest) = trimmed.split_at(digits);
        let value: i64 = number.parse().map_err(|_| ambiguous())?;
        if !rest.starts_with(char::is_whitespace) {
            return Err(ambiguous());
        }
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).ok_or_else(ambiguous)?;
        let (unit, tail) = rest.split_at(end);
        let lower = unit.to_ascii_lowercase();
        let unit = lower.strip_suffix('s').unwrap_or(&lower);
        let direction = tail.trim_start();
        if direction.len() == tail.len() {
            return Err(ambiguous());
        }
        let mut words = direction.trim_end_matches('\n').to_ascii_lowercase();
        // The pattern repeats the word and keeps the last one.
        let mut ago = false;
        while !words.is_empty() {
            if let Some(r) = words.strip_prefix("ago") {
                ago = true;
                words = r.to_owned();
            } else if let Some(r) = words.strip_prefix("later") {
                ago = false;
                words = r.to_owned();
            } else {
                return Err(ambiguous());
            }
        }
        let n = if ago { -value } else { value };
        let times = |k: i64| n.checked_mul(k).ok_or_else(ambiguous);
        Ok(match unit {
            "second" => Self::Seconds(n),
            "minute" => Self::Seconds(times(60)?),
            "hour" => Self::Seconds(times(3600)?),
            "day" => Self::Seconds(times(86_400)?),
            "week" => Self::Seconds(times(604_800)?),
            "month" => Self::Months(n),
            "year" => Self::Months(times(12)?),
            // pandas knows no such argument.
            "quarter" => {
                return Err(FrameError::unexpected(
                    "__init__() got an unexpected keyword argument 'quarters'",
                ));
            }
            _ => return Err(ambiguous()),
        })
    }

    /// The timestamp this far away.
    pub fn add_to(self, t: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Seconds(n) => t.checked_add_signed(TimeDelta::try_seconds(n)?),
            Self::Months(n) => add_months(t, n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_distances() {
        assert_eq!(DateDelta::parse("1 year ago"), Ok(DateDelta::Months(-12)));
        assert_eq!(DateDelta::parse("2 Weeks later"), Ok(DateDelta::Seconds(1_209_600)));
        assert_eq!(
            DateDelta::parse("nope").map_err(|e| e.to_string()),
            Err("Time delta is ambiguous. Please specify [nope ago] or [nope later].".into())
        );
        assert!(DateDelta::parse("1 year").is_err());
    }
}
