//! From the text of an expression to the values of its fields, with croniter's own words for what it refuses.

use super::{Cron, DAY, Field, MONTH, Nth, WEEKDAY};

/// The lowest and the highest value of each field.
const RANGES: [(u32, u32); 7] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (0, 59), (1970, 2099)];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// No column of the metadata database holds more.
const MAX_LENGTH: usize = 1000;

/// Why an expression is refused: class and text of croniter's exception.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The syntax, or a value out of its range.
    #[error("CroniterBadCronError: {0}")]
    BadCron(String),
    /// Neither a number nor the name of a day or month.
    #[error("CroniterNotAlphaError: {0}")]
    NotAlpha(String),
    /// Weekdays beside weekdays of a month.
    #[error("CroniterUnsupportedSyntaxError: {0}")]
    Unsupported(String),
}

/// Parses an expression.
pub(super) fn expand(expression: &str) -> Result<Cron, CronError> {
    let lower = expression.to_lowercase();
    let text = match lower.as_str() {
        "@midnight" | "@daily" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        other => other,
    };
    let parts: Vec<&str> = text.split_whitespace().collect();
    if !(5..=7).contains(&parts.len()) || expression.len() > MAX_LENGTH {
        let text = "Exactly 5, 6 or 7 columns has to be specified for iterator expression.";
        return Err(CronError::BadCron(text.to_owned()));
    }
    let mut reader = Reader { expression, parts: &parts, nth: Vec::new() };
    let fields = (0..parts.len()).map(|i| reader.field(i)).collect::<Result<Vec<_>, _>>()?;
    reader.check_mixture(&fields[WEEKDAY])?;
    Ok(Cron { fields, nth: reader.nth })
}

struct Reader<'a> {
    /// As it was written, for messages.
    expression: &'a str,
    /// In lower case.
    parts: &'a [&'a str],
    nth: Vec<(u32, Nth)>,
}

impl Reader<'_> {
    fn bad(&self, what: &str) -> CronError {
        CronError::BadCron(format!("[{}] is not acceptable{what}", self.expression))
    }

    fn not_alpha(&self) -> CronError {
        CronError::NotAlpha(format!("[{}] is not acceptable", self.parts.join(" ")))
    }

    fn field(&mut self, i: usize) -> Result<Field, CronError> {
        let text = self.scattered(i)?.unwrap_or_else(|| self.parts[i].to_owned());
        let text = match text.as_str() {
            "?" if matches!(i, DAY | WEEKDAY) => "*",
            "?" => {
                return Err(self.bad(". Question mark can only used in day_of_month or day_of_week"));
            }
            mixed if mixed.contains('?') => {
                return Err(self.bad(". Question mark can not used with other characters"));
            }
            other => other,
        };
        let mut field = Field::default();
        // croniter begins at the end, and so do its errors
        for element in text.rsplit(',') {
            self.element(i, element, &mut field)?;
        }
        field.values.sort_unstable();
        field.values.dedup();
        let (min, max) = RANGES[i];
        let count = field.values.len() + usize::from(field.any) + usize::from(field.last);
        let is_alone = match i {
            DAY => self.parts[WEEKDAY].contains('*'),
            WEEKDAY => self.parts[DAY].contains('*'),
            _ => true,
        };
        if u32::try_from(count).is_ok_and(|count| count == max - min + 1) && is_alone {
            return Ok(Field { any: true, ..Field::default() });
        }
        Ok(field)
    }

    /// One of the elements between commas.
    fn element(&mut self, i: usize, text: &str, field: &mut Field) -> Result<(), CronError> {
        let (text, nth) = if i == WEEKDAY { self.nth_weekday(text)? } else { (text, None) };
        let max = RANGES[i].1;
        // `*/5` means 0-59/5, and `10/5` means 10-59/5
        let ranged = match text.strip_prefix("*/").filter(|step| !step.is_empty()) {
            Some(step) => format!("{}-{max}/{step}", RANGES[i].0),
            None => text.to_owned(),
        };
        let range = split_range(&ranged).or_else(|| {
            let (start, step) = text.rsplit_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty())?;
            let (low, high, step) = split_range(&format!("{start}-{max}/{step}"))?;
            Some((low, high, step))
        });
        if let Some((low, high, step)) = range {
            for value in self.range(i, &low, &high, step)?.into_iter().rev() {
                self.value(i, value, nth, field)?;
            }
            return Ok(());
        }
        if text.starts_with('-') {
            return Err(self.bad(",negative numbers not allowed"));
        }
        match (number(text), text) {
            (Some(value), _) => self.value(i, self.alias(i, value), nth, field),
            (None, "*") => {
                field.any = true;
                Ok(())
            }
            (None, "l") if i == DAY => {
                field.last = true;
                Ok(())
            }
            (None, name) => {
                let value = named(i, name).ok_or_else(|| self.not_alpha())?;
                self.value(i, self.alias(i, value), nth, field)
            }
        }
    }

    fn value(&mut self, i: usize, value: u32, nth: Option<Nth>, field: &mut Field) -> Result<(), CronError> {
        let (min, max) = RANGES[i];
        if !(min..=max).contains(&value) {
            return Err(self.bad(", out of range"));
        }
        field.values.push(value);
        if let Some(nth) = nth
            && !self.nth.contains(&(value, nth))
        {
            self.nth.push((value, nth));
        }
        Ok(())
    }

    /// `5#2`, `mon-fri#1`, `l5`: the weekdays, and which ones of the month.
    fn nth_weekday<'t>(&self, text: &'t str) -> Result<(&'t str, Option<Nth>), CronError> {
        if let Some(day) = text.strip_prefix('l').filter(|day| number(day).is_some()) {
            return Ok((day, Some(Nth::Last)));
        }
        let Some((days, nth)) =
            text.rsplit_once('#').filter(|(days, nth)| is_word(days) && number(nth).is_some())
        else {
            return Ok((text, None));
        };
        let nth = number(nth).unwrap_or_default();
        if !(1..=5).contains(&nth) {
            return Err(self.bad(&format!(". Invalid day_of_week value: '{nth}'")));
        }
        Ok((days, Some(Nth::Nth(nth))))
    }

    fn range(&self, i: usize, low: &str, high: &str, step: u32) -> Result<Vec<u32>, CronError> {
        let (min, max) = RANGES[i];
        let high = if i == DAY && high == "l" { "31" } else { high };
        let value = |text: &str| match number(text).or_else(|| named(i, text)) {
            Some(value) => Ok(Some(value)),
            None if i == DAY && text == "l" => Ok(None),
            None => Err(self.not_alpha()),
        };
        let (Some(from), Some(to)) = (value(low)?, value(high)?) else {
            let text = format!("[{}] bands '{low}-{high}' in field {i} are not acceptable", self.expression);
            return Err(CronError::BadCron(text));
        };
        let (from, to) = (self.alias(i, from), self.alias(i, to));
        if from.max(to) > max {
            return Err(CronError::BadCron(format!("{} is out of bands", self.expression)));
        }
        let Some(by) = usize::try_from(step).ok().filter(|step| *step > 0) else {
            return Err(CronError::BadCron("invalid range: range() arg 3 must not be zero".to_owned()));
        };
        if from == to {
            return Ok((min..=max).step_by(by).collect());
        }
        if from < to {
            return Ok((from..=to).step_by(by).collect());
        }
        // around the end, as croniter counts there
        let mut values: Vec<u32> = (from..=max).step_by(by).collect();
        let last = values.last().copied().unwrap_or(from);
        let Some(place) = last.checked_sub(min) else {
            return Err(self.bad(""));
        };
        let left = max - last;
        let goes_over = place.saturating_add(step) > max - min + 1 && left < step;
        let skipped = if goes_over { step - left } else { 0 };
        values.extend((min.saturating_add(skipped)..=to).step_by(by));
        Ok(values)
    }

    /// Sunday as 7 in five fields; with more of them croniter takes a day 0 for 1 instead.
    fn alias(&self, i: usize, value: u32) -> u32 {
        match (i, value, self.parts.len()) {
            (WEEKDAY, 7, 5) => 0,
            (DAY, 0, 6) => 1,
            _ => value,
        }
    }

    /// `r`, `r(1-5)`, `r/15`: croniter draws lots at each evaluation; here the expression decides. `h` wants a name,
    /// which Superset does not give.
    fn scattered(&self, i: usize) -> Result<Option<String>, CronError> {
        let Some((kind, range, divisor)) = split_scattered(self.parts[i]) else { return Ok(None) };
        if kind == 'h' {
            return Err(CronError::BadCron("Hashed definitions must include hash_id".to_owned()));
        }
        let bad = || CronError::BadCron(format!("Bad expression: {}", self.parts[i]));
        let (begin, end) = range.unwrap_or(RANGES[i]);
        if range.is_some() && begin >= end {
            return Err(CronError::BadCron("Range end must be greater than range begin".to_owned()));
        }
        let draw = |begin: u32, end: u32| {
            let sum = self
                .parts
                .iter()
                .flat_map(|part| part.bytes())
                .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            (sum >> i) % (end - begin).saturating_add(1) + begin
        };
        Ok(Some(match divisor {
            Some(0) => return Err(bad()),
            Some(divisor) => {
                let first = draw(begin, begin.saturating_add(divisor - 1));
                format!("{first}-{end}/{divisor}")
            }
            None => draw(begin, end).to_string(),
        }))
    }

    /// Weekdays beside weekdays of a month are refused, unless there are seven of them.
    fn check_mixture(&self, weekdays: &Field) -> Result<(), CronError> {
        let is_nth = |day: &u32| self.nth.iter().any(|(nth, _)| nth == day);
        let plain: Vec<String> =
            weekdays.values.iter().filter(|day| !is_nth(day)).map(u32::to_string).collect();
        let count = weekdays.values.len() + usize::from(weekdays.any);
        if self.nth.is_empty() || plain.is_empty() || count == DAYS.len() {
            return Ok(());
        }
        let mut of_month: Vec<(u32, Vec<String>)> = Vec::new();
        for (day, nth) in &self.nth {
            let nth = match nth {
                Nth::Nth(nth) => nth.to_string(),
                Nth::Last => "'l'".to_owned(),
            };
            match of_month.iter_mut().find(|(known, _)| known == day) {
                Some((_, known)) => {
                    known.push(nth);
                    known.sort_unstable();
                }
                None => of_month.push((*day, vec![nth])),
            }
        }
        let of_month: Vec<String> =
            of_month.iter().map(|(day, nth)| format!("{day}: {{{}}}", nth.join(", "))).collect();
        Err(CronError::Unsupported(format!(
            "day-of-week field does not support mixing literal values and nth day of week syntax.  Cron: '{}'    \
             dow={{{}}} vs nth={{{}}}",
            self.expression,
            plain.join(", "),
            of_month.join(", ")
        )))
    }
}

/// A number; what is too large for one is larger than any field.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

fn named(i: usize, text: &str) -> Option<u32> {
    let place = |names: &[&str]| names.iter().position(|n| *n == text).and_then(|at| u32::try_from(at).ok());
    match i {
        MONTH => place(&MONTHS).map(|at| at + 1),
        WEEKDAY => place(&DAYS),
        _ => None,
    }
}

/// `low-high` or `low-high/step`.
fn split_range(text: &str) -> Option<(String, String, u32)> {
    let (low, rest) = text.split_once('-').filter(|(low, _)| !low.is_empty())?;
    let (high, step) = match rest.split_once('/') {
        Some((high, step)) => (high, number(step)?),
        None => (rest, 1),
    };
    let is_plain = !high.is_empty() && !high.contains(['-', '/']);
    is_plain.then(|| (low.to_owned(), high.to_owned(), step))
}

/// What may stand before `#`: a name, a number, or a range of names.
fn is_word(text: &str) -> bool {
    let is_name = |names: &[&str], text: &str| names.contains(&text);
    let between = |names: &[&str]| {
        text.split_once('-').is_some_and(|(low, high)| is_name(names, low) && is_name(names, high))
    };
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        || between(&DAYS)
        || between(&MONTHS)
}

/// `h` or `r`, a range, a divisor.
type Scattered = (char, Option<(u32, u32)>, Option<u32>);

fn split_scattered(text: &str) -> Option<Scattered> {
    let kind = text.chars().next().filter(|c| matches!(c, 'h' | 'r'))?;
    let rest = &text[1..];
    let (range, rest) = match rest.strip_prefix('(') {
        Some(inner) => {
            let (range, rest) = inner.split_once(')')?;
            let (begin, end) = range.split_once('-')?;
            (Some((number(begin)?, number(end)?)), rest)
        }
        None => (None, rest),
    };
    match rest.strip_prefix('/') {
        Some(divisor) => Some((kind, range, Some(number(divisor)?))),
        None => rest.is_empty().then_some((kind, range, None)),
    }
}
