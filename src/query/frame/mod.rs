//! The data frame: labelled columns over the vectors that a driver filled, with an index, as far as
//! Superset's answers depend on pandas' model of them (`pandas.DataFrame`, `superset.result_set`).

mod build;
mod cell;
mod codec;
mod coltypes;
mod convert;
pub mod datetime;
mod datetime_format;
pub mod decimal;
mod dtype;
mod factor;
mod index;
pub mod json_text;
mod label;
mod normalize;
mod places;
pub mod python;
mod rows;

pub use build::{ColumnInfo, relabel};
pub use cell::{CellKey, as_f64, compare, is_na, is_true, key, order};
pub use codec::{Reader, Writer};
pub use coltypes::{ColumnHint, GenericType, coltypes, infer_dtype, type_of_column};
pub use convert::{astype_object, beside_nulls, from_scalars, infer_objects, to_float, to_numeric_coerce};
pub use dtype::{Dtype, common, dtype};
pub use factor::{Factor, Groups, factorize, group};
pub use index::{Index, IndexLevel};
pub use label::Label;
pub use normalize::{DateColumn, finite_or_null, infer_metric_objects, normalize_datetimes};
pub use places::LabelPositions;
pub use rows::{concat_data, float_column, take};

use infra::{
    compute::Stopped,
    engines::column::{ColumnData, Scalar},
};

/// A failure of a data-frame operation, as the chart data command reports it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// The request asks for something impossible (`InvalidPostProcessingError`, `QueryObjectValidationError`):
    /// it becomes the query's `error`, hence 400.
    #[error("{0}")]
    Invalid(String),
    /// pandas raises something that Superset does not expect: a SIP-40 `GENERIC_BACKEND_ERROR`, 500.
    #[error("{0}")]
    Unexpected(String),
    /// There is no time left, or nobody waits.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl FrameError {
    /// See [`FrameError::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
    /// See [`FrameError::Unexpected`].
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::Unexpected(message.into())
    }
}

/// Result with [`FrameError`].
pub type Result<T, E = FrameError> = std::result::Result<T, E>;

/// A column with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Label, possibly of several levels.
    pub label: Label,
    /// Values.
    pub data: ColumnData,
}

impl Column {
    /// A column with a one-level text label.
    pub fn new(label: impl Into<Label>, data: ColumnData) -> Self {
        Self { label: label.into(), data }
    }
}

/// A table of columns of equal length; labels may repeat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Columns from left to right.
    pub columns: Vec<Column>,
    /// Row labels.
    pub index: Index,
    /// True when the column labels are a pandas `MultiIndex`; then every label is [`Label::Levels`].
    pub multi: bool,
}

impl Frame {
    /// A frame with a default index.
    pub fn new(columns: Vec<Column>) -> Self {
        let rows = columns.first().map_or(0, |c| c.data.len());
        Self { columns, index: Index::range(rows), multi: false }
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.index.len()
    }

    /// pandas' `empty`: no rows or no columns.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() || self.row_count() == 0
    }

    /// Positions of the columns whose label (first level when there are several) is this text.
    pub fn positions(&self, name: &str) -> Vec<usize> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.label.first_text() == Some(name))
            .map(|(i, _)| i)
            .collect()
    }

    /// Position of the first column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.label.first_text() == Some(name))
    }

    /// First column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.label.first_text() == Some(name))
    }

    /// True when a column of this name exists.
    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Replaces the column of this label or appends it.
    pub fn set(&mut self, label: &Label, data: ColumnData) {
        let label = if self.multi { label.padded(self.levels()) } else { label.clone() };
        let mut found = false;
        for c in self.columns.iter_mut().filter(|c| c.label == label) {
            c.data.clone_from(&data);
            found = true;
        }
        if !found {
            if self.columns.is_empty() && self.index.is_empty() {
                self.index = Index::range(data.len());
            }
            self.columns.push(Column { label, data });
        }
    }

    /// Number of label levels.
    pub fn levels(&self) -> usize {
        self.columns.first().map_or(1, |c| c.label.level_count())
    }

    /// The rows at these positions, in this order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            columns: self
                .columns
                .iter()
                .map(|c| Column { label: c.label.clone(), data: take(&c.data, rows) })
                .collect(),
            index: self.index.take(rows),
            multi: self.multi,
        }
    }

    /// `reset_index`: moves the index (or only its first level) into the first columns.
    pub fn reset_index(&mut self, first_only: bool) {
        let index = std::mem::take(&mut self.index);
        let rows = index.len();
        let single = !index.is_multi();
        let levels = index.into_levels();
        let n = if first_only { 1 } else { levels.len() };
        let depth = self.levels();
        let mut front = Vec::new();
        let mut rest = Vec::new();
        for (i, level) in levels.into_iter().enumerate() {
            if i >= n {
                rest.push(level);
                continue;
            }
            let name = level.name.unwrap_or_else(|| {
                Scalar::Text(if single { "index".into() } else { format!("level_{i}").into() })
            });
            let label = if self.multi { Label::Flat(name).padded(depth) } else { Label::Flat(name) };
            front.push(Column { label, data: level.data });
        }
        front.append(&mut self.columns);
        self.columns = front;
        self.index = if rest.is_empty() { Index::range(rows) } else { Index::from_levels(rest, false) };
    }
}

impl From<FrameError> for crate::QueryError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Invalid(m) => Self::Validation(m),
            FrameError::Unexpected(m) => Self::Generic(m),
            FrameError::Stopped(why) => why.into(),
        }
    }
}
