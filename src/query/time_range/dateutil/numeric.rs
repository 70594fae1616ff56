//! What a numeric token means, by its length and by what follows it.

use super::Found;
use super::words::{adjust_ampm, ampm, hms, jump, month};
use super::ymd::Label;

/// A decimal number in two halves.
struct Number {
    whole: i64,
    fraction: String,
}

fn number(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    // Numbers beyond 64 bits are no part of a date.
    Some(Number { whole: whole.parse().ok()?, fraction: fraction.to_owned() })
}

impl Number {
    /// `int(60 * (value % 1))`, nothing when there is no fraction.
    fn sixtieths(&self) -> Option<i64> {
        let digits: String = self.fraction.chars().take(16).collect();
        let scale = 10_i64.checked_pow(u32::try_from(digits.len()).ok()?)?;
        if digits.is_empty() {
            return None;
        }
        Some(60 * digits.parse::<i64>().ok()? / scale)
    }
}

/// Seconds and microseconds.
fn seconds(text: &str) -> Option<(i64, i64)> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Some((text.parse().ok()?, 0));
    };
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some((whole.parse().ok()?, micros.parse().ok()?))
}

/// Takes the number at `i`; returns the index of the last token that was used.
pub(super) fn take(tokens: &[String], i: usize, found: &mut Found) -> Option<usize> {
    let text = tokens.get(i)?.as_str();
    let value = number(text)?;
    let at = |n: usize| tokens.get(i + n).map(String::as_str);
    let length = text.len();
    let plain = !text.contains('.');

    if found.ymd.len() == 3
        && matches!(length, 2 | 4)
        && found.hour.is_none()
        && at(1).is_none_or(|next| next != ":" && hms(next).is_none())
    {
        // 19990101T23[59]
        found.hour = Some(text.get(..2)?.parse().ok()?);
        if length == 4 {
            found.minute = Some(text.get(2..)?.parse().ok()?);
        }
    } else if length == 6 || (length > 6 && text.find('.') == Some(6)) {
        if found.ymd.len() == 0 && plain {
            for part in [text.get(..2)?, text.get(2..4)?, text.get(4..)?] {
                found.ymd.push_text(part)?;
            }
        } else {
            // 19990101T235959[.59]
            found.hour = Some(text.get(..2)?.parse().ok()?);
            found.minute = Some(text.get(2..4)?.parse().ok()?);
            let (second, micros) = seconds(text.get(4..)?)?;
            (found.second, found.microsecond) = (Some(second), Some(micros));
        }
    } else if matches!(length, 8 | 12 | 14) {
        found.ymd.push_text_as(text.get(..4)?, Some(Label::Year))?;
        found.ymd.push_text(text.get(4..6)?)?;
        found.ymd.push_text(text.get(6..8)?)?;
        if length > 8 {
            found.hour = Some(text.get(8..10)?.parse().ok()?);
            found.minute = Some(text.get(10..12)?.parse().ok()?);
        }
        if length > 12 {
            found.second = Some(text.get(12..)?.parse().ok()?);
        }
    } else if let Some(label) = unit_index(tokens, i) {
        let unit = hms(tokens.get(label)?)?;
        // A unit before the number names the previous one: the "04" of "12h04" are minutes.
        let unit = if label > i { unit } else { unit + 1 };
        assign(found, text, &value, unit)?;
        return Some(label.max(i));
    } else if at(1) == Some(":") && at(2).is_some() {
        // HH:MM[:SS[.ss]]
        found.hour = Some(value.whole);
        let minutes = number(at(2)?)?;
        (found.minute, found.second) = (Some(minutes.whole), minutes.sixtieths());
        if at(3) == Some(":") && at(4).is_some() {
            let (second, micros) = seconds(at(4)?)?;
            (found.second, found.microsecond) = (Some(second), Some(micros));
            return Some(i + 4);
        }
        return Some(i + 2);
    } else if let Some(sep @ ("-" | "/" | ".")) = at(1) {
        return separated(tokens, i, sep, found);
    } else if at(1).is_none_or(jump) {
        if let Some(pm) = at(2).and_then(ampm) {
            // 12 am
            found.hour = Some(adjust_ampm(value.whole, pm));
            return Some(i + 2);
        }
        // `val > 100` looks at the fraction too; 100.5 is a year of 100.
        let label = (value.whole == 100 && !value.fraction.is_empty()).then_some(Label::Year);
        found.ymd.push(value.whole, label)?;
        return Some(i + 1);
    } else if let Some(pm) = at(1).and_then(ampm).filter(|_| (0..24).contains(&value.whole)) {
        found.hour = Some(adjust_ampm(value.whole, pm));
        return Some(i + 1);
    } else if found.ymd.could_be_day(value.whole, !value.fraction.is_empty())? {
        found.ymd.push(value.whole, None)?;
    } else {
        return None;
    }
    Some(i)
}

/// `01-02[-03]`, `01-Jan[-03]`.
fn separated(tokens: &[String], i: usize, sep: &str, found: &mut Found) -> Option<usize> {
    let at = |n: usize| tokens.get(i + n).map(String::as_str);
    found.ymd.push_text(at(0)?)?;
    let Some(second) = at(2).filter(|t| !jump(t)) else {
        return Some(i + 1);
    };
    if second.bytes().all(|b| b.is_ascii_digit()) {
        found.ymd.push_text(second)?;
    } else {
        found.ymd.push(month(second)?, Some(Label::Month))?;
    }
    if at(3) != Some(sep) {
        return Some(i + 2);
    }
    let third = at(4)?;
    match month(third) {
        Some(value) => found.ymd.push(value, Some(Label::Month))?,
        None => found.ymd.push_text(third)?,
    }
    Some(i + 4)
}

/// Where the unit (h, m, s) of the number at `i` stands, if it has one.
fn unit_index(tokens: &[String], i: usize) -> Option<usize> {
    let unit_at = |index: usize| tokens.get(index).is_some_and(|t| hms(t).is_some());
    let blank_at = |index: usize| tokens.get(index).is_some_and(|t| t == " ");
    if unit_at(i + 1) {
        Some(i + 1)
    } else if blank_at(i + 1) && unit_at(i + 2) {
        Some(i + 2)
    } else if i > 0 && unit_at(i - 1) {
        Some(i - 1)
    } else if i > 1 && i + 1 == tokens.len() && blank_at(i - 1) && unit_at(i - 2) {
        Some(i - 2)
    } else {
        None
    }
}

fn assign(found: &mut Found, text: &str, value: &Number, unit: u8) -> Option<()> {
    match unit {
        0 => {
            found.hour = Some(value.whole);
            if let Some(minutes) = value.sixtieths() {
                found.minute = Some(minutes);
            }
        }
        1 => (found.minute, found.second) = (Some(value.whole), value.sixtieths()),
        2 => {
            let (second, micros) = seconds(text)?;
            (found.second, found.microsecond) = (Some(second), Some(micros));
        }
        _ => {}
    }
    Some(())
}
