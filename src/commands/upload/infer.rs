//! From the texts of a column to values (`pandas.read_csv`): integers before floats before booleans before text, times
//! where they are asked for.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveDateTime};
use infra::Result;
use query::time_range::dateutil;

use super::{
    frame::{Cell, Dtype},
    options::{Options, failed},
};

/// What pandas reads as missing.
const NULLS: &[&str] = &[
    "", " ", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
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
    all(&texts, integer, Cell::Int)
        .or_else(|| all(&texts, |t| float(t, decimal), Cell::Float))
        .or_else(|| all(&texts, boolean, Cell::Bool))
        .unwrap_or_else(|| {
            let text = |t: Option<String>| t.map_or(Cell::Null, |t| Cell::Text(t.into()));
            texts.into_iter().map(text).collect()
        })
}

fn integer(text: &str) -> Option<i64> {
    let text = text.trim_matches(' ');
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

fn float(text: &str, decimal: char) -> Option<f64> {
    let text = text.trim_matches(' ');
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

fn boolean(text: &str) -> Option<bool> {
    match text {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    }
}

/// A value as a time; `None` when it is none.
pub fn time(cell: &Cell, day_first: bool) -> Option<Cell> {
    let read = |text: &str| moment(text, day_first).map(Cell::Time);
    match cell {
        Cell::Null => Some(Cell::Null),
        Cell::Time(t) => Some(Cell::Time(*t)),
        Cell::Text(text) => read(text),
        Cell::Int(n) => read(&n.to_string()),
        _ => None,
    }
}

fn moment(text: &str, day_first: bool) -> Option<NaiveDateTime> {
    let text = text.trim();
    let midnight = |d: NaiveDate| d.and_hms_opt(0, 0, 0);
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(t) = NaiveDateTime::parse_from_str(text, format) {
            return Some(t);
        }
    }
    if let Ok(t) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(t.naive_utc());
    }
    let dates: &[&str] = if day_first {
        &["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y"]
    } else {
        &["%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d"]
    };
    if let Some(date) = dates.iter().find_map(|f| NaiveDate::parse_from_str(text, f).ok()) {
        return midnight(date);
    }
    let today = midnight(infra::clock::now().date())?;
    dateutil::parse(text, today, chrono::Datelike::year(&today)).map(|m| m.wall)
}

/// Most values that an error names.
const MAX_EXAMPLES: usize = 5;

/// A type that was demanded of a column (`CSVReader._cast_single_column`), and the values that are not of it.
pub struct Cast {
    column: String,
    demanded: String,
    /// What the column becomes.
    pub target: Dtype,
    /// A value as one of that type; `None` when it is none.
    pub read: fn(&Cell) -> Option<Cell>,
    nulls: bool,
    wrong: usize,
    /// The first that are wrong, with their rows.
    examples: Vec<(usize, Box<str>)>,
}

impl Cast {
    /// A type by its name in pandas.
    pub fn for_pandas_type(column: &str, demanded: &str) -> Result<Self> {
        let (target, read): (Dtype, fn(&Cell) -> Option<Cell>) = match demanded {
            "int64" | "int" | "Int64" => (Dtype::Int(64), whole),
            "int32" | "Int32" => (Dtype::Int(32), whole),
            "float64" | "float" => (Dtype::Float(64), real),
            "float32" => (Dtype::Float(32), real),
            "bool" | "boolean" => (Dtype::Bool, truth),
            "str" | "object" | "string" => (Dtype::Text, as_text),
            // of columns that are not all times
            "datetime64[ns]" | "datetime64" => {
                (Dtype::Time, |c| matches!(c, Cell::Null).then_some(Cell::Null))
            }
            other => {
                let text = format!(
                    "Cannot convert column '{column}' to {other}. data type '{other}' not understood"
                );
                return Err(failed(text));
            }
        };
        let (column, demanded) = (column.to_owned(), demanded.to_owned());
        Ok(Self { column, demanded, target, read, nulls: false, wrong: 0, examples: Vec::new() })
    }

    /// Notes whether a value is of the type.
    pub fn add(&mut self, cell: &Cell, row: usize) {
        self.nulls |= *cell == Cell::Null;
        if (self.read)(cell).is_some() {
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
        let Self { column, demanded, wrong, .. } = self;
        let start = format!("Cannot convert column '{column}' to {demanded}.");
        if *wrong == 0 {
            if self.nulls && matches!(self.target, Dtype::Int(_)) {
                return Err(failed(format!(
                    "{start} Cannot convert non-finite values (NA or inf) to integer"
                )));
            }
            return Ok(());
        }
        let mut text = format!("{start} Found {wrong} error(s):");
        for (row, value) in &self.examples {
            let line = row.saturating_add(header).saturating_add(2);
            text.push_str(&format!("\n  • Line {line}: '{value}' cannot be converted to {demanded}"));
        }
        if *wrong > MAX_EXAMPLES {
            text.push_str(&format!("\n  ... and {} more error(s)", wrong - MAX_EXAMPLES));
        }
        Err(failed(text))
    }
}

fn whole(cell: &Cell) -> Option<Cell> {
    Some(match cell {
        Cell::Null => Cell::Null,
        Cell::Int(n) => Cell::Int(*n),
        Cell::Float(f) if f.is_finite() => Cell::Int(*f as i64),
        Cell::Bool(b) => Cell::Int(i64::from(*b)),
        Cell::Text(t) => Cell::Int(integer(t).or_else(|| Some(float(t, '.')? as i64))?),
        _ => return None,
    })
}

fn real(cell: &Cell) -> Option<Cell> {
    Some(match cell {
        Cell::Null => Cell::Null,
        Cell::Int(n) => Cell::Float(*n as f64),
        Cell::Float(f) => Cell::Float(*f),
        Cell::Bool(b) => Cell::Float(f64::from(u8::from(*b))),
        Cell::Text(t) => Cell::Float(float(t, '.')?),
        Cell::Time(_) | Cell::Date(_) | Cell::Clock(_) => return None,
    })
}

fn truth(cell: &Cell) -> Option<Cell> {
    Some(Cell::Bool(match cell {
        Cell::Null => return Some(Cell::Bool(true)),
        Cell::Int(n) => *n != 0,
        Cell::Float(f) => *f != 0.0,
        Cell::Bool(b) => *b,
        Cell::Text(t) => !t.is_empty(),
        Cell::Time(_) | Cell::Date(_) | Cell::Clock(_) => return None,
    }))
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
        ] {
            assert_eq!(column(texts).dtype, want, "{texts:?}");
        }
        assert_eq!(float("1,5", ','), Some(1.5));
        assert_eq!(float("1.5", ','), None);
    }
}
