//! From the texts of a column to values (`pandas.read_csv`): integers before floats before booleans before text, times
//! where they are asked for.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveDateTime};
use infra::Result;
use query::time_range::dateutil;

use super::{
    frame::{Cell, Column, Dtype},
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

/// Reads a column as times; a column with a value that is none stays what it was.
pub fn times(column: &mut Column, day_first: bool) {
    let text = |cell: &Cell| match cell {
        Cell::Text(t) => Some(t.to_string()),
        Cell::Int(n) => Some(n.to_string()),
        _ => None,
    };
    let read = |cell: &Cell| match cell {
        Cell::Null => Some(Cell::Null),
        Cell::Time(t) => Some(Cell::Time(*t)),
        other => moment(&text(other)?, day_first).map(Cell::Time),
    };
    if let Some(cells) = column.cells.iter().map(read).collect::<Option<Vec<Cell>>>() {
        column.cells = cells;
        column.dtype = Dtype::Time;
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
const SHOWN: usize = 5;

/// Casts a column to a type that was demanded (`CSVReader._cast_single_column`).
pub fn cast(column: &mut Column, dtype: &str, header: usize) -> Result<()> {
    let (target, read): (Dtype, fn(&Cell) -> Option<Cell>) = match dtype {
        "int64" | "int" | "Int64" => (Dtype::Int(64), whole),
        "int32" | "Int32" => (Dtype::Int(32), whole),
        "float64" | "float" => (Dtype::Float(64), real),
        "float32" => (Dtype::Float(32), real),
        "bool" | "boolean" => (Dtype::Bool, truth),
        "str" | "object" | "string" => (Dtype::Text, shown),
        "datetime64[ns]" | "datetime64" => {
            times(column, false);
            if column.dtype == Dtype::Time {
                return Ok(());
            }
            (Dtype::Time, |c| matches!(c, Cell::Null).then_some(Cell::Null))
        }
        other => {
            let text = format!(
                "Cannot convert column '{}' to {other}. data type '{other}' not understood",
                column.name
            );
            return Err(failed(text));
        }
    };
    let nulls = matches!(target, Dtype::Int(_)) && column.cells.contains(&Cell::Null);
    let cells: Vec<Option<Cell>> = column.cells.iter().map(read).collect();
    let wrong: Vec<usize> = cells.iter().enumerate().filter(|(_, c)| c.is_none()).map(|(i, _)| i).collect();
    if wrong.is_empty() && !nulls {
        column.cells = cells.into_iter().flatten().collect();
        column.dtype = target;
        return Ok(());
    }
    let start = format!("Cannot convert column '{}' to {dtype}.", column.name);
    if wrong.is_empty() {
        return Err(failed(format!("{start} Cannot convert non-finite values (NA or inf) to integer")));
    }
    let mut text = format!("{start} Found {} error(s):", wrong.len());
    for i in wrong.iter().take(SHOWN) {
        let value = match column.cells.get(*i).and_then(shown) {
            Some(Cell::Text(t)) => t,
            _ => "".into(),
        };
        text.push_str(&format!("\n  • Line {}: '{value}' cannot be converted to {dtype}", i + header + 2));
    }
    if wrong.len() > SHOWN {
        text.push_str(&format!("\n  ... and {} more error(s)", wrong.len() - SHOWN));
    }
    Err(failed(text))
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
pub fn shown(cell: &Cell) -> Option<Cell> {
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

    #[test]
    fn times_all_or_none() {
        let mut c = column(&["2020-01-02", "", "2020-01-03 04:05:06"]);
        times(&mut c, false);
        assert_eq!(c.dtype, Dtype::Time);
        let mut c = column(&["02/01/2020"]);
        times(&mut c, true);
        assert_eq!(
            c.cells[0],
            Cell::Time(NaiveDate::from_ymd_opt(2020, 1, 2).unwrap().and_hms_opt(0, 0, 0).unwrap())
        );
        let mut c = column(&["2020-01-02", "soup"]);
        times(&mut c, false);
        assert_eq!(c.dtype, Dtype::Text);
    }

    #[test]
    fn demanded_types() {
        let mut c = column(&["1", "x", "3"]);
        let error = cast(&mut c, "int64", 0).unwrap_err().to_string();
        assert!(error.contains("Found 1 error(s):\n  • Line 3: 'x' cannot be converted to int64"), "{error}");
        let mut c = column(&["1", "2"]);
        cast(&mut c, "str", 0).unwrap();
        assert_eq!(c.cells[0], Cell::Text("1".into()));
    }
}
