//! `cum`: cumulative sum, product, minimum or maximum.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::append::append_columns;
use super::arithmetic::{self, Op};
use super::options::Options;
use crate::frame::{
    Column, Frame, FrameError, Result, as_f64, compare, decimal, from_scalars, is_na, python,
};

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns"])?;
    o.signature(&["operator", "columns"], &[])?;
    let names = o.mapping("columns")?;
    let operator = match o.get("operator") {
        Some(Value::String(s)) => s.clone(),
        other => {
            let shown = other.map_or_else(|| "NoneType".to_owned(), python::json_repr);
            return Err(FrameError::unexpected(format!("can only concatenate str (not \"{shown}\") to str")));
        }
    };
    if !["sum", "prod", "min", "max"].contains(&operator.as_str()) {
        return Err(FrameError::invalid(format!("Invalid cumulative operator: {operator}")));
    }
    let mut computed = Vec::new();
    for (name, _) in &names {
        for at in frame.positions(name) {
            if let Some(c) = frame.columns.get(at) {
                computed.push(Column { label: c.label.clone(), data: cumulate(&c.data, &operator)? });
            }
        }
    }
    Ok(append_columns(frame, computed, &names))
}

fn cumulate(data: &ColumnData, operator: &str) -> Result<ColumnData> {
    match data {
        ColumnData::Float(v) => {
            let mut acc: Option<f64> = None;
            return Ok(ColumnData::Float(
                v.iter()
                    .map(|x| {
                        let x = x.filter(|f| !f.is_nan()).unwrap_or(0.0);
                        let next = match (acc, operator) {
                            (None, _) => x,
                            (Some(a), "sum") => a + x,
                            (Some(a), "prod") => a * x,
                            (Some(a), "min") => a.min(x),
                            (Some(a), _) => a.max(x),
                        };
                        acc = Some(next);
                        Some(next)
                    })
                    .collect(),
            ));
        }
        ColumnData::Int(v) => {
            let mut acc: Option<i64> = None;
            return Ok(ColumnData::Int(
                v.iter()
                    .map(|x| {
                        let x = x.unwrap_or(0);
                        let next = match (acc, operator) {
                            (None, _) => x,
                            (Some(a), "sum") => a.wrapping_add(x),
                            (Some(a), "prod") => a.wrapping_mul(x),
                            (Some(a), "min") => a.min(x),
                            (Some(a), _) => a.max(x),
                        };
                        acc = Some(next);
                        Some(next)
                    })
                    .collect(),
            ));
        }
        _ => {}
    }
    let mut acc: Option<Scalar> = None;
    let mut out = Vec::with_capacity(data.len());
    for i in 0..data.len() {
        let v = data.get(i);
        let v = if is_na(&v) { Scalar::Int(0) } else { v };
        let next = match (&acc, operator) {
            (None, _) => v,
            (Some(a), "sum") => arithmetic::values(Op::Add, a, &v)?,
            (Some(a), "prod") => product(a, &v)?,
            (Some(a), op) => {
                let o = compare(&v, a).ok_or_else(|| {
                    FrameError::unexpected("'>=' not supported between instances of 'str' and 'int'")
                })?;
                let better = if op == "min" { o.is_lt() } else { o.is_gt() };
                if better { v } else { a.clone() }
            }
        };
        out.push(next.clone());
        acc = Some(next);
    }
    Ok(from_scalars(out))
}

fn product(a: &Scalar, b: &Scalar) -> Result<Scalar> {
    use bigdecimal::BigDecimal;
    Ok(match (a, b) {
        (Scalar::Int(x), Scalar::Int(y)) => Scalar::Int(x.wrapping_mul(*y)),
        (Scalar::Decimal(x), Scalar::Decimal(y)) => Scalar::Decimal(decimal::mul(x, y)),
        (Scalar::Decimal(x), Scalar::Int(y)) | (Scalar::Int(y), Scalar::Decimal(x)) => {
            Scalar::Decimal(decimal::mul(x, &BigDecimal::from(*y)))
        }
        _ => match (as_f64(a), as_f64(b)) {
            (Some(x), Some(y)) => Scalar::Float(x * y),
            _ => {
                return Err(FrameError::unexpected("can't multiply sequence by non-int of type 'str'"));
            }
        },
    })
}
