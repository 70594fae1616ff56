//! `pivot`: pandas' `pivot_table`.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::aggregate::{one_column, over_groups, read_aggregates};
use super::numpy::Function;
use super::options::{Options, scalar};
use super::{MAX_CELLS, margins};
use crate::frame::{
    CellKey, Column, Dtype, Frame, FrameError, Groups, Index, IndexLevel, Label, Result, beside_nulls, dtype,
    from_scalars, group, is_na, key, order, take,
};

/// What a pivot needs to know once its options are read.
pub(crate) struct Request<'a> {
    pub(crate) index: Vec<&'a str>,
    pub(crate) columns: Vec<&'a str>,
    /// Value columns with their functions, in the order of the request.
    pub(crate) values: Vec<(&'a str, Function)>,
    pub(crate) fill: Option<Scalar>,
    pub(crate) drop_missing: bool,
}

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["index", "columns"])?;
    o.signature(
        &["index", "aggregates"],
        &[
            "columns",
            "metric_fill_value",
            "column_fill_value",
            "drop_missing_columns",
            "combine_value_with_metric",
            "marginal_distributions",
            "marginal_distribution_name",
        ],
    )?;
    if !o.truthy("index", false) {
        return Err(FrameError::invalid("Pivot operation requires at least one index"));
    }
    if !o.truthy("aggregates", false) {
        return Err(FrameError::invalid("Pivot operation must include at least one aggregate"));
    }
    let index = o.texts("index")?;
    let columns = o.texts("columns")?;
    let null_name = Value::String("<NULL>".into());
    let fill_column =
        if o.given("column_fill_value") { o.get("column_fill_value") } else { Some(&null_name) };
    if let Some(fill) = fill_column.filter(|_| o.truthy("column_fill_value", true)) {
        for name in &columns {
            for at in frame.positions(name) {
                if let Some(c) = frame.columns.get_mut(at) {
                    fill_nulls(&mut c.data, &scalar(fill));
                }
            }
        }
    }
    let mut values: Vec<(&str, Function)> = Vec::new();
    for a in read_aggregates(&frame, o.get("aggregates"))? {
        // Two aggregates of one column: the last one wins, in the place of the first.
        match values.iter_mut().find(|(c, _)| *c == a.column) {
            Some(slot) => slot.1 = a.function,
            None => values.push((a.column, a.function)),
        }
    }
    let request = Request {
        index,
        columns,
        values,
        fill: o.get("metric_fill_value").map(scalar),
        drop_missing: o.truthy("drop_missing_columns", true),
    };
    let mut table = pivot_table(&frame, &request)?;
    if o.truthy("marginal_distributions", false) {
        let Some(Value::String(name)) = o.get("marginal_distribution_name") else {
            return Err(FrameError::unexpected("margins_name argument must be a string"));
        };
        table = margins::add(table, &frame, &request, name)?;
    }
    if request.drop_missing {
        table.columns.retain(|c| !all_null(&c.data));
    }
    if o.truthy("combine_value_with_metric", false) {
        table = combine(table);
    }
    Ok(table)
}

pub(crate) fn all_null(data: &ColumnData) -> bool {
    match data {
        ColumnData::Null(_) => true,
        ColumnData::Float(v) => v.iter().all(|x| x.is_none_or(f64::is_nan)),
        ColumnData::Int(v) => v.iter().all(Option::is_none),
        other => (0..other.len()).all(|i| is_na(&other.get(i))),
    }
}

/// `fillna`: a column with nulls becomes objects when the filler is of another type.
pub(crate) fn fill_nulls(data: &mut ColumnData, fill: &Scalar) {
    let any = match &*data {
        ColumnData::Text(v) => v.iter().any(Option::is_none),
        ColumnData::Int(v) => v.iter().any(Option::is_none),
        other => (0..other.len()).any(|i| is_na(&other.get(i))),
    };
    if !any {
        return;
    }
    if let (ColumnData::Text(v), Scalar::Text(t)) = (&mut *data, fill) {
        for x in v.iter_mut().filter(|x| x.is_none()) {
            *x = Some(t.clone());
        }
        return;
    }
    let values = (0..data.len())
        .map(|i| {
            let v = data.get(i);
            if is_na(&v) { fill.clone() } else { v }
        })
        .collect();
    *data = from_scalars(values);
}

/// Groups with their aggregated columns; groups without any value are gone when `drop_missing`.
struct Aggregated {
    groups: Groups,
    keep: Vec<usize>,
    columns: Vec<(String, ColumnData)>,
}

fn aggregated(frame: &Frame, r: &Request) -> Result<Aggregated> {
    let mut keys = Vec::new();
    for name in r.index.iter().chain(&r.columns) {
        keys.push(one_column(frame, name)?);
    }
    let groups = group(&keys, !r.drop_missing);
    let mut columns = Vec::new();
    for (name, f) in &r.values {
        columns.push(((*name).to_owned(), over_groups(&groups, one_column(frame, name)?, *f)?));
    }
    let keep = (0..groups.len())
        .filter(|g| !r.drop_missing || columns.iter().any(|(_, c)| !is_na(&c.get(*g))))
        .collect();
    Ok(Aggregated { groups, keep, columns })
}

/// The table itself, before margins and the removal of empty columns.
pub(crate) fn pivot_table(frame: &Frame, r: &Request) -> Result<Frame> {
    let Aggregated { groups, keep, columns } = aggregated(frame, r)?;
    let n = r.index.len();
    let mut columns: Vec<(String, ColumnData)> = columns
        .into_iter()
        .map(|(name, c)| (name, if keep.len() == groups.len() { c } else { take(&c, &keep) }))
        .collect();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    let codes = |g: usize, range: std::ops::Range<usize>| -> &[u32] {
        groups.codes.get(g).and_then(|c| c.get(range)).unwrap_or_default()
    };
    // Groups ascend by the index keys first, so equal rows lie together.
    let mut rows: Vec<&[u32]> = Vec::new();
    let mut row_of = Vec::with_capacity(keep.len());
    for g in &keep {
        let c = codes(*g, 0..n);
        if rows.last() != Some(&c) {
            rows.push(c);
        }
        row_of.push(rows.len() - 1);
    }
    let mut row_codes: Vec<Vec<u32>> = rows.iter().map(|c| c.to_vec()).collect();
    let mut place: Vec<usize> = (0..rows.len()).collect();
    if !r.drop_missing && n > 1 {
        (row_codes, place) = cartesian(&row_codes)?;
    }
    let index = Index::from_levels(
        r.index
            .iter()
            .enumerate()
            .map(|(i, name)| IndexLevel {
                name: Some(Scalar::Text((*name).into())),
                data: groups.factors.get(i).map_or(ColumnData::Null(0), |f| {
                    take(
                        &f.values,
                        &row_codes.iter().filter_map(|c| c.get(i)).map(|c| *c as usize).collect::<Vec<_>>(),
                    )
                }),
            })
            .collect(),
        false,
    );
    let height = row_codes.len();
    if r.columns.is_empty() {
        let mut source = vec![usize::MAX; height];
        for (at, row) in row_of.iter().enumerate() {
            if let Some(s) = place.get(*row).and_then(|p| source.get_mut(*p)) {
                *s = at;
            }
        }
        let mut out = Vec::new();
        for (name, data) in columns {
            let mut data =
                if source.iter().enumerate().all(|(i, s)| i == *s) { data } else { take(&data, &source) };
            if let Some(fill) = &r.fill {
                fill_nulls(&mut data, fill);
            }
            out.push(Column::new(name, data));
        }
        return Ok(Frame { columns: out, index, multi: false });
    }
    let mut combos: Vec<&[u32]> = keep.iter().map(|g| codes(*g, n..n + r.columns.len())).collect();
    let all = combos.clone();
    combos.sort_unstable();
    combos.dedup();
    let width = combos.len();
    if height.saturating_mul(width).saturating_mul(columns.len()) > MAX_CELLS {
        return Err(FrameError::unexpected("Unstacked DataFrame is too big, causing int32 overflow"));
    }
    let mut source = vec![usize::MAX; height * width];
    let mut filled = 0;
    for (at, (row, combo)) in row_of.iter().zip(&all).enumerate() {
        let (Some(p), Ok(c)) = (place.get(*row), combos.binary_search(combo)) else { continue };
        if let Some(s) = source.get_mut(c * height + p) {
            *s = at;
            filled += 1;
        }
    }
    let holes = filled < source.len();
    let labels: Vec<Vec<Scalar>> = combos
        .iter()
        .map(|combo| {
            combo
                .iter()
                .enumerate()
                .map(|(i, code)| {
                    groups.factors.get(n + i).map_or(Scalar::Null, |f| f.values.get(*code as usize))
                })
                .collect()
        })
        .collect();
    let mut out = Vec::with_capacity(width * columns.len());
    for (name, data) in &columns {
        // A table with any hole makes every whole-number column of it a float column.
        let data = match (&r.fill, dtype(data)) {
            (None, Dtype::Int) if holes => &beside_nulls(data),
            _ => data,
        };
        for (c, label) in labels.iter().enumerate() {
            let rows = source.get(c * height..(c + 1) * height).unwrap_or_default();
            let mut cell = match (&r.fill, data) {
                (Some(fill), _) if rows.contains(&usize::MAX) => filled_with(data, rows, fill),
                _ => take(data, rows),
            };
            if let Some(fill) = &r.fill {
                fill_nulls(&mut cell, fill);
            }
            let mut levels = Vec::with_capacity(label.len() + 1);
            levels.push(Scalar::Text(name.as_str().into()));
            levels.extend(label.iter().cloned());
            out.push(Column { label: Label::Levels(levels), data: cell });
        }
    }
    Ok(Frame { columns: out, index, multi: true })
}

fn filled_with(data: &ColumnData, rows: &[usize], fill: &Scalar) -> ColumnData {
    let n = data.len();
    from_scalars(rows.iter().map(|r| if *r < n { data.get(*r) } else { fill.clone() }).collect())
}

/// Every combination of the index levels' values, and where the existing rows are among them.
fn cartesian(rows: &[Vec<u32>]) -> Result<(Vec<Vec<u32>>, Vec<usize>)> {
    let depth = rows.first().map_or(0, Vec::len);
    let mut levels: Vec<Vec<u32>> = Vec::new();
    let mut size: usize = 1;
    for i in 0..depth {
        let mut present: Vec<u32> = rows.iter().filter_map(|r| r.get(i).copied()).collect();
        present.sort_unstable();
        present.dedup();
        size = size.saturating_mul(present.len());
        levels.push(present);
    }
    if size > MAX_CELLS {
        return Err(FrameError::unexpected("Unstacked DataFrame is too big, causing int32 overflow"));
    }
    let mut out: Vec<Vec<u32>> = vec![Vec::new()];
    for level in &levels {
        out = out
            .iter()
            .flat_map(|head| {
                level.iter().map(move |c| {
                    let mut v = head.clone();
                    v.push(*c);
                    v
                })
            })
            .collect();
    }
    let place = rows.iter().map(|r| out.binary_search(r).unwrap_or(0)).collect();
    Ok((out, place))
}

/// Moves the metric from the first to the last label level (`stack(0).unstack()`).
fn combine(mut table: Frame) -> Frame {
    if !table.multi {
        if table.columns.iter().any(|c| dtype(&c.data) == Dtype::Float) {
            for c in table.columns.iter_mut().filter(|c| dtype(&c.data) == Dtype::Int) {
                c.data = beside_nulls(&c.data);
            }
        }
        return table;
    }
    let mut metrics: Vec<Scalar> = Vec::new();
    let mut rests: Vec<Vec<Scalar>> = Vec::new();
    for c in &table.columns {
        let (Some(m), Some(rest)) = (c.label.levels().first(), c.label.levels().get(1..)) else { continue };
        if !metrics.contains(m) {
            metrics.push(m.clone());
        }
        if !rests.iter().any(|r| r == rest) {
            rests.push(rest.to_vec());
        }
    }
    metrics.sort_by(order);
    let rows = table.row_count();
    let mut columns = Vec::new();
    for rest in &rests {
        let found: Vec<Option<&Column>> = metrics
            .iter()
            .map(|m| {
                table.columns.iter().find(|c| {
                    c.label.levels().first() == Some(m) && c.label.levels().get(1..) == Some(rest.as_slice())
                })
            })
            .collect();
        // Stacking puts the metrics of a column one below the other: they take a common type.
        let float = found.iter().any(|c| c.is_none_or(|c| dtype(&c.data) == Dtype::Float));
        for (m, c) in metrics.iter().zip(found) {
            let data = match c {
                Some(c) if float && dtype(&c.data) == Dtype::Int => beside_nulls(&c.data),
                Some(c) => c.data.clone(),
                None => ColumnData::Float(vec![None; rows]),
            };
            let mut levels = rest.clone();
            levels.push(m.clone());
            columns.push(Column { label: Label::Levels(levels), data });
        }
    }
    Frame { columns, index: table.index, multi: true }
}

/// Key of a label for lookups.
pub(super) fn label_key(levels: &[Scalar]) -> Vec<CellKey> {
    levels.iter().map(key).collect()
}
