//! Rows in Arrow's form for streams, as far as Snowflake sends it: no dictionaries, no compression, no lists.
//!
//! We ask for JSON; servers that speak the protocol without being the service answer this way whatever is asked.
//! Everything that is read may be wrong: all of it is looked up within bounds, and nothing is believed of lengths.

/// One batch of rows.
pub(super) struct Batch<'a> {
    pub rows: usize,
    pub columns: Vec<Array<'a>>,
}

/// The values of a column.
pub(super) struct Array<'a> {
    /// A bit a row; without it there is no null.
    valid: Option<&'a [u8]>,
    values: Values<'a>,
}

enum Values<'a> {
    Bool(&'a [u8]),
    /// Whole numbers of so many bytes.
    Int(&'a [u8], usize, bool),
    Float(&'a [u8], usize),
    /// Numbers of so many bytes, with digits behind the point.
    Decimal(&'a [u8], usize, i64),
    /// Where each text begins, in so many bytes, and the texts.
    Bytes(&'a [u8], usize, &'a [u8], bool),
    Parts(Vec<Array<'a>>),
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i128),
    /// A number without its point, and the digits behind it.
    Decimal(i128, i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// The numbers that a time is made of.
    Parts(Vec<i128>),
}

/// The type of a column.
struct Field {
    kind: u8,
    /// Bytes of a number.
    width: usize,
    signed: bool,
    scale: i64,
    children: Vec<Field>,
}

/// How deep types may lie in each other.
const DEPTH: usize = 4;

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::from_le_bytes)
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    number(bytes, at).map(i32::from_le_bytes)
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at).map(u32::from_le_bytes)?).ok()
}

fn long_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at).map(i64::from_le_bytes)?).ok()
}

/// A table of flatbuffers.
#[derive(Clone, Copy)]
struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    fn root(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, at: size_at(bytes, 0)? })
    }

    /// Where a field's value is; none where it has its default.
    fn field(self, id: usize) -> Option<usize> {
        let back = i64::from(i32_at(self.bytes, self.at)?);
        let shape = usize::try_from(i64::try_from(self.at).ok()?.checked_sub(back)?).ok()?;
        let entry = 4 + 2 * id;
        if entry + 2 > usize::from(u16_at(self.bytes, shape)?) {
            return None;
        }
        let offset = usize::from(u16_at(self.bytes, shape.checked_add(entry)?)?);
        (offset != 0).then(|| self.at.checked_add(offset)).flatten()
    }

    fn byte(self, id: usize) -> Option<u8> {
        self.bytes.get(self.field(id)?).copied()
    }

    fn table(self, id: usize) -> Option<Self> {
        let at = self.field(id)?;
        Some(Self { bytes: self.bytes, at: at.checked_add(size_at(self.bytes, at)?)? })
    }

    /// Where the items of a list begin, and how many there are.
    fn list(self, id: usize) -> Option<(usize, usize)> {
        let at = self.field(id)?;
        let at = at.checked_add(size_at(self.bytes, at)?)?;
        Some((at.checked_add(4)?, size_at(self.bytes, at)?))
    }

    fn tables(self, id: usize) -> Option<Vec<Self>> {
        let Some((start, count)) = self.list(id) else { return Some(Vec::new()) };
        let items = self.bytes.get(start..start.checked_add(count.checked_mul(4)?)?)?;
        let each = items.chunks_exact(4).enumerate().map(|(i, item)| {
            let at = start + 4 * i;
            Some(Self { bytes: self.bytes, at: at.checked_add(size_at(item, 0)?)? })
        });
        each.collect()
    }
}

impl Field {
    fn read(table: Table<'_>, depth: usize) -> Option<Self> {
        let kind = table.byte(2)?;
        let shape = table.table(3);
        let int = |id: usize| {
            let shape = shape?;
            i32_at(shape.bytes, shape.field(id)?)
        };
        let bits = match kind {
            // whole numbers, decimals, dates
            2 => int(0)?,
            7 => int(2).unwrap_or(128),
            8 => shape
                .and_then(|s| u16_at(s.bytes, s.field(0)?))
                .map_or(64, |unit| if unit == 0 { 32 } else { 64 }),
            3 => match shape.and_then(|s| u16_at(s.bytes, s.field(0)?)) {
                Some(2) => 64,
                Some(1) => 32,
                _ => return None,
            },
            _ => 0,
        };
        let children = table.tables(5)?;
        if depth == 0 || table.field(4).is_some() {
            return None;
        }
        Some(Self {
            kind,
            width: usize::try_from(bits / 8).ok()?,
            signed: kind != 2 || shape.and_then(|s| s.byte(1)) == Some(1),
            scale: int(1).filter(|_| kind == 7).unwrap_or_default().into(),
            children: children.into_iter().map(|c| Self::read(c, depth - 1)).collect::<Option<_>>()?,
        })
    }
}

/// The pieces of a batch, in their order.
struct Pieces<'a> {
    body: &'a [u8],
    /// Where each begins and how long it is, 16 bytes each.
    places: &'a [u8],
    /// Rows and nulls, 16 bytes a column.
    nodes: &'a [u8],
}

impl<'a> Pieces<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (place, rest) = self.places.split_at_checked(16)?;
        self.places = rest;
        let (at, length) = (long_at(place, 0)?, long_at(place, 8)?);
        self.body.get(at..at.checked_add(length)?)
    }

    fn array(&mut self, field: &Field, rows: usize) -> Option<Array<'a>> {
        let (node, rest) = self.nodes.split_at_checked(16)?;
        self.nodes = rest;
        if long_at(node, 0)? != rows {
            return None;
        }
        let nulls = long_at(node, 8)?;
        let valid = self.next()?;
        if nulls > 0 && valid.len() < rows.div_ceil(8) {
            return None;
        }
        let values = match field.kind {
            2 | 8 => Values::Int(self.next()?, field.width, field.signed),
            3 => Values::Float(self.next()?, field.width),
            4 | 5 => Values::Bytes(self.next()?, 4, self.next()?, field.kind == 5),
            19 | 20 => Values::Bytes(self.next()?, 8, self.next()?, field.kind == 20),
            6 => Values::Bool(self.next()?),
            7 => Values::Decimal(self.next()?, field.width, field.scale),
            13 => {
                let parts = field.children.iter().map(|child| self.array(child, rows));
                Values::Parts(parts.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Some(Array { valid: (nulls > 0).then_some(valid), values })
    }
}

/// The batches of a stream; none where it is no stream of Arrow's, or has what Snowflake does not send.
pub(super) fn batches(mut bytes: &[u8]) -> Option<Vec<Batch<'_>>> {
    let mut fields: Option<Vec<Field>> = None;
    let mut all = Vec::new();
    while !bytes.is_empty() {
        // older streams have no mark before the length
        let marked = bytes.starts_with(&[0xff; 4]);
        let start = if marked { 8 } else { 4 };
        let length = size_at(bytes, start - 4)?;
        if length == 0 {
            break;
        }
        let end = start.checked_add(length)?;
        let message = Table::root(bytes.get(start..end)?)?;
        let size = message.field(3).map_or(Some(0), |at| long_at(message.bytes, at))?;
        let body = bytes.get(end..end.checked_add(size)?)?;
        let head = message.table(2)?;
        match (message.byte(1)?, &fields) {
            (1, None) => {
                let read = head.tables(1)?.into_iter().map(|field| Field::read(field, DEPTH));
                fields = Some(read.collect::<Option<_>>()?);
            }
            (3, Some(fields)) if head.field(3).is_none() => all.push(batch(head, fields, body)?),
            _ => return None,
        }
        bytes = bytes.get(end + size..)?;
    }
    fields.map(|_| all)
}

fn batch<'a>(head: Table<'a>, fields: &[Field], body: &'a [u8]) -> Option<Batch<'a>> {
    let rows = head.field(0).map_or(Some(0), |at| long_at(head.bytes, at))?;
    // what is said to be there has to be there
    if rows > body.len().saturating_mul(8) {
        return None;
    }
    let list = |id| {
        let Some((start, count)) = head.list(id) else { return Some(&[][..]) };
        head.bytes.get(start..start.checked_add(count.checked_mul(16)?)?)
    };
    let mut pieces = Pieces { body, nodes: list(1)?, places: list(2)? };
    let columns = fields.iter().map(|field| pieces.array(field, rows)).collect::<Option<_>>()?;
    Some(Batch { rows, columns })
}

fn bit(bits: &[u8], row: usize) -> Option<bool> {
    bits.get(row / 8).map(|byte| byte >> (row % 8) & 1 == 1)
}

/// A whole number of some bytes.
fn int(bytes: &[u8], row: usize, width: usize, signed: bool) -> Option<i128> {
    let at = row.checked_mul(width)?;
    let value = bytes.get(at..at.checked_add(width)?)?;
    if width == 0 || width > 16 {
        return None;
    }
    let negative = signed && value.last()? & 0x80 != 0;
    let mut whole = [if negative { 0xff } else { 0 }; 16];
    whole.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
    Some(i128::from_le_bytes(whole))
}

impl<'a> Array<'a> {
    /// The value of a row; none where it is not there as it should be.
    pub fn cell(&self, row: usize) -> Option<Cell<'a>> {
        if let Some(valid) = self.valid
            && !bit(valid, row)?
        {
            return Some(Cell::Null);
        }
        Some(match &self.values {
            Values::Bool(bits) => Cell::Bool(bit(bits, row)?),
            Values::Int(bytes, width, signed) => Cell::Int(int(bytes, row, *width, *signed)?),
            Values::Decimal(bytes, width, scale) => Cell::Decimal(int(bytes, row, *width, true)?, *scale),
            Values::Float(bytes, 4) => {
                Cell::Float(f32::from_le_bytes(number(bytes, row.checked_mul(4)?)?).into())
            }
            Values::Float(bytes, _) => Cell::Float(f64::from_le_bytes(number(bytes, row.checked_mul(8)?)?)),
            Values::Bytes(places, width, bytes, text) => {
                let place = |row| usize::try_from(int(places, row, *width, true)?).ok();
                let value = bytes.get(place(row)?..place(row.checked_add(1)?)?)?;
                if *text { Cell::Text(std::str::from_utf8(value).ok()?) } else { Cell::Bytes(value) }
            }
            Values::Parts(parts) => {
                let each = parts.iter().map(|part| match part.cell(row)? {
                    Cell::Int(n) => Some(n),
                    _ => None,
                });
                Cell::Parts(each.collect::<Option<_>>()?)
            }
        })
    }
}
