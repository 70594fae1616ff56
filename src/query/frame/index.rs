//! Row labels (`RangeIndex`, `Index`, `DatetimeIndex`, `MultiIndex`).

use infra::engines::column::{ColumnData, Scalar};

use super::rows::take;

/// One level of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexLevel {
    /// Name, usually the column it was made of.
    pub name: Option<Scalar>,
    /// Values.
    pub data: ColumnData,
}

/// Row labels of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Index {
    /// Consecutive integers (`pandas.RangeIndex`); exports leave it out.
    Range {
        /// First value.
        start: i64,
        /// Number of rows.
        len: usize,
    },
    /// One level of values; timestamps make it a `DatetimeIndex`.
    Flat(IndexLevel),
    /// Several levels.
    Multi(Vec<IndexLevel>),
}

impl Default for Index {
    fn default() -> Self {
        Self::range(0)
    }
}

impl Index {
    /// 0 … len-1.
    pub fn range(len: usize) -> Self {
        Self::Range { start: 0, len }
    }

    /// An index of levels; one level stays flat unless `multi` asks for a `MultiIndex` of one level.
    pub fn from_levels(mut levels: Vec<IndexLevel>, multi: bool) -> Self {
        if levels.len() == 1
            && !multi
            && let Some(level) = levels.pop()
        {
            return Self::Flat(level);
        }
        Self::Multi(levels)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Range { len, .. } => *len,
            Self::Flat(l) => l.data.len(),
            Self::Multi(v) => v.first().map_or(0, |l| l.data.len()),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True for a default index.
    pub fn is_range(&self) -> bool {
        matches!(self, Self::Range { .. })
    }

    /// True for several levels.
    pub fn is_multi(&self) -> bool {
        matches!(self, Self::Multi(_))
    }

    /// Timestamps of a `DatetimeIndex`.
    pub fn timestamps(&self) -> Option<&[Option<i64>]> {
        match self {
            Self::Flat(IndexLevel { data: ColumnData::Timestamp(v), .. }) => Some(v),
            _ => None,
        }
    }

    /// The levels; a range becomes one level of integers.
    pub fn into_levels(self) -> Vec<IndexLevel> {
        match self {
            Self::Range { start, len } => vec![IndexLevel {
                name: None,
                data: ColumnData::Int((start..).take(len).map(Some).collect()),
            }],
            Self::Flat(l) => vec![l],
            Self::Multi(v) => v,
        }
    }

    /// The labels of a row, one per level.
    pub fn row(&self, row: usize) -> Vec<Scalar> {
        match self {
            Self::Range { start, .. } => vec![Scalar::Int(start + row as i64)],
            Self::Flat(l) => vec![l.data.get(row)],
            Self::Multi(v) => v.iter().map(|l| l.data.get(row)).collect(),
        }
    }

    /// The rows at these positions. A range stays one only while it is contiguous, as slicing does in pandas.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Range { start, .. } => Self::Flat(IndexLevel {
                name: None,
                data: ColumnData::Int(rows.iter().map(|r| Some(start + *r as i64)).collect()),
            }),
            Self::Flat(l) => Self::Flat(IndexLevel { name: l.name.clone(), data: take(&l.data, rows) }),
            Self::Multi(v) => Self::Multi(
                v.iter().map(|l| IndexLevel { name: l.name.clone(), data: take(&l.data, rows) }).collect(),
            ),
        }
    }

    /// Everything from a row on (`df[n:]`).
    #[must_use]
    pub fn skip(&self, n: usize) -> Self {
        match self {
            Self::Range { start, len } => {
                let n = n.min(*len);
                Self::Range { start: start + n as i64, len: len - n }
            }
            other => other.take(&(n.min(other.len())..other.len()).collect::<Vec<_>>()),
        }
    }
}
