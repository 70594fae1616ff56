//! Columns of a result, and values of prepared statements (the binary protocol).

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::wire::Reader;

/// A column as the server describes it.
pub(crate) struct Column {
    pub name: String,
    /// Number of its type.
    pub kind: u8,
    /// Bytes rather than text.
    pub binary: bool,
    /// A number without a sign.
    pub unsigned: bool,
}

/// Collation `binary`.
const BINARY: u64 = 63;
/// Flag of a column.
const UNSIGNED: u64 = 32;

/// A value of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Float(f64),
    /// Also decimals, and integers beyond 64 bits with a sign.
    Text(String),
    Bytes(&'a [u8]),
    DateTime(NaiveDateTime),
}

impl Column {
    /// Reads a column definition.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let mut r = Reader(payload);
        for _ in 0..4 {
            r.text()?; // catalog, schema, table, original table
        }
        let name = String::from_utf8_lossy(r.text()?).into_owned();
        r.text()?;
        r.u8()?;
        let charset = r.int(2)?;
        r.int(4)?;
        let kind = r.u8()?;
        Some(Self { name, kind, binary: charset == BINARY, unsigned: r.int(2)? & UNSIGNED != 0 })
    }

    /// The next value of a row of a prepared statement; `None` when the packet ends in its middle.
    fn cell<'a>(&self, r: &mut Reader<'a>) -> Option<Cell<'a>> {
        Some(match self.kind {
            6 => Cell::Null,
            1 => self.int(r.int(1)?, 8),
            2 | 13 => self.int(r.int(2)?, 16),
            3 | 9 => self.int(r.int(4)?, 32),
            8 => self.int(r.int(8)?, 64),
            4 => Cell::Float(six_digits(f32::from_bits(u32::try_from(r.int(4)?).ok()?))),
            5 => Cell::Float(f64::from_bits(r.int(8)?)),
            7 | 12 => moment(r)?.map_or(Cell::Null, Cell::DateTime),
            10 | 14 => moment(r)?.map_or(Cell::Null, |t| Cell::Text(t.date().to_string())),
            11 => Cell::Text(time(r)?),
            0 | 245 | 246 => Cell::Text(String::from_utf8_lossy(r.text()?).into_owned()),
            16 => Cell::Bytes(r.text()?),
            _ if self.binary => Cell::Bytes(r.text()?),
            _ => Cell::Text(String::from_utf8_lossy(r.text()?).into_owned()),
        })
    }

    fn int(&self, raw: u64, bits: u32) -> Cell<'static> {
        if self.unsigned {
            return i64::try_from(raw).map_or_else(|_| Cell::Text(raw.to_string()), Cell::Int);
        }
        // the sign goes to the top and comes back
        let shift = 64 - bits;
        Cell::Int(((raw << shift) as i64) >> shift)
    }
}

/// The values of a row of a prepared statement.
pub(super) fn cells<'a>(columns: &[Column], row: &'a [u8]) -> Option<Vec<Cell<'a>>> {
    let mut r = Reader(row);
    r.u8()?;
    let nulls = r.bytes((columns.len() + 9) / 8)?;
    let is_null = |at: usize| nulls.get((at + 2) / 8).is_some_and(|byte| byte >> ((at + 2) % 8) & 1 == 1);
    let cell =
        |(at, column): (usize, &Column)| if is_null(at) { Some(Cell::Null) } else { column.cell(&mut r) };
    columns.iter().enumerate().map(cell).collect()
}

/// What the server itself writes of a `FLOAT`, and Python's drivers read.
fn six_digits(value: f32) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(f64::from(value))
}

/// `0000-00-00` is none.
fn moment(r: &mut Reader<'_>) -> Option<Option<NaiveDateTime>> {
    let length = usize::from(r.u8()?);
    let mut r = Reader(r.bytes(length)?);
    if length == 0 {
        return Some(None);
    }
    let date = NaiveDate::from_ymd_opt(small(&mut r, 2)? as i32, small(&mut r, 1)?, small(&mut r, 1)?);
    let clock =
        if length >= 7 { (small(&mut r, 1)?, small(&mut r, 1)?, small(&mut r, 1)?) } else { (0, 0, 0) };
    let micros = if length >= 11 { small(&mut r, 4)? } else { 0 };
    let clock = NaiveTime::from_hms_micro_opt(clock.0, clock.1, clock.2, micros);
    Some(date.zip(clock).map(|(date, clock)| date.and_time(clock)))
}

fn time(r: &mut Reader<'_>) -> Option<String> {
    let length = usize::from(r.u8()?);
    let mut r = Reader(r.bytes(length)?);
    if length == 0 {
        return Some("00:00:00".to_owned());
    }
    let sign = if r.u8()? == 1 { "-" } else { "" };
    let hours = u64::from(small(&mut r, 4)?) * 24 + r.int(1)?;
    Some(format!("{sign}{hours:02}:{:02}:{:02}", r.int(1)?, r.int(1)?))
}

fn small(r: &mut Reader<'_>, width: usize) -> Option<u32> {
    u32::try_from(r.int(width)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: u8, binary: bool, unsigned: bool) -> Column {
        Column { name: String::new(), kind, binary, unsigned }
    }

    #[test]
    fn binary_values() {
        let read = |kind, unsigned, raw: &'static [u8]| column(kind, true, unsigned).cell(&mut Reader(raw));
        assert_eq!(read(1, false, &[0xff]), Some(Cell::Int(-1)));
        assert_eq!(read(1, true, &[0xff]), Some(Cell::Int(255)));
        assert_eq!(read(3, false, &[0xfe, 0xff, 0xff, 0xff]), Some(Cell::Int(-2)));
        assert_eq!(read(8, true, &[0xff; 8]), Some(Cell::Text(u64::MAX.to_string())));
        assert_eq!(read(4, false, &[0x3f, 0xb4, 0x96, 0x49]), Some(Cell::Float(1_234_570.0)));
        assert_eq!(read(246, false, b"\x043.10"), Some(Cell::Text("3.10".into())));
        assert_eq!(read(252, false, b"\x02\x00\xff"), Some(Cell::Bytes(&[0, 255])));
        assert_eq!(
            column(253, false, false).cell(&mut Reader(b"\x02\xc3\xbc")),
            Some(Cell::Text("ü".into()))
        );
        let noon = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap().and_hms_opt(12, 0, 5).unwrap();
        assert_eq!(read(12, false, &[7, 0xea, 7, 1, 2, 12, 0, 5]), Some(Cell::DateTime(noon)));
        assert_eq!(read(12, false, &[0]), Some(Cell::Null));
        assert_eq!(read(11, false, &[8, 1, 1, 0, 0, 0, 2, 3, 4]), Some(Cell::Text("-26:03:04".into())));
        for cut in [&[7_u8, 0xea][..], &[], &[200, 1]] {
            assert_eq!(read(12, false, cut), None);
        }
    }

    #[test]
    fn nulls_stand_in_a_bitmap() {
        let columns = [column(1, true, false), column(1, true, false)];
        assert_eq!(cells(&columns, &[0, 0b100, 7]), Some(vec![Cell::Null, Cell::Int(7)]));
        assert_eq!(cells(&columns, &[0, 0, 7]), None);
    }
}
