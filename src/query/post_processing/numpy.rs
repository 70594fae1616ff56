//! The numpy functions that aggregate a group (`NUMPY_FUNCTIONS`), with the difference that pandas makes between
//! those that are methods of a series (they skip nulls) and those that see the bare array (they do not).

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Map, Value};

use super::arithmetic::{self, Op, not_numeric, pairwise};
use crate::frame::{Dtype, FrameError, Result, as_f64, compare, datetime, dtype, is_na, is_true};

/// How a percentile between two values is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interpolation {
    Linear,
    Lower,
    Higher,
    Midpoint,
    Nearest,
}

/// An aggregate function with its options. `array` marks the `nan…` functions: numpy runs them itself, and what it
/// takes for missing is NaN only, not `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Function {
    Average,
    Arg {
        max: bool,
    },
    Count,
    CountNonzero,
    /// Number of values that are there (`Series.count`).
    Present,
    /// Number of distinct values (`Series.nunique`).
    Unique,
    /// Distinct values as one text.
    ListUnique,
    /// Zero for a single row; Superset's function for more of them is broken.
    SampleSpread,
    /// First or last row.
    Edge {
        last: bool,
    },
    Cumulative {
        product: bool,
    },
    Extreme {
        max: bool,
        array: bool,
    },
    Mean {
        array: bool,
    },
    Median {
        skip_null: bool,
    },
    Percentile {
        q: f64,
        how: Interpolation,
        skip_null: bool,
    },
    Prod,
    Spread {
        root: bool,
        ddof: i64,
    },
    Sum {
        array: bool,
    },
}

/// The function of an aggregate, or `None` for a name that is not allowed.
pub(crate) fn function(name: &str, options: Option<&Map<String, Value>>) -> Option<Result<Function>> {
    let empty = Map::new();
    let o = options.unwrap_or(&empty);
    let allowed: &[&str] = match name {
        "percentile" | "nanpercentile" => &["q", "method", "interpolation"],
        "std" | "var" => &["ddof"],
        _ => &[],
    };
    let f = match name {
        "average" => Function::Average,
        "argmin" => Function::Arg { max: false },
        "argmax" => Function::Arg { max: true },
        "count" => Function::Count,
        "count_nonzero" => Function::CountNonzero,
        "cumsum" | "cumprod" => Function::Cumulative { product: name == "cumprod" },
        "max" | "nanmax" => Function::Extreme { max: true, array: name == "nanmax" },
        "min" | "nanmin" => Function::Extreme { max: false, array: name == "nanmin" },
        "mean" | "nanmean" => Function::Mean { array: name == "nanmean" },
        "median" => Function::Median { skip_null: false },
        "nanmedian" => Function::Median { skip_null: true },
        "nansum" | "sum" => Function::Sum { array: name == "nansum" },
        "prod" | "product" => Function::Prod,
        "std" | "var" => {
            Function::Spread { root: name == "std", ddof: o.get("ddof").and_then(Value::as_i64).unwrap_or(0) }
        }
        "percentile" | "nanpercentile" => {
            let how = match o.get("method").or_else(|| o.get("interpolation")).and_then(Value::as_str) {
                Some("lower") => Interpolation::Lower,
                Some("higher") => Interpolation::Higher,
                Some("midpoint") => Interpolation::Midpoint,
                Some("nearest") => Interpolation::Nearest,
                _ => Interpolation::Linear,
            };
            match o.get("q") {
                Some(Value::Number(n)) => {
                    let q = n.as_f64().unwrap_or(f64::NAN);
                    if !(0.0..=100.0).contains(&q) {
                        return Some(Err(FrameError::unexpected(
                            "Percentiles must be in the range [0, 100]",
                        )));
                    }
                    Function::Percentile { q, how, skip_null: name == "nanpercentile" }
                }
                Some(_) => return Some(Err(FrameError::unexpected("Must produce aggregated value"))),
                None => {
                    return Some(Err(FrameError::unexpected(format!(
                        "_{name}_dispatcher() missing 1 required positional argument: 'q'"
                    ))));
                }
            }
        }
        _ => return None,
    };
    if let Some(k) = o.keys().find(|k| !allowed.contains(&k.as_str())) {
        return Some(Err(FrameError::unexpected(format!(
            "{name}() got an unexpected keyword argument '{k}'"
        ))));
    }
    Some(Ok(f))
}

/// The function over some rows of a column.
pub(crate) fn apply(f: Function, data: &ColumnData, rows: &[usize]) -> Result<Scalar> {
    let bare = matches!(
        f,
        Function::Average
            | Function::Median { .. }
            | Function::Percentile { .. }
            | Function::Extreme { array: true, .. }
            | Function::Mean { array: true }
            | Function::Sum { array: true }
    );
    // Only object columns hold `None`; in float columns and timestamps the null is a value of the type.
    let may_hold_none = !matches!(data, ColumnData::Float(_) | ColumnData::Timestamp(_));
    if bare && may_hold_none && rows.iter().any(|r| data.get(*r) == Scalar::Null) {
        return Err(FrameError::unexpected("unsupported operand type(s) for +: 'NoneType' and 'int'"));
    }
    match f {
        Function::Count => return Ok(Scalar::Int(rows.len() as i64)),
        Function::Cumulative { product } => return cumulative(data, rows, product),
        Function::Present => {
            return Ok(Scalar::Int(rows.iter().filter(|r| !is_na(&data.get(**r))).count() as i64));
        }
        Function::Unique | Function::ListUnique => {
            let mut seen = std::collections::HashSet::new();
            let mut texts = Vec::new();
            for r in rows {
                let v = data.get(*r);
                if (f == Function::ListUnique || !is_na(&v)) && seen.insert(crate::frame::key(&v)) {
                    texts.push(crate::frame::python::str_of(&nan_for_null(data, *r)));
                }
            }
            return Ok(if f == Function::Unique {
                Scalar::Int(texts.len() as i64)
            } else {
                Scalar::Text(texts.join(", ").into())
            });
        }
        Function::SampleSpread if rows.len() < 2 => return Ok(Scalar::Int(0)),
        Function::SampleSpread => {
            return Err(FrameError::unexpected("module 'pandas' has no attribute 'series'"));
        }
        Function::Edge { last } => {
            let row = if last { rows.last() } else { rows.first() };
            return Ok(row.map_or(Scalar::Null, |r| data.get(*r)));
        }
        Function::CountNonzero => {
            let n = rows.iter().filter(|r| is_true(&nan_for_null(data, **r))).count();
            return Ok(Scalar::Int(n as i64));
        }
        Function::Sum { .. } => return arithmetic::sum_of(data, Some(rows)),
        Function::Extreme { max, .. } => return extreme(data, rows, max),
        _ => {}
    }
    match data {
        ColumnData::Timestamp(v) => return timestamps(f, v, rows),
        ColumnData::Text(_) | ColumnData::Date(_) => {
            let first = rows.first().map_or(Scalar::Null, |r| data.get(*r));
            return Err(not_numeric(&first));
        }
        _ => {}
    }
    if matches!(data, ColumnData::Decimal(_) | ColumnData::Object(_)) {
        return objects(f, data, rows);
    }
    let xs: Vec<f64> = match data {
        ColumnData::Int(v) => {
            rows.iter().map(|r| v.get(*r).copied().flatten().map_or(f64::NAN, |i| i as f64)).collect()
        }
        ColumnData::Float(v) => {
            rows.iter().map(|r| v.get(*r).copied().flatten().unwrap_or(f64::NAN)).collect()
        }
        other => rows.iter().map(|r| as_f64(&other.get(*r)).unwrap_or(f64::NAN)).collect(),
    };
    if f == Function::Prod
        && let ColumnData::Int(v) = data
    {
        return Ok(Scalar::Int(
            rows.iter().filter_map(|r| v.get(*r).copied().flatten()).fold(1, i64::wrapping_mul),
        ));
    }
    Ok(floats(f, xs))
}

/// The function over numbers, NaN for null.
pub(crate) fn floats(f: Function, xs: Vec<f64>) -> Scalar {
    let present = || xs.iter().copied().filter(|x| !x.is_nan()).collect::<Vec<f64>>();
    let has_null = xs.iter().any(|x| x.is_nan());
    match f {
        Function::Average if has_null => Scalar::Float(f64::NAN),
        Function::Average | Function::Mean { .. } => {
            let v = present();
            Scalar::Float(pairwise(&v) / v.len() as f64)
        }
        Function::Prod => Scalar::Float(present().iter().product()),
        Function::Spread { root, ddof } => Scalar::Float(spread(&present(), root, ddof)),
        Function::Median { skip_null: false } if has_null => Scalar::Float(f64::NAN),
        Function::Median { .. } => Scalar::Float(percentile(present(), 50.0, Interpolation::Linear)),
        Function::Percentile { skip_null: false, .. } if has_null => Scalar::Float(f64::NAN),
        Function::Percentile { q, how, .. } => Scalar::Float(percentile(present(), q, how)),
        Function::Arg { max } => {
            let mut best: Option<(usize, f64)> = None;
            for (i, x) in xs.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                if best.is_none_or(|(_, b)| if max { *x > b } else { *x < b }) {
                    best = Some((i, *x));
                }
            }
            Scalar::Int(best.map_or(-1, |(i, _)| i as i64))
        }
        _ => Scalar::Null,
    }
}

/// Variance or standard deviation, in two passes as pandas' `nanvar`.
pub(crate) fn spread(v: &[f64], root: bool, ddof: i64) -> f64 {
    let d = v.len() as i64 - ddof;
    if d <= 0 {
        return f64::NAN;
    }
    let mean = pairwise(v) / v.len() as f64;
    let squares: Vec<f64> = v.iter().map(|x| (mean - x) * (mean - x)).collect();
    let var = pairwise(&squares) / d as f64;
    if root { var.sqrt() } else { var }
}

/// `np.percentile` of values without NaN.
pub(crate) fn percentile(mut v: Vec<f64>, q: f64, how: Interpolation) -> f64 {
    if v.is_empty() {
        return f64::NAN;
    }
    v.sort_by(f64::total_cmp);
    let at = (v.len() - 1) as f64 * (q / 100.0);
    let lo = at.floor();
    let get = |i: f64| v.get(i as usize).or(v.last()).copied().unwrap_or(f64::NAN);
    let (a, b) = (get(lo), get(lo + 1.0));
    let t = at - lo;
    match how {
        Interpolation::Lower => a,
        Interpolation::Higher => get(at.ceil()),
        Interpolation::Nearest => get(round_half_even(at)),
        Interpolation::Midpoint if t == 0.0 => a,
        Interpolation::Midpoint => lerp(a, b, 0.5),
        Interpolation::Linear => lerp(a, b, t),
    }
}

fn round_half_even(x: f64) -> f64 {
    x.round_ties_even()
}

/// numpy's interpolation, which starts from the nearer end.
fn lerp(a: f64, b: f64, t: f64) -> f64 {
    let d = b - a;
    if t >= 0.5 { b - d * (1.0 - t) } else { a + d * t }
}

fn nan_for_null(data: &ColumnData, row: usize) -> Scalar {
    match data {
        ColumnData::Float(_) => match data.get(row) {
            Scalar::Null => Scalar::Float(f64::NAN),
            other => other,
        },
        _ => data.get(row),
    }
}

fn extreme(data: &ColumnData, rows: &[usize], max: bool) -> Result<Scalar> {
    match data {
        ColumnData::Float(v) => {
            let it = rows.iter().filter_map(|r| v.get(*r).copied().flatten()).filter(|x| !x.is_nan());
            let best = if max { it.reduce(f64::max) } else { it.reduce(f64::min) };
            return Ok(Scalar::Float(best.unwrap_or(f64::NAN)));
        }
        ColumnData::Int(v) => {
            let it = rows.iter().filter_map(|r| v.get(*r).copied().flatten());
            let best = if max { it.max() } else { it.min() };
            return Ok(best.map_or(Scalar::Float(f64::NAN), Scalar::Int));
        }
        _ => {}
    }
    let mut best: Option<Scalar> = None;
    let mut null = false;
    for r in rows {
        let v = data.get(*r);
        if is_na(&v) {
            null = true;
            continue;
        }
        let better = match &best {
            None => true,
            Some(b) => {
                let o = compare(&v, b).ok_or_else(|| unordered(&v, b))?;
                if max { o.is_gt() } else { o.is_lt() }
            }
        };
        if better {
            best = Some(v);
        }
    }
    match best {
        // pandas puts an infinity in the place of a null, and a text cannot be compared with that.
        Some(v @ (Scalar::Text(_) | Scalar::Date(_))) if null => Err(unordered(&v, &Scalar::Float(0.0))),
        Some(v) => Ok(v),
        None => Ok(Scalar::Null),
    }
}

fn unordered(a: &Scalar, b: &Scalar) -> FrameError {
    FrameError::unexpected(format!(
        "'>=' not supported between instances of '{}' and '{}'",
        arithmetic::type_name(a),
        arithmetic::type_name(b)
    ))
}

fn timestamps(f: Function, v: &[Option<i64>], rows: &[usize]) -> Result<Scalar> {
    let xs: Vec<i64> = rows.iter().filter_map(|r| v.get(*r).copied().flatten()).collect();
    let at = |us: i64| datetime::from_micros(us).map_or(Scalar::Null, Scalar::Timestamp);
    match f {
        Function::Mean { .. } if xs.is_empty() => Ok(Scalar::Null),
        Function::Mean { .. } => {
            let total: i128 = xs.iter().map(|x| i128::from(*x)).sum();
            Ok(at((total / xs.len() as i128) as i64))
        }
        _ => Err(FrameError::unexpected("unsupported operand type(s) for +: 'Timestamp' and 'Timestamp'")),
    }
}

fn objects(f: Function, data: &ColumnData, rows: &[usize]) -> Result<Scalar> {
    let values: Vec<Scalar> = rows.iter().map(|r| data.get(*r)).collect();
    let present = || values.iter().filter(|v| !is_na(v));
    let total = || -> Result<Scalar> {
        let mut it = present();
        let Some(first) = it.next() else { return Ok(Scalar::Int(0)) };
        it.try_fold(first.clone(), |acc, v| arithmetic::values(Op::Add, &acc, v))
    };
    match f {
        Function::Mean { .. } => {
            let n = present().count();
            let sum = total()?;
            let sum = as_f64(&sum).ok_or_else(|| not_numeric(&sum))?;
            Ok(Scalar::Float(if n == 0 { f64::NAN } else { sum / n as f64 }))
        }
        Function::Average => arithmetic::values(Op::Div, &total()?, &Scalar::Int(values.len() as i64)),
        Function::Median { .. } => {
            let mut sorted: Vec<&Scalar> = present().collect();
            sorted.sort_by(|a, b| crate::frame::order(a, b));
            let (Some(a), Some(b)) =
                (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2))
            else {
                return Ok(Scalar::Float(f64::NAN));
            };
            if sorted.len() % 2 == 1 {
                return arithmetic::values(Op::Div, a, &Scalar::Int(1));
            }
            arithmetic::values(Op::Div, &arithmetic::values(Op::Add, a, b)?, &Scalar::Int(2))
        }
        Function::Prod => {
            let mut acc = Scalar::Int(1);
            for v in present() {
                acc = match (&acc, v) {
                    (Scalar::Int(a), Scalar::Int(b)) => Scalar::Int(a.wrapping_mul(*b)),
                    (Scalar::Decimal(a), Scalar::Decimal(b)) => {
                        Scalar::Decimal(crate::frame::decimal::mul(a, b))
                    }
                    (Scalar::Int(a), Scalar::Decimal(b)) => {
                        Scalar::Decimal(crate::frame::decimal::mul(&bigdecimal::BigDecimal::from(*a), b))
                    }
                    (a, b) => Scalar::Float(
                        as_f64(a).unwrap_or(f64::NAN) * as_f64(b).ok_or_else(|| not_numeric(b))?,
                    ),
                };
            }
            Ok(acc)
        }
        Function::Spread { .. } | Function::Percentile { .. }
            if values.iter().any(|v| matches!(v, Scalar::Decimal(_))) =>
        {
            Err(FrameError::unexpected("unsupported operand type(s) for -: 'float' and 'decimal.Decimal'"))
        }
        _ => {
            let xs: Option<Vec<f64>> = values.iter().map(as_f64).collect();
            match xs {
                Some(xs) => Ok(floats(f, xs)),
                None => Err(not_numeric(values.first().unwrap_or(&Scalar::Null))),
            }
        }
    }
}

/// `np.cumsum` of a group of objects is a list, which pandas puts into the cell; of one row it is the value.
fn cumulative(data: &ColumnData, rows: &[usize], product: bool) -> Result<Scalar> {
    if let [row] = rows {
        return Ok(data.get(*row));
    }
    let f = if product { Function::Prod } else { Function::Sum { array: false } };
    let mut list = Vec::with_capacity(rows.len());
    if dtype(data) != Dtype::Object {
        return Err(FrameError::unexpected("Must produce aggregated value"));
    }
    let whole = rows.first().is_some_and(|r| matches!(data.get(*r), Scalar::Int(_)));
    for (i, row) in rows.iter().enumerate() {
        if is_na(&data.get(*row)) {
            list.push(Value::Null);
            continue;
        }
        let v = apply(f, data, rows.get(..=i).unwrap_or_default())?;
        list.push(match v {
            Scalar::Int(n) if whole => Value::from(n),
            other => Value::from(as_f64(&other).ok_or_else(|| not_numeric(&other))?),
        });
    }
    Ok(Scalar::Json(Value::Array(list)))
}
