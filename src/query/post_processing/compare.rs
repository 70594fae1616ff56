//! `compare`: difference, change or ratio of pairs of columns.

use infra::engines::column::ColumnData;
use serde_json::Value;

use super::arithmetic::{self, Op};
use super::options::Options;
use crate::frame::{Column, Frame, FrameError, Label, Result, float_column, to_float};

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["source_columns", "compare_columns"])?;
    o.signature(
        &["source_columns", "compare_columns", "compare_type"],
        &["drop_original_columns", "precision"],
    )?;
    let sources = o.texts("source_columns")?;
    let others = o.texts("compare_columns")?;
    if sources.len() != others.len() {
        return Err(FrameError::invalid("`compare_columns` must have the same length as `source_columns`."));
    }
    let kind = match o.get("compare_type").and_then(Value::as_str) {
        Some(k @ ("difference" | "percentage" | "ratio")) => k,
        _ => return Err(FrameError::invalid("`compare_type` must be `difference`, `percentage` or `ratio`")),
    };
    if sources.is_empty() {
        return Ok(frame);
    }
    let precision = if o.given("precision") { o.integer("precision")?.unwrap_or(0) } else { 4 };
    for (source, other) in sources.iter().zip(&others) {
        let name = format!("{kind}__{source}__{other}");
        let mut computed = Vec::new();
        for s in frame.positions(source) {
            let Some(left) = frame.columns.get(s) else { continue };
            // The pairs meet by the remaining levels of their labels.
            let right = frame
                .positions(other)
                .into_iter()
                .filter_map(|c| frame.columns.get(c))
                .find(|c| c.label.levels().get(1..) == left.label.levels().get(1..));
            let data = match right {
                Some(right) => pair(kind, &left.data, &right.data, precision)?,
                None => ColumnData::Float(vec![None; frame.row_count()]),
            };
            computed.push(Column { label: renamed(&left.label, &name), data });
        }
        frame.columns.extend(computed);
    }
    if o.truthy("drop_original_columns", false) {
        frame
            .columns
            .retain(|c| !c.label.first_text().is_some_and(|t| sources.contains(&t) || others.contains(&t)));
    }
    Ok(frame)
}

fn pair(kind: &str, a: &ColumnData, b: &ColumnData, precision: i64) -> Result<ColumnData> {
    if kind == "difference" {
        return arithmetic::columns(Op::Sub, a, b);
    }
    let ratio = if kind == "percentage" {
        arithmetic::columns(Op::Div, &arithmetic::columns(Op::Sub, a, b)?, b)?
    } else {
        arithmetic::columns(Op::Div, a, b)?
    };
    let floats =
        to_float(&ratio).ok_or_else(|| FrameError::unexpected("could not convert string to float"))?;
    Ok(float_column(floats.into_iter().map(|x| round(x, precision)).collect()))
}

/// `np.round`: scale, round half to even, scale back.
pub(super) fn round(x: f64, digits: i64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let power = 10f64.powi(digits.clamp(-300, 300).unsigned_abs() as i32);
    let y = if digits >= 0 {
        (x * power).round_ties_even() / power
    } else {
        (x / power).round_ties_even() * power
    };
    if y.is_finite() { y } else { x }
}

fn renamed(label: &Label, name: &str) -> Label {
    match label {
        Label::Flat(_) => Label::from(name),
        Label::Levels(v) => {
            let mut v = v.clone();
            if let Some(first) = v.first_mut() {
                *first = infra::engines::column::Scalar::Text(name.into());
            }
            Label::Levels(v)
        }
    }
}
