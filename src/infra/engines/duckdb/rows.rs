//! The rows of a statement as they come: DuckDB hands them out in chunks, none of which is kept.

use duckdb::{
    Connection, Statement,
    arrow::array::{Array as _, StructArray},
    core::LogicalTypeId,
};

use super::{
    Watch,
    error::{failure, gone},
    value,
};
use crate::engines::{builder::ColumnBuilder, column::ColumnInfo, error::EngineError};

/// A statement that was started.
pub(super) struct Rows<'a> {
    pub columns: Vec<ColumnInfo>,
    kinds: Vec<LogicalTypeId>,
    statement: Statement<'a>,
    chunk: Option<StructArray>,
    /// The row of the chunk that is read next.
    at: usize,
}

impl<'a> Rows<'a> {
    pub fn start(connection: &'a Connection, sql: &str) -> Result<Self, EngineError> {
        let mut statement = connection.prepare(sql).map_err(failure)?;
        // only to start it: the chunks are taken from the statement, which also knows DuckDB's own types
        let _ = statement.stream_arrow([]).map_err(failure)?;
        let types: Vec<_> = (0..statement.column_count()).map(|i| statement.column_logical_type(i)).collect();
        let columns = statement
            .column_names()
            .into_iter()
            .zip(&types)
            .map(|(name, type_)| ColumnInfo { name, sql_type: value::type_name(type_) })
            .collect();
        let kinds = types.iter().map(duckdb::core::LogicalTypeHandle::id).collect();
        Ok(Self { columns, kinds, statement, chunk: None, at: 0 })
    }

    pub fn builders(&self) -> Vec<ColumnBuilder> {
        self.columns.iter().map(|_| ColumnBuilder::new()).collect()
    }

    /// Goes to the next row; false after the last.
    pub fn next(&mut self, watch: &Watch) -> Result<bool, EngineError> {
        self.at += 1;
        while self.chunk.as_ref().is_none_or(|chunk| self.at >= chunk.len()) {
            if watch.left() {
                return Err(gone());
            }
            self.at = 0;
            self.chunk = self.statement.step().map_err(failure)?;
            if self.chunk.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the row to the columns; returns its size.
    pub fn push(&self, builders: &mut [ColumnBuilder]) -> Result<usize, EngineError> {
        let mut bytes = 0;
        let columns = self.chunk.as_ref().map(StructArray::columns).unwrap_or_default();
        for ((column, kind), out) in columns.iter().zip(&self.kinds).zip(builders) {
            bytes += value::push(column, self.at, *kind, out)?;
        }
        Ok(bytes)
    }
}
