//! `DataFrame.to_html` (`pandas.io.formats.html.HTMLFormatter`), as far as it has no options here.

use std::collections::HashMap;

use serde_json::Value;

use super::{Cells, TextTable, number_text, python_str};

/// Blanks by which each level of the markup is indented.
const STEP: usize = 2;

struct Writer {
    lines: Vec<String>,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        self.lines.push(format!("{}{text}", " ".repeat(indent)));
    }

    /// A row; the first `heads` cells are headings. Tags stand by the position of their cell.
    fn row(&mut self, cells: &[String], heads: usize, tags: &HashMap<usize, String>, style: Option<&str>) {
        match style {
            Some(style) => self.line(2 * STEP, &format!("<tr style=\"{style}\">")),
            None => self.line(2 * STEP, "<tr>"),
        }
        for (at, cell) in cells.iter().enumerate() {
            let kind = if at < heads { "th" } else { "td" };
            let tag = tags.get(&at).map(|tag| format!(" {tag}")).unwrap_or_default();
            self.line(3 * STEP, &format!("<{kind}{tag}>{}</{kind}>", escaped(cell).trim()));
        }
        self.line(2 * STEP, "</tr>");
    }
}

pub(super) fn write(table: &TextTable) -> String {
    let mut out = Writer { lines: Vec::new() };
    out.line(0, "<table border=\"1\" class=\"dataframe\">");
    out.line(STEP, "<thead>");
    head(table, &mut out);
    out.line(STEP, "</thead>");
    out.line(STEP, "<tbody>");
    body(table, &mut out);
    out.line(STEP, "</tbody>");
    out.line(0, "</table>");
    out.lines.join("\n")
}

fn head(table: &TextTable, out: &mut Writer) {
    let corner = depth(&table.index);
    let lengths = lengths(&table.columns);
    for (level, records) in lengths.iter().enumerate() {
        let mut cells = vec![String::new(); corner];
        let mut tags = HashMap::new();
        for (at, label) in table.columns.iter().enumerate() {
            let Some(span) = records.get(&at) else { continue };
            if *span > 1 {
                tags.insert(cells.len(), format!("colspan=\"{span}\" halign=\"left\""));
            }
            cells.push(label.get(level).map(label_text).unwrap_or_default());
        }
        let count = cells.len();
        out.row(&cells, count, &tags, None);
    }
}

fn body(table: &TextTable, out: &mut Writer) {
    let columns: Vec<Vec<String>> = table.cells.iter().map(texts).collect();
    let lengths = lengths(&table.index);
    for row in 0..table.row_count() {
        let mut cells = Vec::new();
        let mut tags = HashMap::new();
        for (level, records) in lengths.iter().enumerate() {
            let Some(span) = records.get(&row) else { continue };
            if *span > 1 {
                tags.insert(cells.len(), format!("rowspan=\"{span}\" valign=\"top\""));
            }
            let label = table.index.get(row).and_then(|label| label.get(level));
            cells.push(label.map(label_text).unwrap_or_default());
        }
        let heads = cells.len();
        cells.extend(columns.iter().map(|column| column.get(row).cloned().unwrap_or_default()));
        out.row(&cells, heads, &tags, None);
    }
}

fn depth(labels: &[Vec<Value>]) -> usize {
    labels.iter().map(Vec::len).max().unwrap_or(1).max(1)
}

/// For each level, where a label is written and over how many it stretches: those of outer levels once for what
/// follows one another, those of the last level each.
fn lengths(labels: &[Vec<Value>]) -> Vec<HashMap<usize, usize>> {
    let depth = depth(labels);
    let mut all = Vec::with_capacity(depth);
    for level in 0..depth {
        let mut starts = Vec::new();
        for (at, label) in labels.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| labels.get(before));
            let same = before.is_some_and(|before| before.get(..=level) == label.get(..=level));
            if level + 1 == depth || !same {
                starts.push(at);
            }
        }
        let ends = starts.iter().skip(1).copied().chain([labels.len()]);
        all.push(starts.iter().copied().zip(ends).map(|(start, end)| (start, end - start)).collect());
    }
    all
}

/// A label as it is shown.
fn label_text(label: &Value) -> String {
    match label {
        Value::Null => "NaN".to_owned(),
        other => python_str(other),
    }
}

/// The values of a column as they are shown.
fn texts(cells: &Cells) -> Vec<String> {
    match cells {
        Cells::Bool(v) => v.iter().map(|b| if *b { "True" } else { "False" }.to_owned()).collect(),
        Cells::Int(v) => v.iter().map(i64::to_string).collect(),
        Cells::Float(v) => {
            v.iter().map(|x| if x.is_nan() { String::new() } else { number_text(*x) }).collect()
        }
        Cells::Time(v) => times(v),
        Cells::Object(v) => v.iter().map(object_text).collect(),
    }
}

/// A value among others of several types; line breaks and tabulators are shown as letters.
fn object_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\t', "\\t").replace('\r', "\\r").replace('\n', "\\n"),
        Value::Null => "None".to_owned(),
        other => python_str(other),
    }
}

/// Moments: dates alone where none has a time, as many digits of seconds as one of them needs.
pub(super) fn times(values: &[Option<i64>]) -> Vec<String> {
    let moments: Vec<_> =
        values.iter().map(|ms| ms.and_then(chrono::DateTime::from_timestamp_millis)).collect();
    let known = || values.iter().flatten();
    let format = if known().all(|ms| ms % 86_400_000 == 0) {
        "%Y-%m-%d"
    } else if known().all(|ms| ms % 1000 == 0) {
        "%Y-%m-%d %H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S%.3f"
    };
    moments.iter().map(|t| t.map_or_else(|| "NaT".to_owned(), |t| t.format(format).to_string())).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
