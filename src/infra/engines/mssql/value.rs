//! SQL Server's values as pymssql gives them.

use bigdecimal::{BigDecimal, num_bigint::BigInt};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use tiberius::{
    Column, ColumnData, ColumnType,
    time::{Date, DateTime2, Time},
};

use crate::engines::{
    builder::ColumnBuilder,
    column::{ColumnInfo, Scalar},
};

/// A column's name and type.
pub(super) fn info(column: &Column) -> ColumnInfo {
    ColumnInfo { name: column.name().to_owned(), sql_type: type_name(column.column_type()).to_owned() }
}

fn type_name(type_: ColumnType) -> &'static str {
    use ColumnType as T;
    match type_ {
        T::Null => "",
        T::Bit | T::Bitn => "BIT",
        T::Int1 => "TINYINT",
        T::Int2 => "SMALLINT",
        T::Int4 | T::Intn => "INT",
        T::Int8 => "BIGINT",
        T::Float4 => "REAL",
        T::Float8 | T::Floatn => "FLOAT",
        T::Money => "MONEY",
        T::Money4 => "SMALLMONEY",
        T::Decimaln => "DECIMAL",
        T::Numericn => "NUMERIC",
        T::Datetime4 => "SMALLDATETIME",
        T::Datetime | T::Datetimen => "DATETIME",
        T::Datetime2 => "DATETIME2",
        T::DatetimeOffsetn => "DATETIMEOFFSET",
        T::Daten => "DATE",
        T::Timen => "TIME",
        T::Guid => "UNIQUEIDENTIFIER",
        T::BigVarBin => "VARBINARY",
        T::BigBinary => "BINARY",
        T::Image => "IMAGE",
        T::BigVarChar => "VARCHAR",
        T::BigChar => "CHAR",
        T::NVarchar => "NVARCHAR",
        T::NChar => "NCHAR",
        T::Text => "TEXT",
        T::NText => "NTEXT",
        T::Xml => "XML",
        T::Udt => "UDT",
        T::SSVariant => "SQL_VARIANT",
    }
}

/// Reads the values of a column.
pub(super) struct Reader {
    /// The client library hands money out as a float; it has four digits after the point.
    money: bool,
}

impl Reader {
    pub fn for_type(type_: ColumnType) -> Self {
        Self { money: matches!(type_, ColumnType::Money | ColumnType::Money4) }
    }

    /// Adds a value; returns its size beyond the fixed part.
    pub fn push(&self, value: ColumnData<'static>, out: &mut ColumnBuilder) -> usize {
        use ColumnData as D;
        let mut bytes = 0;
        let pushed = match value {
            D::Bit(v) => v.map(|b| out.bool(b)),
            D::U8(v) => v.map(|n| out.int(n.into())),
            D::I16(v) => v.map(|n| out.int(n.into())),
            D::I32(v) => v.map(|n| out.int(n.into())),
            D::I64(v) => v.map(|n| out.int(n)),
            D::F32(v) => v.map(|f| out.float(f.into())),
            D::F64(Some(f)) if self.money => {
                out.decimal(money(f));
                Some(())
            }
            D::F64(v) => v.map(|f| out.float(f)),
            D::Numeric(v) => {
                v.map(|n| out.decimal(BigDecimal::new(BigInt::from(n.value()), n.scale().into())))
            }
            D::String(v) => v.map(|t| {
                bytes = t.len();
                out.text(t.into());
            }),
            D::Xml(v) => v.map(|x| {
                let text = x.into_owned().into_string();
                bytes = text.len();
                out.text(text.into());
            }),
            D::Guid(v) => v.map(|g| out.text(g.to_string().into())),
            D::Binary(v) => v.map(|b| {
                bytes = b.len();
                out.push_object(Scalar::Bytes(b.into_owned()));
            }),
            D::Date(v) => v.and_then(day).map(|d| out.date(d)),
            D::Time(v) => v.and_then(clock).map(|t| out.push_object(Scalar::Time(t))),
            D::DateTime(v) => v.and_then(|t| {
                // three hundredths of a second, shown with the milliseconds that the server shows
                let millis = (u64::from(t.seconds_fragments()) * 10 + 1) / 3;
                out.timestamp(since_1900(t.days().into(), millis)?);
                Some(())
            }),
            D::SmallDateTime(v) => v.and_then(|t| {
                let millis = u64::from(t.seconds_fragments()) * 60_000;
                out.timestamp(since_1900(t.days().into(), millis)?);
                Some(())
            }),
            D::DateTime2(v) => v.and_then(moment).map(|t| out.timestamp(t.and_utc().timestamp_micros())),
            D::DateTimeOffset(v) => v.and_then(|t| {
                let shown = i32::from(t.offset()) * 60;
                let local =
                    moment(t.datetime2())?.checked_add_signed(chrono::Duration::seconds(shown.into()))?;
                out.push_object(Scalar::TimestampTz(local, shown));
                Some(())
            }),
        };
        if pushed.is_none() {
            out.null();
        }
        bytes
    }
}

#[expect(clippy::cast_possible_truncation, reason = "money has 64 bits, and the float was made from them")]
fn money(f: f64) -> BigDecimal {
    BigDecimal::new(BigInt::from((f * 10_000.0).round() as i64), 4)
}

fn day(date: Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1, 1, 1)?.checked_add_days(chrono::Days::new(date.days().into()))
}

fn clock(time: Time) -> Option<NaiveTime> {
    let nanos =
        time.increments().checked_mul(10_u64.checked_pow(9_u32.checked_sub(time.scale().into())?)?)?;
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    // Python knows microseconds only
    let rest = rest / 1000 * 1000;
    NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(seconds).ok()?, u32::try_from(rest).ok()?)
}

fn moment(t: DateTime2) -> Option<NaiveDateTime> {
    Some(day(t.date())?.and_time(clock(t.time())?))
}

/// Microseconds since 1970 of a day since 1900 and its milliseconds.
fn since_1900(days: i64, millis: u64) -> Option<i64> {
    let start = NaiveDate::from_ymd_opt(1900, 1, 1)?.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let millis = i64::try_from(millis).ok()?;
    start.checked_add(days.checked_mul(86_400_000_000)?)?.checked_add(millis.checked_mul(1000)?)
}

#[cfg(test)]
mod tests {
    use tiberius::{
        numeric::Numeric,
        time::{DateTime, DateTimeOffset, SmallDateTime},
    };

    use super::*;

    fn pushed(type_: ColumnType, value: ColumnData<'static>) -> Scalar {
        let mut out = ColumnBuilder::new();
        Reader::for_type(type_).push(value, &mut out);
        out.finish().get(0)
    }

    #[test]
    fn values() {
        use ColumnData as D;
        use ColumnType as T;
        let at = |h, m, s, us| {
            NaiveDate::from_ymd_opt(2020, 1, 2).unwrap().and_hms_micro_opt(h, m, s, us).unwrap()
        };
        let days_of_1900 = 43_830;
        let days_of_year_1 = 737_425;
        let noon = DateTime2::new(Date::new(days_of_year_1), Time::new(432_001_234_567, 7));
        for (type_, value, want) in [
            (T::Bitn, D::Bit(Some(true)), Scalar::Bool(true)),
            (T::Int1, D::U8(Some(255)), Scalar::Int(255)),
            (T::Money, D::F64(Some(12.3456)), Scalar::Decimal("12.3456".parse().unwrap())),
            (T::Float8, D::F64(Some(12.3456)), Scalar::Float(12.3456)),
            (
                T::Numericn,
                D::Numeric(Some(Numeric::new_with_scale(-1050, 2))),
                Scalar::Decimal("-10.50".parse().unwrap()),
            ),
            (T::NVarchar, D::String(Some("ü".into())), Scalar::Text("ü".into())),
            (T::Udt, D::Binary(Some(vec![0x58].into())), Scalar::Bytes(vec![0x58])),
            (T::Daten, D::Date(Some(Date::new(days_of_year_1))), Scalar::Date(at(0, 0, 0, 0).date())),
            (T::Datetime, D::DateTime(Some(DateTime::new(days_of_1900, 300 * 3661 + 2))), {
                Scalar::Timestamp(at(1, 1, 1, 7000))
            }),
            (
                T::Datetime4,
                D::SmallDateTime(Some(SmallDateTime::new(43_830, 61))),
                Scalar::Timestamp(at(1, 1, 0, 0)),
            ),
            (T::Datetime2, D::DateTime2(Some(noon)), Scalar::Timestamp(at(12, 0, 0, 123_456))),
            (
                T::DatetimeOffsetn,
                D::DateTimeOffset(Some(DateTimeOffset::new(noon, 120))),
                Scalar::TimestampTz(at(14, 0, 0, 123_456), 7200),
            ),
            (
                T::Timen,
                D::Time(Some(Time::new(1, 0))),
                Scalar::Time(NaiveTime::from_hms_opt(0, 0, 1).unwrap()),
            ),
            (T::Int4, D::I32(None), Scalar::Null),
        ] {
            assert_eq!(pushed(type_, value), want, "{type_:?}");
        }
    }
}
