//! pandas' date offsets, as far as the time controls offer them: resampling rules and the periods of `time_pivot`.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime};

use super::{Result, VizError, grid::Grid};

const DAY: i64 = 86_400_000_000;
/// Resampling makes no more rows than this: a rule of a second over a century would fill the memory.
const MAX_ROWS: usize = 200_000;

/// A frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Offset {
    /// A fixed length in microseconds.
    Tick(i64),
    /// Weeks that end on a weekday (0 is Monday).
    Week(u32, u32),
    /// Periods of so many months that begin in a month (1 for every month), counted so many at a time.
    Begin { months: u32, anchor: u32, n: u32 },
    /// The same, labelled by the last day.
    End { months: u32, anchor: u32, n: u32 },
}

fn unknown(text: &str) -> VizError {
    VizError::unexpected(format!("Invalid frequency: {text}"))
}

/// `to_offset`: `M`, `2W-SUN`, `AS`, `15min`.
pub(super) fn parse(text: &str) -> Result<Offset> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let n: u32 = if digits == 0 {
        1
    } else {
        text.get(..digits)
            .and_then(|d| d.parse().ok())
            .filter(|n| (1..=100_000).contains(n))
            .ok_or_else(|| unknown(text))?
    };
    let (name, anchor) = text
        .get(digits..)
        .unwrap_or("")
        .split_once('-')
        .map_or((text.get(digits..).unwrap_or(""), None), |(a, b)| (a, Some(b)));
    let month = |default: u32| match anchor {
        None => Ok(default),
        Some(name) => ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
            .iter()
            .position(|m| *m == name)
            .and_then(|i| u32::try_from(i + 1).ok())
            .ok_or_else(|| unknown(text)),
    };
    // The month after the anchor begins the next period.
    let after = |month: u32| month % 12 + 1;
    let tick = |micros: i64| Ok(Offset::Tick(micros * i64::from(n)));
    match name {
        "S" | "s" => tick(1_000_000),
        "T" | "min" => tick(60_000_000),
        "H" | "h" => tick(3_600_000_000),
        "D" => tick(DAY),
        "W" => {
            let day = match anchor.unwrap_or("SUN") {
                "MON" => 0,
                "TUE" => 1,
                "WED" => 2,
                "THU" => 3,
                "FRI" => 4,
                "SAT" => 5,
                "SUN" => 6,
                _ => return Err(unknown(text)),
            };
            Ok(Offset::Week(day, n))
        }
        "MS" => Ok(Offset::Begin { months: 1, anchor: 1, n }),
        "M" | "ME" => Ok(Offset::End { months: 1, anchor: 1, n }),
        "QS" => Ok(Offset::Begin { months: 3, anchor: month(1)?, n }),
        "Q" | "QE" => Ok(Offset::End { months: 3, anchor: after(month(12)?), n }),
        "AS" | "YS" => Ok(Offset::Begin { months: 12, anchor: month(1)?, n }),
        "A" | "Y" | "YE" => Ok(Offset::End { months: 12, anchor: after(month(12)?), n }),
        _ => Err(unknown(text)),
    }
}

fn date_of(micros: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(micros).map(|t| t.date_naive())
}

fn midnight(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Number of the period that holds a date, and the first date of a period.
fn period_of(date: NaiveDate, months: u32, anchor: u32) -> i64 {
    let index = i64::from(date.year()) * 12 + i64::from(date.month()) - i64::from(anchor);
    index.div_euclid(i64::from(months))
}

fn period_start(period: i64, months: u32, anchor: u32) -> Option<NaiveDate> {
    let index = period.checked_mul(i64::from(months))? + i64::from(anchor) - 1;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, 1)
}

impl Offset {
    /// The boundary at or before a time (`offset.rollback`, for offsets that fall on midnight). Ticks roll nowhere.
    pub(super) fn rollback(self, micros: i64) -> Option<i64> {
        let date = date_of(micros)?;
        match self {
            Self::Tick(_) => Some(micros),
            Self::Week(day, _) => {
                let back = (date.weekday().num_days_from_monday() + 7 - day) % 7;
                date.checked_sub_days(Days::new(u64::from(back))).map(midnight)
            }
            Self::Begin { months, anchor, .. } => {
                period_start(period_of(date, months, anchor), months, anchor).map(midnight)
            }
            Self::End { months, anchor, .. } => {
                let next = date.succ_opt()?;
                // The last day of a period is the day before the next one begins.
                period_start(period_of(next, months, anchor), months, anchor)?.pred_opt().map(midnight)
            }
        }
    }

    fn labels_right(self) -> bool {
        matches!(self, Self::Week(..) | Self::End { .. })
    }

    /// The label of the first bin of a series that starts at `first`.
    fn first_label(self, first: i64) -> Option<i64> {
        let date = date_of(first)?;
        match self {
            Self::Tick(step) => {
                let origin = midnight(date);
                Some(origin + (first - origin).div_euclid(step) * step)
            }
            Self::Begin { .. } => self.rollback(first),
            Self::Week(day, n) => {
                // The bin reaches back n weeks from its label, so that the first label is the next such weekday plus
                // the others.
                let ahead = (day + 7 - date.weekday().num_days_from_monday()) % 7;
                let next = date.checked_add_days(Days::new(u64::from(ahead)))?;
                let start = next.checked_sub_days(Days::new(7 * u64::from(n)))?;
                start.checked_add_days(Days::new(7 * u64::from(n))).map(midnight)
            }
            Self::End { months, anchor, .. } => {
                period_start(period_of(date, months, anchor) + 1, months, anchor)?.pred_opt().map(midnight)
            }
        }
    }

    fn next(self, label: i64) -> Option<i64> {
        let date = date_of(label)?;
        match self {
            Self::Tick(step) => label.checked_add(step),
            Self::Week(_, n) => date.checked_add_days(Days::new(7 * u64::from(n))).map(midnight),
            Self::Begin { months, anchor, n } => {
                period_start(period_of(date, months, anchor) + i64::from(n), months, anchor).map(midnight)
            }
            Self::End { months, anchor, n } => {
                period_start(period_of(date, months, anchor) + 1 + i64::from(n), months, anchor)?
                    .pred_opt()
                    .map(midnight)
            }
        }
    }
}

/// `getattr(frame.resample(rule), method)()`.
pub(super) fn resample(grid: Grid, rule: &str, method: &str) -> Result<Grid> {
    let offset = parse(rule)?;
    let (Some(first), Some(last)) = (grid.index.first().copied(), grid.index.last().copied()) else {
        return Ok(grid);
    };
    let too_far = || VizError::unexpected("Out of bounds nanosecond timestamp");
    let mut labels = vec![offset.first_label(first).ok_or_else(too_far)?];
    // A label on the right covers its whole day; one on the left everything up to the next label.
    let covered = |label: i64| {
        if offset.labels_right() { Some(label + DAY - 1) } else { offset.next(label).map(|n| n - 1) }
    };
    while let Some(label) = labels.last().copied()
        && covered(label).ok_or_else(too_far)? < last
    {
        if labels.len() >= MAX_ROWS {
            return Err(VizError::invalid("The resampling rule makes too many rows."));
        }
        labels.push(offset.next(label).ok_or_else(too_far)?);
    }
    let ends = labels.iter().map(|l| covered(*l).ok_or_else(too_far)).collect::<Result<Vec<_>>>()?;
    let mut out = Grid { index: labels, series: grid.series.clone(), values: Vec::new() };
    for at in 0..grid.series.len() {
        out.values.push(column(&grid.by_time(at), &out.index, &ends, method)?);
    }
    Ok(out)
}

fn column(points: &BTreeMap<i64, f64>, labels: &[i64], ends: &[i64], method: &str) -> Result<Vec<f64>> {
    if let "asfreq" | "ffill" | "pad" | "bfill" | "backfill" = method {
        let value = |label: &i64| match method {
            "asfreq" => points.get(label).copied(),
            "ffill" | "pad" => points.range(..=label).next_back().map(|(_, v)| *v),
            _ => points.range(label..).next().map(|(_, v)| *v),
        };
        return Ok(labels.iter().map(|label| value(label).unwrap_or(f64::NAN)).collect());
    }
    let mut out = Vec::with_capacity(labels.len());
    let mut start = i64::MIN;
    for end in ends {
        let mut bin: Vec<f64> = points.range(start..=*end).map(|(_, v)| *v).filter(|v| !v.is_nan()).collect();
        start = end + 1;
        #[expect(clippy::cast_precision_loss, reason = "a bin's length")]
        let count = bin.len() as f64;
        out.push(match method {
            "sum" => bin.iter().sum(),
            "mean" => bin.iter().sum::<f64>() / count,
            "median" => median(&mut bin),
            "min" => bin.iter().copied().fold(f64::NAN, f64::min),
            "max" => bin.iter().copied().fold(f64::NAN, f64::max),
            _ => {
                return Err(VizError::unexpected(format!(
                    "'DatetimeIndexResampler' object has no attribute '{method}'"
                )));
            }
        });
    }
    Ok(out)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(a), Some(b)) if values.len().is_multiple_of(2) => f64::midpoint(*a, *b),
        (_, Some(b)) => *b,
        _ => f64::NAN,
    }
}
