//! Values as the service sends them, and as snowflake-connector-python delivers them.

use bigdecimal::{BigDecimal, num_bigint::BigInt};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use super::{
    super::{builder::ColumnBuilder, column::Scalar},
    arrow::Cell,
    protocol::Column,
};
use crate::crypto::from_hex;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;
/// What the service adds to minutes of a distance from UTC, so that they have no sign.
const EAST: i32 = 1440;

/// A type, as far as its values are read in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// A number with so many digits behind its point.
    Fixed(i64),
    Float,
    Date,
    /// A time of day; numbers count parts of a second with so many digits.
    Time(i64),
    /// A time without zone.
    Moment(i64),
    /// An instant, shown in the session's zone.
    Instant(i64, Tz),
    /// An instant with its distance from UTC.
    Zoned(i64),
    Bytes,
    /// Text, and all that is a text of JSON.
    Text,
}

impl Kind {
    /// The type of a column, in a session's time zone.
    pub fn of(column: &Column, zone: Option<&str>) -> Self {
        let scale = column.scale.unwrap_or_default().clamp(0, 38);
        // what counts time knows nothing below nanoseconds
        let digits = column.scale.unwrap_or(9).clamp(0, 9);
        match column.kind.to_ascii_uppercase().as_str() {
            "FIXED" => Self::Fixed(scale),
            "REAL" => Self::Float,
            "BOOLEAN" => Self::Bool,
            "DATE" => Self::Date,
            "TIME" => Self::Time(digits),
            "TIMESTAMP_NTZ" => Self::Moment(digits),
            "TIMESTAMP_LTZ" | "TIMESTAMP" => {
                Self::Instant(digits, zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC))
            }
            "TIMESTAMP_TZ" => Self::Zoned(digits),
            "BINARY" => Self::Bytes,
            _ => Self::Text,
        }
    }
}

/// Moves a text into its column; one that its type does not allow stays a text.
pub(super) fn push_text(text: Option<&str>, kind: Kind, out: &mut ColumnBuilder) {
    let Some(text) = text else { return out.null() };
    let read = match kind {
        Kind::Bool => Some(Scalar::Bool(matches!(text, "1" | "true" | "TRUE"))),
        Kind::Fixed(0) => whole(text),
        Kind::Fixed(_) => text.parse().ok().map(Scalar::Decimal),
        Kind::Float => text.parse().ok().map(Scalar::Float),
        Kind::Date => text.parse().ok().and_then(date),
        Kind::Time(_) => nanoseconds(text).and_then(time),
        Kind::Moment(_) | Kind::Instant(..) => nanoseconds(text).and_then(|at| moment(at, kind, None)),
        Kind::Zoned(_) => {
            text.split_once(' ').and_then(|(at, zone)| moment(nanoseconds(at)?, kind, zone.parse().ok()))
        }
        Kind::Bytes => from_hex(text).map(Scalar::Bytes),
        Kind::Text => None,
    };
    push(read.unwrap_or_else(|| Scalar::Text(text.into())), out);
}

/// Moves a value of Arrow's into its column; none where it is not one of the column's type.
pub(super) fn push_cell(cell: &Cell<'_>, kind: Kind, out: &mut ColumnBuilder) -> Option<()> {
    let value = match (kind, cell) {
        (_, Cell::Null) => Scalar::Null,
        (Kind::Bool, Cell::Bool(value)) => Scalar::Bool(*value),
        (Kind::Fixed(scale), Cell::Int(number)) => fixed(*number, scale),
        (Kind::Fixed(_), Cell::Decimal(number, scale)) => fixed(*number, *scale),
        (Kind::Float, Cell::Float(number)) => Scalar::Float(*number),
        (Kind::Date, Cell::Int(days)) => date(i64::try_from(*days).ok()?)?,
        (Kind::Time(digits), Cell::Int(count)) => time(scaled(*count, digits)?)?,
        (Kind::Moment(digits) | Kind::Instant(digits, _), Cell::Int(count)) => {
            moment(scaled(*count, digits)?, kind, None)?
        }
        (Kind::Moment(_) | Kind::Instant(..), Cell::Parts(parts)) => match parts.as_slice() {
            [seconds, fraction] => moment(joined(*seconds, *fraction)?, kind, None)?,
            _ => return None,
        },
        (Kind::Zoned(digits), Cell::Parts(parts)) => match parts.as_slice() {
            [count, zone] => moment(scaled(*count, digits)?, kind, i32::try_from(*zone).ok())?,
            [seconds, fraction, zone] => {
                moment(joined(*seconds, *fraction)?, kind, i32::try_from(*zone).ok())?
            }
            _ => return None,
        },
        (Kind::Bytes, Cell::Bytes(value)) => Scalar::Bytes(value.to_vec()),
        (Kind::Text, Cell::Text(text)) => Scalar::Text((*text).into()),
        _ => return None,
    };
    push(value, out);
    Some(())
}

/// The bytes that a value takes.
pub(super) fn size(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
        _ => 16,
    }
}

fn push(value: Scalar, out: &mut ColumnBuilder) {
    match value {
        Scalar::Null => out.null(),
        Scalar::Bool(value) => out.bool(value),
        Scalar::Int(value) => out.int(value),
        Scalar::Float(value) => out.float(value),
        Scalar::Decimal(value) if value.fractional_digit_count() > 0 => out.decimal(value),
        Scalar::Text(value) => out.text(value),
        Scalar::Date(value) => out.date(value),
        Scalar::Timestamp(value) => out.timestamp(value.and_utc().timestamp_micros()),
        other => out.push_object(other),
    }
}

fn whole(text: &str) -> Option<Scalar> {
    text.parse().map(Scalar::Int).ok().or_else(|| text.parse().ok().map(Scalar::Decimal))
}

fn fixed(number: i128, scale: i64) -> Scalar {
    match i64::try_from(number) {
        Ok(number) if scale == 0 => Scalar::Int(number),
        _ => Scalar::Decimal(BigDecimal::new(BigInt::from(number), scale)),
    }
}

fn date(days: i64) -> Option<Scalar> {
    let first = NaiveDate::default();
    first.checked_add_signed(TimeDelta::try_days(days)?).map(Scalar::Date)
}

/// Nanoseconds of a number of seconds with digits behind its point.
fn nanoseconds(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (seconds, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = format!("{fraction:0<9}");
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: u32 = fraction.get(..9)?.parse().ok()?;
    Some(sign * (i128::from(seconds) * SECOND + i128::from(fraction)))
}

fn scaled(count: i128, digits: i64) -> Option<i128> {
    count.checked_mul(10_i128.checked_pow(u32::try_from(9 - digits).ok()?)?)
}

fn joined(seconds: i128, fraction: i128) -> Option<i128> {
    seconds.checked_mul(SECOND)?.checked_add(fraction)
}

fn time(nanoseconds: i128) -> Option<Scalar> {
    let seconds = u32::try_from(nanoseconds.div_euclid(SECOND)).ok()?;
    // Python knows nothing below microseconds
    let below = u32::try_from(nanoseconds.rem_euclid(SECOND) / 1000 * 1000).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, below).map(Scalar::Time)
}

fn moment(nanoseconds: i128, kind: Kind, zone: Option<i32>) -> Option<Scalar> {
    let micros = i64::try_from(nanoseconds.div_euclid(1000)).ok()?;
    let at: NaiveDateTime = DateTime::from_timestamp_micros(micros)?.naive_utc();
    Some(match kind {
        Kind::Zoned(_) => Scalar::TimestampTz(at, (zone? - EAST).checked_mul(60)?),
        Kind::Instant(_, tz) => {
            Scalar::TimestampTz(at, tz.offset_from_utc_datetime(&at).fix().local_minus_utc())
        }
        _ => Scalar::Timestamp(at),
    })
}
