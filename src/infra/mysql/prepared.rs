//! Prepared statements: values are bound, never written into the text.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};

use super::{
    Cell, Column, Failure,
    column::cells,
    command::{described, read_row},
    handshake::raise,
    wire::{Reader, Wire},
};

const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const CLOSE: u8 = 0x19;

/// A statement that the server keeps for this connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prepared {
    id: u32,
    params: usize,
}

/// A value for a placeholder.
#[derive(Debug, PartialEq)]
pub(crate) enum Param<'a> {
    Null,
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    DateTime(NaiveDateTime),
}

/// What became of a statement.
pub(crate) enum Answer {
    /// It has no rows: how many it found, and the key that the server drew for the first row inserted.
    Done { affected: u64, key: u64 },
    /// Rows, of which `each` was told.
    Rows(Vec<Column>),
}

/// Prepares a statement.
pub(crate) async fn prepare(wire: &mut Wire, text: &str) -> Result<Prepared, Failure> {
    wire.command(PREPARE, text.as_bytes()).await?;
    let head = wire.read().await?;
    raise(&head)?;
    let mut r = Reader(head.get(1..).unwrap_or_default());
    let mut field = |width| r.int(width).ok_or(Failure::Protocol);
    let (id, columns, params) = (field(4)?, field(2)?, field(2)?);
    // what is said of both is said again when the statement is executed
    for count in [params, columns].into_iter().filter(|count| *count > 0) {
        for _ in 0..=count {
            wire.read().await?;
        }
    }
    let id = u32::try_from(id).map_err(|_| Failure::Protocol)?;
    Ok(Prepared { id, params: usize::try_from(params).unwrap_or_default() })
}

/// Executes a statement and tells `each` the values of every row.
pub(crate) async fn execute(
    wire: &mut Wire,
    statement: Prepared,
    params: &[Param<'_>],
    mut each: impl FnMut(Vec<Cell<'_>>),
) -> Result<Answer, Failure> {
    if params.len() != statement.params {
        let (wanted, given) = (statement.params, params.len());
        return Err(Failure::Server(0, format!("{wanted} placeholders, but {given} values")));
    }
    wire.command(EXECUTE, &request(statement, params)).await?;
    let head = wire.read().await?;
    raise(&head)?;
    if head.first() == Some(&0) {
        let mut r = Reader(head.get(1..).unwrap_or_default());
        let affected = r.length().ok_or(Failure::Protocol)?;
        return Ok(Answer::Done { affected, key: r.length().ok_or(Failure::Protocol)? });
    }
    let columns = described(wire, &head).await?;
    while let Some(row) = read_row(wire).await? {
        each(cells(&columns, &row).ok_or(Failure::Protocol)?);
    }
    Ok(Answer::Rows(columns))
}

/// Lets the server forget a statement; there is no answer.
pub(crate) async fn close(wire: &mut Wire, statement: Prepared) -> Result<(), Failure> {
    wire.command(CLOSE, &statement.id.to_le_bytes()).await
}

/// No cursor, one iteration; then which values are null, the types of all, and the values that are not.
fn request(statement: Prepared, params: &[Param<'_>]) -> Vec<u8> {
    let mut out = statement.id.to_le_bytes().to_vec();
    out.push(0);
    out.extend_from_slice(&1_u32.to_le_bytes());
    if params.is_empty() {
        return out;
    }
    let mut nulls = vec![0_u8; params.len().div_ceil(8)];
    for (at, _) in params.iter().enumerate().filter(|(_, param)| **param == Param::Null) {
        if let Some(byte) = nulls.get_mut(at / 8) {
            *byte |= 1 << (at % 8);
        }
    }
    out.extend_from_slice(&nulls);
    out.push(1);
    for param in params {
        out.extend_from_slice(&[param.kind(), 0]);
    }
    for param in params {
        param.write(&mut out);
    }
    out
}

impl Param<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::Null => 6,
            Self::Int(_) => 8,
            Self::Float(_) => 5,
            Self::Text(_) => 253,
            Self::Bytes(_) => 252,
            Self::DateTime(_) => 12,
        }
    }

    /// Bytes that the value takes in a packet, or a little less.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 8,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Int(n) => out.extend_from_slice(&n.to_le_bytes()),
            Self::Float(f) => out.extend_from_slice(&f.to_le_bytes()),
            Self::Text(text) => write_bytes(text.as_bytes(), out),
            Self::Bytes(bytes) => write_bytes(bytes, out),
            Self::DateTime(t) => {
                out.push(11);
                // years beyond four digits do not exist there
                out.extend_from_slice(&u16::try_from(t.year()).unwrap_or_default().to_le_bytes());
                let small = |n: u32| u8::try_from(n).unwrap_or_default();
                out.extend([t.month(), t.day(), t.hour(), t.minute(), t.second()].map(small));
                out.extend_from_slice(&(t.nanosecond() % 1_000_000_000 / 1000).to_le_bytes());
            }
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let length = bytes.len().to_le_bytes();
    match bytes.len() {
        0..=250 => out.push(length[0]),
        251..=0xffff => out.extend_from_slice(&[0xfc, length[0], length[1]]),
        0x1_0000..=0xff_ffff => out.extend_from_slice(&[0xfd, length[0], length[1], length[2]]),
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&length);
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_types_and_nulls() {
        let statement = Prepared { id: 5, params: 3 };
        let request = request(statement, &[Param::Int(-1), Param::Null, Param::Text("ab")]);
        let mut want = vec![5, 0, 0, 0, 0, 1, 0, 0, 0, 0b010, 1, 8, 0, 6, 0, 253, 0];
        want.extend([0xff; 8]);
        want.extend(b"\x02ab");
        assert_eq!(request, want);
        let mut long = Vec::new();
        write_bytes(&[7; 300], &mut long);
        assert_eq!(long[..4], [0xfc, 0x2c, 1, 7]);
    }

    #[test]
    fn moments() {
        let mut out = Vec::new();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
        let t = day.and_hms_micro_opt(3, 4, 5, 123_456).unwrap();
        Param::DateTime(t).write(&mut out);
        assert_eq!(out, [11, 0xea, 7, 1, 2, 3, 4, 5, 0x40, 0xe2, 1, 0]);
    }
}
