//! A chart as pages see it (`Slice.data` and its properties).

use daos::{
    chart::Chart,
    person::{Owned, Person, owners},
};
use infra::{Result, clock, db::Executor};
use serde_json::{Map, Value, json};

use super::form_data::form_data;
use crate::text::markdown;

/// `/explore/?…` with the chart's id, as old links carry it.
pub fn slice_url(id: i64) -> String {
    format!("/explore/?slice_id={id}&form_data=%7B%22slice_id%22%3A%20{id}%7D")
}

/// `ChartEntityResponseSchema`: a chart inside its dashboard.
pub fn entity(chart: &Chart) -> Value {
    json!({
        "id": chart.id,
        "slice_name": chart.slice_name,
        "cache_timeout": chart.cache_timeout,
        "changed_on": chart.changed_on.map(clock::isoformat),
        "description": chart.description,
        "description_markeddown": markdown(chart.description.as_deref().unwrap_or_default()),
        "form_data": form_data(chart),
        "slice_url": slice_url(chart.id),
        "certified_by": chart.certified_by,
        "certification_details": chart.certification_details,
    })
}

/// `Slice.data`: what the chart builder starts from.
pub async fn data(db: &dyn Executor, chart: &Chart) -> Result<Map<String, Value>> {
    let owners = owners(db, Owned::Chart, &[chart.id]).await?.remove(&chart.id).unwrap_or_default();
    let now = clock::now();
    let changed = chart.changed_on.map(|t| clock::naturaltime(t, now)).unwrap_or_default();
    let Value::Object(map) = json!({
        "cache_timeout": chart.cache_timeout,
        "changed_on": chart.changed_on.map(clock::isoformat),
        "changed_on_humanized": changed,
        "datasource": chart.datasource_name,
        "description": chart.description,
        "description_markeddown": markdown(chart.description.as_deref().unwrap_or_default()),
        "edit_url": format!("/chart/edit/{}", chart.id),
        "form_data": form_data(chart),
        "query_context": chart.query_context,
        "modified": format!("<span class=\"no-wrap\">{changed}</span>"),
        "owners": owners.iter().map(|o| o.id).collect::<Vec<_>>(),
        "slice_id": chart.id,
        "slice_name": chart.slice_name,
        "slice_url": slice_url(chart.id),
        "certified_by": chart.certified_by,
        "certification_details": chart.certification_details,
        "is_managed_externally": chart.is_managed_externally,
    }) else {
        return Ok(Map::new());
    };
    Ok(map)
}

/// A person beside an object: id and names, no login name.
pub fn person(p: &Person) -> Value {
    json!({"id": p.id, "first_name": p.first_name, "last_name": p.last_name})
}
