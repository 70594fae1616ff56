//! Delimited text (`superset.commands.database.uploaders.csv_reader`), never held as a whole: the file is read once for
//! its types and once more for its rows.

use std::collections::{HashMap, HashSet};

use infra::{
    Result,
    spool::{Reader, Spool},
};

use super::{
    delimiter::Delimiter,
    frame::{Cell, Column, Dtype},
    infer,
    options::{Options, parsing},
    records::{RecordFormat, Records},
};

/// Rows of which types are found out together (`READ_CSV_CHUNK_SIZE`).
const CHUNK: usize = 1000;
/// Bytes and values above which a chunk takes no more rows.
const CHUNK_BYTES: usize = 32 << 20;
const CHUNK_CELLS: usize = 2 << 20;

fn records(file: &Spool, options: &Options) -> Result<Records<Reader>> {
    let cut = RecordFormat {
        delimiter: Delimiter::named(&options.delimiter)?,
        skip_initial_space: options.skip_initial_space,
        skip_blank_lines: options.skip_blank_lines,
    };
    let mut records = Records::new(file.reader(), cut)?;
    for _ in 0..options.skip_rows {
        if !records.skip_line()? {
            break;
        }
    }
    Ok(records)
}

/// The names of the columns, each once (`a`, `a.1`, …).
fn header(records: &mut Records<Reader>, options: &Options) -> Result<Vec<String>> {
    let mut names = None;
    for _ in 0..=options.header_row {
        names = records.next()?;
        if names.is_none() {
            break;
        }
    }
    names.map(unique).ok_or_else(|| parsing("No columns to parse from file"))
}

/// Nameless columns get a name, and repeated names a number.
pub fn unique(raw: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::with_capacity(raw.len());
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(raw.len());
    for (i, name) in raw.into_iter().enumerate() {
        let name = if name.is_empty() { format!("Unnamed: {i}") } else { name };
        let mut free = name.clone();
        while !taken.insert(free.clone()) {
            let n = numbers.entry(name.clone()).or_default();
            *n += 1;
            free = format!("{name}.{n}");
        }
        names.push(free);
    }
    names
}

/// The names of the columns (`file_metadata`).
pub fn names(file: &Spool, options: &Options) -> Result<Vec<String>> {
    header(&mut records(file, options)?, options)
}

/// The rows of a file, a chunk at a time, each with the types of its own values.
pub struct Chunks {
    records: Records<Reader>,
    options: Options,
    names: Vec<String>,
    nulls: HashSet<String>,
    /// Fields before those of the columns: a first row that is longer names its rows with what is too much.
    leading: Option<usize>,
    rows: usize,
    ended: bool,
}

impl Chunks {
    /// Reads up to the rows.
    pub fn open(file: &Spool, options: &Options) -> Result<Self> {
        let mut records = records(file, options)?;
        let names = header(&mut records, options)?;
        let missing: Vec<String> =
            options.columns_read.iter().filter(|c| !names.contains(c)).map(|c| format!("'{c}'")).collect();
        if !missing.is_empty() {
            let text = "Usecols do not match columns, columns expected but not found";
            return Err(parsing(format!("{text}: [{}]", missing.join(", "))));
        }
        let nulls = infer::null_texts(options);
        Ok(Self { records, options: options.clone(), names, nulls, leading: None, rows: 0, ended: false })
    }

    fn record(&mut self) -> Result<Option<Vec<String>>> {
        if self.rows >= self.options.rows_to_read.unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let Some(mut record) = self.records.next()? else { return Ok(None) };
        let width = self.names.len();
        let extra = *self.leading.get_or_insert(record.len().saturating_sub(width));
        if record.len() > width + extra {
            let (want, line, saw) = (width + extra, self.records.line, record.len());
            return Err(parsing(format!(
                "Error tokenizing data. C error: Expected {want} fields in line {line}, saw {saw}\n"
            )));
        }
        record.drain(..extra.min(record.len()));
        self.rows += 1;
        Ok(Some(record))
    }

    /// The next chunk: all columns that are read, also of a file without rows, for which there is one.
    fn chunk(&mut self) -> Result<Option<Vec<Column>>> {
        if self.ended {
            return Ok(None);
        }
        let first = self.rows == 0;
        let mut texts: Vec<Vec<Option<String>>> = self.names.iter().map(|_| Vec::new()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < CHUNK && bytes < CHUNK_BYTES && rows * self.names.len() < CHUNK_CELLS {
            let Some(record) = self.record()? else {
                self.ended = true;
                break;
            };
            rows += 1;
            let mut fields = record.into_iter();
            for column in &mut texts {
                let field = fields.next().filter(|f| !self.nulls.contains(f));
                bytes += field.as_ref().map_or(0, String::len);
                column.push(field);
            }
        }
        if rows == 0 && !first {
            return Ok(None);
        }
        let wanted =
            |name: &String| self.options.columns_read.is_empty() || self.options.columns_read.contains(name);
        let columns = self.names.iter().zip(texts).filter(|(name, _)| wanted(name));
        Ok(Some(columns.map(|(name, texts)| self.column(name, texts)).collect()))
    }

    fn column(&self, name: &str, texts: Vec<Option<String>>) -> Column {
        let demanded = self.options.column_data_types.get(name).map(String::as_str);
        let mut unsigned = false;
        let cells: Vec<Cell> = if matches!(demanded, Some("str" | "object" | "string")) {
            texts.into_iter().map(|t| t.map_or(Cell::Null, |t| Cell::Text(t.into()))).collect()
        } else {
            unsigned = infer::is_unsigned(&texts);
            infer::cells(texts, self.options.decimal)
        };
        let dtype = match cells.is_empty() {
            _ if unsigned => Dtype::Unsigned,
            // pandas knows nothing of a column without rows
            true => Dtype::Text,
            false => Column::dtype_of(&cells),
        };
        Column { name: name.to_owned(), dtype, cells }
    }
}

impl Iterator for Chunks {
    type Item = Result<Vec<Column>>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.chunk().transpose();
        self.ended |= matches!(found, Some(Err(_)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::layout::{Layout, LayoutScan};

    /// All of a file.
    fn read(text: &[u8], options: &Options) -> Result<Vec<Column>> {
        let file = Spool::holding(text).unwrap();
        let mut scan = LayoutScan::new(options);
        for chunk in Chunks::open(&file, options)? {
            scan.add_chunk(&chunk?);
        }
        let mut layout: Layout = scan.layout()?;
        let mut all = layout.columns();
        for chunk in Chunks::open(&file, options)? {
            for (whole, part) in all.iter_mut().zip(layout.apply(chunk?)) {
                whole.cells.extend(part.cells);
            }
        }
        Ok(all)
    }

    fn types(text: &str, options: &Options) -> Vec<(String, Dtype)> {
        read(text.as_bytes(), options).unwrap().into_iter().map(|c| (c.name, c.dtype)).collect()
    }

    #[test]
    fn files() {
        let options = Options::default();
        let found = types("a,b,c\n1,x,2020-01-01\n2,y,\n3,,2020-01-03\n", &options);
        let want = [("a", Dtype::Int(64)), ("b", Dtype::Text), ("c", Dtype::Text)];
        assert_eq!(found, want.map(|(n, t)| (n.to_owned(), t)));
        assert_eq!(
            types("a,a,\n1,2,3\n", &options).iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(),
            ["a", "a.1", "Unnamed: 2"]
        );
        let error = read(b"a,b\n1,2\n1,2,3\n", &options).unwrap_err().to_string();
        assert!(error.contains("Expected 2 fields in line 3, saw 3"), "{error}");
        assert!(read(b"", &options).unwrap_err().to_string().contains("No columns to parse from file"));
        assert!(read(b"a\n\xff", &options).unwrap_err().to_string().contains("byte 0xff in position 2"));
        assert_eq!(types("a,b\n", &options), [("a".into(), Dtype::Text), ("b".into(), Dtype::Text)]);
        // a short row is filled up, a long first one names its rows
        assert_eq!(read(b"a,b\n1\n", &options).unwrap()[1].cells, [Cell::Null]);
        assert_eq!(read(b"a,b\nr,1,2\n", &options).unwrap()[0].cells, [Cell::Int(1)]);
    }

    #[test]
    fn chosen_parts() {
        let options = Options {
            skip_rows: 1,
            rows_to_read: Some(1),
            columns_read: vec!["b".into()],
            delimiter: ";".into(),
            ..Options::default()
        };
        let found = read(b"note\na;b\n1;2\n3;4\n", &options).unwrap();
        assert_eq!((found.len(), &found[0].cells[..]), (1, &[Cell::Int(2)][..]));
        let options = Options { columns_read: vec!["x".into()], ..Options::default() };
        assert!(read(b"a\n1\n", &options).is_err());
        // more rows than a file can have cost nothing
        let options = Options { skip_rows: usize::MAX, header_row: usize::MAX - 1, ..Options::default() };
        assert!(read(b"a\n1\n", &options).is_err());
    }

    /// Types of chunks are joined as pandas joins them; values keep what their chunk made of them.
    #[test]
    fn chunks_of_other_types() {
        let rows = |n: usize, value: &str| format!("{value}\n").repeat(n);
        let options = Options::default();
        let whole = |text: String| read(text.as_bytes(), &options).unwrap().remove(0);
        let found = whole(format!("a\n{}{}", rows(1000, "1"), rows(1, "2.5")));
        assert_eq!((found.dtype, &found.cells[0]), (Dtype::Float(64), &Cell::Float(1.0)));
        let found = whole(format!("a\n{}{}", rows(1000, "1"), rows(1, "x")));
        assert_eq!((found.dtype, &found.cells[0], found.cells.len()), (Dtype::Text, &Cell::Int(1), 1001));
        let found = whole(format!("a\n{}{}", rows(1000, "NA"), rows(1, "true")));
        assert_eq!((found.dtype, &found.cells[0]), (Dtype::Bool, &Cell::Null));
        let found = whole(format!("a\n{}", rows(2000, "1")));
        assert_eq!((found.dtype, found.cells.len()), (Dtype::Int(64), 2000));
        let many = whole(format!("a{}\n", ",a".repeat(9_000)));
        assert_eq!(many.name, "a");
    }
}
