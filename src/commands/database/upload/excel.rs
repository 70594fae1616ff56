//! Workbooks (`superset.commands.database.uploaders.excel_reader`): only the newer format, read cell by cell, so that a
//! value in the last corner of an empty sheet costs nothing.

use std::io::{Cursor, Read as _};

use bytes::Bytes;
use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use infra::{Result, config::Config};

use super::{
    csv_file::unique,
    frame::{Cell, Column, Dtype},
    infer,
    options::{Options, failed, parsing},
};

/// Cells of a table that is made of a sheet, empty ones counted.
const MAX_CELLS: usize = 20_000_000;

/// How large a packed file may become (`check_is_safe_zip`).
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    size: u64,
    ratio: f64,
}

impl Bounds {
    /// As configured.
    pub fn of(config: &Config) -> Self {
        Self {
            size: config.int("ZIPPED_FILE_MAX_SIZE").and_then(|n| u64::try_from(n).ok()).unwrap_or(100 << 20),
            ratio: config.get("ZIP_FILE_MAX_COMPRESS_RATIO").as_f64().unwrap_or(200.0),
        }
    }

    fn check(self, file: &Bytes) -> Result<()> {
        let unknown = || failed("Excel file format cannot be determined");
        let mut archive = zip::ZipArchive::new(Cursor::new(file.clone())).map_err(|_| unknown())?;
        let (mut packed, mut unpacked) = (0_u64, 0_u64);
        for i in 0..archive.len() {
            let entry = archive.by_index(i).map_err(|_| unknown())?;
            packed = packed.saturating_add(entry.compressed_size());
            // unpacked for good: what the archive says of itself may be a lie
            let mut most = entry.take(self.size + 1);
            let size = std::io::copy(&mut most, &mut std::io::sink()).map_err(|_| unknown())?;
            unpacked = unpacked.saturating_add(size);
            if size > self.size {
                return Err(failed("Found file with size above allowed threshold"));
            }
            if unpacked > 1 << 20 && unpacked as f64 > self.ratio * packed.max(1) as f64 {
                return Err(failed("Zip compress ratio above allowed threshold"));
            }
        }
        Ok(())
    }
}

type Book = Xlsx<Cursor<Bytes>>;

fn open(file: Bytes, bounds: Bounds) -> Result<Book> {
    bounds.check(&file)?;
    calamine::open_workbook_from_rs::<Book, _>(Cursor::new(file))
        .map_err(|_: XlsxError| failed("Excel file format cannot be determined"))
}

/// The names of the columns of each sheet.
pub fn names(file: Bytes, bounds: Bounds) -> Result<Vec<(String, Vec<String>)>> {
    let mut book = open(file, bounds)?;
    let few = Options { rows_to_read: Some(1), ..Options::default() };
    let mut found = Vec::new();
    for sheet in book.sheet_names() {
        let rows = rows(&mut book, &sheet, &few)?;
        found.push((sheet, header(&rows, 0)));
    }
    Ok(found)
}

/// Reads a sheet.
pub fn read(file: Bytes, options: &Options, bounds: Bounds) -> Result<Vec<Column>> {
    let mut book = open(file, bounds)?;
    let sheets = book.sheet_names();
    let sheet = match options.sheet_name.as_deref().filter(|s| !s.is_empty()) {
        Some(name) if sheets.iter().any(|s| s == name) => name.to_owned(),
        Some(name) => return Err(parsing(format!("Worksheet named '{name}' not found"))),
        None => sheets.into_iter().next().ok_or_else(|| parsing("No columns to parse from file"))?,
    };
    let rows = rows(&mut book, &sheet, options)?;
    let names = header(&rows, options.header_row);
    if let Some(missing) = options.columns_read.iter().find(|c| !names.contains(c)) {
        let text = "Usecols do not match columns, columns expected but not found";
        return Err(parsing(format!("{text}: ['{missing}']")));
    }
    let nulls = infer::null_texts(options);
    let mut columns: Vec<Column> =
        names.into_iter().map(|name| Column { name, dtype: Dtype::Text, cells: Vec::new() }).collect();
    for row in rows.into_iter().skip(options.header_row + 1) {
        let mut row = row.into_iter();
        for column in &mut columns {
            let cell = row.next().unwrap_or(Cell::Null);
            column.cells.push(match cell {
                Cell::Text(t) if nulls.contains(t.as_ref()) => Cell::Null,
                other => other,
            });
        }
    }
    columns.retain(|c| options.columns_read.is_empty() || options.columns_read.contains(&c.name));
    for column in &mut columns {
        settle(column, options.decimal);
    }
    Ok(columns)
}

/// Numbers that were typed as text are numbers all the same.
fn settle(column: &mut Column, decimal: char) {
    let plain =
        column.cells.iter().all(|c| matches!(c, Cell::Null | Cell::Int(_) | Cell::Float(_) | Cell::Text(_)));
    if plain && column.cells.iter().any(|c| matches!(c, Cell::Text(_))) {
        let text = |c: &Cell| match infer::shown(c) {
            Some(Cell::Text(t)) => Some(t.to_string()),
            _ => None,
        };
        let cells = infer::cells(column.cells.iter().map(text).collect(), decimal);
        if !cells.iter().any(|c| matches!(c, Cell::Text(_))) {
            column.cells = cells;
        }
    }
    column.dtype = Column::dtype_of(&column.cells);
}

fn header(rows: &[Vec<Cell>], at: usize) -> Vec<String> {
    let name = |cell: &Cell| match infer::shown(cell) {
        Some(Cell::Text(t)) => t.to_string(),
        _ => String::new(),
    };
    unique(rows.get(at).map(|row| row.iter().map(name).collect()).unwrap_or_default())
}

/// The rows after those that are skipped, as far as they are wanted.
fn rows(book: &mut Book, sheet: &str, options: &Options) -> Result<Vec<Vec<Cell>>> {
    let broken = |e: XlsxError| parsing(e);
    let wanted = options.rows_to_read.map_or(usize::MAX, |n| n.saturating_add(options.header_row + 1));
    let mut reader = book.worksheet_cells_reader(sheet).map_err(broken)?;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut width = 0;
    while let Some(found) = reader.next_cell().map_err(broken)? {
        let (row, column) = found.get_position();
        let Some(row) = (row as usize).checked_sub(options.skip_rows) else { continue };
        let cell = value(found.get_value());
        if cell == Cell::Null {
            continue;
        }
        if row >= wanted {
            break;
        }
        width = width.max(column as usize + 1);
        if width.saturating_mul(row.max(rows.len()) + 1) > MAX_CELLS {
            return Err(parsing(format!("the sheet has more than {MAX_CELLS} cells")));
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
        if let Some(cells) = rows.get_mut(row) {
            cells.resize(cells.len().max(column as usize + 1), Cell::Null);
            if let Some(place) = cells.get_mut(column as usize) {
                *place = cell;
            }
        }
    }
    if let Some(first) = rows.get_mut(options.header_row) {
        first.resize(width, Cell::Null);
    }
    Ok(rows)
}

/// A value as openpyxl reads it: numbers without a fraction are integers.
fn value(cell: &DataRef<'_>) -> Cell {
    match cell {
        DataRef::Int(n) => Cell::Int(*n),
        DataRef::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Cell::Int(*f as i64),
        DataRef::Float(f) => Cell::Float(*f),
        DataRef::String(t) => Cell::Text(t.as_str().into()),
        DataRef::SharedString(t) => Cell::Text((*t).into()),
        DataRef::Bool(b) => Cell::Bool(*b),
        DataRef::DateTime(t) => t.as_datetime().map_or(Cell::Float(t.as_f64()), Cell::Time),
        DataRef::DateTimeIso(t) | DataRef::DurationIso(t) => Cell::Text(t.as_str().into()),
        DataRef::Error(_) | DataRef::Empty => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Bytes {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet().set_name("one").unwrap();
        for (i, name) in ["n", "f", "t", "b", ""].iter().enumerate() {
            sheet.write(0, i as u16, *name).unwrap();
        }
        sheet.write(1, 0, 1).unwrap().write(2, 0, 2).unwrap();
        sheet.write(1, 1, 1.5).unwrap();
        sheet.write(1, 2, "x").unwrap().write(2, 2, "NA").unwrap();
        sheet.write(1, 3, true).unwrap().write(2, 3, false).unwrap();
        book.add_worksheet().set_name("far").unwrap().write(1_048_575, 16_383, 1).unwrap();
        book.save_to_buffer().unwrap().into()
    }

    fn bounds() -> Bounds {
        Bounds { size: 10 << 20, ratio: 200.0 }
    }

    #[test]
    fn sheets() {
        let options = Options::default();
        let found = read(book(), &options, bounds()).unwrap();
        let types: Vec<(&str, Dtype)> = found.iter().map(|c| (c.name.as_str(), c.dtype)).collect();
        assert_eq!(
            types,
            [("n", Dtype::Int(64)), ("f", Dtype::Float(64)), ("t", Dtype::Text), ("b", Dtype::Bool)]
        );
        assert_eq!(found[2].cells, [Cell::Text("x".into()), Cell::Null]);
        assert_eq!(names(book(), bounds()).unwrap()[0].1, ["n", "f", "t", "b"]);
        let far = Options { sheet_name: Some("far".into()), ..Options::default() };
        assert!(read(book(), &far, bounds()).unwrap_err().to_string().contains("more than"));
        let none = Options { sheet_name: Some("two".into()), ..Options::default() };
        assert!(read(book(), &none, bounds()).is_err());
    }

    #[test]
    fn hostile_files() {
        assert!(read(Bytes::from_static(b"PK nothing"), &Options::default(), bounds()).is_err());
        let tight = Bounds { size: 10, ratio: 200.0 };
        let error = read(book(), &Options::default(), tight).unwrap_err().to_string();
        assert!(error.contains("size above"), "{error}");
    }
}
