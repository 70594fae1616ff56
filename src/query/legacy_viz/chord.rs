//! Flows between nodes (`ChordViz`).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Comparison, LegacyQuery, LegacyViz, Result, VizError, cell_json};
use crate::frame::Frame;

/// The matrix has this many nodes at most: it is square.
const MAX_NODES: usize = 2_000;

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    query.groupby = vec![viz.get("groupby"), viz.get("columns")];
    query.metrics = Some(vec![viz.get("metric")]);
    if viz.is("sort_by_metric") {
        query.orderby = vec![(viz.get("metric"), false)];
    }
    Ok(())
}

pub(super) fn data(_: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let [source, target, value] = frame.columns.as_slice() else {
        return Err(VizError::unexpected(format!(
            "Length mismatch: Expected axis has {} elements, new values have 3 elements",
            frame.columns.len()
        )));
    };
    // The original takes the order of a Python set, which is arbitrary; here it is the order of appearance.
    let mut nodes: Vec<Value> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    for column in [source, target] {
        for row in 0..frame.row_count() {
            let node = cell_json(&column.data.get(row));
            positions.entry(node.to_string()).or_insert_with(|| {
                nodes.push(node);
                nodes.len() - 1
            });
        }
    }
    if nodes.len() > MAX_NODES {
        return Err(VizError::invalid("Too many nodes for a chord diagram."));
    }
    let mut matrix = vec![vec![Value::from(0); nodes.len()]; nodes.len()];
    // a line holds what reaches its node, from each of the others
    let position = |cell| positions.get(&cell_json(&cell).to_string()).copied().unwrap_or(0);
    for row in 0..frame.row_count() {
        let (from, to) = (position(source.data.get(row)), position(target.data.get(row)));
        if let Some(cell) = matrix.get_mut(to).and_then(|line| line.get_mut(from)) {
            *cell = cell_json(&value.data.get(row));
        }
    }
    Ok(json!({"nodes": nodes, "matrix": matrix}))
}
