//! The expression grammar `DATETIME | DATEADD | DATETRUNC | LASTDAY | HOLIDAY | DATEDIFF`, keywords in any case.
//!
//! The original is a `pyparsing` grammar whose complaints reach the user, so that this parser words them in the same
//! way.

use super::error::TimeRangeError;

/// Nesting beyond this is refused (the original runs out of stack).
const MAX_DEPTH: usize = 48;

/// Units of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }
}

const UNITS: [Unit; 8] =
    [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// `DATETIME('text')`
    DateTime(String),
    /// `DATEADD(expression, count, unit)`
    DateAdd(Box<Expression>, Count, Unit),
    /// `DATETRUNC(expression, unit)`
    DateTrunc(Box<Expression>, Unit),
    /// `LASTDAY(expression, unit)`
    LastDay(Box<Expression>, Unit),
    /// `HOLIDAY('name'[, expression][, 'country'])`
    Holiday(String, Option<Box<Expression>>, Option<String>),
    /// `DATEDIFF(from, to[, unit])`
    DateDiff(Box<Expression>, Box<Expression>, Option<Unit>),
}

/// A literal integer (its digits) or a difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Count {
    /// Literal, as far as 64 bits reach.
    Literal(i64),
    /// `DATEDIFF(…)`
    Diff(Box<Expression>),
}

/// A complaint at a position; `|` keeps the one that got furthest.
struct Fault {
    at: usize,
    message: String,
}

/// Parses the beginning of the text; what follows a complete expression is ignored, as in the original.
pub(super) fn parse(text: &str) -> Result<Expression, TimeRangeError> {
    let parser = Parser { text };
    match parser.date_or_diff(0, MAX_DEPTH) {
        Ok((expression, _)) => Ok(expression),
        Err(fault) => Err(TimeRangeError::Value(parser.describe(&fault))),
    }
}

type Parsed<T> = Result<(T, usize), Fault>;

#[derive(Clone, Copy)]
struct Parser<'a> {
    text: &'a str,
}

impl<'a> Parser<'a> {
    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or("")
    }

    /// pyparsing skips blanks, tabs and line ends, no other white space.
    fn skip(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
    }

    fn symbol(&self, at: usize, symbol: char) -> Result<usize, Fault> {
        let at = self.skip(at);
        if self.rest(at).starts_with(symbol) {
            Ok(at + symbol.len_utf8())
        } else {
            Err(Fault { at, message: format!("Expected '{symbol}'") })
        }
    }

    fn optional_comma(&self, at: usize) -> usize {
        self.symbol(at, ',').unwrap_or(at)
    }

    fn keyword(&self, at: usize, word: &str) -> Result<usize, Fault> {
        let at = self.skip(at);
        let rest = self.rest(at);
        let end = match rest.get(..word.len()) {
            Some(head) if head.eq_ignore_ascii_case(word) => at + word.len(),
            _ => return Err(Fault { at, message: format!("Expected {word:?}").replace('"', "'") }),
        };
        match self.rest(end).chars().next() {
            Some(c) if c.is_ascii_alphanumeric() || c == '_' || c == '$' => Err(Fault {
                at: end,
                message: format!(
                    "Expected CaselessKeyword '{word}', was immediately followed by keyword character"
                ),
            }),
            _ => Ok(end),
        }
    }

    /// `"…"` or `'…'`; a doubled quote or a backslash escapes, and all of it stays in the value.
    fn quoted(&self, at: usize) -> Parsed<String> {
        let at = self.skip(at);
        let fault = |at: usize| Fault { at, message: "Expected text_operand".to_owned() };
        let mut chars = self.rest(at).char_indices().peekable();
        let quote =
            chars.next().map(|(_, c)| c).filter(|c| matches!(c, '"' | '\'')).ok_or_else(|| fault(at))?;
        while let Some((i, c)) = chars.next() {
            match c {
                '\n' | '\r' => return Err(fault(at + i)),
                '\\' => match chars.next() {
                    Some((_, 'x')) => {
                        if chars.next_if(|(_, c)| c.is_ascii_hexdigit()).is_none() {
                            return Err(fault(at + i));
                        }
                    }
                    Some(_) => {}
                    None => return Err(fault(at + i)),
                },
                c if c == quote && chars.next_if(|(_, c)| *c == quote).is_none() => {
                    let end = at + i;
                    return Ok((self.text.get(at + 1..end).unwrap_or("").to_owned(), end + 1));
                }
                _ => {}
            }
        }
        Err(fault(self.text.len()))
    }

    fn unit(&self, at: usize, units: &[Unit]) -> Parsed<Unit> {
        let start = self.skip(at);
        let mut furthest: Option<Fault> = None;
        for unit in units {
            match self.keyword(at, unit.name()) {
                Ok(end) => return Ok((*unit, end)),
                Err(fault) if fault.at > furthest.as_ref().map_or(start, |f| f.at) => furthest = Some(fault),
                Err(_) => {}
            }
        }
        let names: Vec<_> = units.iter().map(|u| format!("'{}'", u.name())).collect();
        Err(furthest
            .unwrap_or_else(|| Fault { at: start, message: format!("Expected {{{}}}", names.join(" | ")) }))
    }

    fn integer(&self, at: usize) -> Option<(i64, usize)> {
        let at = self.skip(at);
        let rest = self.rest(at);
        let (negative, digits) = match rest.strip_prefix('-') {
            Some(tail) => (true, tail),
            None => (false, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        // Longer numbers leave the calendar anyway.
        let value = digits.get(..length).and_then(|d| d.parse::<i64>().ok()).unwrap_or(i64::MAX / 4);
        let end = at + (rest.len() - digits.len()) + length;
        Some((if negative { -value } else { value }, end))
    }

    /// A function that yields a moment.
    fn date(&self, at: usize, depth: usize) -> Parsed<Expression> {
        self.alternatives(at, depth, false)
    }

    fn date_or_diff(&self, at: usize, depth: usize) -> Parsed<Expression> {
        self.alternatives(at, depth, true)
    }

    fn alternatives(&self, at: usize, depth: usize, diff: bool) -> Parsed<Expression> {
        let start = self.skip(at);
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Fault { at: start, message: "Expression is nested too deeply".to_owned() });
        };
        let mut furthest: Option<Fault> = None;
        let names = ["datetime", "dateadd", "datetrunc", "lastday", "holiday", "datediff"];
        let names = names.get(..if diff { 6 } else { 5 }).unwrap_or(&[]);
        for name in names {
            match self.function(start, name, depth) {
                Ok(parsed) => return Ok(parsed),
                Err(fault) if fault.at > furthest.as_ref().map_or(start, |f| f.at) => furthest = Some(fault),
                Err(_) => {}
            }
        }
        Err(furthest
            .unwrap_or_else(|| Fault { at: start, message: format!("Expected {{{}}}", names.join(" | ")) }))
    }

    fn function(&self, at: usize, name: &str, depth: usize) -> Parsed<Expression> {
        let at = self.keyword(at, name)?;
        let at = self.symbol(at, '(')?;
        let (expression, at) = match name {
            "datetime" => self.quoted(at).map(|(text, at)| (Expression::DateTime(text), at))?,
            "dateadd" => {
                let (date, at) = self.date(at, depth)?;
                let (count, at) = self.count(self.symbol(at, ',')?, depth)?;
                let (unit, at) = self.unit(self.symbol(at, ',')?, &UNITS)?;
                (Expression::DateAdd(Box::new(date), count, unit), self.optional_comma(at))
            }
            "datetrunc" => {
                let (date, at) = self.date(at, depth)?;
                let (unit, at) = self.unit(self.symbol(at, ',')?, &UNITS)?;
                (Expression::DateTrunc(Box::new(date), unit), self.optional_comma(at))
            }
            "lastday" => {
                let (date, at) = self.date(at, depth)?;
                let (unit, at) = self.unit(self.symbol(at, ',')?, &[Unit::Year, Unit::Month, Unit::Week])?;
                (Expression::LastDay(Box::new(date), unit), self.optional_comma(at))
            }
            "datediff" => self.diff_arguments(at, depth)?,
            _ => self.holiday_arguments(at, depth)?,
        };
        Ok((expression, self.symbol(at, ')')?))
    }

    fn count(&self, at: usize, depth: usize) -> Parsed<Count> {
        if let Some((value, end)) = self.integer(at) {
            return Ok((Count::Literal(value), end));
        }
        let start = self.skip(at);
        match self.function(start, "datediff", depth) {
            Ok((expression, end)) => Ok((Count::Diff(Box::new(expression)), end)),
            Err(fault) if fault.at > start => Err(fault),
            Err(_) => Err(Fault { at: start, message: "Expected {int_operand | datediff}".to_owned() }),
        }
    }

    fn diff_arguments(&self, at: usize, depth: usize) -> Parsed<Expression> {
        let (from, at) = self.date(at, depth)?;
        let (to, at) = self.date(self.symbol(at, ',')?, depth)?;
        let tail = self.symbol(at, ',').and_then(|at| self.unit(at, &[Unit::Year, Unit::Day]));
        let (unit, at) = match tail {
            Ok((unit, at)) => (Some(unit), self.optional_comma(at)),
            Err(_) => (None, at),
        };
        Ok((Expression::DateDiff(Box::new(from), Box::new(to), unit), at))
    }

    fn holiday_arguments(&self, at: usize, depth: usize) -> Parsed<Expression> {
        let (name, at) = self.quoted(at)?;
        let at = self.optional_comma(at);
        let (date, at) = match self.date(at, depth) {
            Ok((date, at)) => (Some(Box::new(date)), at),
            Err(_) => (None, at),
        };
        let at = self.optional_comma(at);
        let (country, at) = match self.quoted(at) {
            Ok((country, at)) => (Some(country), at),
            Err(_) => (None, at),
        };
        Ok((Expression::Holiday(name, date, country), self.optional_comma(at)))
    }

    /// `str(ParseException)`.
    fn describe(&self, fault: &Fault) -> String {
        let rest = self.rest(fault.at);
        let found = match rest.chars().next() {
            None => "end of text".to_owned(),
            Some(first) => {
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).take(16).collect();
                let word = if word.is_empty() { first.to_string() } else { word };
                if word == "'" { "\"'\"".to_owned() } else { format!("'{word}'") }
            }
        };
        let before = self.text.get(..fault.at).unwrap_or("");
        let char_at = before.chars().count();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        format!("{}, found {found}  (at char {char_at}), (line:{line}, col:{column})", fault.message)
    }
}
