//! Delimited text (`superset.commands.database.uploaders.csv_reader`).

use infra::Result;

use super::{
    frame::{Cell, Column},
    infer,
    options::{Options, parsing},
    records::Records,
};

/// Rows of which types are found out together (`READ_CSV_CHUNK_SIZE`).
const CHUNK: usize = 1000;

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let at = e.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        parsing(format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte"))
    })
}

fn records<'a>(bytes: &'a [u8], options: &'a Options) -> Result<Records<'a>> {
    if options.delimiter.is_empty() || options.delimiter.contains(['\n', '\r', '"']) {
        return Err(parsing("bad delimiter value"));
    }
    let mut records =
        Records::new(text(bytes)?, &options.delimiter, options.skip_initial_space, options.skip_blank_lines);
    for _ in 0..options.skip_rows {
        records.skip_line();
    }
    Ok(records)
}

/// The names of the columns, each once (`a`, `a.1`, …).
fn header(records: &mut Records<'_>, options: &Options) -> Result<Vec<String>> {
    let Some(raw) = records.nth(options.header_row) else {
        return Err(parsing("No columns to parse from file"));
    };
    Ok(unique(raw))
}

/// Nameless columns get a name, and repeated names a number.
pub fn unique(raw: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(raw.len());
    for (i, name) in raw.into_iter().enumerate() {
        let name = if name.is_empty() { format!("Unnamed: {i}") } else { name };
        let mut free = name.clone();
        let mut n = 0;
        while names.contains(&free) {
            n += 1;
            free = format!("{name}.{n}");
        }
        names.push(free);
    }
    names
}

/// The names of the columns (`file_metadata`).
pub fn names(bytes: &[u8], options: &Options) -> Result<Vec<String>> {
    header(&mut records(bytes, options)?, options)
}

/// Reads the file.
pub fn read(bytes: &[u8], options: &Options) -> Result<Vec<Column>> {
    let mut records = records(bytes, options)?;
    let names = header(&mut records, options)?;
    let missing: Vec<String> =
        options.columns_read.iter().filter(|c| !names.contains(c)).map(|c| format!("'{c}'")).collect();
    if !missing.is_empty() {
        let text = "Usecols do not match columns, columns expected but not found";
        return Err(parsing(format!("{text}: [{}]", missing.join(", "))));
    }
    let wanted = |name: &String| options.columns_read.is_empty() || options.columns_read.contains(name);
    let nulls = infer::null_texts(options);
    let mut builder = Builder::new(&names, options);
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(CHUNK);
    let (mut leading, mut count) = (None, 0);
    while count < options.rows_to_read.unwrap_or(usize::MAX) {
        let Some(mut record) = records.next() else { break };
        // a first row that is longer names its rows with what is too much
        let extra = *leading.get_or_insert(record.len().saturating_sub(names.len()));
        if record.len() > names.len() + extra {
            let (want, line, saw) = (names.len() + extra, records.line, record.len());
            return Err(parsing(format!(
                "Error tokenizing data. C error: Expected {want} fields in line {line}, saw {saw}\n"
            )));
        }
        record.drain(..extra.min(record.len()));
        rows.push(record);
        count += 1;
        if rows.len() == CHUNK {
            builder.chunk(std::mem::take(&mut rows), &nulls);
        }
    }
    if !rows.is_empty() {
        builder.chunk(rows, &nulls);
    }
    let mut columns = builder.finish();
    columns.retain(|c| wanted(&c.name));
    Ok(columns)
}

struct Builder<'a> {
    options: &'a Options,
    columns: Vec<Column>,
    empty: Vec<bool>,
    started: bool,
}

impl<'a> Builder<'a> {
    fn new(names: &[String], options: &'a Options) -> Self {
        let column = |name: &String| Column {
            name: name.clone(),
            dtype: super::frame::Dtype::Text,
            cells: Vec::new(),
        };
        Self {
            options,
            columns: names.iter().map(column).collect(),
            empty: vec![true; names.len()],
            started: false,
        }
    }

    fn chunk(&mut self, rows: Vec<Vec<String>>, nulls: &std::collections::HashSet<String>) {
        let mut texts: Vec<Vec<Option<String>>> = self.columns.iter().map(|_| Vec::new()).collect();
        for row in rows {
            let mut fields = row.into_iter();
            for column in &mut texts {
                column.push(fields.next().filter(|f| !nulls.contains(f)));
            }
        }
        for ((column, texts), empty) in self.columns.iter_mut().zip(texts).zip(&mut self.empty) {
            let demanded = self.options.column_data_types.get(&column.name).map(String::as_str);
            let cells: Vec<Cell> = if matches!(demanded, Some("str" | "object" | "string")) {
                texts.into_iter().map(|t| t.map_or(Cell::Null, |t| Cell::Text(t.into()))).collect()
            } else {
                infer::cells(texts, self.options.decimal)
            };
            let nothing = cells.iter().all(|c| *c == Cell::Null);
            let dtype = Column::dtype_of(&cells);
            column.dtype =
                if self.started { Column::joined(column.dtype, dtype, *empty, nothing) } else { dtype };
            *empty &= nothing;
            column.cells.extend(cells);
        }
        self.started = true;
    }

    fn finish(self) -> Vec<Column> {
        self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::upload::frame::Dtype;

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
    }
}
