//! `rename`: other labels for columns.

use infra::engines::column::Scalar;
use serde_json::Value;

use super::options::{Options, python_type, scalar};
use crate::frame::{Frame, FrameError, Label, Result};

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns"])?;
    o.signature(&["columns"], &["inplace", "level"])?;
    let names = match o.get("columns") {
        None => return Ok(frame),
        Some(Value::Object(m)) if m.is_empty() => return Ok(frame),
        Some(Value::Object(m)) => m,
        Some(other) => {
            return Err(FrameError::unexpected(format!(
                "'{}' object has no attribute 'values'",
                python_type(other)
            )));
        }
    };
    let depth = frame.levels() as i64;
    let level = match o.get("level") {
        None => None,
        Some(v) => {
            let at = v.as_i64().map(|i| if i < 0 { i + depth } else { i });
            match at.and_then(|i| usize::try_from(i).ok()).filter(|i| (*i as i64) < depth) {
                Some(i) => Some(i),
                // Superset raises its own error without any text here.
                None => return Err(FrameError::invalid("")),
            }
        }
    };
    let existing: Vec<&Scalar> =
        frame.columns.iter().filter_map(|c| c.label.levels().get(level.unwrap_or(0))).collect();
    if names.values().all(|v| existing.contains(&&scalar(v))) {
        return Err(FrameError::invalid("Label already exists"));
    }
    let renamed = |s: &Scalar| match s {
        Scalar::Text(t) => names.get(&**t).map_or_else(|| s.clone(), scalar),
        other => other.clone(),
    };
    for c in &mut frame.columns {
        c.label = match &c.label {
            Label::Flat(s) => Label::Flat(renamed(s)),
            Label::Levels(v) => Label::Levels(
                v.iter()
                    .enumerate()
                    .map(|(i, s)| if level.is_none_or(|l| l == i) { renamed(s) } else { s.clone() })
                    .collect(),
            ),
        };
    }
    Ok(frame)
}
