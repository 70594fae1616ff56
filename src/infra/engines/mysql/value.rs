//! Columns of a result, and values of the text protocol as the Python drivers deliver them.

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime};

use super::super::{
    builder::ColumnBuilder,
    column::{ColumnInfo, Scalar},
};
use crate::mysql::Column;

/// What a column is called.
pub(super) fn info(column: &Column) -> ColumnInfo {
    ColumnInfo { name: column.name.clone(), sql_type: type_name(column.kind).to_owned() }
}

/// The name of the type in `FIELD_TYPE` of the Python drivers.
fn type_name(kind: u8) -> &'static str {
    match kind {
        0 => "DECIMAL",
        1 => "TINY",
        2 => "SHORT",
        3 => "LONG",
        4 => "FLOAT",
        5 => "DOUBLE",
        6 => "NULL",
        7 => "TIMESTAMP",
        8 => "LONGLONG",
        9 => "INT24",
        10 => "DATE",
        11 => "TIME",
        12 => "DATETIME",
        13 => "YEAR",
        14 => "NEWDATE",
        15 => "VARCHAR",
        16 => "BIT",
        245 => "JSON",
        246 => "NEWDECIMAL",
        247 => "INTERVAL",
        248 => "SET",
        249 => "TINY_BLOB",
        250 => "MEDIUM_BLOB",
        251 => "LONG_BLOB",
        252 => "BLOB",
        253 => "VAR_STRING",
        254 => "STRING",
        255 => "GEOMETRY",
        _ => "",
    }
}

/// Adds a value; what its type does not allow (`0000-00-00`) stays the text that it is.
pub(super) fn push(column: &Column, raw: &[u8], out: &mut ColumnBuilder) {
    let text = std::str::from_utf8(raw).ok();
    let done = match (column.kind, text) {
        (1 | 2 | 3 | 8 | 9 | 13, Some(t)) => integer(t, out),
        (4 | 5, Some(t)) => t.parse().ok().map(|f| out.float(f)),
        (0 | 246, Some(t)) => t.parse::<BigDecimal>().ok().map(|d| out.decimal(d)),
        (10, Some(t)) => NaiveDate::parse_from_str(t, "%Y-%m-%d").ok().map(|d| out.date(d)),
        (7 | 12, Some(t)) => {
            let moment = NaiveDateTime::parse_from_str(t, "%Y-%m-%d %H:%M:%S%.f").ok();
            moment.map(|m| out.timestamp(m.and_utc().timestamp_micros()))
        }
        (11, Some(t)) => interval(t).map(|us| out.push_object(Scalar::Interval(us))),
        (16 | 255, _) => None,
        (245, Some(t)) => {
            out.text(t.into());
            Some(())
        }
        (_, Some(t)) if !column.binary => {
            out.text(t.into());
            Some(())
        }
        _ => None,
    };
    if done.is_some() {
        return;
    }
    let bytes = matches!(column.kind, 16 | 249..=255) || text.is_none();
    match text {
        Some(t) if !bytes => out.text(t.into()),
        _ => out.push_object(Scalar::Bytes(raw.to_vec())),
    }
}

fn integer(text: &str, out: &mut ColumnBuilder) -> Option<()> {
    match text.parse() {
        Ok(n) => out.int(n),
        // unsigned beyond 64 bits
        Err(_) => out.push_object(Scalar::Decimal(text.parse().ok()?)),
    }
    Some(())
}

/// `-838:59:59.000000` in microseconds.
fn interval(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut parts = clock.split(':').map(|p| p.parse::<i64>().ok());
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let seconds = h.checked_mul(3600)?.checked_add(m.checked_mul(60)?)?.checked_add(s)?;
    Some(sign * seconds.checked_mul(1_000_000)?.checked_add(micros)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::column::ColumnData;

    fn pushed(kind: u8, binary: bool, raw: &[u8]) -> Scalar {
        let mut out = ColumnBuilder::new();
        push(&Column { name: String::new(), kind, binary, unsigned: false }, raw, &mut out);
        let data: ColumnData = out.finish();
        data.get(0)
    }

    #[test]
    fn values() {
        assert_eq!(pushed(3, true, b"-7"), Scalar::Int(-7));
        assert_eq!(pushed(8, true, b"18446744073709551615"), Scalar::Decimal(u64::MAX.into()));
        assert_eq!(pushed(246, true, b"3.10"), Scalar::Decimal("3.10".parse().unwrap()));
        assert_eq!(pushed(11, true, b"-01:02:03.5"), Scalar::Interval(-3_723_500_000));
        assert_eq!(pushed(10, true, b"0000-00-00"), Scalar::Text("0000-00-00".into()));
        assert_eq!(pushed(253, false, "ü".as_bytes()), Scalar::Text("ü".into()));
        assert_eq!(pushed(252, true, &[0, 255]), Scalar::Bytes(vec![0, 255]));
        assert_eq!(pushed(16, true, &[5]), Scalar::Bytes(vec![5]));
        let noon = NaiveDate::from_ymd_opt(2020, 1, 2).unwrap().and_hms_milli_opt(3, 4, 5, 678).unwrap();
        assert_eq!(pushed(12, true, b"2020-01-02 03:04:05.678000"), Scalar::Timestamp(noon));
        assert_eq!(interval("99999999999999999999:00:00"), None);
    }
}
