//! Workbooks (`superset.commands.database.uploaders.excel_reader`): the newer format is read cell by cell, so that a
//! value in the last corner of an empty sheet costs nothing; the older one once its extent is known.

use std::io::{BufReader, Cursor, Read as _};

use calamine::{Data, Reader as _, Xls, XlsError, Xlsx, XlsxError};
use infra::{
    Result,
    spool::{Reader, Spool},
};

use super::{
    bounds::Bounds,
    csv_file::unique,
    frame::{Cell, Column, Dtype},
    infer,
    options::{Options, failed, parsing},
    xls_extent,
};

/// Cells of a table that is made of a sheet, empty ones counted.
const MAX_CELLS: usize = 20_000_000;
/// Largest workbook of the older format, which is read as a whole.
const MAX_OLD: u64 = 64 << 20;

/// A workbook of either format.
enum Book {
    New(Box<Xlsx<BufReader<Reader>>>),
    Old(Box<Xls<Cursor<Vec<u8>>>>),
}

fn unknown() -> infra::Error {
    failed("Excel file format cannot be determined")
}

fn too_large() -> infra::Error {
    parsing(format!("the sheet has more than {MAX_CELLS} cells"))
}

/// Unpacks everything once: what an archive says of itself may be a lie.
fn check_archive(file: &Spool, bounds: Bounds) -> Result<()> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file.reader())).map_err(|_| unknown())?;
    let (mut packed, mut unpacked) = (0_u64, 0_u64);
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|_| unknown())?;
        packed = packed.saturating_add(entry.compressed_size());
        let mut most = entry.take(bounds.left(0));
        let size = std::io::copy(&mut most, &mut std::io::sink()).map_err(|_| unknown())?;
        unpacked = unpacked.saturating_add(size);
        bounds.check(u64::MAX, size)?;
        bounds.check_ratio(packed, unpacked)?;
    }
    Ok(())
}

fn open(file: &Spool, bounds: Bounds) -> Result<Book> {
    let read = |most: u64| {
        let mut bytes = Vec::new();
        let done = file.reader().take(most).read_to_end(&mut bytes);
        done.map(|_| bytes).map_err(|_| unknown())
    };
    if read(2)? != b"PK" {
        if file.length() > MAX_OLD {
            return Err(parsing(format!("a workbook of this format may have {} MB", MAX_OLD >> 20)));
        }
        let bytes = read(MAX_OLD)?;
        let cells = xls_extent::cells(&bytes).ok_or_else(unknown)?;
        if cells > MAX_CELLS {
            return Err(too_large());
        }
        let book = calamine::open_workbook_from_rs::<Xls<_>, _>(Cursor::new(bytes)).map_err(|_| unknown())?;
        return Ok(Book::Old(Box::new(book)));
    }
    check_archive(file, bounds)?;
    let reader = BufReader::new(file.reader());
    let book = calamine::open_workbook_from_rs::<Xlsx<_>, _>(reader).map_err(|_| unknown())?;
    Ok(Book::New(Box::new(book)))
}

impl Book {
    fn sheet_names(&self) -> Vec<String> {
        match self {
            Self::New(book) => book.sheet_names(),
            Self::Old(book) => book.sheet_names(),
        }
    }
}

/// The names of the columns of each sheet.
pub fn names(file: &Spool, bounds: Bounds) -> Result<Vec<(String, Vec<String>)>> {
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
pub fn read(file: &Spool, options: &Options, bounds: Bounds) -> Result<Vec<Column>> {
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
        let text = |c: &Cell| match infer::as_text(c) {
            Some(Cell::Text(t)) => Some(t.to_string()),
            _ => None,
        };
        let cells = infer::cells(column.cells.iter().map(text).collect(), decimal);
        if !cells.iter().any(|c| matches!(c, Cell::Text(_))) {
            column.cells = cells;
        }
    }
    // pandas knows nothing of a column without rows
    column.dtype = if column.cells.is_empty() { Dtype::Text } else { Column::dtype_of(&column.cells) };
}

fn header(rows: &[Vec<Cell>], at: usize) -> Vec<String> {
    let name = |cell: &Cell| match infer::as_text(cell) {
        Some(Cell::Text(t)) => t.to_string(),
        _ => String::new(),
    };
    unique(rows.get(at).map(|row| row.iter().map(name).collect()).unwrap_or_default())
}

/// The rows after those that are skipped, as far as they are wanted.
fn rows(book: &mut Book, sheet: &str, options: &Options) -> Result<Vec<Vec<Cell>>> {
    let mut grid = Grid::new(options);
    match book {
        Book::New(book) => {
            let broken = |e: XlsxError| parsing(e);
            let mut reader = book.worksheet_cells_reader(sheet).map_err(broken)?;
            while let Some(found) = reader.next_cell().map_err(broken)? {
                let (row, column) = found.get_position();
                if !grid.put(row as usize, column as usize, value(&found.get_value().clone().into()))? {
                    break;
                }
            }
        }
        Book::Old(book) => {
            let range = book.worksheet_range(sheet).map_err(|e: XlsError| parsing(e))?;
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, found) in range.used_cells() {
                if !grid.put(top as usize + row, left as usize + column, value(found))? {
                    break;
                }
            }
        }
    }
    Ok(grid.finish())
}

/// Rows as they are put together from cells.
struct Grid {
    skip: usize,
    header: usize,
    wanted: usize,
    width: usize,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    fn new(options: &Options) -> Self {
        let wanted = options.rows_to_read.map_or(usize::MAX, |n| n.saturating_add(options.header_row + 1));
        Self { skip: options.skip_rows, header: options.header_row, wanted, width: 0, rows: Vec::new() }
    }

    /// Puts a cell where it belongs; false when no more rows are wanted.
    fn put(&mut self, row: usize, column: usize, cell: Cell) -> Result<bool> {
        let Some(row) = row.checked_sub(self.skip) else { return Ok(true) };
        if cell == Cell::Null {
            return Ok(true);
        }
        if row >= self.wanted {
            return Ok(false);
        }
        self.width = self.width.max(column + 1);
        if self.width.saturating_mul(row.max(self.rows.len()) + 1) > MAX_CELLS {
            return Err(too_large());
        }
        if self.rows.len() <= row {
            self.rows.resize(row + 1, Vec::new());
        }
        if let Some(cells) = self.rows.get_mut(row) {
            cells.resize(cells.len().max(column + 1), Cell::Null);
            if let Some(place) = cells.get_mut(column) {
                *place = cell;
            }
        }
        Ok(true)
    }

    fn finish(mut self) -> Vec<Vec<Cell>> {
        if let Some(first) = self.rows.get_mut(self.header) {
            first.resize(self.width, Cell::Null);
        }
        self.rows
    }
}

/// A value as openpyxl reads it: numbers without a fraction are integers.
fn value(cell: &Data) -> Cell {
    match cell {
        Data::Int(n) => Cell::Int(*n),
        Data::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Cell::Int(*f as i64),
        Data::Float(f) => Cell::Float(*f),
        Data::String(t) => Cell::Text(t.as_str().into()),
        Data::Bool(b) => Cell::Bool(*b),
        Data::DateTime(t) => t.as_datetime().map_or(Cell::Float(t.as_f64()), Cell::Time),
        Data::DateTimeIso(t) | Data::DurationIso(t) => Cell::Text(t.as_str().into()),
        Data::Error(_) | Data::Empty => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Spool {
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
        Spool::holding(&book.save_to_buffer().unwrap()).unwrap()
    }

    fn bounds() -> Bounds {
        Bounds { size: 10 << 20, ratio: 200.0 }
    }

    #[test]
    fn sheets() {
        let options = Options::default();
        let found = read(&book(), &options, bounds()).unwrap();
        let types: Vec<(&str, Dtype)> = found.iter().map(|c| (c.name.as_str(), c.dtype)).collect();
        assert_eq!(
            types,
            [("n", Dtype::Int(64)), ("f", Dtype::Float(64)), ("t", Dtype::Text), ("b", Dtype::Bool)]
        );
        assert_eq!(found[2].cells, [Cell::Text("x".into()), Cell::Null]);
        assert_eq!(names(&book(), bounds()).unwrap()[0].1, ["n", "f", "t", "b"]);
        let far = Options { sheet_name: Some("far".into()), ..Options::default() };
        assert!(read(&book(), &far, bounds()).unwrap_err().to_string().contains("more than"));
        let none = Options { sheet_name: Some("two".into()), ..Options::default() };
        assert!(read(&book(), &none, bounds()).is_err());
    }

    #[test]
    fn hostile_files() {
        assert!(read(&Spool::holding(b"PK nothing").unwrap(), &Options::default(), bounds()).is_err());
        let tight = Bounds { size: 10, ratio: 200.0 };
        let error = read(&book(), &Options::default(), tight).unwrap_err().to_string();
        assert!(error.contains("size above"), "{error}");
    }
}
