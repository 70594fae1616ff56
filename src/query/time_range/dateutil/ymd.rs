//! Up to three numbers of which one is the year, one the month, one the day: which is which.

use super::super::moment::days_in_month;

/// What a number is known to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Label {
    Year,
    Month,
}

/// The numbers in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Ymd {
    values: Vec<i64>,
    century: bool,
    year: Option<usize>,
    month: Option<usize>,
}

type Resolved = (Option<i64>, Option<i64>, Option<i64>);

impl Ymd {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn century_specified(&self) -> bool {
        self.century
    }

    /// A number; beyond 100 it can only be a year.
    pub(super) fn push(&mut self, value: i64, label: Option<Label>) -> Option<()> {
        let label = if value > 100 { self.as_year(label)? } else { label };
        self.place(value, label)
    }

    /// Digits; more than two can only be a year.
    pub(super) fn push_text(&mut self, text: &str) -> Option<()> {
        self.push_text_as(text, None)
    }

    pub(super) fn push_text_as(&mut self, text: &str, label: Option<Label>) -> Option<()> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let label = if digits && text.len() > 2 { self.as_year(label)? } else { label };
        self.place(text.parse().ok()?, label)
    }

    /// A year that has been completed already.
    pub(super) fn push_year_text(&mut self, year: i64) -> Option<()> {
        self.push_text_as(&year.to_string(), Some(Label::Year))
    }

    fn as_year(&mut self, label: Option<Label>) -> Option<Option<Label>> {
        self.century = true;
        matches!(label, None | Some(Label::Year)).then_some(Some(Label::Year))
    }

    fn place(&mut self, value: i64, label: Option<Label>) -> Option<()> {
        self.values.push(value);
        let index = self.values.len() - 1;
        let slot = match label {
            Some(Label::Year) => &mut self.year,
            Some(Label::Month) => &mut self.month,
            None => return Some(()),
        };
        slot.is_none().then(|| *slot = Some(index))
    }

    fn at(&self, index: usize) -> Option<i64> {
        self.values.get(index).copied()
    }

    /// Could this number (with its fraction) be the day that is still missing?
    pub(super) fn could_be_day(&self, value: i64, fraction: bool) -> Option<bool> {
        let last = match (self.month.and_then(|i| self.at(i)), self.year.and_then(|i| self.at(i))) {
            (None, _) => 31,
            (Some(month), None) => days_in_month(2000, month)?,
            (Some(month), Some(year)) => days_in_month(year, month)?,
        };
        Some(value >= 1 && (value < last || (value == last && !fraction)))
    }

    /// Year, month and day, as far as they are there; `None` for more than three numbers.
    pub(super) fn resolve(&self) -> Option<Resolved> {
        let known = [self.year, self.month, None];
        let labelled = known.iter().flatten().count();
        let len = self.values.len();
        if (len == labelled && len > 0) || (len == 3 && labelled == 2) {
            return Some(self.labelled());
        }
        match len {
            0 => Some((None, None, None)),
            1 => Some(self.one(self.month, self.at(0))),
            2 if self.month.is_some() => {
                Some(self.one(self.month, self.month.and_then(|m| self.at(1 - m.min(1)))))
            }
            2 => {
                let (a, b) = (self.at(0)?, self.at(1)?);
                Some(match (a > 31, b > 31) {
                    (true, _) => (Some(a), Some(b), None),
                    (_, true) => (Some(b), Some(a), None),
                    _ => (None, Some(a), Some(b)),
                })
            }
            3 => {
                let (a, b, c) = (self.at(0)?, self.at(1)?, self.at(2)?);
                let (y, m, d) = match self.month {
                    Some(0) if b > 31 => (b, a, c),
                    Some(0) => (c, a, b),
                    Some(1) if a > 31 => (a, b, c),
                    Some(1) => (c, b, a),
                    Some(2) if b > 31 => (b, c, a),
                    Some(2) => (a, c, b),
                    _ if a > 31 || self.year == Some(0) => (a, b, c),
                    _ if a > 12 => (c, b, a),
                    _ => (c, a, b),
                };
                Some((Some(y), Some(m), Some(d)))
            }
            _ => None,
        }
    }

    /// One number beside a month's name, or one number alone.
    fn one(&self, month: Option<usize>, other: Option<i64>) -> Resolved {
        let month = month.and_then(|i| self.at(i));
        if self.len() > 1 || month.is_none() {
            return if other.is_some_and(|v| v > 31) { (other, month, None) } else { (None, month, other) };
        }
        (None, month, None)
    }

    /// Two of three labels say what the third number is.
    fn labelled(&self) -> Resolved {
        let mut slots = [self.year, self.month, None];
        if self.values.len() == 3
            && let Some(free) = (0..3).find(|i| !slots.contains(&Some(*i)))
            && let Some(slot) = slots.iter_mut().find(|s| s.is_none())
        {
            *slot = Some(free);
        }
        let [year, month, day] = slots.map(|slot| slot.and_then(|i| self.at(i)));
        (year, month, day)
    }
}
