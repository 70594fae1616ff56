//! Values in PostgreSQL's binary format, as psycopg2 would deliver them.

use std::error::Error as StdError;

use bigdecimal::{BigDecimal, num_bigint::BigInt};
use chrono::{Days, NaiveDate};
use tokio_postgres::types::{FromSql, Type};

use super::super::{builder::ColumnBuilder, column::Scalar};

/// From PostgreSQL's epoch (2000) to 1970, in microseconds.
const EPOCH_SHIFT: i64 = 946_684_800_000_000;

/// The bytes of a value as the server sent them.
pub(super) struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `datetime.max`, in microseconds since 1970.
pub(super) const LAST_MOMENT: i64 = 253_402_300_799_999_999;
/// `datetime.min`.
pub(super) const FIRST_MOMENT: i64 = -62_135_596_800_000_000;

/// Types that are read from the binary format; a statement with any other is read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Date,
    Timestamp,
    Json,
    Jsonb,
    Uuid,
    Bytes,
}

impl Kind {
    pub fn from_type(ty: &Type) -> Option<Self> {
        Some(match *ty {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::DATE => Self::Date,
            Type::TIMESTAMP => Self::Timestamp,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            Type::UUID => Self::Uuid,
            Type::BYTEA => Self::Bytes,
            _ => return None,
        })
    }

    /// Adds a value to its column; `None` when the bytes are not what the type promises.
    pub fn push(self, raw: &[u8], out: &mut ColumnBuilder) -> Option<()> {
        match self {
            Self::Bool => out.bool(*raw.first()? != 0),
            Self::Int2 => out.int(i64::from(i16::from_be_bytes(raw.try_into().ok()?))),
            Self::Int4 => out.int(i64::from(i32::from_be_bytes(raw.try_into().ok()?))),
            Self::Int8 => out.int(i64::from_be_bytes(raw.try_into().ok()?)),
            // psycopg2 reads the shortest text of a single-precision number
            Self::Float4 => out.float(f32::from_be_bytes(raw.try_into().ok()?).to_string().parse().ok()?),
            Self::Float8 => out.float(f64::from_be_bytes(raw.try_into().ok()?)),
            Self::Numeric => match numeric(raw)? {
                Some(d) => out.decimal(d),
                // no decimal to Arrow, which makes the whole column text
                None => out.push_object(Scalar::Float(f64::NAN)),
            },
            Self::Text => out.text(std::str::from_utf8(raw).ok()?.into()),
            Self::Date => out.date(date(i32::from_be_bytes(raw.try_into().ok()?))),
            Self::Timestamp => match i64::from_be_bytes(raw.try_into().ok()?) {
                // psycopg2 reads infinity as the last moment it can express
                i64::MAX => out.timestamp(LAST_MOMENT),
                i64::MIN => out.timestamp(FIRST_MOMENT),
                us => match us.checked_add(EPOCH_SHIFT) {
                    Some(us) => out.timestamp(us),
                    None => out.null(),
                },
            },
            Self::Json => out.push_object(Scalar::Json(serde_json::from_slice(raw).ok()?)),
            Self::Jsonb => out.push_object(Scalar::Json(serde_json::from_slice(raw.get(1..)?).ok()?)),
            Self::Uuid => out.text(uuid::Uuid::from_slice(raw).ok()?.to_string().into()),
            Self::Bytes => out.push_object(Scalar::Bytes(raw.to_vec())),
        }
        Some(())
    }
}

fn date(days: i32) -> NaiveDate {
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    let shift = Days::new(u64::from(days.unsigned_abs()));
    // psycopg2 reads infinity as the last day it can express
    let moved = if days < 0 { epoch.checked_sub_days(shift) } else { epoch.checked_add_days(shift) };
    let bound = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap_or_default();
    moved.unwrap_or(if days < 0 { bound(1, 1, 1) } else { bound(9999, 12, 31) })
}

/// A `numeric` with exactly the digits that the server would print; `Some(None)` for NaN and infinities.
fn numeric(raw: &[u8]) -> Option<Option<BigDecimal>> {
    let field = |i: usize| Some(i16::from_be_bytes(raw.get(2 * i..2 * i + 2)?.try_into().ok()?));
    let (count, weight) = (usize::try_from(field(0)?).ok()?, i64::from(field(1)?));
    let (sign, scale) = (field(2)? as u16, i64::from(field(3)?));
    if !matches!(sign, 0 | 0x4000) {
        return Some(None);
    }
    // value = all groups as one integer × 10^-(4·(count-1-weight))
    let held = 4 * (count as i64 - 1 - weight);
    let mut value = BigInt::default();
    if count <= 8 {
        let mut small = 0_i128;
        for i in 0..count {
            small = small * 10_000 + i128::from(field(4 + i)?);
        }
        value += small;
    } else {
        for i in 0..count {
            value = value * 10_000 + field(4 + i)?;
        }
    }
    if sign == 0x4000 {
        value = -value;
    }
    if count == 0 {
        return Some(Some(BigDecimal::new(value, scale)));
    }
    let power = |n: i64| u32::try_from(n).ok().map(|n| BigInt::from(10).pow(n));
    let value = if held > scale { value / power(held - scale)? } else { value * power(scale - held)? };
    Some(Some(BigDecimal::new(value, scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(count: i16, weight: i16, sign: i16, scale: i16, groups: &[i16]) -> Vec<u8> {
        [count, weight, sign, scale].iter().chain(groups).flat_map(|v| v.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_keep_their_scale() {
        for (raw, want) in [
            (encoded(2, 0, 0, 2, &[12, 5000]), "12.50"),
            (encoded(1, 0, 0x4000, 0, &[7]), "-7"),
            (encoded(1, 1, 0, 0, &[3]), "30000"),
            (encoded(0, 0, 0, 3, &[]), "0.000"),
            (encoded(1, -1, 0, 4, &[1]), "0.0001"),
        ] {
            assert_eq!(numeric(&raw).unwrap().unwrap().to_plain_string(), want);
        }
        assert_eq!(numeric(&encoded(0, 0, -16384, 0, &[])), Some(None));
        assert_eq!(numeric(&[0]), None);
    }

    #[test]
    fn dates_of_any_size() {
        assert_eq!(date(0).to_string(), "2000-01-01");
        assert_eq!(date(-1).to_string(), "1999-12-31");
        assert_eq!(date(i32::MAX).to_string(), "9999-12-31");
    }
}
