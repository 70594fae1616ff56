//! `resample`: regular time steps for a frame with timestamps as index.

use chrono::{NaiveDateTime, NaiveTime};
use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::MAX_CELLS;
use super::numpy::{self, Function};
use super::offsets::Offset;
use super::options::{Options, scalar};
use super::pivot::fill_nulls;
use crate::frame::datetime::{date_micros, from_micros, to_micros};
use crate::frame::{
    Column, Dtype, Frame, FrameError, Index, IndexLevel, Result, dtype, float_column, from_scalars, is_na,
    take, to_float,
};

const METHODS: [&str; 7] = ["asfreq", "bfill", "ffill", "linear", "median", "mean", "sum"];

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["rule", "method"], &["fill_value"])?;
    if frame.index.timestamps().is_none() {
        return Err(FrameError::invalid("Resample operation requires DatetimeIndex"));
    }
    let method = match o.get("method").and_then(Value::as_str) {
        Some(m) if METHODS.contains(&m) => m,
        _ => {
            return Err(FrameError::invalid(format!("Resample method should be in {}.", METHODS.join(", "))));
        }
    };
    let offset = Offset::parse(o.text("rule")?)?;
    let frame = sorted(frame);
    let times: Vec<i64> = frame.index.timestamps().unwrap_or_default().iter().flatten().copied().collect();
    let bins = Bins::new(&times, &offset)?;
    if bins.edges.len().saturating_mul(frame.columns.len().max(1)) > MAX_CELLS {
        return Err(FrameError::unexpected("Unable to allocate the resampled frame"));
    }
    let name = match &frame.index {
        Index::Flat(l) => l.name.clone(),
        _ => None,
    };
    match method {
        "mean" | "sum" | "median" => {
            let f = match method {
                "mean" => Function::Mean { array: false },
                "sum" => Function::Sum { array: false },
                _ => Function::Median { skip_null: true },
            };
            let rows: Vec<Vec<usize>> = bins.rows(&times);
            let columns = frame
                .columns
                .iter()
                .map(|c| {
                    let values =
                        rows.iter().map(|r| numpy::apply(f, &c.data, r)).collect::<Result<Vec<Scalar>>>()?;
                    Ok(Column { label: c.label.clone(), data: from_scalars(values) })
                })
                .collect::<Result<_>>()?;
            Ok(with_index(columns, bins.labels(), name, frame.multi))
        }
        _ => {
            let targets = bins.targets();
            if times.windows(2).any(|w| matches!(w, [a, b] if a == b)) && targets != times {
                return Err(FrameError::unexpected("cannot reindex on an axis with duplicate labels"));
            }
            let source: Vec<usize> = targets.iter().map(|t| locate(&times, *t, method)).collect();
            let fill = o.get("fill_value").filter(|_| method == "asfreq").map(scalar);
            let columns = frame
                .columns
                .iter()
                .map(|c| {
                    let mut data = match &fill {
                        Some(fill) => filled(&c.data, &source, fill),
                        None => take(&c.data, &source),
                    };
                    if let Some(fill) = &fill {
                        fill_nulls(&mut data, fill);
                    }
                    let data = match method {
                        "ffill" => carried(data, false),
                        "bfill" => carried(data, true),
                        "linear" => interpolated(data),
                        _ => data,
                    };
                    Column { label: c.label.clone(), data }
                })
                .collect();
            Ok(with_index(columns, targets, name, frame.multi))
        }
    }
}

fn with_index(columns: Vec<Column>, times: Vec<i64>, name: Option<Scalar>, multi: bool) -> Frame {
    let data = ColumnData::Timestamp(times.into_iter().map(Some).collect());
    Frame { columns, index: Index::Flat(IndexLevel { name, data }), multi }
}

/// Rows in order of time, without those that have none.
fn sorted(frame: Frame) -> Frame {
    let times = frame.index.timestamps().unwrap_or_default();
    let mut rows: Vec<(i64, usize)> =
        times.iter().enumerate().filter_map(|(i, t)| t.map(|t| (t, i))).collect();
    rows.sort();
    if rows.len() == times.len() && rows.iter().enumerate().all(|(i, (_, r))| i == *r) {
        return frame;
    }
    frame.take(&rows.into_iter().map(|(_, r)| r).collect::<Vec<_>>())
}

/// The periods of a resampling (`TimeGrouper._get_time_bins`).
struct Bins {
    /// Points of the frequency around the data.
    points: Vec<i64>,
    /// The points as borders of the bins.
    edges: Vec<i64>,
    right: bool,
}

impl Bins {
    fn new(times: &[i64], offset: &Offset) -> Result<Self> {
        let right = offset.closed_right();
        let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
            return Ok(Self { points: Vec::new(), edges: Vec::new(), right });
        };
        let overflow = || FrameError::unexpected("Out of bounds nanosecond timestamp");
        let mut points = Vec::new();
        if let Some(tick) = offset.tick() {
            let origin = from_micros(first).map(|t| date_micros(t.date())).ok_or_else(overflow)?;
            let before = (first - origin).rem_euclid(tick);
            let after = (last - origin).rem_euclid(tick);
            let start = first - before;
            let end = if after > 0 { last + (tick - after) } else { last + tick };
            if (end - start) / tick > MAX_CELLS as i64 {
                return Err(FrameError::unexpected("Unable to allocate the resampled frame"));
            }
            let mut t = start;
            while t <= end {
                points.push(t);
                t += tick;
            }
        } else {
            let midnight = |us: i64| from_micros(us).map(|t| t.date().and_time(NaiveTime::MIN));
            let (a, b) = (midnight(first).ok_or_else(overflow)?, midnight(last).ok_or_else(overflow)?);
            let start: Option<NaiveDateTime> = if right { offset.step(a, -1) } else { offset.roll_back(a) };
            let start = start.ok_or_else(overflow)?;
            let end = offset.step(b, 1).ok_or_else(overflow)?;
            let mut t = offset.roll_forward(start).ok_or_else(overflow)?;
            while t <= end && points.len() < MAX_CELLS {
                points.push(to_micros(t));
                match offset.step(t, 1) {
                    Some(next) if next > t => t = next,
                    _ => break,
                }
            }
        }
        let mut edges = points.clone();
        if offset.is_superday() {
            if right {
                for e in &mut edges {
                    *e += crate::frame::datetime::DAY - 1;
                }
            }
            if edges.len() > 2 && edges.get(edges.len() - 2).is_some_and(|e| *e > last) {
                edges.pop();
                points.pop();
            }
        }
        Ok(Self { points, edges, right })
    }

    /// Labels of the bins.
    fn labels(&self) -> Vec<i64> {
        let n = self.edges.len().saturating_sub(1);
        self.points.iter().skip(usize::from(self.right)).take(n).copied().collect()
    }

    /// The index when values are only looked up, not aggregated.
    fn targets(&self) -> Vec<i64> {
        if self.right {
            self.points.iter().skip(1).copied().collect()
        } else {
            self.points.iter().take(self.points.len().saturating_sub(1)).copied().collect()
        }
    }

    fn rows(&self, times: &[i64]) -> Vec<Vec<usize>> {
        let upto = |edge: i64| times.partition_point(|t| if self.right { *t <= edge } else { *t < edge });
        self.edges
            .windows(2)
            .map(|w| match w {
                [a, b] => (upto(*a)..upto(*b)).collect(),
                _ => Vec::new(),
            })
            .collect()
    }
}

/// The row for a point in time: the same, the last before (`ffill`) or the next after (`bfill`).
fn locate(times: &[i64], at: i64, method: &str) -> usize {
    match method {
        "ffill" => times.partition_point(|t| *t <= at).checked_sub(1).unwrap_or(usize::MAX),
        "bfill" => times.partition_point(|t| *t < at),
        _ => times.binary_search(&at).unwrap_or(usize::MAX),
    }
}

fn filled(data: &ColumnData, source: &[usize], fill: &Scalar) -> ColumnData {
    if source.iter().all(|r| *r < data.len()) {
        return take(data, source);
    }
    if dtype(data) == Dtype::Float && matches!(fill, Scalar::Int(_) | Scalar::Float(_)) {
        let v = to_float(data).unwrap_or_default();
        let f = crate::frame::as_f64(fill).unwrap_or(f64::NAN);
        return float_column(source.iter().map(|r| v.get(*r).copied().unwrap_or(f)).collect());
    }
    from_scalars(source.iter().map(|r| if *r < data.len() { data.get(*r) } else { fill.clone() }).collect())
}

/// `fillna(method=…)`: nulls take the value before (or after) them.
fn carried(data: ColumnData, backwards: bool) -> ColumnData {
    let n = data.len();
    let mut source: Vec<usize> = vec![usize::MAX; n];
    let mut last = usize::MAX;
    let mut changed = false;
    for k in 0..n {
        let i = if backwards { n - 1 - k } else { k };
        if is_na(&data.get(i)) {
            changed |= last != usize::MAX;
        } else {
            last = i;
        }
        if let Some(s) = source.get_mut(i) {
            *s = last;
        }
    }
    if changed { take(&data, &source) } else { data }
}

/// `interpolate()`: straight lines over the holes, the last value to the end.
fn interpolated(data: ColumnData) -> ColumnData {
    if dtype(&data) == Dtype::Object || matches!(data, ColumnData::Timestamp(_)) {
        return data;
    }
    if dtype(&data) == Dtype::Int {
        return data;
    }
    let Some(mut v) = to_float(&data) else { return data };
    let known: Vec<usize> = v.iter().enumerate().filter(|(_, x)| !x.is_nan()).map(|(i, _)| i).collect();
    for w in known.windows(2) {
        let [a, b] = w else { continue };
        let (Some(x), Some(y)) = (v.get(*a).copied(), v.get(*b).copied()) else { continue };
        let slope = (y - x) / (*b - *a) as f64;
        for i in a + 1..*b {
            if let Some(slot) = v.get_mut(i) {
                *slot = slope * (i - a) as f64 + x;
            }
        }
    }
    if let Some(last) = known.last().copied() {
        let x = v.get(last).copied().unwrap_or(f64::NAN);
        for slot in v.iter_mut().skip(last + 1) {
            *slot = x;
        }
    }
    float_column(v)
}
