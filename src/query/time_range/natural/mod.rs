//! Everyday English as `parsedatetime` reads it: `3 weeks ago`, `next friday`, `tomorrow at noon`, `end of month`.
//!
//! The reader repeats ten matchers on what is left of the text until none matches; each takes its piece out and moves
//! the time. Relative phrases (`before`, `ago`, `next`) read the text around them by calling the reader again. The
//! quirks of the original are kept: days start at 9:00, "this day" ends at 17:00, quarters are unknown.

mod calendar;
mod matchers;
mod modifier;
mod month_text;
mod patterns;
mod units;

use chrono::NaiveDateTime;

use super::MAX_TEXT;
use super::error::TimeRangeError;
use calendar::Clock;

/// How deep phrases may refer to phrases.
const MAX_DEPTH: usize = 40;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parsed {
    /// The moment; the source moment if nothing was understood.
    pub when: NaiveDateTime,
    /// The text named a date.
    pub has_date: bool,
    /// The text named a time.
    pub has_time: bool,
}

/// Which parts of the moment the text named (`pdtContext`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Accuracy {
    date: bool,
    time: bool,
}

impl Accuracy {
    fn any(self) -> bool {
        self.date || self.time
    }

    fn absorb(&mut self, other: Self) {
        self.date |= other.date;
        self.time |= other.time;
    }
}

type Fallible<T> = Result<T, TimeRangeError>;

/// The reader: the clock for everything that has no source of its own, and how deep it may still go.
#[derive(Clone, Copy)]
struct Reader {
    now: Clock,
    depth: usize,
}

/// Reads a text, relative to `source` (else now).
pub fn parse(
    text: &str,
    source: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<Parsed, TimeRangeError> {
    let source = source.unwrap_or(now);
    if text.len() > MAX_TEXT {
        return Ok(Parsed { when: source, has_date: false, has_time: false });
    }
    let reader = Reader { now: Clock::from_datetime(now), depth: MAX_DEPTH };
    let (clock, accuracy) = reader.parse(text, Clock::from_datetime(source))?;
    Ok(Parsed { when: clock.datetime()?, has_date: accuracy.date, has_time: accuracy.time })
}

impl Reader {
    fn parse(&self, text: &str, source: Clock) -> Fallible<(Clock, Accuracy)> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(TimeRangeError::parse_fail(text));
        };
        let reader = Self { depth, ..*self };
        let mut rest = patterns::without_dots_and_quotes(text).to_lowercase().trim().to_owned();
        let (mut clock, mut accuracy) = (source, Accuracy::default());
        while !rest.is_empty() {
            match reader.step(&rest, clock, &mut accuracy)? {
                Some((left, moved)) => (rest, clock) = (left.trim().to_owned(), moved),
                None => break,
            }
        }
        Ok((clock, accuracy))
    }

    /// The first matcher that finds something takes it out.
    fn step(&self, text: &str, clock: Clock, accuracy: &mut Accuracy) -> Fallible<Option<(String, Clock)>> {
        if let Some(found) = self.modifier(text, clock, accuracy)? {
            return Ok(Some(found));
        }
        for short in [false, true] {
            if let Some(found) = units::take(text, short, clock, accuracy)? {
                return Ok(Some(found));
            }
        }
        type Matcher = fn(&Reader, &str, Clock, &mut Accuracy) -> Fallible<Option<(String, Clock)>>;
        let matchers: [Matcher; 7] = [
            matchers::month_name,
            matchers::numeric_date,
            matchers::day_word,
            matchers::weekday,
            matchers::time_word,
            matchers::meridian_time,
            matchers::clock_time,
        ];
        for matcher in matchers {
            if let Some(found) = matcher(self, text, clock, accuracy)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
