//! Rows as they are: parallel coordinates and event flow (`ParallelCoordinatesViz`, `EventFlowViz`).

use serde_json::Value;

use super::{Comparison, LegacyQuery, LegacyViz, Result, records};
use crate::{form_data::truthy, frame::Frame};

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    query.groupby = vec![viz.get("series")];
    sort_by_limit_metric(viz, query)
}

/// The limit metric is selected, and ordered by if the order is said to be descending.
pub(super) fn sort_by_limit_metric(viz: &LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    if viz.is("timeseries_limit_metric") {
        let metric = viz.get("timeseries_limit_metric");
        query.select_metric(&metric)?;
        if viz.is("order_desc") {
            query.orderby = vec![(metric, false)];
        }
    }
    Ok(())
}

pub(super) fn data(_: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    Ok(records(&frame).into_iter().map(Value::Object).collect())
}

pub(super) fn event_flow_query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    let event = viz.required("all_columns_x")?;
    let entity = viz.required("entity")?;
    let mut columns = vec![event.clone(), entity.clone()];
    if let Value::Array(all) = viz.required("all_columns")? {
        columns.extend(all.into_iter().filter(|c| *c != event && *c != entity));
    }
    query.columns = Some(columns);
    if truthy(Some(&viz.required("order_by_entity")?)) {
        query.orderby = vec![(entity, true)];
    }
    Ok(())
}
