//! From the texts of a column to values (`pandas.read_csv`): integers before floats before booleans before text, times
//! where they are asked for.

use std::collections::HashSet;

use infra::Result;

use super::{
    frame::{Cell, Dtype},
    options::{Options, failed},
    types::Demanded,
};

/// What pandas reads as missing.
const NULLS: &[&str] = &[
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Texts that are read as missing.
pub fn null_texts(options: &Options) -> HashSet<String> {
    if options.null_values.is_empty() {
        NULLS.iter().map(|t| (*t).to_owned()).collect()
    } else {
        options.null_values.iter().cloned().collect()
    }
}

/// The values of a chunk of a column; `None` is missing.
pub fn cells(texts: Vec<Option<String>>, decimal: char) -> Vec<Cell> {
    fn all<T>(
        texts: &[Option<String>],
        read: impl Fn(&str) -> Option<T>,
        cell: fn(T) -> Cell,
    ) -> Option<Vec<Cell>> {
        let value = |text: &Option<String>| match text {
            Some(text) => read(text).map(cell),
            None => Some(Cell::Null),
        };
        texts.iter().map(value).collect()
    }
    // integers that no column holds stay as they are written, and are no floats
    let beyond = || texts.iter().flatten().all(|text| is_whole(text)) && texts.iter().any(Option::is_some);
    all(&texts, integer, Cell::Int)
        .or_else(|| if beyond() { None } else { all(&texts, |t| float(t, decimal), Cell::Float) })
        .or_else(|| all(&texts, boolean, Cell::Bool))
        .unwrap_or_else(|| {
            let text = |t: Option<String>| t.map_or(Cell::Null, |t| Cell::Text(t.into()));
            texts.into_iter().map(text).collect()
        })
}

/// Blanks around a number.
fn bare(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
}

/// An integer of 64 bits.
pub fn integer(text: &str) -> Option<i64> {
    let text = bare(text);
    if text.starts_with("+-") || text.starts_with("++") {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// Whether a text is an integer of any size.
fn is_whole(text: &str) -> bool {
    let text = bare(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether pandas makes a column of 64 bits without a sign of a chunk: none is missing or below zero, and some are
/// beyond those with a sign. No table has such a column there.
pub fn is_unsigned(texts: &[Option<String>]) -> bool {
    let fits = |text: &Option<String>| {
        let text = bare(text.as_deref().unwrap_or_default());
        is_whole(text) && text.strip_prefix('+').unwrap_or(text).parse::<u64>().is_ok()
    };
    !texts.is_empty() && texts.iter().all(fits) && texts.iter().flatten().any(|text| integer(text).is_none())
}

/// A number.
pub fn float(text: &str, decimal: char) -> Option<f64> {
    let text = bare(text);
    if decimal != '.' && text.contains('.') {
        return None;
    }
    let text = if decimal == '.' { text.to_owned() } else { text.replace(decimal, ".") };
    match text.to_ascii_lowercase().trim_start_matches(['+', '-']) {
        "inf" | "infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        // what Rust reads beyond numbers is text to pandas
        plain if plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

/// A truth value.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    }
}

/// A column that SQLAlchemy has no type for.
pub fn unsigned() -> infra::Error {
    failed("Unsigned 64 bit integer datatype is not supported")
}

/// Most values that an error names.
const MAX_EXAMPLES: usize = 5;

/// A type that was demanded of a column (`CSVReader._cast_single_column`), and the values that are not of it.
pub struct Cast {
    column: String,
    name: String,
    /// The type; none of times, of which a column without any is refused.
    demanded: Option<Demanded>,
    nulls: bool,
    wrong: usize,
    /// The first that are wrong, with their rows.
    examples: Vec<(usize, Box<str>)>,
}

impl Cast {
    /// A type by its name in pandas.
    pub fn for_pandas_type(column: &str, name: &str) -> Result<Self> {
        let demanded = match name {
            // of columns that are not all times
            "datetime64[ns]" | "datetime64" => None,
            "uint64" | "UInt64" => return Err(unsigned()),
            name => Some(Demanded::named(name).ok_or_else(|| {
                failed(format!(
                    "Cannot convert column '{column}' to {name}. data type '{name}' not understood"
                ))
            })?),
        };
        let (column, name) = (column.to_owned(), name.to_owned());
        Ok(Self { column, name, demanded, nulls: false, wrong: 0, examples: Vec::new() })
    }

    /// What the column becomes.
    pub fn target(&self) -> Dtype {
        self.demanded.map_or(Dtype::Time, |demanded| demanded.target)
    }

    /// A value as one of the type; `None` when it is none.
    pub fn read(&self, cell: &Cell) -> Option<Cell> {
        match &self.demanded {
            Some(demanded) => demanded.read(cell),
            None => (*cell == Cell::Null).then_some(Cell::Null),
        }
    }

    /// Notes whether a value is of the type.
    pub fn add(&mut self, cell: &Cell, row: usize) {
        self.nulls |= *cell == Cell::Null;
        if self.read(cell).is_some() {
            return;
        }
        self.wrong += 1;
        if self.examples.len() < MAX_EXAMPLES {
            let value = match as_text(cell) {
                Some(Cell::Text(t)) => t,
                _ => "".into(),
            };
            self.examples.push((row, value));
        }
    }

    /// Fails when one that was seen is not; `header` is the line of the names.
    pub fn verdict(&self, header: usize) -> Result<()> {
        let Self { column, name, wrong, .. } = self;
        let start = format!("Cannot convert column '{column}' to {name}.");
        if *wrong == 0 {
            let complete = !self.nulls || self.demanded.is_none_or(|demanded| demanded.nullable);
            return match self.target() {
                _ if complete => Ok(()),
                Dtype::Int(_) => {
                    Err(failed(format!("{start} Cannot convert non-finite values (NA or inf) to integer")))
                }
                _ => Err(failed(format!("{start} Values are missing"))),
            };
        }
        let mut text = format!("{start} Found {wrong} error(s):");
        for (row, value) in &self.examples {
            let line = row.saturating_add(header).saturating_add(2);
            text.push_str(&format!("\n  • Line {line}: '{value}' cannot be converted to {name}"));
        }
        if *wrong > MAX_EXAMPLES {
            text.push_str(&format!("\n  ... and {} more error(s)", wrong - MAX_EXAMPLES));
        }
        Err(failed(text))
    }
}

/// The value as text.
pub fn as_text(cell: &Cell) -> Option<Cell> {
    Some(Cell::Text(match cell {
        Cell::Null => return Some(Cell::Null),
        Cell::Int(n) => n.to_string().into(),
        Cell::Float(f) => query::frame::python::float_repr(*f).into(),
        Cell::Bool(b) => (if *b { "True" } else { "False" }).into(),
        Cell::Text(t) => t.clone(),
        Cell::Time(t) => t.format("%Y-%m-%d %H:%M:%S%.f").to_string().into(),
        Cell::Date(d) => d.to_string().into(),
        Cell::Clock(t) => t.to_string().into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::frame::Column;

    fn column(texts: &[&str]) -> Column {
        let nulls = null_texts(&Options::default());
        let texts: Vec<Option<String>> =
            texts.iter().map(|t| (!nulls.contains(*t)).then(|| (*t).to_owned())).collect();
        let cells = cells(texts, '.');
        Column { name: "c".into(), dtype: Column::dtype_of(&cells), cells }
    }

    /// Compared with pandas 2.1.
    #[test]
    fn types_as_pandas_finds_them() {
        for (texts, want) in [
            (&["1", " 2", "-3"][..], Dtype::Int(64)),
            (&["1", "", "3"], Dtype::Float(64)),
            (&["1.5", "1e3", "inf"], Dtype::Float(64)),
            (&["True", "false", "NA"], Dtype::Bool),
            (&["1", "x"], Dtype::Text),
            (&["2020-01-01", ""], Dtype::Text),
            (&["", "null"], Dtype::Float(64)),
            (&["infinite"], Dtype::Text),
            (&["123456789012345678901234567890", "1"], Dtype::Text),
            (&["-9223372036854775809", "1"], Dtype::Text),
            (&["9223372036854775808", ""], Dtype::Text),
            (&["9223372036854775807", "\t1"], Dtype::Int(64)),
            // the fraction of one makes floats of all
            (&["123456789012345678901234567890", "1.5"], Dtype::Float(64)),
            (&["1", " "], Dtype::Text),
        ] {
            assert_eq!(column(texts).dtype, want, "{texts:?}");
        }
        let texts = |texts: &[&str]| texts.iter().map(|t| Some((*t).to_owned())).collect::<Vec<_>>();
        assert!(is_unsigned(&texts(&["18446744073709551615", "1"])));
        assert!(!is_unsigned(&texts(&["18446744073709551616", "1"])) && !is_unsigned(&texts(&["1"])));
        assert!(!is_unsigned(&texts(&["9223372036854775808", "-1"])) && !is_unsigned(&[None]));
        assert_eq!(float("1,5", ','), Some(1.5));
        assert_eq!(float("1.5", ','), None);
    }
}
