//! Types that an upload demands of its columns by their names in pandas.

use super::{
    frame::{Cell, Dtype},
    infer,
};

/// Floats below this are integers that a float holds exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A type that was demanded.
#[derive(Debug, Clone, Copy)]
pub struct Demanded {
    /// What the column becomes.
    pub target: Dtype,
    /// Values may miss.
    pub nullable: bool,
    /// The smallest and the largest integer.
    range: (i64, i64),
}

impl Demanded {
    /// A type by its name; `None` for one that is not known, or that no table can hold.
    ///
    /// pandas lets more pass than is right: integers that wrap, texts that are all true. Those are refused.
    pub fn named(name: &str) -> Option<Self> {
        let signed = |bits: u32| (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
        let unsigned = |bits: u32| (0, (1_i64 << bits) - 1);
        let (target, range) = match name.to_ascii_lowercase().as_str() {
            "int8" | "i1" => (Dtype::Int(16), signed(8)),
            "uint8" | "u1" => (Dtype::Int(16), unsigned(8)),
            "int16" | "i2" => (Dtype::Int(16), signed(16)),
            "uint16" | "u2" => (Dtype::Int(32), unsigned(16)),
            "int32" | "i4" => (Dtype::Int(32), signed(32)),
            "uint32" | "u4" => (Dtype::Int(64), unsigned(32)),
            "int64" | "int" | "i8" => (Dtype::Int(64), signed(64)),
            "float16" | "float64" | "float" | "f2" | "f8" => (Dtype::Float(64), signed(64)),
            "float32" | "f4" => (Dtype::Float(32), signed(64)),
            "bool" | "boolean" => (Dtype::Bool, signed(64)),
            "str" | "object" | "string" | "category" | "o" => (Dtype::Text, signed(64)),
            _ => return None,
        };
        // pandas' own types, with an upper letter and `boolean`, may miss values; so may floats and texts
        let own = name.starts_with(|c: char| c.is_ascii_uppercase()) || name == "boolean";
        let nullable = own || matches!(target, Dtype::Float(_) | Dtype::Text);
        Some(Self { target, nullable, range })
    }

    /// A value as one of the type; `None` when it is none.
    pub fn read(&self, cell: &Cell) -> Option<Cell> {
        if *cell == Cell::Null {
            return Some(Cell::Null);
        }
        match self.target {
            Dtype::Int(_) => {
                let whole = whole(cell)?;
                (self.range.0..=self.range.1).contains(&whole).then_some(Cell::Int(whole))
            }
            Dtype::Float(_) => real(cell),
            Dtype::Bool => truth(cell),
            _ => infer::as_text(cell),
        }
    }
}

fn whole(cell: &Cell) -> Option<i64> {
    // `astype` cuts the fraction off
    let cut = |f: f64| (f.is_finite() && f.abs() <= EXACT).then_some(f as i64);
    match cell {
        Cell::Int(n) => Some(*n),
        Cell::Float(f) => cut(*f),
        Cell::Bool(b) => Some(i64::from(*b)),
        Cell::Text(text) => infer::integer(text).or_else(|| cut(infer::float(text, '.')?)),
        _ => None,
    }
}

fn real(cell: &Cell) -> Option<Cell> {
    Some(Cell::Float(match cell {
        Cell::Int(n) => *n as f64,
        Cell::Float(f) => *f,
        Cell::Bool(b) => f64::from(u8::from(*b)),
        Cell::Text(text) => infer::float(text, '.')?,
        _ => return None,
    }))
}

fn truth(cell: &Cell) -> Option<Cell> {
    Some(Cell::Bool(match cell {
        Cell::Int(n @ (0 | 1)) => *n == 1,
        Cell::Float(f) if *f == 0.0 || *f == 1.0 => *f == 1.0,
        Cell::Bool(b) => *b,
        Cell::Text(text) => infer::boolean(text)?,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(name: &str, cell: Cell) -> Option<Cell> {
        Demanded::named(name).unwrap().read(&cell)
    }

    #[test]
    fn nothing_wraps() {
        assert_eq!(cast("int16", Cell::Int(-32_768)), Some(Cell::Int(-32_768)));
        assert_eq!(cast("int16", Cell::Int(32_768)), None);
        assert_eq!(cast("uint8", Cell::Int(255)), Some(Cell::Int(255)));
        assert_eq!(cast("uint8", Cell::Int(-1)), None);
        assert_eq!(cast("uint32", Cell::Int(4_294_967_295)), Some(Cell::Int(4_294_967_295)));
        assert_eq!(cast("int64", Cell::Int(i64::MIN)), Some(Cell::Int(i64::MIN)));
        assert_eq!(cast("int64", Cell::Text("9223372036854775808".into())), None);
        assert_eq!(cast("int64", Cell::Float(1e30)), None);
        assert_eq!(cast("int64", Cell::Float(1.9)), Some(Cell::Int(1)));
        assert!(Demanded::named("uint64").is_none() && Demanded::named("soup").is_none());
    }

    #[test]
    fn not_every_text_is_true() {
        assert_eq!(cast("bool", Cell::Text("False".into())), Some(Cell::Bool(false)));
        assert_eq!(cast("bool", Cell::Text("no".into())), None);
        assert_eq!(cast("bool", Cell::Int(1)), Some(Cell::Bool(true)));
        assert_eq!(cast("bool", Cell::Int(2)), None);
        assert!(!Demanded::named("bool").unwrap().nullable && Demanded::named("boolean").unwrap().nullable);
        assert!(!Demanded::named("int64").unwrap().nullable && Demanded::named("Int64").unwrap().nullable);
    }
}
