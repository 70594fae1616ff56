//! `flatten`: several levels of column labels become one, the index becomes a column.

use serde_json::Value;

use super::options::Options;
use super::separator::escape_text;
use crate::frame::{Frame, FrameError, Label, Result, is_na, python};

/// Between the levels of a flat label.
pub(crate) const SEPARATOR: &str = ", ";

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&[], &["reset_index", "drop_levels"])?;
    if frame.multi {
        let drop = dropped(o, frame.levels())?;
        for c in &mut frame.columns {
            let cells: Vec<String> = c
                .label
                .levels()
                .iter()
                .enumerate()
                .filter(|(i, s)| !drop.contains(i) && !is_na(s))
                .map(|(_, s)| escape_text(&python::str_of(s)))
                .collect();
            c.label = Label::from(cells.join(SEPARATOR));
        }
        frame.multi = false;
    }
    if o.truthy("reset_index", true) && !frame.index.is_range() {
        let name = match frame.index.row(0).len() {
            _ if frame.index.is_multi() => None,
            _ => index_name(&frame),
        };
        if let Some(name) = name.filter(|n| frame.has(n)) {
            return Err(FrameError::unexpected(format!("cannot insert {name}, already exists")));
        }
        frame.reset_index(true);
    }
    Ok(frame)
}

fn index_name(frame: &Frame) -> Option<String> {
    match &frame.index {
        crate::frame::Index::Flat(l) => Some(l.name.as_ref().map_or_else(|| "index".into(), python::str_of)),
        _ => None,
    }
}

fn dropped(o: &Options, levels: usize) -> Result<Vec<usize>> {
    let given = match o.get("drop_levels") {
        None => return Ok(Vec::new()),
        Some(Value::Array(a)) => a.clone(),
        Some(other) => vec![other.clone()],
    };
    let mut out = Vec::new();
    for v in given {
        let at = v.as_i64().map(|i| if i < 0 { i + levels as i64 } else { i });
        match at.and_then(|i| usize::try_from(i).ok()).filter(|i| *i < levels) {
            Some(i) => out.push(i),
            None if v.is_string() => {
                return Err(FrameError::unexpected(format!(
                    "'Level {} not found'",
                    v.as_str().unwrap_or("")
                )));
            }
            None => {
                return Err(FrameError::unexpected(format!(
                    "Too many levels: Index has only {levels} levels, not {}",
                    v.as_i64().unwrap_or(0).saturating_add(1)
                )));
            }
        }
    }
    if !out.is_empty() && out.len() >= levels {
        return Err(FrameError::unexpected(format!(
            "Cannot remove {} levels from an index with {levels} levels: at least one level must be left.",
            out.len()
        )));
    }
    Ok(out)
}
