//! Frames as bytes, for caches outside this process. A form of our own: pandas' is a pickle, which is code.
//!
//! Reading is bounded by the bytes at hand and gives nothing where they are not what was written.

use bigdecimal::{BigDecimal, num_bigint::BigInt};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use infra::engines::column::{ColumnData, Scalar};

use super::{Column, Frame, Index, IndexLevel, Label};

/// Rows of a frame that are believed.
const MAX_ROWS: usize = 1 << 28;

/// Appends values to bytes.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

/// Takes values from bytes, in the order in which they were appended.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl Writer {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }
    /// A count.
    pub fn count(&mut self, n: usize) {
        self.int(i64::try_from(n).unwrap_or(i64::MAX));
    }
    /// An integer, small ones in few bytes.
    pub fn int(&mut self, n: i64) {
        let mut rest = (n.cast_unsigned() << 1) ^ (n >> 63).cast_unsigned();
        while rest >= 0x80 {
            self.0.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.0.push(rest.to_le_bytes()[0]);
    }
    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }
    /// Text with its length.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
    fn options<T>(&mut self, values: &[Option<T>], write: impl Fn(&mut Self, &T)) {
        self.count(values.len());
        for value in values {
            self.byte(u8::from(value.is_some()));
            if let Some(value) = value {
                write(self, value);
            }
        }
    }
    fn decimal(&mut self, value: &BigDecimal) {
        let (digits, scale) = value.as_bigint_and_exponent();
        self.bytes(&digits.to_signed_bytes_le());
        self.int(scale);
    }
    fn moment(&mut self, t: NaiveDateTime) {
        self.int(t.and_utc().timestamp());
        self.int(t.nanosecond().into());
    }
    fn scalar(&mut self, value: &Scalar) {
        match value {
            Scalar::Null => self.byte(0),
            Scalar::Bool(b) => {
                self.byte(1);
                self.byte(u8::from(*b));
            }
            Scalar::Int(n) => {
                self.byte(2);
                self.int(*n);
            }
            Scalar::Float(f) => {
                self.byte(3);
                self.0.extend_from_slice(&f.to_le_bytes());
            }
            Scalar::Decimal(d) => {
                self.byte(4);
                self.decimal(d);
            }
            Scalar::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Scalar::Bytes(bytes) => {
                self.byte(6);
                self.bytes(bytes);
            }
            Scalar::Date(d) => {
                self.byte(7);
                self.int(d.num_days_from_ce().into());
            }
            Scalar::Time(t) => {
                self.byte(8);
                self.int(t.num_seconds_from_midnight().into());
                self.int(t.nanosecond().into());
            }
            Scalar::Timestamp(t) => {
                self.byte(9);
                self.moment(*t);
            }
            Scalar::TimestampTz(t, offset) => {
                self.byte(10);
                self.moment(*t);
                self.int((*offset).into());
            }
            Scalar::Interval(us) => {
                self.byte(11);
                self.int(*us);
            }
            Scalar::Json(value) => {
                self.byte(12);
                self.text(&value.to_string());
            }
        }
    }
    fn data(&mut self, data: &ColumnData) {
        match data {
            ColumnData::Null(rows) => {
                self.byte(0);
                self.count(*rows);
            }
            ColumnData::Bool(v) => {
                self.byte(1);
                self.options(v, |w, b| w.byte(u8::from(*b)));
            }
            ColumnData::Int(v) => {
                self.byte(2);
                self.options(v, |w, n| w.int(*n));
            }
            ColumnData::Float(v) => {
                self.byte(3);
                self.options(v, |w, f| w.0.extend_from_slice(&f.to_le_bytes()));
            }
            ColumnData::Decimal(v) => {
                self.byte(4);
                self.options(v, Self::decimal);
            }
            ColumnData::Text(v) => {
                self.byte(5);
                self.options(v, |w, text| w.text(text));
            }
            ColumnData::Date(v) => {
                self.byte(6);
                self.options(v, |w, d| w.int(d.num_days_from_ce().into()));
            }
            ColumnData::Timestamp(v) => {
                self.byte(7);
                self.options(v, |w, us| w.int(*us));
            }
            ColumnData::Object(v) => {
                self.byte(8);
                self.count(v.len());
                v.iter().for_each(|value| self.scalar(value));
            }
        }
    }
    fn level(&mut self, level: &IndexLevel) {
        self.byte(u8::from(level.name.is_some()));
        if let Some(name) = &level.name {
            self.scalar(name);
        }
        self.data(&level.data);
    }
    /// A frame.
    pub fn frame(&mut self, frame: &Frame) {
        self.byte(u8::from(frame.multi));
        self.count(frame.columns.len());
        for column in &frame.columns {
            self.byte(u8::from(matches!(column.label, Label::Levels(_))));
            self.count(column.label.levels().len());
            column.label.levels().iter().for_each(|level| self.scalar(level));
            self.data(&column.data);
        }
        match &frame.index {
            Index::Range { start, len } => {
                self.byte(0);
                self.int(*start);
                self.count(*len);
            }
            Index::Flat(level) => {
                self.byte(1);
                self.level(level);
            }
            Index::Multi(levels) => {
                self.byte(2);
                self.count(levels.len());
                levels.iter().for_each(|level| self.level(level));
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Over bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
    /// Whether all was taken.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }
    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    /// A count of things that take a byte each at least.
    pub fn count(&mut self) -> Option<usize> {
        self.number().filter(|n| *n <= self.0.len())
    }
    /// A number of rows, which may be of no bytes at all.
    fn number(&mut self) -> Option<usize> {
        self.int().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= MAX_ROWS)
    }
    /// An integer.
    pub fn int(&mut self) -> Option<i64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()));
            }
        }
        None
    }
    /// Bytes with their length.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let n = self.count()?;
        self.take(n)
    }
    /// Text with its length.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
    fn options<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<Option<T>>> {
        let n = self.count()?;
        let value = |r: &mut Self| if r.flag()? { read(r).map(Some) } else { Some(None) };
        (0..n).map(|_| value(self)).collect()
    }
    fn float(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
    fn decimal(&mut self) -> Option<BigDecimal> {
        let digits = BigInt::from_signed_bytes_le(self.bytes()?);
        Some(BigDecimal::new(digits, self.int()?))
    }
    fn date(&mut self) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(self.int()?.try_into().ok()?)
    }
    fn moment(&mut self) -> Option<NaiveDateTime> {
        let (seconds, nanos) = (self.int()?, self.int()?.try_into().ok()?);
        DateTime::from_timestamp(seconds, nanos).map(|t| t.naive_utc())
    }
    fn scalar(&mut self) -> Option<Scalar> {
        Some(match self.byte()? {
            0 => Scalar::Null,
            1 => Scalar::Bool(self.flag()?),
            2 => Scalar::Int(self.int()?),
            3 => Scalar::Float(self.float()?),
            4 => Scalar::Decimal(self.decimal()?),
            5 => Scalar::Text(self.text()?.into()),
            6 => Scalar::Bytes(self.bytes()?.to_vec()),
            7 => Scalar::Date(self.date()?),
            8 => {
                let (seconds, nanos) = (self.int()?.try_into().ok()?, self.int()?.try_into().ok()?);
                Scalar::Time(NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?)
            }
            9 => Scalar::Timestamp(self.moment()?),
            10 => Scalar::TimestampTz(self.moment()?, self.int()?.try_into().ok()?),
            11 => Scalar::Interval(self.int()?),
            12 => Scalar::Json(serde_json::from_str(self.text()?).ok()?),
            _ => return None,
        })
    }
    fn data(&mut self) -> Option<ColumnData> {
        Some(match self.byte()? {
            0 => ColumnData::Null(self.number()?),
            1 => ColumnData::Bool(self.options(Self::flag)?),
            2 => ColumnData::Int(self.options(Self::int)?),
            3 => ColumnData::Float(self.options(Self::float)?),
            4 => ColumnData::Decimal(self.options(Self::decimal)?),
            5 => ColumnData::Text(self.options(|r| r.text().map(Box::from))?),
            6 => ColumnData::Date(self.options(Self::date)?),
            7 => ColumnData::Timestamp(self.options(Self::int)?),
            8 => {
                let n = self.count()?;
                ColumnData::Object((0..n).map(|_| self.scalar()).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
    fn level(&mut self) -> Option<IndexLevel> {
        let name = if self.flag()? { Some(self.scalar()?) } else { None };
        Some(IndexLevel { name, data: self.data()? })
    }
    /// A frame whose columns are as long as its index.
    pub fn frame(&mut self) -> Option<Frame> {
        let multi = self.flag()?;
        let mut columns = Vec::new();
        for _ in 0..self.count()? {
            let tuple = self.flag()?;
            let n = self.count()?;
            let mut levels = (0..n).map(|_| self.scalar()).collect::<Option<Vec<_>>>()?;
            let label = if tuple { Label::Levels(levels) } else { Label::Flat(levels.pop()?) };
            columns.push(Column { label, data: self.data()? });
        }
        let index = match self.byte()? {
            0 => Index::Range { start: self.int()?, len: self.number()? },
            1 => Index::Flat(self.level()?),
            2 => {
                let n = self.count()?;
                Index::Multi((0..n).map(|_| self.level()).collect::<Option<_>>()?)
            }
            _ => return None,
        };
        let frame = Frame { columns, index, multi };
        let rows = frame.row_count();
        frame.columns.iter().all(|column| column.data.len() == rows).then_some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let moment: NaiveDateTime = "2020-02-29T12:34:56.789012".parse().unwrap();
        let objects = vec![
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Int(i64::MIN),
            Scalar::Float(f64::NEG_INFINITY),
            Scalar::Decimal("-123456789012345678901234567890.50".parse().unwrap()),
            Scalar::Text("ü".into()),
            Scalar::Bytes(vec![0, 255]),
            Scalar::Date(moment.date()),
            Scalar::Time(moment.time()),
            Scalar::Timestamp(moment),
            Scalar::TimestampTz(moment, -3600),
            Scalar::Interval(-1),
            Scalar::Json(serde_json::json!({"b": [1, null], "a": 1.5})),
        ];
        let rows = objects.len();
        let ints = (0..rows).map(|n| (n > 0).then_some(i64::MAX - n as i64)).collect();
        let mut frame = Frame::new(vec![
            Column::new("o", ColumnData::Object(objects)),
            Column::new("n", ColumnData::Null(rows)),
            Column { label: Label::Levels(vec![Scalar::Null, Scalar::Int(3)]), data: ColumnData::Int(ints) },
            Column::new("f", ColumnData::Float(vec![Some(0.1); rows])),
            Column::new("b", ColumnData::Bool(vec![None; rows])),
            Column::new("t", ColumnData::Text(vec![Some("x".into()); rows])),
            Column::new("d", ColumnData::Date(vec![Some(moment.date()); rows])),
            Column::new("ts", ColumnData::Timestamp(vec![Some(-1); rows])),
        ]);
        let level = IndexLevel { name: Some(Scalar::Text("i".into())), data: ColumnData::Null(rows) };
        frame.index = Index::Multi(vec![level.clone(), IndexLevel { name: None, ..level }]);
        frame
    }

    fn to_bytes(frame: &Frame) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.frame(frame);
        writer.into_bytes()
    }

    #[test]
    fn frames_come_back_as_they_were() {
        let frame = frame();
        let bytes = to_bytes(&frame);
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.frame(), Some(frame));
        assert!(reader.is_at_end());
    }

    #[test]
    fn what_was_not_written_is_nothing() {
        let bytes = to_bytes(&frame());
        for end in 0..bytes.len() {
            assert_eq!(Reader::new(&bytes[..end]).frame(), None, "cut at {end}");
        }
        // every byte changed: anything but a panic or a long wait
        for at in 0..bytes.len() {
            let mut wrong = bytes.to_vec();
            wrong[at] ^= 0xff;
            let _ = Reader::new(&wrong).frame();
        }
    }
}
