//! Series to be tested against each other (`PairedTTestViz`).

use serde_json::{Map, Value, json};

use super::{
    Comparison, LegacyQuery, LegacyViz, Result,
    grid::{Aggregate, Grid},
    para, values,
};
use crate::frame::{Frame, python::str_of};

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    para::sort_by_limit_metric(viz, query)
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let groups = viz.group_labels()?;
    let grid = Grid::pivot(&frame, &groups, &viz.metric_labels(), true, Aggregate::Mean)?;
    let mut data: Map<String, Value> = Map::new();
    for (label, column) in grid.series.iter().zip(&grid.values) {
        let group: Value = match label.get(1..) {
            Some(group) if !group.is_empty() => group.iter().map(values::cell_json).collect(),
            _ => "All".into(),
        };
        let points: Vec<Value> = grid
            .index
            .iter()
            .zip(column)
            .map(|(x, y)| json!({"x": values::millis(*x), "y": values::number(*y)}))
            .collect();
        let entry = json!({"group": group, "values": points});
        let metric = label.first().map(str_of).unwrap_or_default();
        match data.get_mut(&metric) {
            Some(Value::Array(list)) => list.push(entry),
            _ => {
                data.insert(metric, Value::Array(vec![entry]));
            }
        }
    }
    Ok(Value::Object(data))
}
