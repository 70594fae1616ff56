//! `contribution`: share of each cell in its column's or row's total.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Map, Value};

use super::arithmetic::{self, Op};
use super::options::Options;
use crate::frame::{
    Column, Dtype, Frame, FrameError, Label, Result, as_f64, dtype, float_column, from_scalars, is_na,
    to_float,
};

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns"])?;
    o.signature(&[], &["orientation", "columns", "time_shifts", "rename_columns", "contribution_totals"])?;
    // Superset asks pandas for numbers and decimals; a decimal is an object, so texts are taken in, too.
    let numeric: Vec<Label> = frame
        .columns
        .iter()
        .filter(|c| matches!(dtype(&c.data), Dtype::Int | Dtype::Float | Dtype::Object | Dtype::Timedelta))
        .map(|c| c.label.clone())
        .collect();
    let wanted = o.texts("columns")?;
    let actual: Vec<Label> = if wanted.is_empty() {
        numeric
    } else {
        for name in &wanted {
            if !numeric.contains(&Label::from(*name)) {
                return Err(FrameError::invalid(format!(
                    "Column \"{name}\" is not numeric or does not exists in the query results."
                )));
            }
        }
        wanted.iter().map(|n| Label::from(*n)).collect()
    };
    let renames = o.texts("rename_columns")?;
    let renamed: Vec<Label> =
        if renames.is_empty() { actual.clone() } else { renames.iter().map(|n| Label::from(*n)).collect() };
    if renamed.len() != actual.len() {
        return Err(FrameError::invalid(
            "`rename_columns` must have the same length as `columns` + `time_shift_columns`.",
        ));
    }
    let data = |frame: &Frame, label: &Label| {
        frame.columns.iter().find(|c| c.label == *label).map_or(ColumnData::Null(0), |c| c.data.clone())
    };
    match o.get("orientation").and_then(Value::as_str) {
        Some("column") => {}
        None if !o.given("orientation") => {}
        _ => {
            let groups = by_time_shift(&actual, &renamed, &o.texts("time_shifts")?);
            for (from, to) in groups {
                let columns: Vec<ColumnData> = from.iter().map(|l| data(&frame, l)).collect();
                let shares = shares_of_rows(&columns, frame.row_count())?;
                for (label, data) in to.iter().zip(shares) {
                    frame.set(label, data);
                }
            }
            return Ok(frame);
        }
    }
    let rows = frame.row_count();
    let totals = o.get("contribution_totals").and_then(Value::as_object).filter(|m| !m.is_empty());
    let mut computed = Vec::new();
    for (label, to) in actual.iter().zip(&renamed) {
        let filled = zero_filled(&data(&frame, label));
        let share = match totals {
            Some(totals) => share_of_total(&filled, total_of(totals, label), rows)?,
            None => share_of_column(&filled)?,
        };
        computed.push((to.clone(), share));
    }
    for (label, share) in computed {
        frame.set(&label, share);
    }
    Ok(frame)
}

fn total_of(totals: &Map<String, Value>, label: &Label) -> Option<Scalar> {
    let v = totals.get(label.text()?)?;
    Some(match v {
        // Decimal totals travel as text so that they keep their digits.
        Value::String(s) => s.parse().map_or(Scalar::Null, Scalar::Decimal),
        other => super::options::scalar(other),
    })
}

fn share_of_total(data: &ColumnData, total: Option<Scalar>, rows: usize) -> Result<ColumnData> {
    let total = match total {
        Some(t) if !is_na(&t) && as_f64(&t) != Some(0.0) => t,
        _ => return Ok(ColumnData::Int(vec![Some(0); rows])),
    };
    let divisor = match total {
        // A float total meets decimals only when the totals query returned floats for the same metric.
        Scalar::Float(f) => ColumnData::Float(vec![Some(f); rows]),
        other => from_scalars(vec![other; rows]),
    };
    arithmetic::columns(Op::Div, data, &divisor)
}

fn share_of_column(data: &ColumnData) -> Result<ColumnData> {
    if let ColumnData::Text(v) = data
        && v.iter().flatten().next().is_some()
    {
        return Err(FrameError::unexpected("unsupported operand type(s) for /: 'str' and 'str'"));
    }
    match dtype(data) {
        Dtype::Int | Dtype::Float => {
            let v = to_float(data).unwrap_or_default();
            let total: f64 = match data {
                ColumnData::Int(v) => v.iter().flatten().fold(0i64, |a, b| a.wrapping_add(*b)) as f64,
                _ => v.iter().fold(0.0, |a, b| a + b),
            };
            Ok(float_column(v.into_iter().map(|x| x / total).collect()))
        }
        _ => {
            let total = arithmetic::sum(data)?;
            arithmetic::columns(Op::Div, data, &from_scalars(vec![total; data.len()]))
        }
    }
}

/// `fillna(0)`.
fn zero_filled(data: &ColumnData) -> ColumnData {
    match data {
        ColumnData::Float(v) => {
            ColumnData::Float(v.iter().map(|x| Some(x.filter(|f| !f.is_nan()).unwrap_or(0.0))).collect())
        }
        ColumnData::Int(v) => ColumnData::Int(v.iter().map(|x| Some(x.unwrap_or(0))).collect()),
        ColumnData::Null(n) => ColumnData::Int(vec![Some(0); *n]),
        other if (0..other.len()).any(|i| is_na(&other.get(i))) => from_scalars(
            (0..other.len())
                .map(|i| {
                    let v = other.get(i);
                    if is_na(&v) { Scalar::Int(0) } else { v }
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Columns by the time shift their (first) label ends with; those without one come first.
fn by_time_shift(actual: &[Label], renamed: &[Label], shifts: &[&str]) -> Vec<(Vec<Label>, Vec<Label>)> {
    let mut groups: Vec<(Option<&str>, Vec<Label>, Vec<Label>)> = vec![(None, Vec::new(), Vec::new())];
    for (from, to) in actual.iter().zip(renamed) {
        let shift = from.first_text().and_then(|t| shifts.iter().copied().find(|s| t.ends_with(s)));
        match groups.iter_mut().find(|g| g.0 == shift) {
            Some(g) => {
                g.1.push(from.clone());
                g.2.push(to.clone());
            }
            None => groups.push((shift, vec![from.clone()], vec![to.clone()])),
        }
    }
    groups.into_iter().map(|(_, a, b)| (a, b)).collect()
}

fn shares_of_rows(columns: &[ColumnData], rows: usize) -> Result<Vec<ColumnData>> {
    if columns.iter().all(|c| dtype(c).is_number()) {
        let floats: Vec<Vec<f64>> = columns.iter().map(|c| to_float(c).unwrap_or_default()).collect();
        let mut total = vec![0.0; rows];
        for c in &floats {
            for (t, x) in total.iter_mut().zip(c) {
                *t += if x.is_nan() { 0.0 } else { *x };
            }
        }
        return Ok(floats
            .into_iter()
            .map(|c| float_column(c.iter().zip(&total).map(|(x, t)| x / t).collect()))
            .collect());
    }
    let mut totals = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut total = Scalar::Int(0);
        for c in columns {
            let v = c.get(row);
            if !is_na(&v) {
                total = arithmetic::values(Op::Add, &total, &v)?;
            }
        }
        totals.push(total);
    }
    let totals = from_scalars(totals);
    columns.iter().map(|c| arithmetic::columns(Op::Div, c, &totals)).collect()
}

/// Sums of the numeric columns of a totals query, as `ensure_totals_available` hands them to contribution steps.
pub fn contribution_totals(frame: &Frame) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    for Column { label, data } in &frame.columns {
        let Some(name) = label.text() else { continue };
        if matches!(dtype(data), Dtype::Int | Dtype::Float | Dtype::Bool) {
            let v = match arithmetic::sum(data)? {
                Scalar::Int(i) => Value::from(i),
                other => Value::from(as_f64(&other).unwrap_or(0.0)),
            };
            out.insert(name.to_owned(), v);
        }
    }
    Ok(out)
}
