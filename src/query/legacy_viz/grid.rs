//! A pivoted frame: times down, series across, floats inside (`DataFrame.pivot_table` over `__timestamp`).

use std::collections::{BTreeMap, HashMap};

use infra::engines::column::Scalar;

use super::{DTTM_ALIAS, Result, values};
use crate::frame::{CellKey, Frame, is_na, key, order, to_float};

/// How the values of one cell are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Aggregate {
    Mean,
    Sum,
}

/// The label of a series: a metric and the values of the groups, or one value alone.
pub(super) type Series = Vec<Scalar>;

/// Sum and count of each metric, by time and group.
type Cells = HashMap<(i64, Vec<CellKey>), Vec<(f64, u32)>>;

/// Rows are microseconds in ascending order; missing values are NaN.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) index: Vec<i64>,
    pub(super) series: Vec<Series>,
    /// By series, then by row.
    pub(super) values: Vec<Vec<f64>>,
}

fn compare(a: &Series, b: &Series) -> std::cmp::Ordering {
    a.iter().zip(b).map(|(x, y)| order(x, y)).find(|o| o.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

impl Grid {
    /// Pivots by time; `metric_level` keeps the metric as the first level of the labels.
    pub(super) fn pivot(
        frame: &Frame,
        groups: &[String],
        metrics: &[&str],
        metric_level: bool,
        how: Aggregate,
    ) -> Result<Self> {
        let times = values::column(frame, DTTM_ALIAS)?;
        let group_columns = groups.iter().map(|g| values::column(frame, g)).collect::<Result<Vec<_>>>()?;
        let mut cells: Cells = HashMap::new();
        let mut labels: HashMap<Vec<CellKey>, Series> = HashMap::new();
        let mut index = Vec::new();
        let columns = metrics.iter().map(|m| values::column(frame, m)).collect::<Result<Vec<_>>>()?;
        let numbers: Vec<Option<Vec<f64>>> = columns.iter().map(|c| to_float(c)).collect();
        for row in 0..frame.row_count() {
            let Some(time) = values::micros(&times.get(row)) else { continue };
            let group: Series = group_columns.iter().map(|c| c.get(row)).collect();
            if group.iter().any(is_na) {
                continue;
            }
            index.push(time);
            let keys: Vec<CellKey> = group.iter().map(key).collect();
            labels.entry(keys.clone()).or_insert(group);
            let cell = cells.entry((time, keys)).or_insert_with(|| vec![(0.0, 0); metrics.len()]);
            for (slot, column) in cell.iter_mut().zip(&numbers) {
                if let Some(value) = column.as_ref().and_then(|c| c.get(row)).filter(|v| !v.is_nan()) {
                    *slot = (slot.0 + value, slot.1 + 1);
                }
            }
        }
        index.sort_unstable();
        index.dedup();
        let mut grid = Self { index, series: Vec::new(), values: Vec::new() };
        for (at, metric) in metrics.iter().enumerate() {
            // A metric that is no number has no mean: pandas leaves it out or fails, here it has no values.
            for (keys, group) in &labels {
                let mut label = Vec::with_capacity(group.len() + 1);
                if metric_level || group.is_empty() {
                    label.push(Scalar::Text((*metric).into()));
                }
                label.extend(group.iter().cloned());
                let column = grid.index.iter().map(|time| {
                    match cells.get(&(*time, keys.clone())).and_then(|c| c.get(at)) {
                        Some((sum, count)) if *count > 0 && how == Aggregate::Mean => sum / f64::from(*count),
                        Some((sum, count)) if *count > 0 || how == Aggregate::Sum => *sum,
                        _ => f64::NAN,
                    }
                });
                grid.values.push(column.collect());
                grid.series.push(label);
            }
        }
        grid.drop_empty();
        grid.sort_series();
        Ok(grid)
    }

    /// Rows and series without any value go (`dropna=True`).
    fn drop_empty(&mut self) {
        let keep: Vec<bool> = self.values.iter().map(|v| v.iter().any(|x| !x.is_nan())).collect();
        let mut at = keep.iter();
        self.values.retain(|_| at.next().copied().unwrap_or(false));
        let mut at = keep.iter();
        self.series.retain(|_| at.next().copied().unwrap_or(false));
        let rows: Vec<usize> = (0..self.index.len())
            .filter(|row| self.values.iter().any(|v| v.get(*row).is_some_and(|x| !x.is_nan())))
            .collect();
        if rows.len() != self.index.len() {
            self.take_rows(&rows);
        }
    }

    /// Sorts the series by their labels.
    fn sort_series(&mut self) {
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.sort_by(|a, b| match (self.series.get(*a), self.series.get(*b)) {
            (Some(x), Some(y)) => compare(x, y),
            _ => std::cmp::Ordering::Equal,
        });
        self.take_series(&order);
    }

    pub(super) fn take_series(&mut self, order: &[usize]) {
        self.series = order.iter().filter_map(|i| self.series.get(*i).cloned()).collect();
        self.values = order.iter().filter_map(|i| self.values.get(*i).cloned()).collect();
    }

    pub(super) fn take_rows(&mut self, rows: &[usize]) {
        self.index = rows.iter().filter_map(|r| self.index.get(*r).copied()).collect();
        for column in &mut self.values {
            *column = rows.iter().map(|r| column.get(*r).copied().unwrap_or(f64::NAN)).collect();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty() || self.series.is_empty()
    }

    pub(super) fn fill(&mut self, value: f64) {
        for x in self.values.iter_mut().flatten().filter(|x| x.is_nan()) {
            *x = value;
        }
    }

    /// Values of a series by time.
    pub(super) fn by_time(&self, series: usize) -> BTreeMap<i64, f64> {
        self.index.iter().copied().zip(self.values.get(series).into_iter().flatten().copied()).collect()
    }
}
