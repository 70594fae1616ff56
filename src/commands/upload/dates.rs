//! Texts as times: all of a column in one form, which its first value decides (`pandas.to_datetime` guesses the format
//! of the first and reads the rest by it). What does not fit leaves the column as text: a day is never taken for a
//! month in some rows and not in others.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use query::time_range::dateutil;

use super::frame::{Cell, Dtype};

/// Days and months in numbers, with the year behind them; before two digits of a year come four.
const MONTH_FIRST: &[&str] = &["%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m-%d-%y", "%m.%d.%y"];
const DAY_FIRST: &[&str] = &["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d-%m-%y", "%d.%m.%y"];
/// The year first.
const YEAR_FIRST: &[&str] = &["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"];
const CLOCKS: &[&str] = &["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p"];

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The year first; nothing can be mistaken.
    YearFirst,
    /// With a distance from UTC.
    Zoned,
    /// Numbers in this order.
    Numbers(&'static str),
    /// With the names of months, and whatever else dateutil reads.
    Words,
}

impl Form {
    fn of(text: &str, day_first: bool) -> Option<Self> {
        if zoned(text).is_some() {
            return Some(Self::Zoned);
        }
        if year_first(text).is_some() {
            return Some(Self::YearFirst);
        }
        let orders = if day_first { [DAY_FIRST, MONTH_FIRST] } else { [MONTH_FIRST, DAY_FIRST] };
        let known = orders.into_iter().flatten().find(|order| numbers(text, order).is_some());
        known.map(|order| Self::Numbers(order)).or_else(|| words(text).map(|_| Self::Words))
    }

    fn read(self, text: &str) -> Option<NaiveDateTime> {
        match self {
            Self::YearFirst => year_first(text),
            Self::Zoned => zoned(text),
            Self::Numbers(order) => numbers(text, order),
            Self::Words => words(text),
        }
    }
}

fn zoned(text: &str) -> Option<NaiveDateTime> {
    let found = chrono::DateTime::parse_from_rfc3339(text);
    found
        .or_else(|_| chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .ok()
        .map(|t| t.naive_utc())
}

fn year_first(text: &str) -> Option<NaiveDateTime> {
    // chrono takes any number for a year
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits != 4 && digits != 8 {
        return None;
    }
    YEAR_FIRST.iter().find_map(|order| day_and_clock(text, order))
}

fn numbers(text: &str, order: &str) -> Option<NaiveDateTime> {
    let day = text.split([' ', 'T']).next()?;
    let year = day.rsplit(['/', '-', '.']).next()?;
    if year.len() != if order.ends_with("%Y") { 4 } else { 2 } {
        return None;
    }
    day_and_clock(text, order)
}

/// A day, and a time of day behind it.
fn day_and_clock(text: &str, order: &str) -> Option<NaiveDateTime> {
    let (day, rest) = NaiveDate::parse_and_remainder(text, order).ok()?;
    if rest.is_empty() {
        return day.and_hms_opt(0, 0, 0);
    }
    let clock = rest.strip_prefix('T').or_else(|| rest.strip_prefix(' '))?.trim();
    let clock = CLOCKS.iter().find_map(|form| NaiveTime::parse_from_str(clock, form).ok())?;
    Some(day.and_time(clock))
}

/// What dateutil reads, where it cannot take days for months: a name of a month stands in it.
fn words(text: &str) -> Option<NaiveDateTime> {
    if !text.contains(|c: char| c.is_alphabetic()) {
        return None;
    }
    let today = infra::clock::now().date().and_hms_opt(0, 0, 0)?;
    dateutil::parse(text, today, chrono::Datelike::year(&today)).map(|moment| moment.wall)
}

/// Whether a column is one of times, as far as it was seen.
#[derive(Debug, Clone)]
pub struct Times {
    day_first: bool,
    /// The form of the first value.
    form: Option<Form>,
    all: bool,
}

impl Times {
    /// Nothing was seen yet.
    pub fn new(day_first: bool) -> Self {
        Self { day_first, form: None, all: true }
    }

    /// Looks at a value.
    pub fn add(&mut self, cell: &Cell) {
        if !self.all {
            return;
        }
        let text = match cell {
            Cell::Null | Cell::Time(_) => return,
            Cell::Text(text) => text.trim().to_owned(),
            Cell::Int(n) => n.to_string(),
            _ => String::new(),
        };
        if self.form.is_none() {
            self.form = Form::of(&text, self.day_first);
        }
        self.all = self.form.is_some_and(|form| form.read(&text).is_some());
    }

    /// Whether all values that were seen are times.
    pub fn all(&self) -> bool {
        self.all
    }

    /// The type of such a column.
    pub fn dtype(&self) -> Dtype {
        if self.form == Some(Form::Zoned) { Dtype::Zoned } else { Dtype::Time }
    }

    /// A value as a time.
    pub fn read(&self, cell: &Cell) -> Option<Cell> {
        let read = |text: &str| self.form?.read(text.trim()).map(Cell::Time);
        match cell {
            Cell::Null => Some(Cell::Null),
            Cell::Time(time) => Some(Cell::Time(*time)),
            Cell::Text(text) => read(text),
            Cell::Int(n) => read(&n.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str], day_first: bool) -> Option<Vec<String>> {
        let cells: Vec<Cell> = texts.iter().map(|text| Cell::Text((*text).into())).collect();
        let mut times = Times::new(day_first);
        cells.iter().for_each(|cell| times.add(cell));
        let shown = |cell: &Cell| match times.read(cell) {
            Some(Cell::Time(time)) => time.to_string(),
            other => panic!("{other:?}"),
        };
        times.all().then(|| cells.iter().map(shown).collect())
    }

    /// Compared with pandas: all of a column by the format of its first value.
    #[test]
    fn the_first_value_decides() {
        let days = |found: Option<Vec<String>>| {
            found.map(|all| all.iter().map(|text| text[..10].to_owned()).collect::<Vec<_>>())
        };
        let two = |a: &str, b: &str| Some(vec![a.to_owned(), b.to_owned()]);
        assert_eq!(days(read(&["01/02/2020", "13/01/2020"], false)), None);
        assert_eq!(days(read(&["01/02/2020", "13/01/2020"], true)), two("2020-02-01", "2020-01-13"));
        assert_eq!(days(read(&["13/01/2020", "01/02/2020"], false)), two("2020-01-13", "2020-02-01"));
        assert_eq!(days(read(&["1.2.2020", "3.4.20"], false)), None);
        assert_eq!(days(read(&["1.2.20", "3.4.20"], true)), two("2020-02-01", "2020-04-03"));
        assert_eq!(days(read(&["20200102", "20200103"], true)), two("2020-01-02", "2020-01-03"));
        assert_eq!(days(read(&["Jan 5 2020", "1/2/2020"], false)), None);
        assert_eq!(days(read(&["Jan 5 2020", "6 Feb 2020"], false)), two("2020-01-05", "2020-02-06"));
        assert_eq!(days(read(&["1577836800"], false)), None);
        assert_eq!(days(read(&["2020-01-02", "soup"], false)), None);
    }

    #[test]
    fn with_a_time_of_day() {
        let one = |text: &str| read(&[text], false).unwrap().remove(0);
        assert_eq!(one("01/02/2020 10:00"), "2020-01-02 10:00:00");
        assert_eq!(one("1/2/2020 1:05:06 PM"), "2020-01-02 13:05:06");
        assert_eq!(one("2020/01/02 04:05:06.5"), "2020-01-02 04:05:06.500");
        assert_eq!(one("2020-01-02T04:05"), "2020-01-02 04:05:00");
        let zoned = |texts: &[&str]| {
            let mut times = Times::new(false);
            texts.iter().for_each(|text| times.add(&Cell::Text((*text).into())));
            (times.all(), times.dtype())
        };
        assert_eq!(zoned(&["2020-01-02T04:05:06+02:00", "2020-01-02T04:05:06Z"]), (true, Dtype::Zoned));
        assert!(!zoned(&["2020-01-02T04:05:06+02:00", "2020-01-02T04:05:06"]).0);
        assert_eq!(one("2020-01-02T04:05:06+02:00"), "2020-01-02 02:05:06");
    }
}
