//! Parquet (`superset.commands.database.uploaders.columnar_reader` over pyarrow and pandas): a file, or an archive of
//! files whose rows follow each other.

use std::{
    collections::HashSet,
    io::{BufReader, Read as _},
};

use bytes::Bytes;
use infra::{
    Result,
    spool::{Reader, Spool},
};
use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical},
    errors::ParquetError,
    file::{
        reader::{ChunkReader, FileReader as _, Length},
        serialized_reader::SerializedFileReader,
    },
    schema::types::{Type, TypePtr},
};
use serde_json::Value;

use super::{
    bounds::Bounds,
    columnar_value::{Unit, cell, weight},
    frame::{Cell, Column, Dtype, is_rounded},
    options::{Options, failed, parsing},
};

/// Values of a file, missing ones counted.
const MAX_CELLS: usize = 20_000_000;
/// Bytes of the texts of a file.
const MAX_BYTES: usize = 512 << 20;

/// Before the names of columns that name rows, until they are put in their place.
const INDEX: &str = "\u{0}";

type File = SerializedFileReader<Source>;

/// A file of an upload: what was sent, or what was unpacked from it.
enum Source {
    Sent(Spool),
    Unpacked(Bytes),
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Sent(file) => file.length(),
            Self::Unpacked(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn std::io::Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match self {
            Self::Sent(file) => Box::new(BufReader::new(file.reader_at(start))),
            Self::Unpacked(bytes) => Box::new(bytes.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let file = match self {
            Self::Sent(file) => file,
            Self::Unpacked(bytes) => return bytes.get_bytes(start, length),
        };
        // the length is the file's own word
        if start.saturating_add(length as u64) > file.length() {
            return Err(ParquetError::EOF("the file ends too early".to_owned()));
        }
        let mut bytes = vec![0; length];
        let mut reader: Reader = file.reader_at(start);
        reader.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The files of an upload: itself, or what the archive holds.
fn files(file: &Spool, filename: &str, bounds: Bounds) -> Result<Vec<Source>> {
    let suffix = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, s)| s.to_owned())
    };
    match suffix(filename).as_deref() {
        None => return Err(failed("Unexpected no file extension found")),
        Some("zip") => {}
        Some(_) => return Ok(vec![Source::Sent(file.clone())]),
    }
    let broken = || failed("Not a valid ZIP file");
    let mut archive = zip::ZipArchive::new(BufReader::new(file.reader())).map_err(|_| broken())?;
    let mut kinds = HashSet::new();
    for name in archive.file_names() {
        kinds.insert(suffix(&name.map_err(|_| broken())?));
    }
    if kinds.len() > 1 {
        return Err(failed("ZIP file contains multiple file types"));
    }
    let mut found = Vec::new();
    let (mut packed, mut unpacked) = (0, 0);
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|_| broken())?;
        packed += entry.compressed_size();
        let mut content = Vec::new();
        // what the archive says of itself may be a lie
        entry.take(bounds.left(unpacked)).read_to_end(&mut content).map_err(|_| broken())?;
        unpacked += content.len() as u64;
        bounds.check(packed, unpacked)?;
        found.push(Source::Unpacked(content.into()));
    }
    Ok(found)
}

fn open(file: Source, bounds: Bounds) -> Result<File> {
    let size = file.len();
    let opened = SerializedFileReader::new(file).map_err(|_| {
        let text = "Could not open Parquet input source '<Buffer>': Parquet magic bytes not found in footer. Either \
                    the file is corrupted or this is not a parquet file.";
        parsing(text)
    })?;
    let metadata = opened.metadata();
    let unpacked: i64 = metadata.row_groups().iter().map(|g| g.total_byte_size().max(0)).sum();
    bounds.check_ratio(size, unpacked.unsigned_abs())?;
    let columns = metadata.file_metadata().schema().get_fields().len().max(1);
    let rows = usize::try_from(metadata.file_metadata().num_rows()).map_err(|_| parsing("negative rows"))?;
    if rows.saturating_mul(columns) > MAX_CELLS {
        return Err(parsing(format!("the file has more than {MAX_CELLS} values")));
    }
    Ok(opened)
}

/// The names of the columns: the innermost ones, as pyarrow tells them.
pub fn names(file: &Spool, filename: &str, bounds: Bounds) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for file in files(file, filename, bounds)? {
        let opened = open(file, bounds)?;
        for column in opened.metadata().file_metadata().schema_descr().columns() {
            if !names.iter().any(|n| n == column.name()) {
                names.push(column.name().to_owned());
            }
        }
    }
    Ok(names)
}

/// Reads all files; a column that one of them lacks is missing there. Columns that pandas had as the names of rows
/// come first, and only when they are wanted.
pub fn read(file: &Spool, filename: &str, options: &Options, bounds: Bounds) -> Result<Vec<Column>> {
    let mut all: Option<Vec<Column>> = None;
    let mut left = (MAX_CELLS, MAX_BYTES);
    for file in files(file, filename, bounds)? {
        let part = read_one(file, options, bounds, &mut left)?;
        all = Some(match all {
            Some(all) => concat(all, part),
            None => part,
        });
    }
    let mut columns = all.ok_or_else(|| failed("No objects to concatenate"))?;
    if options.dataframe_index {
        name_rows(&mut columns, options);
    }
    Ok(columns)
}

/// The names of the rows: those of pandas, or their numbers.
fn name_rows(columns: &mut Vec<Column>, options: &Options) {
    if columns.first().is_none_or(|c| !c.name.starts_with(INDEX)) {
        let rows = columns.first().map_or(0, |c| c.cells.len());
        let cells = (0..rows as i64).map(Cell::Int).collect();
        columns.insert(0, Column { name: INDEX.to_owned(), dtype: Dtype::Int(64), cells });
    }
    let label = options.index_label.clone().filter(|l| !l.is_empty());
    for column in columns.iter_mut() {
        if let Some(name) = column.name.strip_prefix(INDEX) {
            let nameless = name.is_empty() || name.starts_with("__index_level_");
            let own = if nameless { "index".to_owned() } else { name.to_owned() };
            column.name = label.clone().unwrap_or(own);
        }
    }
}

/// What pandas has written about its own types.
#[derive(Default)]
struct Notes {
    index: Vec<String>,
    /// Integers that may be missing, and categories, by column.
    types: Vec<(String, String, String)>,
}

impl Notes {
    fn from_file(file: &File) -> Self {
        let metadata = file.metadata().file_metadata().key_value_metadata();
        let text = metadata.and_then(|all| all.iter().find(|kv| kv.key == "pandas")?.value.as_deref());
        let Some(notes) = text.and_then(|t| serde_json::from_str::<Value>(t).ok()) else {
            return Self::default();
        };
        let list = |key: &str| notes.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            index: list("index_columns").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            types: list("columns")
                .iter()
                .map(|c| (text(c, "field_name"), text(c, "pandas_type"), text(c, "numpy_type")))
                .collect(),
        }
    }

    fn nullable(&self, name: &str) -> bool {
        let found = self.types.iter().find(|(n, ..)| n == name);
        found.is_some_and(|(.., numpy)| numpy.starts_with("Int") || numpy.starts_with("UInt"))
    }

    fn categorical(&self, name: &str) -> bool {
        self.types.iter().any(|(n, pandas, _)| n == name && pandas == "categorical")
    }
}

fn read_one(
    file: Source,
    options: &Options,
    bounds: Bounds,
    left: &mut (usize, usize),
) -> Result<Vec<Column>> {
    let opened = open(file, bounds)?;
    let notes = Notes::from_file(&opened);
    let schema = opened.metadata().file_metadata().schema();
    let wanted = chosen(schema.get_fields(), &notes, options)?;
    let group = |fields: Vec<TypePtr>| {
        Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(parsing)
    };
    let mut columns: Vec<(Column, Unit)> = wanted
        .iter()
        .map(|field| {
            let (dtype, unit) = kind(field);
            (Column { name: field.name().to_owned(), dtype, cells: Vec::new() }, unit)
        })
        .collect();
    // rows come with their columns in the order of the file
    let projection = group(schema.get_fields().iter().filter(|f| wanted.contains(f)).cloned().collect())?;
    let places: Vec<usize> = projection
        .get_fields()
        .iter()
        .filter_map(|f| wanted.iter().position(|w| w.name() == f.name()))
        .collect();
    if !places.is_empty() {
        for row in opened.get_row_iter(Some(projection)).map_err(parsing)? {
            let row = row.map_err(parsing)?;
            for ((_, field), place) in row.into_columns().into_iter().zip(&places) {
                let Some((column, unit)) = columns.get_mut(*place) else { continue };
                let value = cell(field, *unit)?;
                left.0 = left.0.saturating_sub(1);
                left.1 = left.1.saturating_sub(weight(&value));
                column.cells.push(value);
            }
            if left.0 == 0 || left.1 == 0 {
                return Err(parsing("the files have too many values"));
            }
        }
    }
    let mut columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
    for column in &mut columns {
        settle(column, &notes);
    }
    for column in columns.iter_mut().filter(|c| notes.index.contains(&c.name)) {
        column.name.insert_str(0, INDEX);
    }
    Ok(columns)
}

/// The columns that are read, in the order that they are asked for.
fn chosen(fields: &[TypePtr], notes: &Notes, options: &Options) -> Result<Vec<TypePtr>> {
    let find = |name: &str| fields.iter().find(|f| f.name() == name).cloned();
    let mut wanted: Vec<TypePtr> = if options.dataframe_index {
        notes.index.iter().filter_map(|name| find(name)).collect()
    } else {
        Vec::new()
    };
    if options.columns_read.is_empty() {
        wanted.extend(fields.iter().filter(|f| !notes.index.iter().any(|n| n == f.name())).cloned());
    }
    for name in &options.columns_read {
        let field = find(name).ok_or_else(|| parsing(format!("No match for FieldRef.Name({name})")))?;
        if !notes.index.contains(name) && !wanted.contains(&field) {
            wanted.push(field);
        }
    }
    Ok(wanted)
}

/// pandas' type of a column that has all its values, and how its numbers are to be read.
fn kind(field: &TypePtr) -> (Dtype, Unit) {
    if !field.is_primitive() || field.get_basic_info().repetition() == Repetition::REPEATED {
        return (Dtype::Text, Unit::Plain);
    }
    let info = field.get_basic_info();
    let logical = info.logical_type_ref();
    let nanos = |unit: &TimeUnit| if matches!(unit, TimeUnit::NANOS) { Unit::Nanos } else { Unit::Plain };
    match logical {
        Some(LogicalType::Timestamp(t)) => {
            let dtype = if t.is_adjusted_to_u_t_c { Dtype::Zoned } else { Dtype::Time };
            return (dtype, nanos(&t.unit));
        }
        Some(LogicalType::Time(t)) => {
            let unit = nanos(&t.unit);
            return (Dtype::Clock, if unit == Unit::Nanos { Unit::ClockNanos } else { unit });
        }
        Some(LogicalType::Unknown) => return (Dtype::Text, Unit::Plain),
        Some(LogicalType::Float16) => return (Dtype::Float(64), Unit::Plain),
        _ => {}
    }
    let dtype = match (field.get_physical_type(), info.converted_type()) {
        (_, ConvertedType::DECIMAL) => Dtype::Text,
        (_, ConvertedType::DATE) => Dtype::Date,
        (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => Dtype::Clock,
        // older writers knew only moments
        (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => Dtype::Zoned,
        (Physical::BOOLEAN, _) => Dtype::Bool,
        (Physical::INT32, ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::UINT_8) => {
            Dtype::Int(16)
        }
        (Physical::INT32, ConvertedType::UINT_32) => Dtype::Int(64),
        (Physical::INT32, _) => Dtype::Int(32),
        (Physical::INT64, _) => Dtype::Int(64),
        (Physical::INT96, _) => Dtype::Time,
        (Physical::FLOAT, _) => Dtype::Float(32),
        (Physical::DOUBLE, _) => Dtype::Float(64),
        (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, _) => Dtype::Text,
    };
    (dtype, Unit::Plain)
}

/// Missing integers make floats of a column, unless it is of the kind that may miss some.
fn settle(column: &mut Column, notes: &Notes) {
    if notes.categorical(&column.name) {
        column.dtype = Dtype::Text;
    }
    if matches!(column.dtype, Dtype::Int(_))
        && column.cells.contains(&Cell::Null)
        && !notes.nullable(&column.name)
        && !column.cells.iter().any(is_rounded)
    {
        column.dtype = Dtype::Float(64);
    }
    for cell in &mut column.cells {
        match (column.dtype, &cell) {
            (Dtype::Float(_), Cell::Int(n)) => *cell = Cell::Float(*n as f64),
            (_, Cell::Float(f)) if f.is_nan() => *cell = Cell::Null,
            _ => {}
        }
    }
}

/// `pd.concat`.
fn concat(mut all: Vec<Column>, part: Vec<Column>) -> Vec<Column> {
    let before = all.first().map_or(0, |c| c.cells.len());
    let more = part.first().map_or(0, |c| c.cells.len());
    let holed = |column: &Column| match column.dtype {
        Dtype::Int(_) if !column.cells.iter().any(is_rounded) => Dtype::Float(64),
        other => other,
    };
    let mut part: Vec<Option<Column>> = part.into_iter().map(Some).collect();
    for column in &mut all {
        let found = part.iter_mut().find(|p| p.as_ref().is_some_and(|p| p.name == column.name));
        match found.and_then(Option::take) {
            Some(found) => {
                column.dtype = match (column.dtype, found.dtype) {
                    (Dtype::Int(a), Dtype::Int(b)) => Dtype::Int(a.max(b)),
                    (Dtype::Float(a), Dtype::Float(b)) => Dtype::Float(a.max(b)),
                    (a, b) => Column::joined(a, b, false, false),
                };
                column.cells.extend(found.cells);
            }
            None => {
                column.dtype = holed(column);
                column.cells.resize(before + more, Cell::Null);
            }
        }
    }
    for mut column in part.into_iter().flatten() {
        let dtype = holed(&column);
        let mut cells = vec![Cell::Null; before];
        cells.append(&mut column.cells);
        all.push(Column { dtype, cells, ..column });
    }
    for column in &mut all {
        if matches!(column.dtype, Dtype::Float(_)) {
            for cell in &mut column.cells {
                if let Cell::Int(n) = cell {
                    *cell = Cell::Float(*n as f64);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, sync::Arc};

    use parquet::{
        data_type::{ByteArray, ByteArrayType, Int64Type},
        file::writer::SerializedFileWriter,
        schema::parser::parse_message_type,
    };

    use super::*;

    fn bounds() -> Bounds {
        Bounds { size: 10 << 20, ratio: 200.0 }
    }

    /// `n` with a missing value, `t` in nanoseconds, `s` text.
    fn file() -> Vec<u8> {
        let text = "message m { OPTIONAL INT64 n; REQUIRED INT64 t (TIMESTAMP(NANOS,false)); REQUIRED BINARY s \
         (UTF8); }";
        let schema = Arc::new(parse_message_type(text).unwrap());
        let mut out = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut out, schema, Default::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7], Some(&[1, 0]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[0, 1_500_000_001_000], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let texts = ["a", "b"].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        out
    }

    fn sent(bytes: &[u8]) -> Spool {
        Spool::holding(bytes).unwrap()
    }

    fn zipped(names: &[&str]) -> Vec<u8> {
        use std::io::Write as _;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(&file()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn columns_and_types() {
        let found = read(&sent(&file()), "a.parquet", &Options::default(), bounds()).unwrap();
        let types: Vec<(&str, Dtype)> = found.iter().map(|c| (c.name.as_str(), c.dtype)).collect();
        assert_eq!(types, [("n", Dtype::Float(64)), ("t", Dtype::Time), ("s", Dtype::Text)]);
        assert_eq!(found[0].cells, [Cell::Float(7.0), Cell::Null]);
        let at = |micros| Cell::Time(chrono::DateTime::from_timestamp_micros(micros).unwrap().naive_utc());
        assert_eq!(found[1].cells, [at(0), at(1_500_000_001)]);
        assert_eq!(names(&sent(&file()), "a.parquet", bounds()).unwrap(), ["n", "t", "s"]);
        let some = Options { columns_read: vec!["s".into(), "n".into()], ..Options::default() };
        let found = read(&sent(&file()), "a.parquet", &some, bounds()).unwrap();
        assert_eq!((found[0].name.as_str(), &found[0].cells[1]), ("s", &Cell::Text("b".into())));
        let none = Options { columns_read: vec!["x".into()], ..Options::default() };
        assert!(
            read(&sent(&file()), "a.parquet", &none, bounds())
                .unwrap_err()
                .to_string()
                .contains("No match for")
        );
    }

    #[test]
    fn archives() {
        let found = read(&sent(&zipped(&["a.parquet", "b.parquet"])), "x.zip", &Options::default(), bounds())
            .unwrap();
        assert_eq!(found[2].cells.len(), 4);
        let error = |file: &[u8], name| {
            read(&sent(file), name, &Options::default(), bounds()).unwrap_err().to_string()
        };
        assert!(error(&zipped(&["a.parquet", "b.txt"]), "x.zip").contains("multiple file types"));
        assert!(error(b"PK", "x.zip").contains("Not a valid ZIP file"));
        assert!(error(b"PAR1", "x.parquet").contains("magic bytes"));
        assert!(error(&file(), "x").contains("no file extension"));
        let tight = Bounds { size: 100, ratio: 200.0 };
        let error = read(&sent(&zipped(&["a.parquet"])), "x.zip", &Options::default(), tight)
            .unwrap_err()
            .to_string();
        assert!(error.contains("size above"), "{error}");
    }

    #[test]
    fn broken_files_are_errors() {
        let good = file();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x5a;
            let _ =
                std::panic::catch_unwind(|| read(&sent(&bad), "a.parquet", &Options::default(), bounds()));
        }
    }
}
