//! CSV as chart exports write it (`superset.utils.csv:df_to_escaped_csv` over pandas' `to_csv`).

use std::borrow::Cow;

use infra::{
    compute::Pace,
    engines::column::{ColumnData, Scalar},
};

use crate::frame::datetime::{DAY, from_micros};
use crate::frame::python::{offset_text, str_of, timestamp_text, write_float, write_int};
use crate::frame::{Frame, Index, Result, is_na};

/// Which fields stand in quotes (Python's `csv.QUOTE_…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quoting {
    /// Those that need it.
    #[default]
    Minimal,
    /// All.
    All,
    /// All but numbers.
    NonNumeric,
    /// None: what would need it is escaped.
    None,
}

/// How a frame is written.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    /// Field separator (`CSV_EXPORT["sep"]`).
    pub separator: char,
    /// Decimal point of floats (`CSV_EXPORT["decimal"]`).
    pub decimal: char,
    /// Text of nulls (`CSV_EXPORT["na_rep"]`).
    pub null: String,
    /// `CSV_EXPORT["quoting"]`.
    pub quoting: Quoting,
    /// `CSV_EXPORT["quotechar"]`.
    pub quote: char,
    /// End of a line (`CSV_EXPORT["lineterminator"]`).
    pub line_end: String,
    /// Digits behind the point of floats (`CSV_EXPORT["float_format"]`, `"%.2f"`).
    pub digits: Option<usize>,
    /// Write the row labels.
    pub index: bool,
    /// Write the column labels (`CSV_EXPORT["header"]`).
    pub header: bool,
    /// The export's escape character; without one only quotes are doubled.
    pub escape: Option<char>,
    /// Disarm texts that a spreadsheet would take for a formula.
    pub escape_formulas: bool,
    /// `strftime` format of timestamps (`CSV_EXPORT["date_format"]`).
    pub date_format: Option<String>,
}

impl CsvOptions {
    /// A chart export: formulas disarmed, row labels only when they say something.
    pub fn export(frame: &Frame) -> Self {
        Self {
            separator: ',',
            decimal: '.',
            null: String::new(),
            quoting: Quoting::Minimal,
            quote: '"',
            line_end: "\n".to_owned(),
            digits: None,
            index: !frame.index.is_range(),
            header: true,
            escape: Some('\\'),
            escape_formulas: true,
            date_format: None,
        }
    }

    /// pandas' own defaults, as reports over processed tables are written.
    pub fn plain(index: bool) -> Self {
        Self {
            separator: ',',
            decimal: '.',
            null: String::new(),
            quoting: Quoting::Minimal,
            quote: '"',
            line_end: "\n".to_owned(),
            digits: None,
            index,
            header: true,
            escape: None,
            escape_formulas: false,
            date_format: None,
        }
    }

    /// Takes over the keys of Superset's `CSV_EXPORT` setting that change the text.
    #[must_use]
    pub fn with_config(mut self, config: &serde_json::Map<String, serde_json::Value>) -> Self {
        let text = |key: &str| config.get(key).and_then(serde_json::Value::as_str);
        if let Some(c) = text("sep").and_then(|s| s.chars().next()) {
            self.separator = c;
        }
        if let Some(c) = text("decimal").and_then(|s| s.chars().next()) {
            self.decimal = c;
        }
        if let Some(s) = text("na_rep") {
            s.clone_into(&mut self.null);
        }
        if let Some(c) = text("quotechar").and_then(|s| s.chars().next()).filter(char::is_ascii) {
            self.quote = c;
        }
        if let Some(s) = text("lineterminator").filter(|s| !s.is_empty()) {
            s.clone_into(&mut self.line_end);
        }
        self.quoting = match config.get("quoting").and_then(serde_json::Value::as_i64) {
            Some(1) => Quoting::All,
            Some(2) => Quoting::NonNumeric,
            Some(3) => Quoting::None,
            _ => self.quoting,
        };
        self.digits = text("float_format").and_then(digits).or(self.digits);
        if let Some(b) = config.get("header").and_then(serde_json::Value::as_bool) {
            self.header = b;
        }
        self.date_format = text("date_format").map(str::to_owned).or(self.date_format);
        self
    }
}

/// How many digits `%.2f` means; nothing for other forms.
pub fn digits(format: &str) -> Option<usize> {
    let digits = format.strip_prefix("%.")?.strip_suffix('f')?;
    digits.parse().ok().filter(|digits| *digits <= 60)
}

/// The frame as CSV text.
pub fn to_csv(frame: &Frame, options: &CsvOptions) -> Result<Vec<u8>> {
    let mut pace = Pace::default();
    let rows = frame.row_count();
    let mut out = Vec::with_capacity(rows.saturating_mul(frame.columns.len() * 8 + 2).min(64 << 20));
    let mut row_writer = Row::new(options);
    let indexes: Vec<(String, ColumnData)> = if options.index {
        frame
            .index
            .clone()
            .into_levels()
            .into_iter()
            .map(|l| (l.name.as_ref().map_or_else(String::new, str_of), l.data))
            .collect()
    } else {
        Vec::new()
    };
    if options.header && !(frame.columns.is_empty() && indexes.is_empty()) {
        for (name, _) in &indexes {
            row_writer.field(&mut out, name);
        }
        for c in &frame.columns {
            let label = match c.label.text() {
                Some(t) if options.escape_formulas => escape_value(t).into_owned(),
                _ => c.label.display(),
            };
            row_writer.field(&mut out, &label);
        }
        row_writer.end(&mut out);
    } else if options.header {
        row_writer.field(&mut out, "");
        row_writer.end(&mut out);
    }
    let columns: Vec<Cow<ColumnData>> =
        frame
            .columns
            .iter()
            .map(|c| {
                if options.escape_formulas { disarmed(&c.data, &frame.index) } else { Cow::Borrowed(&c.data) }
            })
            .collect();
    // pandas formats timestamps chunk by chunk, and all columns of a chunk alike.
    let chunk = (100_000 / frame.columns.len().max(1)).max(1);
    let mut scratch = Vec::new();
    // a null is a text, also among numbers
    let is_null = |field: &[u8]| options.quoting == Quoting::NonNumeric && field == options.null.as_bytes();
    let mut start = 0;
    while start < rows {
        let end = (start + chunk).min(rows);
        let style = Style::for_rows(columns.iter().map(|c| &**c), start, end);
        let index_styles: Vec<Style> =
            indexes.iter().map(|(_, d)| Style::for_rows(std::iter::once(d), start, end)).collect();
        for row in start..end {
            for ((_, data), style) in indexes.iter().zip(&index_styles) {
                scratch.clear();
                cell(&mut scratch, data, row, style, options);
                let is_quotable = quotable(data, options) || is_null(&scratch);
                row_writer.bytes(&mut out, &scratch, is_quotable);
            }
            for data in &columns {
                pace.step()?;
                scratch.clear();
                cell(&mut scratch, data, row, &style, options);
                let is_quotable = quotable(data, options) || is_null(&scratch);
                row_writer.bytes(&mut out, &scratch, is_quotable);
            }
            row_writer.end(&mut out);
        }
        start = end;
    }
    Ok(out)
}

/// Numbers never stand in quotes unless everything does. A float with another decimal point is a text in pandas.
fn quotable(data: &ColumnData, options: &CsvOptions) -> bool {
    match data {
        ColumnData::Int(_) => false,
        ColumnData::Float(_) if options.quoting == Quoting::NonNumeric => {
            options.decimal != '.' || options.digits.is_some()
        }
        _ => true,
    }
}

/// Writes fields as Python's `csv` does.
struct Row<'a> {
    options: &'a CsvOptions,
    fields: usize,
    start: usize,
}

impl<'a> Row<'a> {
    fn new(options: &'a CsvOptions) -> Self {
        Self { options, fields: 0, start: 0 }
    }

    fn bytes(&mut self, out: &mut Vec<u8>, field: &[u8], quotable: bool) {
        if quotable || self.options.quoting == Quoting::All {
            self.field(out, std::str::from_utf8(field).unwrap_or_default());
        } else {
            self.open(out);
            out.extend_from_slice(field);
        }
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        if self.fields == 0 {
            self.start = out.len();
        } else {
            let mut buf = [0; 4];
            out.extend_from_slice(self.options.separator.encode_utf8(&mut buf).as_bytes());
        }
        self.fields += 1;
    }

    fn field(&mut self, out: &mut Vec<u8>, text: &str) {
        self.open(out);
        let CsvOptions { separator, quote, escape, quoting, .. } = *self.options;
        let special =
            |c: char| c == separator || c == quote || c == '\n' || self.options.line_end.contains(c);
        let quoted = match quoting {
            Quoting::Minimal => text.contains(special),
            Quoting::All | Quoting::NonNumeric => true,
            Quoting::None => false,
        };
        let is_bare = quoting == Quoting::None && text.contains(special);
        if !quoted && !is_bare && !escape.is_some_and(|e| text.contains(e)) {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let mut buf = [0; 4];
        if quoted {
            out.extend_from_slice(quote.encode_utf8(&mut buf).as_bytes());
        }
        for c in text.chars() {
            if quoting == Quoting::None && special(c) {
                out.extend(escape.map(|e| e as u8));
            } else if c == quote || Some(c) == escape {
                out.push(c as u8);
            }
            out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
        }
        if quoted {
            out.extend_from_slice(quote.encode_utf8(&mut buf).as_bytes());
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // A line of one empty field would read as no line at all.
        if self.fields == 1 && out.len() == self.start {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(self.options.line_end.as_bytes());
        self.fields = 0;
    }
}

/// How finely the timestamps of a chunk are shown.
struct Style {
    /// Nothing but midnights: dates only.
    dates_only: bool,
    /// Digits after the second.
    digits: usize,
}

impl Style {
    fn for_rows<'a>(columns: impl Iterator<Item = &'a ColumnData>, start: usize, end: usize) -> Self {
        let mut style = Self { dates_only: true, digits: 0 };
        for data in columns {
            let ColumnData::Timestamp(v) = data else { continue };
            for us in v.get(start..end).unwrap_or_default().iter().flatten() {
                style.dates_only &= us.rem_euclid(DAY) == 0;
                let digits = match us.rem_euclid(1_000_000) {
                    0 => 0,
                    part if part % 1000 == 0 => 3,
                    _ => 6,
                };
                style.digits = style.digits.max(digits);
            }
        }
        style
    }
}

fn cell(out: &mut Vec<u8>, data: &ColumnData, row: usize, style: &Style, options: &CsvOptions) {
    match data {
        ColumnData::Int(v) => match v.get(row).copied().flatten() {
            Some(i) => write_int(out, i),
            None => out.extend_from_slice(options.null.as_bytes()),
        },
        ColumnData::Float(v) => match v.get(row).copied().flatten().filter(|f| !f.is_nan()) {
            Some(f) => {
                match options.digits.filter(|_| f.is_finite()) {
                    Some(digits) => out.extend_from_slice(format!("{f:.digits$}").as_bytes()),
                    None => write_float(out, f),
                }
                if options.decimal != '.'
                    && let Some(b) = out.iter_mut().find(|b| **b == b'.')
                {
                    *b = u8::try_from(options.decimal).unwrap_or(b'.');
                }
            }
            None => out.extend_from_slice(options.null.as_bytes()),
        },
        ColumnData::Text(v) => match v.get(row).and_then(Option::as_deref) {
            Some(s) => out.extend_from_slice(s.as_bytes()),
            None => out.extend_from_slice(options.null.as_bytes()),
        },
        ColumnData::Timestamp(v) => match v.get(row).copied().flatten() {
            Some(us) => {
                out.extend_from_slice(timestamp(us, style, options.date_format.as_deref()).as_bytes())
            }
            None => out.extend_from_slice(options.null.as_bytes()),
        },
        other => {
            let v = other.get(row);
            let text = match &v {
                v if is_na(v) => options.null.clone(),
                Scalar::TimestampTz(t, o) => format!("{}{}", timestamp_text(t, ' '), offset_text(*o)),
                v => str_of(v),
            };
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn timestamp(us: i64, style: &Style, format: Option<&str>) -> String {
    let Some(t) = from_micros(us) else { return String::new() };
    if let Some(format) = format {
        let mut s = String::new();
        // An unknown directive must not end the export.
        if std::fmt::Write::write_fmt(&mut s, format_args!("{}", t.format(format))).is_ok() {
            return s;
        }
    }
    if style.dates_only {
        return t.format("%Y-%m-%d").to_string();
    }
    let part = us.rem_euclid(1_000_000);
    let base = t.format("%Y-%m-%d %H:%M:%S");
    match style.digits {
        0 => base.to_string(),
        3 => format!("{base}.{:03}", part / 1000),
        _ => format!("{base}.{part:06}"),
    }
}

/// Texts of a column with formulas disarmed. Superset writes them back by row *label*, so where labels are integers
/// in another order the values move as they do there.
fn disarmed<'a>(data: &'a ColumnData, index: &Index) -> Cow<'a, ColumnData> {
    match data {
        ColumnData::Text(v) => {
            let place = labels(index);
            if place.is_none() && !v.iter().flatten().any(|s| matches!(escape_value(s), Cow::Owned(_))) {
                return Cow::Borrowed(data);
            }
            let mut v = v.clone();
            for i in 0..v.len() {
                let Some(s) = v.get(i).and_then(Option::as_deref) else { continue };
                let text: Box<str> = escape_value(s).into();
                let target = place.as_ref().map_or(Some(i), |p| p.get(&(i as i64)).copied());
                if let Some(slot) = target.and_then(|t| v.get_mut(t)) {
                    *slot = Some(text);
                }
            }
            Cow::Owned(ColumnData::Text(v))
        }
        ColumnData::Object(v) if v.iter().any(|s| matches!(s, Scalar::Text(_))) => {
            Cow::Owned(ColumnData::Object(
                v.iter()
                    .map(|s| match s {
                        Scalar::Text(t) => Scalar::Text(escape_value(t).into()),
                        other => other.clone(),
                    })
                    .collect(),
            ))
        }
        _ => Cow::Borrowed(data),
    }
}

fn labels(index: &Index) -> Option<std::collections::HashMap<i64, usize>> {
    match index {
        Index::Flat(l) => match &l.data {
            ColumnData::Int(v) => Some(v.iter().enumerate().filter_map(|(i, x)| x.map(|x| (x, i))).collect()),
            _ => None,
        },
        _ => None,
    }
}

/// `superset.utils.csv:escape_value`.
pub fn escape_value(text: &str) -> Cow<'_, str> {
    let dangerous = |c: char| matches!(c, '-' | '@' | '+' | '|' | '=' | '%');
    let blank = text.trim_start_matches(char::is_whitespace);
    let starts = text.starts_with(dangerous)
        || (blank.len() < text.len() && blank.starts_with(dangerous))
        || text.strip_prefix("\"\"").is_some_and(|t| t.starts_with(dangerous));
    if !starts {
        return Cow::Borrowed(text);
    }
    // Python's `$` also matches before a final line feed.
    let number = text.strip_suffix('\n').unwrap_or(text).strip_prefix('-');
    if number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'.')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}", text.replace('|', "\\|")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    fn text(values: &[&str]) -> ColumnData {
        ColumnData::Text(values.iter().map(|s| Some((*s).into())).collect())
    }

    fn csv(frame: &Frame) -> String {
        String::from_utf8(to_csv(frame, &CsvOptions::export(frame)).unwrap()).unwrap()
    }

    #[test]
    fn quoting_and_formulas() {
        let values = [
            "x\\y", "q\"r", "l\nm", "c\rd", "e,f", "=1+1", "-5", "-5.5", "- 5", "  =x", "\"\"=z", "a|b",
            "|c", "é",
        ];
        let frame = Frame::new(vec![
            Column::new("=a", text(&values)),
            Column::new("b", ColumnData::Int((0..14).map(Some).collect())),
        ]);
        assert_eq!(
            csv(&frame),
            "'=a,b\nx\\\\y,0\n\"q\"\"r\",1\n\"l\nm\",2\nc\rd,3\n\"e,f\",4\n'=1+1,5\n-5,6\n-5.5,7\n'- 5,8\n'  =x,9\n\
             \"'\"\"\"\"=z\",10\na|b,11\n'\\\\|c,12\né,13\n"
        );
    }

    #[test]
    fn what_csv_export_says() {
        let frame = Frame::new(vec![
            Column::new("a", text(&["x", "y,\"z", ""])),
            Column::new("b", ColumnData::Float(vec![Some(1.256), None, Some(-0.5)])),
            Column::new("c", ColumnData::Int(vec![Some(1), None, Some(3)])),
        ]);
        let with = |config: serde_json::Value| {
            let options = CsvOptions::export(&frame).with_config(config.as_object().unwrap());
            String::from_utf8(to_csv(&frame, &options).unwrap()).unwrap()
        };
        assert_eq!(
            with(serde_json::json!({"sep": ";", "decimal": ",", "na_rep": "-", "float_format": "%.2f"})),
            "a;b;c\nx;1,26;1\n\"y,\"\"z\";-;-\n;-0,50;3\n"
        );
        assert_eq!(
            with(serde_json::json!({"quoting": 1, "lineterminator": "\r\n", "header": false})),
            "\"x\",\"1.256\",\"1\"\r\n\"y,\"\"z\",\"\",\"\"\r\n\"\",\"-0.5\",\"3\"\r\n"
        );
        assert_eq!(
            with(serde_json::json!({"quoting": 2, "quotechar": "'", "header": false})),
            "'x',1.256,1\n'y,\"z','',''\n'',-0.5,3\n"
        );
        assert_eq!(
            with(serde_json::json!({"quoting": 3, "header": false})),
            "x,1.256,1\ny\\,\\\"z,,\n,-0.5,3\n"
        );
    }

    #[test]
    fn timestamps_and_nulls() {
        let midnight = ColumnData::Timestamp(vec![Some(0), Some(DAY), None]);
        let frame = Frame::new(vec![Column::new("t", midnight.clone())]);
        assert_eq!(csv(&frame), "t\n1970-01-01\n1970-01-02\n\"\"\n");
        let frame = Frame::new(vec![
            Column::new("t", midnight),
            Column::new("u", ColumnData::Timestamp(vec![Some(1_500_000), None, None])),
            Column::new("f", ColumnData::Float(vec![Some(1.0), Some(f64::INFINITY), None])),
        ]);
        assert_eq!(
            csv(&frame),
            "t,u,f\n1970-01-01 00:00:00.000,1970-01-01 00:00:01.500,1.0\n1970-01-02 00:00:00.000,,inf\n,,\n"
        );
    }
}
