//! The words and shapes that the reader knows.

use std::sync::LazyLock;

use regex::Regex;

use super::super::pattern::compiled;

pub(super) const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "mon"],
    &["tuesday", "tues", "tue"],
    &["wednesday", "wed"],
    &["thursday", "thu"],
    &["friday", "fri"],
    &["saturday", "sat"],
    &["sunday", "sun"],
];

pub(super) const MONTHS: [&str; 24] = [
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
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
];

const NUMBERS: &str = "zero|one|a|an|two|three|four|five|six|seven|eight|nine|ten|eleven|thirteen|\
     fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty";
// Longest first, as the original sorts them.
const UNITS: &str = "seconds|minutes|second|minute|months|hours|weeks|month|years|secs|mins|\
     hour|days|week|year|sec|min|day|mth|hr|dy|wk|yr|s|m|h|d|w|y";
const BEFORE_TIME: &str = r#"(?:[\s(\["'-]|^)"#;

/// A lazily compiled pattern, in any case.
pub(super) struct Pattern(LazyLock<Option<Regex>>);

impl Pattern {
    pub(super) fn find<'t>(&self, text: &'t str) -> Option<regex::Match<'t>> {
        self.0.as_ref().and_then(|re| re.find(text))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<regex::Captures<'t>> {
        self.0.as_ref().and_then(|re| re.captures(text))
    }

    pub(super) fn last<'t>(&self, text: &'t str) -> Option<regex::Match<'t>> {
        self.0.as_ref().and_then(|re| re.find_iter(text).last())
    }

    fn replace(&self, text: &str, by: &str) -> String {
        self.0.as_ref().map_or_else(|| text.to_owned(), |re| re.replace_all(text, by).into_owned())
    }
}

pub(super) static MODIFIER: Pattern = Pattern(LazyLock::new(|| {
    compiled(r"(?i)\b(?:from|before|after|ago|prior|prev|last|next|previous|end of|this|eod|eom|eoy)\b")
}));
pub(super) static UNITS_RE: Pattern = Pattern(LazyLock::new(|| {
    compiled(&format!(r"(?i)\b(?P<qty>-?(?:[0-9]+(?:\.[0-9]+|)|(?:{NUMBERS})\b)\s*(?P<units>{UNITS}))\b"))
}));
pub(super) static SHORT_UNITS_RE: Pattern = Pattern(LazyLock::new(|| {
    compiled(&format!(
        r"(?i)\b(?P<qty>-?(?:[0-9]+(?:\.[0-9]+|)|(?:{NUMBERS})\s+)\s*(?P<units>h|m|s|d|w|y))\b"
    ))
}));
pub(super) static DAY_SUFFIX: Pattern =
    Pattern(LazyLock::new(|| compiled(r"(?i)(?P<day>[0-9][0-9]?)(?P<suffix>rd|st|nd|th)?")));
pub(super) static NUMBER: Pattern =
    Pattern(LazyLock::new(|| compiled(&format!(r"(?i)(\b(?:{NUMBERS})\b|[0-9]+(?:\.[0-9]+|))"))));
pub(super) static WEEKDAY: Pattern = Pattern(LazyLock::new(|| {
    compiled(
        r"(?i)\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues|tue|wed|thu|fri|sat|sun)\b",
    )
}));
pub(super) static DATE: Pattern = Pattern(LazyLock::new(|| {
    compiled(&format!(
        r"(?ix){BEFORE_TIME}
        (?P<date>[0-9][0-9]?[/.\-][0-9][0-9]?(?:[/.\-][0-9][0-9](?:[0-9][0-9])?)?
        |[0-9]{{4}}[/.\-][0-9][0-9]?[/.\-][0-9][0-9]?)\b"
    ))
}));
pub(super) static DAY_WORD: Pattern =
    Pattern(LazyLock::new(|| compiled(r"(?i)\b(?:tomorrow|today|yesterday)\b")));
pub(super) static TIME_WORD: Pattern = Pattern(LazyLock::new(|| {
    compiled(r"(?i)\b(?:noon|afternoon|lunch|morning|breakfast|dinner|evening|midnight|night|tonight|eod)\b")
}));
// A separator that is used once must be used again: both forms are written out, since there are no back-references
// here.
pub(super) static CLOCK: Pattern = Pattern(LazyLock::new(|| {
    compiled(&format!(
        r"(?ix){BEFORE_TIME}
        (?:(?P<h1>[0-9][0-9]?):(?P<m1>[0-9][0-9])(?::(?P<s1>[0-9][0-9](?:[.,][0-9]+)?))?
        |(?P<h2>[0-9][0-9]?)(?P<m2>[0-9][0-9])(?P<s2>[0-9][0-9](?:[.,][0-9]+)?)?)\b"
    ))
}));
pub(super) static MERIDIAN: Pattern = Pattern(LazyLock::new(|| {
    let tail = |n: u8| {
        format!(
            r"(?::(?P<m{n}>[0-9][0-9]?)(?::(?P<s{n}>[0-9][0-9]?(?:[.,][0-9]+)?))?
            |(?P<m{n}b>[0-9][0-9]?)(?P<s{n}b>[0-9][0-9]?(?:[.,][0-9]+)?)?)?"
        )
    };
    compiled(&format!(
        r"(?ix){BEFORE_TIME}
        (?:(?P<h1>[0-9][0-9]){}\s*(?P<x1>am|pm|a\.m\.|p\.m\.|a|p)\b
        |(?P<h2>[0-9]){}\s*(?P<x2>am|pm|a\.m\.|p\.m\.|a|p)\b)",
        tail(1),
        tail(2)
    ))
}));
static DOT: Pattern = Pattern(LazyLock::new(|| compiled(r"(\w)\.(\s)")));
static CLOSING_QUOTE: Pattern = Pattern(LazyLock::new(|| compiled(r#"(\w)['"](\s|$)"#)));
static OPENING_QUOTE: Pattern = Pattern(LazyLock::new(|| compiled(r#"(\s|^)['"](\w)"#)));

/// Full stops after words and quotes around them mean nothing.
pub(super) fn without_dots_and_quotes(text: &str) -> String {
    let text = DOT.replace(text, "$1$2");
    let text = CLOSING_QUOTE.replace(&text, "$1 $2");
    OPENING_QUOTE.replace(&text, "$1 $2")
}

/// Hours, minutes, seconds and am/pm of a [`CLOCK`] or [`MERIDIAN`] match, in whichever form it matched.
pub(super) struct TimeGroups<'t> {
    pub(super) hours: regex::Match<'t>,
    pub(super) minutes: Option<regex::Match<'t>>,
    pub(super) seconds: Option<regex::Match<'t>>,
    pub(super) meridian: Option<regex::Match<'t>>,
    pub(super) whole: regex::Match<'t>,
}

impl<'t> TimeGroups<'t> {
    pub(super) fn from_captures(captures: &regex::Captures<'t>) -> Option<Self> {
        let first = |names: &[&str]| names.iter().find_map(|name| captures.name(name));
        Some(Self {
            hours: first(&["h1", "h2"])?,
            minutes: first(&["m1", "m1b", "m2", "m2b"]),
            seconds: first(&["s1", "s1b", "s2", "s2b"]),
            meridian: first(&["x1", "x2"]),
            whole: captures.get(0)?,
        })
    }
}

/// 0 is Monday.
pub(super) fn weekday_index(name: &str) -> Option<i64> {
    WEEKDAYS.iter().position(|names| names.contains(&name)).and_then(|i| i64::try_from(i).ok())
}

/// 1 is January.
pub(super) fn month_index(name: &str) -> Option<i64> {
    MONTHS.iter().position(|n| *n == name).and_then(|i| i64::try_from(i % 12 + 1).ok())
}

/// The hour that a part of the day stands for.
pub(super) fn hour_of(word: &str) -> Option<i64> {
    Some(match word {
        "noon" | "lunch" => 12,
        "afternoon" => 13,
        "morning" => 6,
        "breakfast" => 8,
        "dinner" => 19,
        "evening" => 18,
        "midnight" => 0,
        "night" | "tonight" => 21,
        "eod" => 17,
        _ => return None,
    })
}

/// `5`, `2.5` or a number word; nothing at all is one, anything else zero.
pub(super) fn quantity(text: &str) -> f64 {
    if text.is_empty() {
        return 1.0;
    }
    if let Ok(value) = text.replace(',', ".").parse::<f64>() {
        return value;
    }
    const WORDS: [&str; 23] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "a",
        "an",
    ];
    match WORDS.iter().position(|word| *word == text) {
        Some(21 | 22) => 1.0,
        Some(i) => u32::try_from(i).map_or(0.0, f64::from),
        None => 0.0,
    }
}
