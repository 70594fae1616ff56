//! Arithmetic between columns and values as numpy and Python do it.

use bigdecimal::BigDecimal;
use infra::engines::column::{ColumnData, Scalar};

use crate::frame::{
    self, Dtype, FrameError, Result, as_f64, decimal, dtype, from_scalars, is_na, python, to_float,
};

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Div,
}

impl Op {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Div => "/",
        }
    }
    fn floats(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Div => a / b,
        }
    }
}

/// Column with column. Numeric columns follow numpy (division by zero is an infinity), object columns Python.
pub(crate) fn columns(op: Op, a: &ColumnData, b: &ColumnData) -> Result<ColumnData> {
    let plain = |d: &ColumnData| matches!(dtype(d), Dtype::Int | Dtype::Float | Dtype::Bool);
    if plain(a) && plain(b) {
        if op != Op::Div
            && let (ColumnData::Int(x), ColumnData::Int(y)) = (a, b)
        {
            return Ok(ColumnData::Int(
                x.iter()
                    .zip(y)
                    .map(|(x, y)| {
                        let (x, y) = (x.unwrap_or(0), y.unwrap_or(0));
                        Some(if op == Op::Add { x.wrapping_add(y) } else { x.wrapping_sub(y) })
                    })
                    .collect(),
            ));
        }
        let x = to_float(a).unwrap_or_default();
        let y = to_float(b).unwrap_or_default();
        return Ok(frame::float_column(x.iter().zip(&y).map(|(x, y)| op.floats(*x, *y)).collect()));
    }
    if let (ColumnData::Timestamp(x), ColumnData::Timestamp(y), Op::Sub) = (a, b, op) {
        return Ok(ColumnData::Object(
            x.iter()
                .zip(y)
                .map(|(x, y)| match (x, y) {
                    (Some(x), Some(y)) => Scalar::Interval(x.wrapping_sub(*y)),
                    _ => Scalar::Null,
                })
                .collect(),
        ));
    }
    let rows = a.len().min(b.len());
    let values: Vec<Scalar> = (0..rows)
        .map(|i| {
            let (x, y) = (a.get(i), b.get(i));
            // pandas falls back to the rows where both have a value.
            if is_na(&x) || is_na(&y) { Ok(Scalar::Float(f64::NAN)) } else { values(op, &x, &y) }
        })
        .collect::<Result<_>>()?;
    Ok(from_scalars(values))
}

/// Value with value, as Python does it.
pub(crate) fn values(op: Op, a: &Scalar, b: &Scalar) -> Result<Scalar> {
    use Scalar as S;
    Ok(match (a, b) {
        (S::Int(x), S::Int(y)) if op != Op::Div => {
            let exact = if op == Op::Add { x.checked_add(*y) } else { x.checked_sub(*y) };
            exact.map_or_else(|| S::Float(op.floats(*x as f64, *y as f64)), S::Int)
        }
        (S::Decimal(_), S::Decimal(_) | S::Int(_) | S::Bool(_)) | (S::Int(_) | S::Bool(_), S::Decimal(_)) => {
            let (x, y) = (exact(a), exact(b));
            S::Decimal(match op {
                Op::Add => decimal::add(&x, &y),
                Op::Sub => decimal::sub(&x, &y),
                Op::Div => decimal::div(&x, &y).ok_or_else(|| {
                    let class =
                        if bigdecimal::Zero::is_zero(&x) { "DivisionUndefined" } else { "DivisionByZero" };
                    FrameError::unexpected(format!("[<class 'decimal.{class}'>]"))
                })?,
            })
        }
        (S::Int(_) | S::Float(_) | S::Bool(_), S::Int(_) | S::Float(_) | S::Bool(_)) => {
            let (x, y) = (as_f64(a).unwrap_or(f64::NAN), as_f64(b).unwrap_or(f64::NAN));
            if op == Op::Div && y == 0.0 {
                return Err(FrameError::unexpected("float division by zero"));
            }
            S::Float(op.floats(x, y))
        }
        (S::Text(x), S::Text(y)) if op == Op::Add => S::Text(format!("{x}{y}").into()),
        (S::Date(x), S::Date(y)) if op == Op::Sub => S::Interval((*x - *y).num_microseconds().unwrap_or(0)),
        (S::Timestamp(x), S::Timestamp(y)) if op == Op::Sub => {
            S::Interval((*x - *y).num_microseconds().unwrap_or(0))
        }
        _ => {
            return Err(FrameError::unexpected(format!(
                "unsupported operand type(s) for {}: '{}' and '{}'",
                op.sign(),
                type_name(a),
                type_name(b)
            )));
        }
    })
}

fn exact(v: &Scalar) -> BigDecimal {
    match v {
        Scalar::Decimal(d) => d.clone(),
        Scalar::Int(i) => BigDecimal::from(*i),
        Scalar::Bool(b) => BigDecimal::from(i64::from(*b)),
        _ => BigDecimal::from(0),
    }
}

/// The Python type of a value.
pub(crate) fn type_name(v: &Scalar) -> &'static str {
    match v {
        Scalar::Null => "NoneType",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Decimal(_) => "decimal.Decimal",
        Scalar::Text(_) => "str",
        Scalar::Bytes(_) => "bytes",
        Scalar::Date(_) => "datetime.date",
        Scalar::Time(_) => "datetime.time",
        Scalar::Timestamp(_) | Scalar::TimestampTz(..) => "Timestamp",
        Scalar::Interval(_) => "Timedelta",
        Scalar::Json(_) => "dict",
    }
}

/// Sum of a column; nulls count as zero. Whole numbers stay whole, decimals exact.
pub(crate) fn sum(data: &ColumnData) -> Result<Scalar> {
    sum_of(data, None)
}

/// Sum of some rows of a column.
pub(crate) fn sum_of(data: &ColumnData, rows: Option<&[usize]>) -> Result<Scalar> {
    let all: Vec<usize>;
    let rows = match rows {
        Some(r) => r,
        None => {
            all = (0..data.len()).collect();
            &all
        }
    };
    match data {
        ColumnData::Int(v) => Ok(Scalar::Int(
            rows.iter().filter_map(|r| v.get(*r).copied().flatten()).fold(0, i64::wrapping_add),
        )),
        ColumnData::Bool(v) => Ok(Scalar::Int(
            rows.iter().filter(|r| v.get(**r).copied().flatten() == Some(true)).count() as i64,
        )),
        ColumnData::Float(v) => {
            let xs: Vec<f64> =
                rows.iter().filter_map(|r| v.get(*r).copied().flatten()).filter(|f| !f.is_nan()).collect();
            Ok(Scalar::Float(pairwise(&xs)))
        }
        ColumnData::Null(_) => Ok(Scalar::Int(0)),
        ColumnData::Timestamp(_) => Err(FrameError::unexpected(
            "'DatetimeArray' with dtype datetime64[ns] does not support reduction 'sum'",
        )),
        other => {
            let mut total: Option<Scalar> = None;
            for r in rows {
                let v = other.get(*r);
                let v = if is_na(&v) { Scalar::Int(0) } else { v };
                total = Some(match total {
                    None => v,
                    Some(t) => values(Op::Add, &t, &v)?,
                });
            }
            Ok(total.unwrap_or(Scalar::Int(0)))
        }
    }
}

/// numpy's pairwise summation, so that the last digits agree.
pub(crate) fn pairwise(xs: &[f64]) -> f64 {
    if xs.len() < 8 {
        return xs.iter().fold(0.0, |a, b| a + b);
    }
    if xs.len() <= 128 {
        let (chunks, rest) = xs.as_chunks::<8>();
        let mut r = [0.0; 8];
        for chunk in chunks {
            for (acc, x) in r.iter_mut().zip(chunk) {
                *acc += x;
            }
        }
        let [a, b, c, d, e, f, g, h] = r;
        let mut total = ((a + b) + (c + d)) + ((e + f) + (g + h));
        for x in rest {
            total += x;
        }
        return total;
    }
    let half = xs.len() / 2 / 8 * 8;
    let (a, b) = xs.split_at(half);
    pairwise(a) + pairwise(b)
}

/// The error pandas raises when a text is averaged.
pub(crate) fn not_numeric(v: &Scalar) -> FrameError {
    FrameError::unexpected(format!("Could not convert string '{}' to numeric", python::str_of(v)))
}
