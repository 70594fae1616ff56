//! `rolling`: a function over a moving window of rows.

use infra::engines::column::ColumnData;
use serde_json::{Map, Value};

use super::append::append_columns;
use super::options::Options;
use super::rolling_window::{Kind, Window, roll};
use crate::frame::{Column, Frame, FrameError, Result, float_column, python, to_float};

const TYPES: [&str; 13] =
    ["count", "corr", "cov", "kurt", "max", "mean", "median", "min", "std", "skew", "sum", "var", "quantile"];

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns"])?;
    o.signature(
        &["rolling_type", "columns"],
        &["window", "rolling_type_options", "center", "win_type", "min_periods"],
    )?;
    let names = o.mapping("columns")?;
    let window = match o.get("window") {
        None => return Err(FrameError::invalid("Undefined window for rolling operation")),
        Some(Value::Number(n)) if n.as_f64() == Some(0.0) => {
            return Err(FrameError::invalid("Window must be > 0"));
        }
        Some(Value::Number(n)) => usize::try_from(n.as_i64().unwrap_or(-1))
            .map_err(|_| FrameError::unexpected("window must be an integer 0 or greater"))?,
        Some(_) => return Err(FrameError::unexpected("window must be an integer 0 or greater")),
    };
    let min_periods = match o.get("min_periods") {
        None => None,
        Some(Value::Number(n)) if n.as_i64().is_some() => {
            let m = n.as_i64().unwrap_or(0);
            let m = usize::try_from(m).map_err(|_| FrameError::unexpected("min_periods must be >= 0"))?;
            if m > window {
                return Err(FrameError::unexpected(format!("min_periods {m} must be <= window {window}")));
            }
            Some(m)
        }
        Some(_) => return Err(FrameError::unexpected("min_periods must be an integer")),
    };
    if o.get("win_type").is_some() {
        return Err(FrameError::unexpected(
            "Missing optional dependency 'scipy.signal.windows'. Scipy is required to generate window weight. Use pip \
             or conda to install scipy.signal.windows.",
        ));
    }
    let kind = match o.get("rolling_type") {
        Some(Value::String(s)) if TYPES.contains(&s.as_str()) => s.as_str(),
        other => {
            let shown = match other {
                Some(Value::String(s)) => s.clone(),
                Some(v) => python::json_repr(v),
                None => "None".into(),
            };
            return Err(FrameError::invalid(format!("Invalid rolling_type: {shown}")));
        }
    };
    let empty = Map::new();
    let extra = o.get("rolling_type_options").and_then(Value::as_object).unwrap_or(&empty);
    let kind = read_kind(kind, extra)?;
    let center = if o.given("center") { o.truthy("center", false) } else { false };
    let window = Window { size: window, min_periods, center };
    let mut computed = Vec::new();
    for (name, _) in &names {
        for at in frame.positions(name) {
            let Some(c) = frame.columns.get(at) else { continue };
            if let ColumnData::Timestamp(_) = c.data {
                return Err(FrameError::unexpected(
                    "ops for Rolling for this dtype datetime64[ns] are not implemented",
                ));
            }
            let values = to_float(&c.data)
                .ok_or_else(|| FrameError::unexpected("Cannot aggregate non-numeric type: object"))?;
            computed
                .push(Column { label: c.label.clone(), data: float_column(roll(&values, kind, window)?) });
        }
    }
    let mut out = append_columns(frame, computed, &names);
    if let Some(m) = min_periods.filter(|m| *m > 0) {
        let rows: Vec<usize> = (m - 1..out.row_count()).collect();
        let index = out.index.skip(m - 1);
        out = out.take(&rows);
        out.index = index;
    }
    Ok(out)
}

fn read_kind(name: &str, options: &Map<String, Value>) -> Result<Kind> {
    let invalid = || {
        FrameError::invalid(format!(
            "Invalid options for {name}: {}",
            python::json_repr(&Value::Object(options.clone()))
        ))
    };
    let allowed: &[&str] = match name {
        "std" | "var" => &["ddof", "numeric_only"],
        "quantile" => &["quantile", "q", "interpolation", "numeric_only"],
        _ => &["numeric_only"],
    };
    if options.keys().any(|k| !allowed.contains(&k.as_str())) {
        return Err(invalid());
    }
    let ddof = options.get("ddof").map_or(Some(1), Value::as_i64).ok_or_else(invalid)?;
    Ok(match name {
        "count" => Kind::Count,
        "sum" => Kind::Sum,
        "mean" => Kind::Mean,
        "min" => Kind::Min,
        "max" => Kind::Max,
        "median" => Kind::Quantile(0.5),
        "std" => Kind::Std(ddof),
        "var" => Kind::Var(ddof),
        "skew" => Kind::Skew,
        "kurt" => Kind::Kurt,
        "quantile" => {
            let q = options.get("quantile").or_else(|| options.get("q")).ok_or_else(invalid)?;
            let q = q.as_f64().ok_or_else(invalid)?;
            if !(0.0..=1.0).contains(&q) {
                return Err(FrameError::unexpected(format!("quantile value {q} not in [0, 1]")));
            }
            Kind::Quantile(q)
        }
        _ => {
            return Err(FrameError::unexpected(format!(
                "Rolling.{name} returns one frame per row, which Superset cannot use"
            )));
        }
    })
}
