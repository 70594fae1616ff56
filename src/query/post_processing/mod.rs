//! Post-processing operations of a query object (`superset.utils.pandas_postprocessing`), one file each.

mod aggregate;
mod append;
pub(crate) mod arithmetic;
mod boxplot;
mod compare;
mod contribution;
mod cum;
mod diff;
mod flatten;
mod geodetic_parse;
mod geohash;
#[cfg(test)]
pub(crate) mod golden;
mod histogram;
mod margins;
pub(crate) mod numpy;
mod offsets;
mod options;
pub(crate) mod pivot;
mod prophet;
mod rank;
mod rename;
mod resample;
mod rolling;
mod rolling_window;
mod select;
mod separator;
mod sort;

use serde_json::{Map, Value};

use crate::frame::{Frame, FrameError, Result};
use options::Options;

pub use contribution::contribution_totals;
pub use separator::unescape_text;

/// Most cells that an operation may create; pandas itself gives up at 2³¹, long after the memory is gone.
pub(crate) const MAX_CELLS: usize = 50_000_000;

/// The operations by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Aggregate,
    Boxplot,
    Compare,
    Contribution,
    Cum,
    Diff,
    EscapeSeparator,
    Flatten,
    GeodeticParse,
    GeohashDecode,
    GeohashEncode,
    Histogram,
    Pivot,
    Prophet,
    Rank,
    Rename,
    Resample,
    Rolling,
    Select,
    Sort,
    UnescapeSeparator,
}

impl Operation {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "aggregate" => Self::Aggregate,
            "boxplot" => Self::Boxplot,
            "compare" => Self::Compare,
            "contribution" => Self::Contribution,
            "cum" => Self::Cum,
            "diff" => Self::Diff,
            "escape_separator" => Self::EscapeSeparator,
            "flatten" => Self::Flatten,
            "geodetic_parse" => Self::GeodeticParse,
            "geohash_decode" => Self::GeohashDecode,
            "geohash_encode" => Self::GeohashEncode,
            "histogram" => Self::Histogram,
            "pivot" => Self::Pivot,
            "prophet" => Self::Prophet,
            "rank" => Self::Rank,
            "rename" => Self::Rename,
            "resample" => Self::Resample,
            "rolling" => Self::Rolling,
            "select" => Self::Select,
            "sort" => Self::Sort,
            "unescape_separator" => Self::UnescapeSeparator,
            _ => return None,
        })
    }
}

/// Runs the operations of a query object one after the other (`QueryObject.exec_post_processing`).
pub fn post_process(mut frame: Frame, steps: &[Value]) -> Result<Frame> {
    for step in steps {
        if !step.is_null() {
            frame = run(frame, step)?;
        }
    }
    Ok(frame)
}

fn run(frame: Frame, step: &Value) -> Result<Frame> {
    let name = match step.get("operation") {
        Some(Value::String(s)) if !s.is_empty() => s.as_str(),
        _ => {
            return Err(FrameError::invalid("`operation` property of post processing object undefined"));
        }
    };
    let Some(operation) = Operation::parse(name) else {
        // Superset fills this message with a variable of another name and fails over that: a KeyError's text.
        return Err(FrameError::unexpected("'operation'"));
    };
    let empty = Map::new();
    let map = match step.get("options") {
        None => &empty,
        Some(Value::Object(map)) => map,
        Some(_) => {
            return Err(FrameError::unexpected(format!(
                "superset.utils.pandas_postprocessing.{name}() argument after ** must be a mapping, not NoneType"
            )));
        }
    };
    let o = Options::new(name, map);
    match operation {
        Operation::Aggregate => aggregate::apply(frame, &o),
        Operation::Boxplot => boxplot::apply(frame, &o),
        Operation::Compare => compare::apply(frame, &o),
        Operation::Contribution => contribution::apply(frame, &o),
        Operation::Cum => cum::apply(frame, &o),
        Operation::Diff => diff::apply(frame, &o),
        Operation::EscapeSeparator => separator::escape(frame, &o),
        Operation::Flatten => flatten::apply(frame, &o),
        Operation::GeodeticParse => geodetic_parse::apply(frame, &o),
        Operation::GeohashDecode => geohash::decode(frame, &o),
        Operation::GeohashEncode => geohash::encode(frame, &o),
        Operation::Histogram => histogram::apply(frame, &o),
        Operation::Pivot => pivot::apply(frame, &o),
        Operation::Prophet => prophet::apply(frame, &o),
        Operation::Rank => rank::apply(frame, &o),
        Operation::Rename => rename::apply(frame, &o),
        Operation::Resample => resample::apply(frame, &o),
        Operation::Rolling => rolling::apply(frame, &o),
        Operation::Select => select::apply(frame, &o),
        Operation::Sort => sort::apply(frame, &o),
        Operation::UnescapeSeparator => separator::unescape(frame, &o),
    }
}
