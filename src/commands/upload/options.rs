//! What an upload asks for (`superset.databases.schemas:UploadPostSchema`), and how it fails.

use indexmap::IndexMap;
use infra::Error;

use crate::connect::errors::command_error;

/// What happens to a table that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfExists {
    /// The upload fails.
    #[default]
    Fail,
    /// It is dropped first.
    Replace,
    /// Rows are added.
    Append,
}

/// Options of an upload; those of files without text are left at their defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// Between values.
    pub delimiter: String,
    /// Line with the names, counted from the lines that are not skipped.
    pub header_row: usize,
    /// Lines to leave out at the start.
    pub skip_rows: usize,
    /// Rows to read; all without.
    pub rows_to_read: Option<usize>,
    /// Leave blank lines out.
    pub skip_blank_lines: bool,
    /// Leave spaces after the delimiter out.
    pub skip_initial_space: bool,
    /// Days before months.
    pub day_first: bool,
    /// Between whole and fraction.
    pub decimal: char,
    /// What is read as null; empty: pandas' own list.
    pub null_values: Vec<String>,
    /// Columns to read as times.
    pub column_dates: Vec<String>,
    /// Columns to read; empty: all.
    pub columns_read: Vec<String>,
    /// Column that names the rows.
    pub index_column: Option<String>,
    /// Write the names of the rows, too.
    pub dataframe_index: bool,
    /// What the column of the names is called.
    pub index_label: Option<String>,
    /// Types that are demanded, by column.
    pub column_data_types: IndexMap<String, String>,
    /// Sheet of a workbook; the first without.
    pub sheet_name: Option<String>,
    /// What happens to a table that is there.
    pub already_exists: IfExists,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            header_row: 0,
            skip_rows: 0,
            rows_to_read: None,
            skip_blank_lines: false,
            skip_initial_space: false,
            day_first: false,
            decimal: '.',
            null_values: Vec::new(),
            column_dates: Vec::new(),
            columns_read: Vec::new(),
            index_column: None,
            dataframe_index: false,
            index_label: None,
            column_data_types: IndexMap::new(),
            sheet_name: None,
            already_exists: IfExists::Fail,
        }
    }
}

/// `DatabaseUploadFailed`.
pub fn failed(message: impl Into<String>) -> Error {
    command_error(422, message)
}

/// The file is not what it should be.
pub fn parsing(message: impl std::fmt::Display) -> Error {
    failed(format!("Parsing error: {message}"))
}
