//! A table with sparklines (`TimeTableViz`).

use chrono::DateTime;
use infra::engines::column::Scalar;
use serde_json::{Map, Value, json};

use super::{
    Comparison, LegacyQuery, LegacyViz, Result, VizError,
    grid::{Aggregate, Grid},
    label_of_metric, values,
};
use crate::frame::{Frame, python::str_of};

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    if !viz.is("metrics") {
        return Err(VizError::invalid("Pick at least one metric"));
    }
    let count = viz.get("metrics").as_array().map_or(1, Vec::len);
    if viz.is("groupby") && count > 1 {
        return Err(VizError::invalid("When using 'Group By' you are limited to use a single metric"));
    }
    if let Some(first) = query.metrics.iter().flatten().next() {
        query.orderby = vec![(label_of_metric(first)?.into(), !query.order_desc)];
    }
    Ok(())
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let labels = viz.metric_labels();
    let groups = viz.group_labels()?;
    let grid = if groups.is_empty() {
        Grid::pivot(&frame, &[], &labels, true, Aggregate::Mean)?
    } else {
        let first = labels.first().copied().into_iter().collect::<Vec<_>>();
        Grid::pivot(&frame, &groups, &first, false, Aggregate::Mean)?
    };
    let name = |series: &[Scalar]| match series {
        [one] => str_of(one),
        many => {
            format!("({})", many.iter().map(crate::frame::python::repr_of).collect::<Vec<_>>().join(", "))
        }
    };
    let mut records = Map::new();
    for (row, time) in grid.index.iter().enumerate() {
        let cells = grid
            .series
            .iter()
            .zip(&grid.values)
            .map(|(s, v)| (name(s), values::number(v.get(row).copied().unwrap_or(f64::NAN))));
        let label = DateTime::from_timestamp_micros(*time)
            .map(|t| str_of(&Scalar::Timestamp(t.naive_utc())))
            .unwrap_or_default();
        records.insert(label, Value::Object(cells.collect()));
    }
    let columns: Vec<Value> = grid
        .series
        .iter()
        .map(|s| match s.as_slice() {
            [one] => values::cell_json(one),
            many => many.iter().map(values::cell_json).collect(),
        })
        .collect();
    Ok(json!({"records": records, "columns": columns, "is_group_by": !groups.is_empty()}))
}
