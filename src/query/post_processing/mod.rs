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

use infra::compute::check;
use serde_json::{Map, Value};

use crate::frame::{Frame, FrameError, Result};
use options::Options;

pub use contribution::contribution_totals;
pub use separator::unescape_text;

/// Most cells that an operation may create; pandas itself gives up at 2³¹, long after the memory is gone.
pub(crate) const MAX_CELLS: usize = 50_000_000;

/// What an operation does with its options.
type Apply = fn(Frame, &Options) -> Result<Frame>;

/// The operations by name.
const OPERATIONS: &[(&str, Apply)] = &[
    ("aggregate", aggregate::apply),
    ("boxplot", boxplot::apply),
    ("compare", compare::apply),
    ("contribution", contribution::apply),
    ("cum", cum::apply),
    ("diff", diff::apply),
    ("escape_separator", separator::escape),
    ("flatten", flatten::apply),
    ("geodetic_parse", geodetic_parse::apply),
    ("geohash_decode", geohash::decode),
    ("geohash_encode", geohash::encode),
    ("histogram", histogram::apply),
    ("pivot", pivot::apply),
    ("prophet", prophet::apply),
    ("rank", rank::apply),
    ("rename", rename::apply),
    ("resample", resample::apply),
    ("rolling", rolling::apply),
    ("select", select::apply),
    ("sort", sort::apply),
    ("unescape_separator", separator::unescape),
];

/// Runs the operations of a query object one after the other (`QueryObject.exec_post_processing`).
pub fn post_process(mut frame: Frame, steps: &[Value]) -> Result<Frame> {
    for step in steps {
        if !step.is_null() {
            check()?;
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
    let Some((_, apply)) = OPERATIONS.iter().find(|(known, _)| *known == name) else {
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
    apply(frame, &Options::new(name, map))
}
