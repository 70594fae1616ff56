//! The format RowBinaryWithNamesAndTypes, from its public description: values one after another, row by row.

use super::types::Type;

/// Why bytes were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// More of them are needed.
    More,
    /// They are not of the format.
    Broken,
}

/// Columns above which a head is not believed.
const MAX_COLUMNS: u64 = 20_000;
/// Values without any bytes above which an array is not believed.
const MAX_EMPTY: u64 = 65_536;

/// Reads bytes one value after another.
#[derive(Clone)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// How many were read.
    pub fn read(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(n).ok_or(Stop::Broken)?;
        let found = self.all.get(self.at..end).ok_or(Stop::More)?;
        self.at = end;
        Ok(found)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        self.take(N)?.try_into().map_err(|_| Stop::Broken)
    }

    pub fn u8(&mut self) -> Result<u8, Stop> {
        Ok(self.array::<1>()?[0])
    }

    /// LEB128.
    pub fn length(&mut self) -> Result<u64, Stop> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Stop::Broken)
    }

    pub fn string(&mut self) -> Result<&'a [u8], Stop> {
        let n = usize::try_from(self.length()?).map_err(|_| Stop::Broken)?;
        self.take(n)
    }

    /// Signed, little endian, of up to eight bytes.
    pub fn int(&mut self, width: usize) -> Result<i64, Stop> {
        let raw = self.uint(width)?;
        let unused = 64 - 8 * u32::try_from(width.clamp(1, 8)).unwrap_or(8);
        #[expect(clippy::cast_possible_wrap, reason = "the sign is extended")]
        Ok((raw << unused) as i64 >> unused)
    }

    /// Unsigned, little endian, of up to eight bytes.
    pub fn uint(&mut self, width: usize) -> Result<u64, Stop> {
        Ok(self.take(width)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// The number of elements of an array or map, believed only as far as there can be bytes for them.
    pub fn count(&mut self, elements: &[&Type]) -> Result<u64, Stop> {
        let n = self.length()?;
        let empty = elements.iter().all(|t| least(t) == 0);
        if empty && n > MAX_EMPTY { Err(Stop::Broken) } else { Ok(n) }
    }

    /// Passes over a value.
    pub fn skip(&mut self, ty: &Type) -> Result<(), Stop> {
        match ty {
            Type::String | Type::Json => self.string().map(drop),
            Type::Nullable(inner) => match self.u8()? {
                0 => self.skip(inner),
                1 => Ok(()),
                _ => Err(Stop::Broken),
            },
            Type::Array(inner) => {
                let n = self.count(&[inner.as_ref()])?;
                match fixed(inner) {
                    Some(width) => self.pass(n, width),
                    None => (0..n).try_for_each(|_| self.skip(inner)),
                }
            }
            Type::Map(key, value) => {
                let n = self.count(&[key.as_ref(), value.as_ref()])?;
                (0..n).try_for_each(|_| self.skip(key).and_then(|()| self.skip(value)))
            }
            Type::Tuple(elements) => elements.iter().try_for_each(|(_, t)| self.skip(t)),
            Type::Variant(types) => match self.u8()? {
                255 => Ok(()),
                at => self.skip(types.get(usize::from(at)).ok_or(Stop::Broken)?),
            },
            other => self.take(fixed(other).ok_or(Stop::Broken)?).map(drop),
        }
    }

    fn pass(&mut self, n: u64, width: usize) -> Result<(), Stop> {
        let n = usize::try_from(n).ok().and_then(|n| n.checked_mul(width)).ok_or(Stop::Broken)?;
        self.take(n).map(drop)
    }
}

/// Width of the types that have always the same.
fn fixed(ty: &Type) -> Option<usize> {
    Some(match ty {
        Type::Bool => 1,
        Type::Int(n) | Type::UInt(n) | Type::Big(n, _) | Type::Decimal(n, _) | Type::FixedString(n) => *n,
        Type::Enum(n, _) => *n,
        Type::Float32 | Type::Date32 | Type::DateTime(_) | Type::Ipv4 | Type::Time => 4,
        Type::Float64 | Type::DateTime64(..) | Type::Time64(_) => 8,
        Type::BFloat16 | Type::Date => 2,
        Type::Uuid | Type::Ipv6 => 16,
        Type::Nothing => 0,
        _ => return None,
    })
}

/// Bytes that a value of a type has at least.
fn least(ty: &Type) -> usize {
    match ty {
        Type::Tuple(elements) => elements.iter().map(|(_, t)| least(t)).sum(),
        other => fixed(other).unwrap_or(1),
    }
}

/// Names and types of the columns, and how many bytes they took.
pub(super) fn head(bytes: &[u8]) -> Result<(Vec<(String, String)>, usize), Stop> {
    let mut r = Bytes::new(bytes);
    let n = r.length()?;
    if n > MAX_COLUMNS {
        return Err(Stop::Broken);
    }
    let text = |r: &mut Bytes<'_>| Ok(String::from_utf8_lossy(r.string()?).into_owned());
    let names: Vec<String> = (0..n).map(|_| text(&mut r)).collect::<Result<_, _>>()?;
    let types: Vec<String> = (0..n).map(|_| text(&mut r)).collect::<Result<_, _>>()?;
    Ok((names.into_iter().zip(types).collect(), r.read()))
}

/// How many bytes the next row takes.
pub(super) fn row_length(bytes: &[u8], types: &[Type]) -> Result<usize, Stop> {
    let mut r = Bytes::new(bytes);
    types.iter().try_for_each(|t| r.skip(t))?;
    // a row of nothing would never end
    if r.read() == 0 { Err(Stop::Broken) } else { Ok(r.read()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_rows() {
        let bytes = b"\x02\x01a\x01b\x05UInt8\x10Nullable(String)\x07\x00\x03xyz\x08\x01";
        let (columns, at) = head(bytes).unwrap();
        assert_eq!(columns[1], ("b".to_owned(), "Nullable(String)".to_owned()));
        let types: Vec<Type> = columns.iter().map(|(_, t)| Type::parse(t).unwrap()).collect();
        assert_eq!(row_length(&bytes[at..], &types), Ok(6));
        assert_eq!(row_length(&bytes[at + 6..], &types), Ok(2));
        for end in 0..at {
            assert_eq!(head(&bytes[..end]), Err(Stop::More), "{end}");
        }
        for end in at..at + 6 {
            assert_eq!(row_length(&bytes[at..end], &types), Err(Stop::More), "{end}");
        }
    }

    #[test]
    fn hostile_bytes() {
        assert_eq!(head(&[0xff; 16]), Err(Stop::Broken));
        assert_eq!(head(&[0xff, 0xff, 0xff, 0x7f]), Err(Stop::Broken));
        let nothing = Type::Array(Box::new(Type::Nothing));
        assert_eq!(row_length(&[0xff, 0xff, 0xff, 0xff, 0x7f], &[nothing]), Err(Stop::Broken));
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(row_length(&huge, &[Type::Array(Box::new(Type::Int(8)))]), Err(Stop::Broken));
        assert_eq!(row_length(&huge, &[Type::String]), Err(Stop::Broken));
        assert_eq!(row_length(b"abc", &[Type::Tuple(Vec::new())]), Err(Stop::Broken));
        assert_eq!(row_length(&[9, 0], &[Type::Variant(vec![Type::Int(1)])]), Err(Stop::Broken));
    }

    #[test]
    fn signs() {
        assert_eq!(Bytes::new(&[0xff]).int(1), Ok(-1));
        assert_eq!(Bytes::new(&[0xfe, 0xff, 0xff, 0xff]).int(4), Ok(-2));
        assert_eq!(Bytes::new(&[0x80; 8]).int(8), Ok(i64::from_le_bytes([0x80; 8])));
        assert_eq!(Bytes::new(&[0xff, 0x7f]).int(2), Ok(32_767));
    }
}
