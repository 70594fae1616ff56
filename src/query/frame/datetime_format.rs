//! Reading timestamps by a `strptime` format, and guessing that format (`pandas.to_datetime`).

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// One piece of a format.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(char),
    Space,
    Field(char),
}

/// A compiled `strptime` format.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Format(Vec<Piece>);

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Formats in the order in which they are tried on the first value of a column. Month comes before day, as pandas
/// prefers; a day above 12 falls through to the next.
const GUESSES: &[&str] = &[
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M%z",
    "%Y-%m-%d %H:%M%z",
    "%Y-%m-%d %H",
    "%Y-%m",
    "%Y",
    "%Y%m%d",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m",
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m-%d-%Y %H:%M:%S",
    "%m-%d-%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y",
    "%m.%d.%Y %H:%M:%S",
    "%m.%d.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y",
    "%b %d %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%b %Y",
    "%B %Y",
    "%a, %d %b %Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
];

impl Format {
    /// Compiles a format; `None` for directives that Python's `strptime` does not know.
    pub(super) fn compile(format: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => match chars.next()? {
                    '%' => pieces.push(Piece::Literal('%')),
                    'T' | 'X' => pieces.extend(Self::compile("%H:%M:%S")?.0),
                    'D' | 'x' => pieces.extend(Self::compile("%m/%d/%y")?.0),
                    'c' => pieces.extend(Self::compile("%a %b %d %H:%M:%S %Y")?.0),
                    f @ ('Y' | 'm' | 'd' | 'H' | 'M' | 'S' | 'f' | 'y' | 'b' | 'B' | 'p' | 'I' | 'j'
                    | 'z' | 'Z' | 'a' | 'A') => pieces.push(Piece::Field(f)),
                    _ => return None,
                },
                c if c.is_whitespace() => pieces.push(Piece::Space),
                c => pieces.push(Piece::Literal(c)),
            }
        }
        Some(Self(pieces))
    }

    /// The format of a value, guessed.
    pub(super) fn guess(value: &str) -> Option<Self> {
        GUESSES.iter().find_map(|g| {
            let f = Self::compile(g)?;
            f.read(value.trim()).filter(|(_, _, rest)| *rest == 0).map(|_| f)
        })
    }

    /// Reads a value that may be followed by more (`exact=False`): the local time and the offset in seconds.
    pub(super) fn parse(&self, value: &str) -> Option<(NaiveDateTime, Option<i32>)> {
        if let Some((t, o, _)) = self.read(value) {
            return Some((t, o));
        }
        // pandas searches the format anywhere in the value; the bound keeps hostile values cheap.
        value
            .char_indices()
            .skip(1)
            .take(64)
            .find_map(|(at, _)| self.read(value.get(at..)?).map(|(t, o, _)| (t, o)))
    }

    fn read(&self, value: &str) -> Option<(NaiveDateTime, Option<i32>, usize)> {
        let mut s = Reader(value.as_bytes());
        let (mut year, mut month, mut day) = (1900i32, 1u32, 1u32);
        let (mut hour, mut minute, mut second, mut micro) = (0u32, 0u32, 0u32, 0u32);
        let (mut pm, mut offset, mut ordinal) = (None, None, None);
        let mut twelve = false;
        for piece in &self.0 {
            match piece {
                Piece::Literal(c) => s.literal(*c)?,
                Piece::Space => s.spaces()?,
                Piece::Field(f) => match f {
                    'Y' => year = s.exactly(4)? as i32,
                    'y' => {
                        let y = s.exactly(2)? as i32;
                        year = if y < 69 { 2000 + y } else { 1900 + y };
                    }
                    'm' => month = s.upto(2)?,
                    'd' => day = s.upto(2)?,
                    'H' => hour = s.upto(2)?,
                    'I' => {
                        hour = s.upto(2)?;
                        twelve = true;
                    }
                    'M' => minute = s.upto(2)?,
                    'S' => second = s.upto(2)?,
                    'j' => ordinal = Some(s.upto(3)?),
                    'f' => micro = s.fraction()?,
                    'p' => pm = Some(s.name(&["am", "pm"], 2)? == 1),
                    'b' => month = s.name(&MONTHS, 3)? as u32 + 1,
                    'B' => month = s.full_name(&MONTHS)? as u32 + 1,
                    'a' => {
                        s.name(&DAYS, 3)?;
                    }
                    'A' => {
                        s.full_name(&DAYS)?;
                    }
                    'z' => offset = Some(s.offset()?),
                    _ => s.zone()?,
                },
            }
        }
        if twelve {
            hour = match (hour, pm) {
                (12, Some(false) | None) => 0,
                (12, Some(true)) => 12,
                (h, Some(true)) => h + 12,
                (h, _) => h,
            };
        }
        let date = match ordinal {
            Some(n) => NaiveDate::from_yo_opt(year, n)?,
            None => NaiveDate::from_ymd_opt(year, month, day)?,
        };
        let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micro)?;
        Some((date.and_time(time), offset, s.0.len()))
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
    fn digit(&mut self) -> Option<u32> {
        let d = self.0.first().filter(|b| b.is_ascii_digit())?;
        let d = u32::from(d - b'0');
        self.next()?;
        Some(d)
    }
    fn exactly(&mut self, n: usize) -> Option<u32> {
        (0..n).try_fold(0, |acc, _| Some(acc * 10 + self.digit()?))
    }
    fn upto(&mut self, n: usize) -> Option<u32> {
        let mut v = self.digit()?;
        for _ in 1..n {
            match self.digit() {
                Some(d) => v = v * 10 + d,
                None => break,
            }
        }
        Some(v)
    }
    fn fraction(&mut self) -> Option<u32> {
        let mut v = self.digit()?;
        let mut n = 1;
        while let Some(d) = self.digit() {
            if n < 6 {
                v = v * 10 + d;
                n += 1;
            }
        }
        Some(v * 10u32.pow(6 - n))
    }
    fn literal(&mut self, c: char) -> Option<()> {
        let mut buf = [0; 4];
        let text = c.encode_utf8(&mut buf).as_bytes();
        let rest = self.0.strip_prefix(text)?;
        self.0 = rest;
        Some(())
    }
    fn spaces(&mut self) -> Option<()> {
        let n = self.0.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if n == 0 {
            return None;
        }
        self.0 = self.0.get(n..)?;
        Some(())
    }
    fn name(&mut self, names: &[&str], len: usize) -> Option<usize> {
        let head = std::str::from_utf8(self.0.get(..len)?).ok()?.to_ascii_lowercase();
        let at = names.iter().position(|n| n.get(..len) == Some(head.as_str()))?;
        self.0 = self.0.get(len..)?;
        Some(at)
    }
    fn full_name(&mut self, names: &[&str]) -> Option<usize> {
        names.iter().position(|n| {
            let hit = self.0.get(..n.len()).is_some_and(|h| h.eq_ignore_ascii_case(n.as_bytes()));
            if hit {
                self.0 = self.0.get(n.len()..).unwrap_or_default();
            }
            hit
        })
    }
    fn offset(&mut self) -> Option<i32> {
        if self.0.first() == Some(&b'Z') {
            self.next()?;
            return Some(0);
        }
        let sign = match self.next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.exactly(2)?;
        if self.0.first() == Some(&b':') {
            self.next()?;
        }
        let minutes = self.exactly(2).unwrap_or(0);
        Some(sign * (hours * 3600 + minutes * 60) as i32)
    }
    fn zone(&mut self) -> Option<()> {
        let n = self.0.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        if n == 0 {
            return None;
        }
        self.0 = self.0.get(n..)?;
        Some(())
    }
}
