//! `DataFrame.to_markdown`: `tabulate` with the format `pipe`.

use infra::python::parse_float;
use serde_json::Value;
use unicode_width::UnicodeWidthChar as _;

use super::{Cells, TextTable, python_str, text_of};

/// What `tabulate` takes a column for, the more general the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
}

/// A value as Python has it.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Of a type that is always a text: moments.
    Other(String),
    Text(String),
}

impl Cell {
    fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::None => return None,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Other(_) => Kind::Text,
            Self::Text(text) => kind_of(text),
        })
    }
}

/// `True` and `False`, whole numbers and numbers are taken for what they say.
fn kind_of(text: &str) -> Kind {
    if matches!(text, "True" | "False") {
        return Kind::Bool;
    }
    let digits = text.trim().trim_start_matches(['+', '-']);
    let is_sign = text.trim().len() - digits.len() <= 1;
    match parse_float(text) {
        Some(_) if is_sign && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') => Kind::Int,
        Some(x) if x.is_finite() => Kind::Float,
        Some(_) if matches!(text.to_lowercase().as_str(), "inf" | "-inf" | "nan") => Kind::Float,
        _ => Kind::Text,
    }
}

pub(super) fn write(table: &TextTable) -> String {
    let mut columns: Vec<(String, Vec<Cell>)> = Vec::with_capacity(table.cells.len() + 1);
    columns.push((String::new(), table.index.iter().map(|label| index_cell(label)).collect()));
    // a frame of numbers alone is one of floats if a column is
    let is_number = |cells: &Cells| matches!(cells, Cells::Int(_) | Cells::Float(_));
    let floats =
        table.cells.iter().all(is_number) && table.cells.iter().any(|c| matches!(c, Cells::Float(_)));
    for (label, cells) in table.columns.iter().zip(&table.cells) {
        columns.push((text_of(label), cells_of(cells, floats)));
    }
    let rendered: Vec<Column> = columns.into_iter().map(|(name, cells)| Column::new(&name, &cells)).collect();
    let mut out = vec![line(&rendered, |c| vec![c.name.clone()])];
    out.push(rule(&rendered));
    for row in 0..table.row_count() {
        out.push(line(&rendered, |c| c.rows.get(row).cloned().unwrap_or_default()));
    }
    out.join("\n")
}

/// Of one level the value itself, of several one text.
fn index_cell(label: &[Value]) -> Cell {
    Cell::Text(text_of(label))
}

fn cells_of(cells: &Cells, floats: bool) -> Vec<Cell> {
    match cells {
        Cells::Bool(v) => v.iter().map(|b| Cell::Bool(*b)).collect(),
        Cells::Int(v) if floats => v.iter().map(|i| Cell::Float(*i as f64)).collect(),
        Cells::Int(v) => v.iter().map(|i| Cell::Int(*i)).collect(),
        Cells::Float(v) => v.iter().map(|x| Cell::Float(*x)).collect(),
        Cells::Time(v) => v.iter().map(|ms| Cell::Other(time_text(*ms))).collect(),
        Cells::Object(v) => v.iter().map(object_cell).collect(),
    }
}

fn object_cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::None,
        Value::Bool(b) => Cell::Bool(*b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => Cell::Int(i),
            None => n.as_f64().map_or(Cell::None, Cell::Float),
        },
        Value::String(text) => Cell::Text(text.clone()),
        other => Cell::Text(python_str(other)),
    }
}

/// `str(pandas.Timestamp)`.
fn time_text(ms: Option<i64>) -> String {
    let Some(t) = ms.and_then(chrono::DateTime::from_timestamp_millis) else { return "NaT".to_owned() };
    let format = if t.timestamp_subsec_millis() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.6f" };
    t.format(format).to_string()
}

struct Column {
    name: String,
    /// The lines of each cell.
    rows: Vec<Vec<String>>,
    width: isize,
    is_right: bool,
}

impl Column {
    fn new(name: &str, cells: &[Cell]) -> Self {
        let kind = cells.iter().filter_map(Cell::kind).max().unwrap_or(Kind::Bool);
        let mut texts: Vec<String> = cells.iter().map(|cell| formatted(cell, kind)).collect();
        let is_right = matches!(kind, Kind::Int | Kind::Float);
        if kind == Kind::Float {
            align_points(&mut texts);
        }
        let rows: Vec<Vec<String>> = texts.iter().map(|text| lines_of(text, kind)).collect();
        let widest = rows.iter().flatten().map(|line| width(line)).max().unwrap_or_default();
        // a heading has two blanks to spare
        let width = widest.max(width(name) + 2);
        Self { name: name.to_owned(), rows, width, is_right }
    }

    fn padded(&self, text: &str) -> String {
        let blanks = blanks(self.width - width(text));
        if self.is_right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
    }
}

/// Columns of a terminal that a text takes; one with a control character takes -1 (`wcwidth.wcswidth`).
fn width(text: &str) -> isize {
    let each = text.chars().map(|c| match c {
        '\0' => Some(0),
        c if c.is_control() => None,
        c => Some(c.width().unwrap_or_default()),
    });
    each.sum::<Option<usize>>().map_or(-1, |sum| isize::try_from(sum).unwrap_or(isize::MAX))
}

fn blanks(count: isize) -> String {
    " ".repeat(usize::try_from(count).unwrap_or_default())
}

/// The lines of a cell. Blanks around it go; those that put numbers under one another stay.
fn lines_of(text: &str, kind: Kind) -> Vec<String> {
    let text = if kind == Kind::Float { text } else { text.trim() };
    if text.is_empty() { vec![String::new()] } else { text.split('\n').map(str::to_owned).collect() }
}

fn formatted(cell: &Cell, kind: Kind) -> String {
    let float = |x: f64| general(x);
    match (cell, kind) {
        (Cell::None, _) => String::new(),
        (Cell::Text(text) | Cell::Other(text), Kind::Float) => {
            parse_float(text).map_or_else(|| text.clone(), float)
        }
        (Cell::Text(text) | Cell::Other(text), _) => text.clone(),
        (Cell::Int(i), Kind::Float) => float(*i as f64),
        (Cell::Int(i), _) => i.to_string(),
        (Cell::Float(x), Kind::Float) => float(*x),
        (Cell::Float(x), _) => infra::python::float_repr(*x),
        (Cell::Bool(b), Kind::Int) => i64::from(*b).to_string(),
        (Cell::Bool(b), Kind::Float) => float(f64::from(*b)),
        (Cell::Bool(b), _) => if *b { "True" } else { "False" }.to_owned(),
    }
}

/// `format(x, "g")`: six digits.
fn general(x: f64) -> String {
    if !x.is_finite() {
        return infra::python::float_repr(x);
    }
    if x == 0.0 {
        return if x.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{x:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        let places = usize::try_from(5 - exponent).unwrap_or_default();
        let text = format!("{x:.places$}");
        return if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
    }
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Numbers with a point stand with their points under one another.
fn align_points(texts: &mut [String]) {
    let after = |text: &str| -> Option<usize> {
        match text.rfind('.').or_else(|| text.to_lowercase().rfind('e')) {
            Some(at) if kind_of(text) != Kind::Text => Some(text.len() - at - 1),
            _ => None,
        }
    };
    let most = texts.iter().filter_map(|text| after(text)).max();
    for text in texts.iter_mut() {
        let missing = match (most, after(text)) {
            (Some(most), Some(own)) => most - own,
            (Some(most), None) => most + 1,
            (None, _) => 0,
        };
        text.push_str(&" ".repeat(missing));
    }
}

fn line(columns: &[Column], cell: impl Fn(&Column) -> Vec<String>) -> String {
    let cells: Vec<Vec<String>> = columns.iter().map(cell).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    let mut lines = Vec::with_capacity(height);
    for at in 0..height {
        let texts = columns.iter().zip(&cells).map(|(column, cell)| {
            format!(" {} ", column.padded(cell.get(at).map(String::as_str).unwrap_or_default()))
        });
        lines.push(format!("|{}|", texts.collect::<Vec<_>>().join("|")));
    }
    lines.join("\n")
}

fn dashes(count: isize) -> String {
    "-".repeat(usize::try_from(count).unwrap_or_default())
}

fn rule(columns: &[Column]) -> String {
    let cells = columns.iter().map(|column| match column.is_right {
        true => format!("{}:", dashes(column.width + 1)),
        false => format!(":{}", dashes(column.width + 1)),
    });
    format!("|{}|", cells.collect::<Vec<_>>().join("|"))
}
