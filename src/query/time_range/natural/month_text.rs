//! Finds a date with the name of a month: up to three of month name, day and year, in any order, at least the name.
//!
//! The original is a regular expression with look-ahead and a condition on a group. Each of the three pieces has few
//! ways to match, so that trying them all stays linear in the length of the text.

use super::patterns::MONTHS;

/// Spans of the pieces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MonthText {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) month: (usize, usize),
    pub(super) day: Option<(usize, usize)>,
    pub(super) year: Option<(usize, usize)>,
}

#[derive(Clone, Copy, Default)]
struct Pieces {
    month: Option<(usize, usize)>,
    day: Option<(usize, usize)>,
    year: Option<(usize, usize)>,
}

/// The first such date.
pub(super) fn find(text: &str) -> Option<MonthText> {
    // A match starts at the beginning, at white space or at a comma.
    let starts =
        text.char_indices().filter(|(i, c)| *i == 0 || c.is_whitespace() || *c == ',').map(|(i, _)| i);
    starts.into_iter().find_map(|start| {
        let (end, pieces) = more(text, start, 3, Pieces::default())?;
        Some(MonthText { start, end, month: pieces.month?, day: pieces.day, year: pieces.year })
    })
}

/// As many pieces as possible, backing off until a month name is among them.
fn more(text: &str, at: usize, left: u8, pieces: Pieces) -> Option<(usize, Pieces)> {
    if left > 0 {
        for (end, next) in options(text, at, pieces) {
            if let Some(found) = more(text, end, left - 1, next) {
                return Some(found);
            }
        }
    }
    (left < 3 && pieces.month.is_some()).then_some((at, pieces))
}

/// The ways in which one piece can match here, in the order of the original's alternatives.
fn options(text: &str, at: usize, pieces: Pieces) -> Vec<(usize, Pieces)> {
    let mut out = Vec::new();
    let spaced = skip_blank(text, at);
    let mut starts = Vec::new();
    if at == 0 {
        starts.push(0);
    }
    if spaced > at {
        starts.push(spaced);
    }
    for &start in &starts {
        for month in MONTHS {
            let end = start + month.len();
            if text.get(start..end).is_some_and(|t| t.eq_ignore_ascii_case(month)) && boundary(text, end) {
                out.push((end, Pieces { month: Some((start, end)), ..pieces }));
            }
        }
    }
    for &start in &starts {
        for (day, end) in days(text, start) {
            out.push((end, Pieces { day: Some((start, day)), ..pieces }));
        }
    }
    // ,?\s+ and two or four digits
    let comma = at + usize::from(text.get(at..).is_some_and(|t| t.starts_with(',')));
    let start = skip_blank(text, comma);
    if start > comma {
        for length in [4, 2] {
            let end = start + length;
            if digits(text, start, length) && boundary(text, end) && !time_follows(text, end) {
                out.push((end, Pieces { year: Some((start, end)), ..pieces }));
            }
        }
    }
    out
}

/// Ends of the number and of its suffix, for a day of the month.
fn days(text: &str, start: usize) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for length in [1, 2] {
        let number = start + length;
        let first = text.as_bytes().get(start).copied().unwrap_or(0);
        let second = text.as_bytes().get(start + 1).copied().unwrap_or(0);
        let valid = digits(text, start, length)
            && if length == 1 {
                first != b'0'
            } else {
                matches!(first, b'0'..=b'2') || (first == b'3' && matches!(second, b'0' | b'1'))
            };
        if !valid {
            continue;
        }
        for suffix in ["rd", "st", "nd", "th", ""] {
            let end = number + suffix.len();
            if text.get(number..end).is_some_and(|t| t.eq_ignore_ascii_case(suffix))
                && boundary(text, end)
                && !time_follows(text, end)
            {
                out.push((number, end));
                break;
            }
        }
    }
    out
}

fn digits(text: &str, start: usize, length: usize) -> bool {
    text.as_bytes().get(start..start + length).is_some_and(|b| b.iter().all(u8::is_ascii_digit))
}

fn skip_blank(text: &str, at: usize) -> usize {
    text.get(at..).map_or(at, |t| at + t.len() - t.trim_start().len())
}

/// `\b` after a word character.
fn boundary(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|t| !t.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// `\s*(:|AM|PM)`
fn time_follows(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or("").trim_start();
    rest.starts_with(':')
        || rest.get(..2).is_some_and(|t| t.eq_ignore_ascii_case("am") || t.eq_ignore_ascii_case("pm"))
}
