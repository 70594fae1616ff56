//! From the columns of a file to those of a table: times, demanded types and the column that names the rows. What holds
//! for all values is found out by looking at each chunk once before any is written.

use infra::Result;

use super::{
    dates::Times,
    frame::{self, Cell, Column, Dtype},
    infer::{self, Cast},
    options::{self, Options},
};

/// What was seen of the columns of a file.
pub struct LayoutScan<'a> {
    options: &'a Options,
    columns: Vec<Seen>,
}

struct Seen {
    name: String,
    dtype: Dtype,
    /// Nothing but nulls so far.
    empty: bool,
    /// Some value is a float by itself, not for those that are missing; some integer is none without being rounded.
    fraction: bool,
    rounded: bool,
    /// Its values as times, in the order of days and months that was asked for, and in the usual one.
    times: Times,
    plain_times: Times,
}

/// What asks for times of a type that is demanded.
fn demands_times(dtype: &str) -> bool {
    matches!(dtype, "datetime64[ns]" | "datetime64")
}

impl<'a> LayoutScan<'a> {
    /// Nothing was seen yet.
    pub fn new(options: &'a Options) -> Self {
        Self { options, columns: Vec::new() }
    }

    /// Looks at a chunk; every chunk has the same columns.
    pub fn add_chunk(&mut self, chunk: &[Column]) {
        let started = !self.columns.is_empty();
        for (i, column) in chunk.iter().enumerate() {
            let nothing = column.cells.iter().all(|c| *c == Cell::Null);
            if !started {
                self.columns.push(Seen {
                    name: column.name.clone(),
                    dtype: column.dtype,
                    empty: true,
                    fraction: false,
                    rounded: false,
                    times: Times::new(self.options.day_first),
                    plain_times: Times::new(false),
                });
            }
            let Some(seen) = self.columns.get_mut(i) else { continue };
            if started {
                seen.dtype = Column::joined(seen.dtype, column.dtype, seen.empty, nothing);
            }
            seen.empty &= nothing;
            seen.fraction |= column.cells.iter().any(|c| matches!(c, Cell::Float(_)));
            seen.rounded |= column.cells.iter().any(frame::is_rounded);
            if self.options.column_dates.contains(&seen.name) {
                column.cells.iter().for_each(|cell| seen.times.add(cell));
            }
            let demanded = self.options.column_data_types.get(&seen.name);
            if demanded.is_some_and(|d| demands_times(d)) {
                column.cells.iter().for_each(|cell| seen.plain_times.add(cell));
            }
        }
    }

    /// What becomes of the columns.
    pub fn layout(self) -> Result<Layout> {
        let options = self.options;
        let known = |name: &&String| self.columns.iter().any(|column| column.name == **name);
        let missing: Vec<String> =
            options.column_dates.iter().filter(|name| !known(name)).map(|name| format!("'{name}'")).collect();
        if !missing.is_empty() {
            let text = "Missing column provided to 'parse_dates'";
            return Err(options::parsing(format!("{text}: {}", missing.join(", "))));
        }
        let unknown = options.column_data_types.keys().find(|name| !known(name));
        // of columns that are left out types may be demanded all the same
        if let Some(unknown) = unknown.filter(|_| options.columns_read.is_empty()) {
            return Err(options::parsing(format!(
                "column_data_types names a column that is not there: '{unknown}'"
            )));
        }
        let planned: Result<Vec<Planned>> = self.columns.into_iter().map(|c| planned(c, options)).collect();
        let columns = planned?;
        let named = |name: &str| columns.iter().position(|c| c.name == name);
        let index = match options.index_column.as_deref().filter(|c| !c.is_empty()) {
            Some(name) => Some(named(name).ok_or_else(|| options::parsing(format!("Index {name} invalid")))?),
            None => None,
        };
        let written = options.dataframe_index;
        let label = options.index_label.clone().filter(|l| !l.is_empty());
        Ok(Layout { columns, index, written, label, header: options.header_row, checked: 0, rows: 0 })
    }
}

fn planned(seen: Seen, options: &Options) -> Result<Planned> {
    let Seen { name, mut dtype, fraction, rounded, .. } = seen;
    // what is missing makes floats of integers, but never other integers
    if dtype == Dtype::Float(64) && rounded && !fraction {
        dtype = Dtype::Int(64);
    }
    let mut times = None;
    if seen.times.all() && options.column_dates.contains(&name) {
        dtype = seen.times.dtype();
        times = Some(seen.times);
    }
    let mut cast = None;
    match options.column_data_types.get(&name) {
        Some(demanded) if demands_times(demanded) && times.is_some() => {}
        Some(demanded) if demands_times(demanded) && seen.plain_times.all() => {
            dtype = seen.plain_times.dtype();
            times = Some(seen.plain_times);
        }
        Some(demanded) => {
            let found = Cast::for_pandas_type(&name, demanded)?;
            dtype = found.target();
            cast = Some(found);
        }
        None => {}
    }
    if dtype == Dtype::Unsigned {
        return Err(infer::unsigned());
    }
    Ok(Planned { name, dtype, times, cast })
}

/// What becomes of a column.
struct Planned {
    name: String,
    dtype: Dtype,
    /// Its values are times, written like this.
    times: Option<Times>,
    cast: Option<Cast>,
}

impl Planned {
    fn value(&self, cell: Cell) -> Cell {
        let cell = match &self.times {
            Some(times) => times.read(&cell).unwrap_or(cell),
            None => cell,
        };
        let cell = match &self.cast {
            Some(cast) => cast.read(&cell).unwrap_or(Cell::Null),
            None => cell,
        };
        match (self.dtype, cell) {
            // numbers of several chunks are of one type
            (Dtype::Float(64), Cell::Int(n)) => Cell::Float(n as f64),
            (_, cell) => cell,
        }
    }
}

/// The columns of a table that a file goes to.
pub struct Layout {
    columns: Vec<Planned>,
    /// The column that names the rows.
    index: Option<usize>,
    /// Whether the names of the rows are written, and what their column is called.
    written: bool,
    label: Option<String>,
    header: usize,
    /// Rows that were checked, and rows that were handed out.
    checked: usize,
    rows: usize,
}

impl Layout {
    /// Some column is of a type that was demanded: all chunks are to be checked before one is written.
    pub fn demands(&self) -> bool {
        self.columns.iter().any(|c| c.cast.is_some())
    }

    /// Checks the values of a chunk.
    pub fn check(&mut self, chunk: &[Column]) {
        for (planned, column) in self.columns.iter_mut().zip(chunk) {
            let Some(cast) = &mut planned.cast else { continue };
            for (i, cell) in column.cells.iter().enumerate() {
                let time = planned.times.as_ref().and_then(|times| times.read(cell));
                cast.add(time.as_ref().unwrap_or(cell), self.checked + i);
            }
        }
        self.checked += chunk.first().map_or(0, |c| c.cells.len());
    }

    /// Fails when a value that was checked is not of the type that was demanded.
    pub fn verdict(&self) -> Result<()> {
        self.columns.iter().filter_map(|c| c.cast.as_ref()).try_for_each(|c| c.verdict(self.header))
    }

    /// The columns without rows.
    pub fn columns(&self) -> Vec<Column> {
        let columns = self.columns.iter();
        let empty = |c: &Planned| Column { name: c.name.clone(), dtype: c.dtype, cells: Vec::new() };
        self.arrange(columns.map(empty).collect())
    }

    /// A chunk of the file as rows of the table.
    pub fn apply(&mut self, chunk: Vec<Column>) -> Vec<Column> {
        let rows = chunk.first().map_or(0, |c| c.cells.len());
        let one = |(planned, column): (&Planned, Column)| Column {
            name: column.name,
            dtype: planned.dtype,
            cells: column.cells.into_iter().map(|c| planned.value(c)).collect(),
        };
        let shaped = self.arrange(self.columns.iter().zip(chunk).map(one).collect());
        self.rows += rows;
        shaped
    }

    fn arrange(&self, mut columns: Vec<Column>) -> Vec<Column> {
        let rows = columns.first().map_or(0, |c| c.cells.len());
        let index = self.index.filter(|at| *at < columns.len()).map(|at| columns.remove(at));
        if self.written {
            let mut index = index.unwrap_or_else(|| Column {
                name: "index".to_owned(),
                dtype: Dtype::Int(64),
                cells: (self.rows..self.rows + rows).map(|n| Cell::Int(n as i64)).collect(),
            });
            if let Some(label) = &self.label {
                label.clone_into(&mut index.name);
            }
            columns.insert(0, index);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Column {
        Column { name: name.into(), dtype: Dtype::Int(64), cells: vec![Cell::Int(1), Cell::Int(2)] }
    }

    fn shaped(chunks: &[Vec<Column>], options: &Options) -> Result<Vec<Vec<Column>>> {
        let mut scan = LayoutScan::new(options);
        chunks.iter().for_each(|c| scan.add_chunk(c));
        let mut layout = scan.layout()?;
        chunks.iter().for_each(|c| layout.check(c));
        layout.verdict()?;
        Ok(chunks.iter().map(|c| layout.apply(c.clone())).collect())
    }

    #[test]
    fn names_of_rows() {
        let chunk = vec![column("a"), column("b")];
        let options = Options { dataframe_index: true, index_label: Some("n".into()), ..Options::default() };
        let found = shaped(&[chunk.clone(), chunk.clone()], &options).unwrap();
        assert_eq!(found[0][0], Column { cells: vec![Cell::Int(0), Cell::Int(1)], ..column("n") });
        assert_eq!(found[1][0].cells, [Cell::Int(2), Cell::Int(3)]);
        let options = Options { index_column: Some("b".into()), ..Options::default() };
        assert_eq!(shaped(std::slice::from_ref(&chunk), &options).unwrap(), [[column("a")]]);
        let options = Options { index_column: Some("x".into()), ..Options::default() };
        assert!(shaped(&[chunk], &options).is_err());
    }

    fn texts(texts: &[&str]) -> Vec<Column> {
        let nulls = infer::null_texts(&Options::default());
        let texts: Vec<Option<String>> =
            texts.iter().map(|t| (!nulls.contains(*t)).then(|| (*t).to_owned())).collect();
        let cells = infer::cells(texts, '.');
        vec![Column { name: "c".into(), dtype: Column::dtype_of(&cells), cells }]
    }

    #[test]
    fn times_all_or_none() {
        let dates = |day_first| Options { column_dates: vec!["c".into()], day_first, ..Options::default() };
        let found =
            shaped(&[texts(&["2020-01-02", ""]), texts(&["2020-01-03 04:05:06"])], &dates(false)).unwrap();
        assert_eq!((found[0][0].dtype, found[1][0].dtype), (Dtype::Time, Dtype::Time));
        let found = shaped(&[texts(&["02/01/2020"])], &dates(true)).unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 2).unwrap();
        assert_eq!(found[0][0].cells[0], Cell::Time(day.and_hms_opt(0, 0, 0).unwrap()));
        let found = shaped(&[texts(&["2020-01-02"]), texts(&["soup"])], &dates(false)).unwrap();
        assert_eq!(found[0][0].cells[0], Cell::Text("2020-01-02".into()));
    }

    #[test]
    fn demanded_types() {
        let demand = |dtype: &str| Options {
            column_data_types: [("c".to_owned(), dtype.to_owned())].into_iter().collect(),
            ..Options::default()
        };
        let error =
            shaped(&[texts(&["1", "2"]), texts(&["3", "x"])], &demand("int64")).unwrap_err().to_string();
        assert!(error.contains("Found 1 error(s):\n  • Line 5: 'x' cannot be converted to int64"), "{error}");
        let found = shaped(&[texts(&["1"]), texts(&["2.5"])], &demand("str")).unwrap();
        assert_eq!((&found[0][0].cells[0], found[1][0].dtype), (&Cell::Text("1".into()), Dtype::Text));
        let error = shaped(&[texts(&["1", ""])], &demand("int64")).unwrap_err().to_string();
        assert!(error.contains("non-finite"), "{error}");
        let error = shaped(&[texts(&["x"; 9])], &demand("datetime64[ns]")).unwrap_err().to_string();
        assert!(error.contains("Found 9 error(s)") && error.contains("... and 4 more"), "{error}");
        let found = shaped(&[texts(&["2020-01-02"])], &demand("datetime64[ns]")).unwrap();
        assert_eq!(found[0][0].dtype, Dtype::Time);
        assert!(
            shaped(&[texts(&["1"])], &demand("soup")).unwrap_err().to_string().contains("not understood")
        );
    }
}
