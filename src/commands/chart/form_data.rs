//! What a chart shows, as its controls hold it (`Slice.form_data`).

use daos::chart::Chart;
use query::form_data::update_time_range;
use serde_json::{Map, Value, json};

/// What the client stored, with the chart's identity on top and the legacy time range moved.
pub fn form_data(chart: &Chart) -> Map<String, Value> {
    let identity = Identity {
        id: chart.id,
        viz_type: chart.viz_type.as_deref(),
        datasource_id: chart.datasource_id,
        datasource_type: chart.datasource_type.as_deref(),
        cache_timeout: chart.cache_timeout,
    };
    identity.over(chart.params.as_deref().unwrap_or_default())
}

/// The columns of a chart that its form data repeats.
pub struct Identity<'a> {
    /// `slices.id`
    pub id: i64,
    /// `slices.viz_type`
    pub viz_type: Option<&'a str>,
    /// `slices.datasource_id`
    pub datasource_id: Option<i64>,
    /// `slices.datasource_type`
    pub datasource_type: Option<&'a str>,
    /// `slices.cache_timeout`, seconds; nought is none.
    pub cache_timeout: Option<i64>,
}

impl Identity<'_> {
    /// The stored `params` with these columns on top; text that is no object counts as an empty one.
    pub fn over(&self, params: &str) -> Map<String, Value> {
        let mut form = match serde_json::from_str::<Value>(params) {
            Ok(Value::Object(form)) => form,
            _ => Map::new(),
        };
        form.insert("slice_id".into(), json!(self.id));
        form.insert("viz_type".into(), json!(self.viz_type));
        let id = self.datasource_id.map_or_else(|| "None".to_owned(), |id| id.to_string());
        let kind = self.datasource_type.unwrap_or("None");
        form.insert("datasource".into(), json!(format!("{id}__{kind}")));
        if let Some(timeout) = self.cache_timeout.filter(|t| *t != 0) {
            form.insert("cache_timeout".into(), json!(timeout));
        }
        update_time_range(&mut form);
        form
    }
}
