//! `boxplot`: eight statistics of each metric per group.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Value, json};

use super::aggregate::{grouped, one_column};
use super::numpy::{Function, Interpolation, floats, percentile};
use super::options::Options;
use crate::frame::{
    Column, Dtype, Frame, FrameError, Groups, Result, dtype, from_scalars, to_float, to_numeric_coerce,
};

#[derive(Clone, Copy)]
enum Whisker {
    Tukey,
    Percentile(f64, f64),
    MinMax,
}

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["groupby", "metrics", "whisker_type"], &["percentiles"])?;
    let keys = o.texts("groupby")?;
    let metrics = o.texts("metrics")?;
    let whisker = match o.get("whisker_type").and_then(Value::as_str) {
        Some("tukey") => Whisker::Tukey,
        Some("percentile") => percentiles(o)?,
        _ => Whisker::MinMax,
    };
    for metric in &metrics {
        for at in frame.positions(metric) {
            if let Some(c) = frame.columns.get_mut(at)
                && dtype(&c.data) == Dtype::Object
            {
                c.data = to_numeric_coerce(&c.data);
            }
        }
        if !frame.has(metric) {
            return Err(FrameError::unexpected(format!("'{metric}'")));
        }
    }
    if keys.iter().any(|k| !frame.has(k)) {
        return Err(FrameError::invalid("Referenced columns not available in DataFrame."));
    }
    if metrics.is_empty() {
        return Err(FrameError::unexpected("Must provide 'func' or tuples of '**kwargs."));
    }
    grouped(&frame, &keys, |groups, data| {
        const STATISTICS: [&str; 8] = ["mean", "median", "max", "min", "q1", "q3", "count", "outliers"];
        let mut out = Vec::new();
        for statistic in STATISTICS {
            for metric in &metrics {
                let values = one_column(data, metric)?;
                out.push(Column::new(
                    format!("{metric}__{statistic}"),
                    column(groups, values, statistic, whisker)?,
                ));
            }
        }
        Ok(out)
    })
}

fn percentiles(o: &Options) -> Result<Whisker> {
    let wrong = || {
        FrameError::invalid(
            "percentiles must be a list or tuple with two numeric values, of which the first is lower than the second \
             value",
        )
    };
    match o.get("percentiles") {
        Some(Value::Array(a)) => match a.as_slice() {
            [Value::Number(x), Value::Number(y)] => {
                let (x, y) = (x.as_f64().unwrap_or(f64::NAN), y.as_f64().unwrap_or(f64::NAN));
                // NaN is in no order
                if x.partial_cmp(&y) != Some(std::cmp::Ordering::Less) {
                    return Err(wrong());
                }
                if x < 0.0 || y > 100.0 {
                    return Err(FrameError::unexpected("Percentiles must be in the range [0, 100]"));
                }
                Ok(Whisker::Percentile(x, y))
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn column(groups: &Groups, data: &ColumnData, statistic: &str, whisker: Whisker) -> Result<ColumnData> {
    let numbers = to_float(data)
        .ok_or_else(|| FrameError::unexpected("ufunc 'isnan' not supported for the input types"))?;
    let integers = dtype(data) == Dtype::Int;
    let values = (0..groups.len())
        .map(|g| {
            let rows = groups.rows_of(g);
            let xs: Vec<f64> = rows.iter().filter_map(|r| numbers.get(*r).copied()).collect();
            let present: Vec<f64> = xs.iter().copied().filter(|x| !x.is_nan()).collect();
            let q = |p: f64, how| percentile(present.clone(), p, how);
            let (q1, q3) = (q(25.0, Interpolation::Midpoint), q(75.0, Interpolation::Midpoint));
            let (low, high) = match whisker {
                Whisker::Tukey => {
                    let (lo, hi) = (q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1));
                    (
                        present.iter().copied().filter(|x| *x >= lo).reduce(f64::min).unwrap_or(f64::NAN),
                        present.iter().copied().filter(|x| *x <= hi).reduce(f64::max).unwrap_or(f64::NAN),
                    )
                }
                Whisker::Percentile(a, b) => (q(a, Interpolation::Linear), q(b, Interpolation::Linear)),
                Whisker::MinMax => (
                    present.iter().copied().reduce(f64::min).unwrap_or(f64::NAN),
                    present.iter().copied().reduce(f64::max).unwrap_or(f64::NAN),
                ),
            };
            // A whisker that is one of the values keeps the type of the values.
            let own = |x: f64| {
                if integers && !matches!(whisker, Whisker::Percentile(..)) {
                    Scalar::Int(x as i64)
                } else {
                    Scalar::Float(x)
                }
            };
            match statistic {
                "mean" => floats(Function::Mean { array: false }, xs),
                "median" => floats(Function::Median { skip_null: true }, xs),
                "max" => own(high),
                "min" => own(low),
                "q1" => Scalar::Float(q1),
                "q3" => Scalar::Float(q3),
                "count" => Scalar::Int(rows.len() as i64),
                _ => {
                    let list: Vec<Value> = xs
                        .iter()
                        .filter(|x| **x > high)
                        .chain(xs.iter().filter(|x| **x < low))
                        .map(|x| if integers { json!(*x as i64) } else { json!(x) })
                        .collect();
                    Scalar::Json(Value::Array(list))
                }
            }
        })
        .collect();
    Ok(from_scalars(values))
}
