//! The visualisations that still ask `/superset/explore_json/`: form data in, query object and `data` payload out.
//!
//! Counterpart: `superset.viz`. A family is a file; [`registry`] has a line for each. A family says how it changes the
//! common query ([`query`]) and what it makes of the resulting frame. Names and quirks on the wire are those of the
//! original classes.

mod bubble;
mod cal_heatmap;
mod chord;
mod deck;
mod grid;
mod mapbox;
mod offset;
mod paired_ttest;
mod para;
mod partition;
mod query;
mod registry;
mod rose;
#[cfg(test)]
mod tests;
mod time_pivot;
mod time_series;
mod time_table;
mod values;
mod world_map;

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::Value;

use crate::{
    dataset::Dataset,
    form_data::{FormData, truthy},
    frame::{DateColumn, Frame, finite_or_null, normalize_datetimes, to_numeric_coerce},
    query_object::{Metric, QueryObject, column_label},
    time_range::{TimeRangeError, parse_human_timedelta},
};

pub use query::{LegacyQuery, Settings};
pub use values::{cell_json, records};

/// Label of the time column.
pub(crate) const DTTM_ALIAS: &str = "__timestamp";

/// Why there is no payload.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VizError {
    /// `SupersetException`: status 400, `{"error": …}`.
    #[error("{0}")]
    Invalid(String),
    /// Any other exception of the original: status 500, `{"error": …}`.
    #[error("{0}")]
    Unexpected(String),
}

pub(crate) type Result<T, E = VizError> = std::result::Result<T, E>;

impl VizError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self::Unexpected(message.into())
    }

    /// `KeyError`.
    pub(crate) fn key(name: &str) -> Self {
        Self::Unexpected(format!("'{name}'"))
    }
}

impl From<TimeRangeError> for VizError {
    fn from(error: TimeRangeError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// One visualisation type.
struct Spec {
    name: &'static str,
    is_timeseries: bool,
    /// Changes the common query.
    query: fn(&mut LegacyViz, &mut LegacyQuery) -> Result<()>,
    /// Makes the payload; not called when the query failed.
    data: fn(&LegacyViz, Frame, &[Comparison]) -> Result<Value>,
}

/// A visualisation with its form data (`BaseViz`).
pub struct LegacyViz {
    spec: &'static Spec,
    /// The form data; building the query rewrites it, and the answer shows the result.
    pub form_data: FormData,
    /// Metrics by label, in the order of the controls.
    pub(crate) metrics: Vec<(String, Value)>,
    /// Start of the time filter, once the query is built.
    pub from_dttm: Option<NaiveDateTime>,
    /// End of the time filter, once the query is built.
    pub to_dttm: Option<NaiveDateTime>,
    pub(crate) settings: Settings,
}

/// The result of a time comparison (`time_compare`).
pub struct Comparison {
    /// The offset as chosen, `1 year`.
    pub option: String,
    /// Its length.
    pub delta: TimeDelta,
    /// Rows of the shifted query.
    pub frame: Frame,
}

/// A further query that has to run before the payload is made.
pub struct ComparisonQuery {
    /// The offset as chosen.
    pub option: String,
    /// Its length.
    pub delta: TimeDelta,
    /// The shifted query.
    pub query: QueryObject,
}

/// Whether there is a visualisation of that type.
pub fn is_known(viz_type: &str) -> bool {
    registry::find(viz_type).is_some()
}

impl LegacyViz {
    /// A visualisation of the type that the form data name (`get_viz`); unknown types are a `KeyError`.
    pub fn new(form_data: FormData, settings: Settings) -> Result<Self> {
        let viz_type = match form_data.get("viz_type") {
            None => "table".to_owned(),
            Some(Value::String(name)) => name.clone(),
            Some(other) => return Err(VizError::unexpected(crate::python::repr(other))),
        };
        let spec = registry::find(&viz_type)
            .ok_or_else(|| VizError::unexpected(crate::python::repr_str(&viz_type)))?;
        let form_data = if deck::is_deck(spec.name) { deck::layer_filters(form_data) } else { form_data };
        let metrics = metrics_of(&form_data)?;
        Ok(Self { spec, form_data, metrics, from_dttm: None, to_dttm: None, settings })
    }

    /// Whether the type has a payload without a query of its own (`deck_multi`).
    pub fn has_query(&self) -> bool {
        self.spec.name != "deck_multi"
    }

    /// Labels of the metrics.
    pub fn metric_labels(&self) -> Vec<&str> {
        self.metrics.iter().map(|(label, _)| label.as_str()).collect()
    }

    /// The query; merges the filters in the form data on the way.
    pub fn query(&mut self, dataset: &Dataset) -> Result<LegacyQuery> {
        let spec = self.spec;
        if deck::is_deck(spec.name) {
            deck::add_null_filters(self)?;
        }
        let mut query = query::base(self, dataset, spec.is_timeseries)?;
        (spec.query)(self, &mut query)?;
        Ok(query)
    }

    /// Queries for time comparisons; they run before the main one.
    pub fn comparison_queries(&mut self, dataset: &Dataset) -> Result<Vec<ComparisonQuery>> {
        if !registry::is_time_series(self.spec) {
            return Ok(Vec::new());
        }
        time_series::comparison_queries(self, dataset)
    }

    /// Times, numbers and infinities made uniform (`BaseViz.get_df`).
    pub fn normalize(&self, frame: &mut Frame, dataset: &Dataset, query: &QueryObject) -> Result<()> {
        if frame.is_empty() {
            return Ok(());
        }
        let format = query
            .granularity
            .as_deref()
            .and_then(|name| dataset.column(name))
            .and_then(|c| c.python_date_format.clone());
        let shift = match crate::form_data::string_field(&self.form_data, "time_shift") {
            Some(text) => parse_human_timedelta(text, None, self.settings.now)?,
            None => TimeDelta::zero(),
        };
        let column = DateColumn {
            label: DTTM_ALIAS.to_owned(),
            format: format.filter(|f| !f.is_empty()),
            offset_hours: i64::from(dataset.offset),
            shift_micros: shift.num_microseconds().unwrap_or(0),
        };
        normalize_datetimes(frame, &[column]);
        let labels = self.metric_labels();
        for column in &mut frame.columns {
            let is_metric = column.label.text().is_some_and(|label| labels.contains(&label));
            if is_metric && crate::frame::dtype(&column.data) == crate::frame::Dtype::Object {
                column.data = to_numeric_coerce(&column.data);
            }
        }
        finite_or_null(frame);
        Ok(())
    }

    /// The `data` member of the answer.
    pub fn data(&self, frame: Frame, comparisons: &[Comparison]) -> Result<Value> {
        (self.spec.data)(self, frame, comparisons)
    }

    /// The labels of the rows after [`Self::data`]: some classes of the original write into the frame, and the answer
    /// names its columns afterwards. Their types are told from before.
    pub fn labels_after(&self, labels: Vec<Value>) -> Vec<Value> {
        let mut labels = labels;
        let mut add = |label: &str| {
            if !labels.iter().any(|known| known == label) {
                labels.push(label.into());
            }
        };
        match self.spec.name {
            "bubble" => ["x", "y", "size", "shape", "group"].into_iter().for_each(add),
            "bullet" => add("metric"),
            "chord" => return ["source", "target", "value"].map(Value::from).to_vec(),
            name if deck::is_deck(name) => return deck::labels_after(self, labels),
            _ => {}
        }
        labels
    }

    /// A member of the form data, null if absent.
    pub(crate) fn get(&self, key: &str) -> Value {
        self.form_data.get(key).cloned().unwrap_or(Value::Null)
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        truthy(self.form_data.get(key))
    }

    /// `form_data[key]`.
    pub(crate) fn required(&self, key: &str) -> Result<Value> {
        self.form_data.get(key).cloned().ok_or_else(|| VizError::key(key))
    }

    /// Labels of the `groupby` control.
    pub(crate) fn group_labels(&self) -> Result<Vec<String>> {
        match self.form_data.get("groupby") {
            Some(Value::Array(columns)) => columns.iter().map(label_of_column).collect(),
            _ => Ok(Vec::new()),
        }
    }
}

/// `get_metric_name`.
pub(crate) fn label_of_metric(metric: &Value) -> Result<String> {
    Metric::from_json(metric.clone()).and_then(|m| m.label(None)).ok_or_else(|| {
        VizError::unexpected(format!("Invalid metric object: {}", crate::python::repr(metric)))
    })
}

/// `get_column_name`.
pub(crate) fn label_of_column(column: &Value) -> Result<String> {
    match column {
        Value::String(name) if !name.is_empty() => Ok(name.clone()),
        other => {
            column_label(other).filter(|l| !l.is_empty()).ok_or_else(|| VizError::unexpected("Missing label"))
        }
    }
}

/// `BaseViz.process_metrics`.
fn metrics_of(form_data: &FormData) -> Result<Vec<(String, Value)>> {
    let mut metrics: Vec<(String, Value)> = Vec::new();
    for key in ["metric", "metrics", "percent_metrics", "metric_2", "secondary_metric", "x", "y", "size"] {
        let Some(value) = form_data.get(key).filter(|v| truthy(Some(v))) else { continue };
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for metric in list {
            let label = label_of_metric(&metric)?;
            match metrics.iter_mut().find(|(known, _)| *known == label) {
                Some((_, known)) => *known = metric,
                None => metrics.push((label, metric)),
            }
        }
    }
    Ok(metrics)
}
