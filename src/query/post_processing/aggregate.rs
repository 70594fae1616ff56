//! `aggregate`: group rows and aggregate columns.

use infra::engines::column::{ColumnData, Scalar};
use serde_json::Value;

use super::numpy::{self, Function};
use super::options::{Options, python_type};
use crate::frame::{Column, Frame, FrameError, Groups, Result, from_scalars, group, python};

/// One requested aggregate: name, source column, function.
pub(super) struct Aggregate<'a> {
    pub(super) name: &'a str,
    pub(super) column: &'a str,
    pub(super) function: Function,
}

/// Reads the `aggregates` option (`_get_aggregate_funcs`).
pub(super) fn read_aggregates<'a>(frame: &Frame, value: Option<&'a Value>) -> Result<Vec<Aggregate<'a>>> {
    let map = match value {
        None => return Ok(Vec::new()),
        Some(Value::Object(m)) => m,
        Some(other) => {
            return Err(FrameError::unexpected(format!(
                "'{}' object has no attribute 'items'",
                python_type(other)
            )));
        }
    };
    let mut out = Vec::with_capacity(map.len());
    for (name, spec) in map {
        let Value::Object(o) = spec else {
            return Err(FrameError::unexpected(format!(
                "'{}' object has no attribute 'get'",
                python_type(spec)
            )));
        };
        let column = match o.get("column") {
            None => name.as_str(),
            Some(Value::String(s)) => s,
            Some(other) => {
                return Err(FrameError::invalid(format!(
                    "Column referenced by aggregate is undefined: {}",
                    python::json_repr(other)
                )));
            }
        };
        if !frame.has(column) {
            return Err(FrameError::invalid(format!(
                "Column referenced by aggregate is undefined: {column}"
            )));
        }
        let Some(operator) = o.get("operator") else {
            return Err(FrameError::invalid(format!("Operator undefined for aggregator: {name}")));
        };
        let text = match operator {
            Value::String(s) => s.clone(),
            other => python::json_repr(other),
        };
        let options = match o.get("options") {
            None => None,
            Some(Value::Object(o)) => Some(o),
            Some(_) => {
                return Err(FrameError::unexpected(
                    "functools.partial() argument after ** must be a mapping, not NoneType",
                ));
            }
        };
        let function = numpy::function(&text, options)
            .ok_or_else(|| FrameError::invalid(format!("Invalid numpy function: {text}")))??;
        out.push(Aggregate { name, column, function });
    }
    Ok(out)
}

/// The column of this name; several of one name are more than pandas can aggregate.
pub(super) fn one_column<'f>(frame: &'f Frame, name: &str) -> Result<&'f ColumnData> {
    let at = frame.positions(name);
    match at.as_slice() {
        [one] if !frame.multi => frame.columns.get(*one).map(|c| &c.data).ok_or_else(|| key_error(name)),
        [] => Err(key_error(name)),
        _ => Err(FrameError::unexpected(format!("Grouper for '{name}' not 1-dimensional"))),
    }
}

pub(super) fn key_error(name: &str) -> FrameError {
    FrameError::unexpected(format!("\"['{name}'] not in index\""))
}

/// One value per group.
pub(super) fn over_groups(groups: &Groups, data: &ColumnData, f: Function) -> Result<ColumnData> {
    let values: Vec<Scalar> =
        (0..groups.len()).map(|g| numpy::apply(f, data, groups.rows_of(g))).collect::<Result<_>>()?;
    Ok(from_scalars(values))
}

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.columns_exist(&frame, &["groupby"])?;
    o.signature(&["groupby", "aggregates"], &[])?;
    let aggregates = read_aggregates(&frame, o.get("aggregates"))?;
    let keys = o.texts("groupby")?;
    if aggregates.is_empty() {
        return Err(FrameError::unexpected("Must provide 'func' or tuples of '**kwargs."));
    }
    grouped(&frame, &keys, |groups, data| {
        aggregates
            .iter()
            .map(|a| Ok(Column::new(a.name, over_groups(groups, one_column(data, a.column)?, a.function)?)))
            .collect()
    })
}

/// Groups by columns (or takes all rows as one group) and puts the keys before the aggregates.
pub(super) fn grouped(
    frame: &Frame,
    keys: &[&str],
    aggregate: impl Fn(&Groups, &Frame) -> Result<Vec<Column>>,
) -> Result<Frame> {
    let everything = ColumnData::Bool(vec![Some(true); frame.row_count()]);
    let mut key_data = Vec::with_capacity(keys.len());
    for k in keys {
        key_data.push(one_column(frame, k)?);
    }
    let groups = if keys.is_empty() { group(&[&everything], false) } else { group(&key_data, false) };
    let mut columns: Vec<Column> =
        keys.iter().enumerate().map(|(i, k)| Column::new(*k, groups.key_column(i))).collect();
    columns.extend(aggregate(&groups, frame)?);
    let mut out = Frame::new(columns);
    out.index = crate::frame::Index::range(groups.len());
    Ok(out)
}
