//! `select`: choose, leave out and rename columns.

use super::options::Options;
use crate::frame::{Frame, FrameError, Result};

pub(super) fn apply(mut frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["columns", "drop", "rename"])?;
    o.signature(&[], &["columns", "exclude", "rename"])?;
    if o.truthy("columns", false) {
        let mut picked = Vec::new();
        for name in o.texts("columns")? {
            for at in frame.positions(name) {
                picked.extend(frame.columns.get(at).cloned());
            }
        }
        frame.columns = picked;
    }
    if o.truthy("exclude", false) {
        let exclude = o.texts("exclude")?;
        let missing: Vec<String> =
            exclude.iter().filter(|n| !frame.has(n)).map(|n| format!("'{n}'")).collect();
        if !missing.is_empty() {
            return Err(FrameError::unexpected(format!("\"[{}] not found in axis\"", missing.join(", "))));
        }
        frame.columns.retain(|c| !c.label.first_text().is_some_and(|t| exclude.contains(&t)));
    }
    for c in &mut frame.columns {
        let names = o.mapping("rename")?;
        let renamed = |s: &infra::engines::column::Scalar| match s {
            infra::engines::column::Scalar::Text(t) => names
                .iter()
                .find(|(from, _)| *from == &**t)
                .map_or_else(|| s.clone(), |(_, to)| infra::engines::column::Scalar::Text((*to).into())),
            other => other.clone(),
        };
        c.label = match &c.label {
            crate::frame::Label::Flat(s) => crate::frame::Label::Flat(renamed(s)),
            crate::frame::Label::Levels(v) => crate::frame::Label::Levels(v.iter().map(renamed).collect()),
        };
    }
    Ok(frame)
}
