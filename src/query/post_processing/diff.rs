//! `diff`: difference to an earlier (or later) row or column.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::append::append_columns;
use super::arithmetic::{self, Op};
use super::options::Options;
use crate::frame::{Column, Dtype, Frame, FrameError, Result, dtype, from_scalars, is_na, to_float};

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns"])?;
    o.signature(&["columns"], &["periods", "axis"])?;
    let names = o.mapping("columns")?;
    let periods = if o.given("periods") {
        o.integer("periods")?.ok_or_else(|| FrameError::unexpected("periods must be an integer"))?
    } else {
        1
    };
    let across = match o.get("axis") {
        None => false,
        Some(Value::Number(n)) if n.as_i64() == Some(0) => false,
        Some(Value::Number(n)) if n.as_i64() == Some(1) => true,
        Some(Value::String(s)) if s == "index" || s == "rows" => false,
        Some(Value::String(s)) if s == "columns" => true,
        Some(other) => {
            return Err(FrameError::unexpected(format!("No axis named {other} for object type DataFrame")));
        }
    };
    let mut chosen = Vec::new();
    for (name, _) in &names {
        for at in frame.positions(name) {
            if let Some(c) = frame.columns.get(at) {
                chosen.push(c.clone());
            }
        }
    }
    let computed = if across { between_columns(&chosen, periods)? } else { between_rows(chosen, periods)? };
    Ok(append_columns(frame, computed, &names))
}

fn between_rows(columns: Vec<Column>, periods: i64) -> Result<Vec<Column>> {
    columns
        .into_iter()
        .map(|c| {
            let n = c.data.len();
            let earlier =
                |i: usize| usize::try_from((i as i64).saturating_sub(periods)).ok().filter(|j| *j < n);
            let data = match (&c.data, dtype(&c.data)) {
                (_, Dtype::Int | Dtype::Float) => {
                    let v = to_float(&c.data).unwrap_or_default();
                    ColumnData::Float(
                        (0..n)
                            .map(|i| match (v.get(i), earlier(i).and_then(|j| v.get(j))) {
                                (Some(a), Some(b)) => Some(a - b).filter(|x| !x.is_nan()),
                                _ => None,
                            })
                            .collect(),
                    )
                }
                _ => {
                    let mut out = Vec::with_capacity(n);
                    for i in 0..n {
                        out.push(match earlier(i) {
                            None => Scalar::Float(f64::NAN),
                            Some(j) => {
                                let (a, b) = (c.data.get(i), c.data.get(j));
                                if matches!(c.data, ColumnData::Timestamp(_)) && (is_na(&a) || is_na(&b)) {
                                    Scalar::Null
                                } else {
                                    arithmetic::values(Op::Sub, &a, &b)?
                                }
                            }
                        });
                    }
                    from_scalars(out)
                }
            };
            Ok(Column { label: c.label, data })
        })
        .collect()
}

fn between_columns(columns: &[Column], periods: i64) -> Result<Vec<Column>> {
    let rows = columns.first().map_or(0, |c| c.data.len());
    // Columns of one type are shifted as one block, and a block that takes in NaN becomes floats as a whole.
    let one_block = columns.iter().all(|c| dtype(&c.data) == Dtype::Int);
    columns
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let other = usize::try_from((i as i64).saturating_sub(periods)).ok().and_then(|j| columns.get(j));
            let data = match other {
                None => ColumnData::Float(vec![None; rows]),
                Some(other) => {
                    let d = arithmetic::columns(Op::Sub, &c.data, &other.data)?;
                    if one_block && (columns.len() > 1 || periods != 0) {
                        crate::frame::float_column(to_float(&d).unwrap_or_default())
                    } else {
                        d
                    }
                }
            };
            Ok(Column { label: c.label.clone(), data })
        })
        .collect()
}
