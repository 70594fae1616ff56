//! Bubbles and bullets (`BubbleViz`, `BulletViz`).

use serde_json::{Map, Value, json};

use super::{
    Comparison, LegacyQuery, LegacyViz, Result, VizError, label_of_column, label_of_metric, query, records,
    values,
};
use crate::{form_data::truthy, frame::Frame};

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let entity = viz.get("entity");
    let mut groupby = vec![entity.clone()];
    if viz.is("series") {
        groupby.push(viz.get("series"));
    }
    query.groupby = query::deduplicated(&[Some(&Value::Array(groupby))])?;
    let (x, y, size) = (viz.required("x")?, viz.required("y")?, viz.required("size")?);
    query.row_limit = match viz.get("limit") {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    let metrics = vec![size, x, y];
    if viz.metrics.len() < 3 {
        return Err(VizError::invalid("Please use 3 different metric labels"));
    }
    if !metrics.iter().chain([&entity]).all(|m| truthy(Some(m))) {
        return Err(VizError::invalid("Pick a metric for x, y and size"));
    }
    query.metrics = Some(metrics);
    Ok(())
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let series = if viz.is("series") { viz.get("series") } else { viz.get("entity") };
    let group = label_of_column(&series)?;
    let sources = [
        ("x", label_of_metric(&viz.required("x")?)?),
        ("y", label_of_metric(&viz.required("y")?)?),
        ("size", label_of_metric(&viz.required("size")?)?),
    ];
    let mut order: Vec<Value> = Vec::new();
    let mut groups: std::collections::HashMap<String, (usize, Vec<Value>)> = std::collections::HashMap::new();
    for mut row in records(&frame) {
        let copy =
            |row: &Map<String, Value>, name: &str| row.get(name).cloned().ok_or_else(|| VizError::key(name));
        for (target, source) in &sources {
            let value = copy(&row, source)?;
            row.insert((*target).to_owned(), value);
        }
        row.insert("shape".to_owned(), "circle".into());
        let key = copy(&row, &group)?;
        row.insert("group".to_owned(), key.clone());
        let entry = groups.entry(key.to_string()).or_insert_with(|| {
            order.push(key);
            (order.len() - 1, Vec::new())
        });
        entry.1.push(Value::Object(row));
    }
    let mut out: Vec<(usize, Value)> = groups
        .into_values()
        .map(|(at, rows)| (at, json!({"key": order.get(at).cloned().unwrap_or(Value::Null), "values": rows})))
        .collect();
    out.sort_by_key(|(at, _)| *at);
    Ok(out.into_iter().map(|(_, entry)| entry).collect())
}

pub(super) fn bullet_query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let metric = viz.required("metric")?;
    if !truthy(Some(&metric)) {
        return Err(VizError::invalid("Pick a metric to display"));
    }
    query.metrics = Some(vec![metric]);
    Ok(())
}

pub(super) fn bullet_data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let column = values::column(&frame, &label_of_metric(&viz.required("metric")?)?)?;
    let measures: Vec<Value> =
        (0..frame.row_count()).map(|row| values::cell_json(&column.get(row))).collect();
    Ok(json!({"measures": measures}))
}
