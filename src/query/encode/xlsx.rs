//! XLSX as chart exports write it (`superset.utils.excel` over pandas' `to_excel`).

use infra::{
    compute::Pace,
    engines::column::{ColumnData, Scalar},
};
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::csv::digits;
use crate::frame::datetime::{DAY, date_micros, to_micros};
use crate::frame::python::{float_repr, str_of};
use crate::frame::{Frame, FrameError, GenericType, Result, is_na};

const MAX_ROWS: usize = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
/// Longest text of a cell.
const MAX_TEXT: usize = 32_767;
/// Days from Excel's epoch to 1970.
const EPOCH_DAYS: f64 = 25_569.0;

/// How a sheet is written (`EXCEL_EXPORT`, the arguments of `pandas.DataFrame.to_excel`).
#[derive(Debug, Clone, PartialEq)]
pub struct XlsxOptions {
    /// Name of the sheet.
    pub sheet_name: String,
    /// Text of nulls.
    pub null: String,
    /// Text of what is infinite.
    pub infinite: String,
    /// Write the column labels.
    pub header: bool,
    /// Write the row labels.
    pub index: bool,
    /// Digits behind the point to which floats are rounded (`"%.2f"`).
    pub digits: Option<usize>,
    /// Row and column of the first cell.
    pub start: (u32, u16),
    /// Rows and columns that stay in sight.
    pub freeze: Option<(u32, u16)>,
}

impl XlsxOptions {
    /// What a configuration says.
    pub fn of(config: &serde_json::Value) -> Self {
        let text = |key: &str, default: &str| {
            config.get(key).and_then(serde_json::Value::as_str).unwrap_or(default).to_owned()
        };
        let flag = |key: &str| config.get(key).and_then(serde_json::Value::as_bool).unwrap_or(true);
        let row = |value: Option<&serde_json::Value>| value.and_then(|v| u32::try_from(v.as_u64()?).ok());
        let column = |value: Option<&serde_json::Value>| value.and_then(|v| u16::try_from(v.as_u64()?).ok());
        let freeze = config.get("freeze_panes");
        Self {
            sheet_name: text("sheet_name", "Sheet1"),
            null: text("na_rep", ""),
            infinite: text("inf_rep", "inf"),
            header: flag("header"),
            index: flag("index"),
            digits: config.get("float_format").and_then(|v| digits(v.as_str()?)),
            start: (
                row(config.get("startrow")).unwrap_or_default(),
                column(config.get("startcol")).unwrap_or_default(),
            ),
            freeze: freeze.and_then(|v| Some((row(v.get(0))?, column(v.get(1))?))),
        }
    }

    /// A float as it is written.
    fn rounded(&self, f: f64) -> f64 {
        match self.digits {
            Some(digits) => format!("{f:.digits$}").parse().unwrap_or(f),
            None => f,
        }
    }
}

/// The frame as a workbook of one sheet. `coltypes` are those of the answer: numbers too large for Excel and columns
/// that only claim to be numbers become text.
pub fn to_xlsx(frame: &Frame, coltypes: &[GenericType], options: &XlsxOptions) -> Result<Vec<u8>> {
    let indexes = if options.index { frame.index.clone().into_levels() } else { Vec::new() };
    let (row, column) = (options.start.0 as usize, usize::from(options.start.1));
    if frame.row_count() + 1 + row > MAX_ROWS || frame.columns.len() + indexes.len() + column > MAX_COLUMNS {
        return Err(FrameError::unexpected(format!(
            "This sheet is too large! Your sheet size is: {}, {} Max sheet size is: {MAX_ROWS}, {MAX_COLUMNS}",
            frame.row_count(),
            frame.columns.len()
        )));
    }
    let mut workbook = Workbook::new();
    let styles = Styles::new();
    let sheet = workbook.add_worksheet();
    write(sheet, frame, coltypes, &styles, options)?;
    workbook.save_to_buffer().map_err(|e| FrameError::unexpected(e.to_string()))
}

impl From<XlsxError> for FrameError {
    fn from(error: XlsxError) -> Self {
        Self::unexpected(error.to_string())
    }
}

struct Styles {
    header: Format,
    date: Format,
    timestamp: Format,
    duration: Format,
}

impl Styles {
    fn new() -> Self {
        Self {
            header: Format::new().set_bold().set_align(FormatAlign::Center).set_border(FormatBorder::Thin),
            date: Format::new().set_num_format("YYYY-MM-DD"),
            timestamp: Format::new().set_num_format("YYYY-MM-DD HH:MM:SS"),
            duration: Format::new().set_num_format("0"),
        }
    }
}

fn write(
    sheet: &mut Worksheet,
    frame: &Frame,
    coltypes: &[GenericType],
    styles: &Styles,
    options: &XlsxOptions,
) -> Result<()> {
    let mut pace = Pace::default();
    sheet.set_name(&options.sheet_name)?;
    if let Some((row, column)) = options.freeze {
        sheet.set_freeze_panes(row, column)?;
    }
    let indexes = if options.index { frame.index.clone().into_levels() } else { Vec::new() };
    let (top, mut column) = options.start;
    let first = top + u32::from(options.header);
    // The row labels are always written, whatever they are.
    for level in &indexes {
        let name = level.name.as_ref().map(str_of).filter(|s| options.header && !s.is_empty());
        if let Some(name) = name {
            sheet.write_string_with_format(top, column, clipped(&name), &styles.header)?;
        }
        for row in 0..frame.row_count() {
            pace.step()?;
            let at = first + row as u32;
            match level.data.get(row) {
                Scalar::Int(i) => {
                    sheet.write_number_with_format(at, column, i as f64, &styles.header)?;
                }
                Scalar::Timestamp(t) => {
                    let format = styles.header.clone().set_num_format("YYYY-MM-DD HH:MM:SS");
                    sheet.write_number_with_format(at, column, serial(to_micros(t)), &format)?;
                }
                v if is_na(&v) => {}
                v => {
                    sheet.write_string_with_format(at, column, clipped(&str_of(&v)), &styles.header)?;
                }
            }
        }
        column += 1;
    }
    for (i, c) in frame.columns.iter().enumerate() {
        let label = c.label.text().map_or_else(|| c.label.display(), str::to_owned);
        if options.header {
            sheet.write_string_with_format(top, column, clipped(&label), &styles.header)?;
        }
        let numeric = coltypes.get(i) == Some(&GenericType::Numeric);
        // `pd.to_numeric` of a whole column: one value that is no number turns all of it into text.
        let numbers = if numeric { numbers(&c.data) } else { None };
        // times with a zone are turned into text, and so is what is missing among them
        let zoned = (0..c.data.len()).any(|row| matches!(c.data.get(row), Scalar::TimestampTz(..)));
        for row in 0..frame.row_count() {
            pace.step()?;
            let at = first + row as u32;
            match (&numbers, numeric) {
                (Some(v), _) => match v.get(row).and_then(Option::as_ref) {
                    Some(Scalar::Float(f)) if options.digits.is_some() && f.is_finite() => {
                        number(sheet, at, column, &Scalar::Float(options.rounded(*f)))?;
                    }
                    Some(v) => number(sheet, at, column, v)?,
                    None => write_text(sheet, at, column, &options.null)?,
                },
                (None, true) => write_text(sheet, at, column, &str_of(&c.data.get(row)))?,
                (None, false) if zoned && is_na(&c.data.get(row)) => write_text(sheet, at, column, "NaT")?,
                (None, false) => value(sheet, at, column, &c.data.get(row), styles, options)?,
            }
        }
        column += 1;
    }
    Ok(())
}

/// A column as numbers, or `None` when a value is none.
fn numbers(data: &ColumnData) -> Option<Vec<Option<Scalar>>> {
    let whole = crate::frame::dtype(data) == crate::frame::Dtype::Int;
    (0..data.len())
        .map(|i| match data.get(i) {
            v if is_na(&v) => Some(None),
            // Integers beside nulls are floats once they went through `to_numeric`.
            Scalar::Int(n) if whole => Some(Some(Scalar::Int(n))),
            Scalar::Bool(b) => Some(Some(Scalar::Bool(b))),
            Scalar::Text(s) => match (s.trim().parse::<i64>(), s.trim().parse::<f64>()) {
                (Ok(n), _) => Some(Some(Scalar::Int(n))),
                (_, Ok(f)) => Some(Some(Scalar::Float(f))),
                _ => None,
            },
            v => crate::frame::as_f64(&v).map(|f| Some(Scalar::Float(f))),
        })
        .collect()
}

fn number(sheet: &mut Worksheet, row: u32, column: u16, v: &Scalar) -> Result<(), XlsxError> {
    const LIMIT: f64 = 1e15;
    match v {
        Scalar::Int(n) if n.unsigned_abs() > LIMIT as u64 => write_text(sheet, row, column, &n.to_string()),
        Scalar::Float(f) if f.abs() > LIMIT => write_text(sheet, row, column, &float_repr(*f)),
        Scalar::Bool(b) => sheet.write_boolean(row, column, *b).map(|_| ()),
        v => sheet.write_number(row, column, crate::frame::as_f64(v).unwrap_or(0.0)).map(|_| ()),
    }
}

fn value(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    v: &Scalar,
    styles: &Styles,
    options: &XlsxOptions,
) -> Result<(), XlsxError> {
    match v {
        v if is_na(v) => write_text(sheet, row, column, &options.null),
        Scalar::Bool(b) => sheet.write_boolean(row, column, *b).map(|_| ()),
        Scalar::Int(n) => sheet.write_number(row, column, *n as f64).map(|_| ()),
        Scalar::Float(f) if f.is_infinite() => {
            let sign = if *f > 0.0 { "" } else { "-" };
            write_text(sheet, row, column, &format!("{sign}{}", options.infinite))
        }
        Scalar::Float(f) => sheet.write_number(row, column, options.rounded(*f)).map(|_| ()),
        Scalar::Timestamp(t) => {
            sheet.write_number_with_format(row, column, serial(to_micros(*t)), &styles.timestamp).map(|_| ())
        }
        Scalar::Date(d) => {
            sheet.write_number_with_format(row, column, serial(date_micros(*d)), &styles.date).map(|_| ())
        }
        Scalar::Interval(us) => {
            sheet.write_number_with_format(row, column, *us as f64 / DAY as f64, &styles.duration).map(|_| ())
        }
        Scalar::Text(s) => write_text(sheet, row, column, s),
        other => write_text(sheet, row, column, &str_of(other)),
    }
}

/// A text, never a formula: what begins like one gets a quote, as `quote_formulas` does.
fn write_text(sheet: &mut Worksheet, row: u32, column: u16, s: &str) -> Result<(), XlsxError> {
    if s.is_empty() {
        return Ok(());
    }
    if s.starts_with(['=', '+', '-', '@']) {
        return sheet.write_string(row, column, clipped(&format!("'{s}"))).map(|_| ());
    }
    sheet.write_string(row, column, clipped(s)).map(|_| ())
}

fn serial(us: i64) -> f64 {
    let days = us as f64 / DAY as f64 + EPOCH_DAYS;
    // Excel takes 1900 for a leap year: before its 29th of February the count is one less
    if days < 61.0 { days - 1.0 } else { days }
}

/// Excel counts UTF-16 units.
fn clipped(s: &str) -> &str {
    let mut units = 0;
    for (at, c) in s.char_indices() {
        units += c.len_utf16();
        if units > MAX_TEXT {
            return s.get(..at).unwrap_or_default();
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    #[test]
    fn a_workbook_is_a_zip() {
        let frame = Frame::new(vec![
            Column::new("a", ColumnData::Int(vec![Some(1), Some(9_007_199_254_740_993)])),
            Column::new("b", ColumnData::Text(vec![Some("=1+1".into()), None])),
            Column::new("t", ColumnData::Timestamp(vec![Some(0), None])),
        ]);
        let types = [GenericType::Numeric, GenericType::String, GenericType::Temporal];
        let bytes = to_xlsx(&frame, &types, &XlsxOptions::of(&serde_json::json!({}))).unwrap();
        assert!(bytes.starts_with(b"PK"));
        let config = serde_json::json!({
            "sheet_name": "Data", "na_rep": "-", "index": false, "header": false, "startrow": 2, "startcol": 1,
            "freeze_panes": [1, 0], "float_format": "%.1f",
        });
        let options = XlsxOptions::of(&config);
        assert_eq!((options.start, options.freeze, options.digits), ((2, 1), Some((1, 0)), Some(1)));
        assert!(to_xlsx(&frame, &types, &options).unwrap().starts_with(b"PK"));
        let wrong = XlsxOptions { sheet_name: "a/b".to_owned(), ..options };
        assert!(to_xlsx(&frame, &types, &wrong).is_err());
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(clipped(&"é".repeat(40_000)).chars().count(), MAX_TEXT);
    }
}
