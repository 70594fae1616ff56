//! `escape_separator` and `unescape_separator`, and the same for labels.

use infra::engines::column::ColumnData;
use serde_json::Value;

use super::options::Options;
use crate::frame::{Frame, FrameError, Result};

/// Escapes the comma that joins the levels of a label.
pub(crate) fn escape_text(text: &str) -> String {
    text.replace(',', "\\,")
}

/// Undoes [`escape_text`].
pub fn unescape_text(text: &str) -> String {
    text.replace("\\,", ",")
}

/// As an operation these helpers for labels meet a frame, whose `replace` exchanges whole cells.
pub(super) fn escape(frame: Frame, o: &Options) -> Result<Frame> {
    let sep = separator(o)?;
    Ok(replace(frame, &sep, &format!("\\{sep}")))
}

pub(super) fn unescape(frame: Frame, o: &Options) -> Result<Frame> {
    let sep = separator(o)?;
    Ok(replace(frame, &format!("\\{sep}"), &sep))
}

fn separator(o: &Options) -> Result<String> {
    o.signature(&[], &["sep"])?;
    match o.get("sep") {
        None if !o.given("sep") => Ok(",".into()),
        Some(Value::String(s)) => Ok(s.trim().to_owned()),
        _ => Err(FrameError::unexpected("'NoneType' object has no attribute 'strip'")),
    }
}

fn replace(mut frame: Frame, from: &str, to: &str) -> Frame {
    for c in &mut frame.columns {
        if let ColumnData::Text(v) = &mut c.data {
            for cell in v.iter_mut().filter(|s| s.as_deref() == Some(from)) {
                *cell = Some(to.into());
            }
        }
    }
    frame
}
