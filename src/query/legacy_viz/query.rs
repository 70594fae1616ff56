//! The query that all visualisations start from (`BaseViz.query_obj`).

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::Value;

use super::{DTTM_ALIAS, LegacyViz, Result, VizError, label_of_column};
use crate::{
    clause::sanitize_clause,
    dataset::Dataset,
    form_data::{
        FormData, convert_legacy_filters_into_adhoc, int_or, merge_extra_filters, split_adhoc_filters,
        string_field, truthy,
    },
    query_object::{Column, Extras, Filter, Metric, QueryObject},
    time_range::{SinceUntil, get_since_until, parse_past_timedelta},
};

/// What the configuration and the clock add.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's clock.
    pub now: NaiveDateTime,
    /// `ROW_LIMIT`.
    pub row_limit: i64,
    /// `SQL_MAX_ROW`.
    pub sql_max_row: i64,
    /// `DEFAULT_RELATIVE_START_TIME`.
    pub relative_start: String,
    /// `DEFAULT_RELATIVE_END_TIME`.
    pub relative_end: String,
    /// `MAPBOX_API_KEY`.
    pub mapbox_api_key: String,
}

/// The query object while the visualisation works on it: the dictionary of the original.
#[derive(Debug, Clone)]
pub struct LegacyQuery {
    pub(super) granularity: Option<String>,
    pub(super) from_dttm: Option<NaiveDateTime>,
    pub(super) to_dttm: Option<NaiveDateTime>,
    pub(super) inner_from_dttm: Option<NaiveDateTime>,
    pub(super) inner_to_dttm: Option<NaiveDateTime>,
    pub(super) is_timeseries: bool,
    pub(super) groupby: Vec<Value>,
    pub(super) columns: Option<Vec<Value>>,
    pub(super) metrics: Option<Vec<Value>>,
    pub(super) row_limit: Option<i64>,
    pub(super) filter: Vec<Value>,
    pub(super) timeseries_limit: i64,
    pub(super) extras: Extras,
    pub(super) timeseries_limit_metric: Value,
    pub(super) order_desc: bool,
    pub(super) orderby: Vec<(Value, bool)>,
}

/// `get_since_until` over the range in the form data.
pub(super) fn bounds(
    form_data: &FormData,
    settings: &Settings,
) -> Result<(Option<NaiveDateTime>, Option<NaiveDateTime>)> {
    let spec = SinceUntil {
        since: string_field(form_data, "since"),
        until: string_field(form_data, "until"),
        relative_start: Some(&settings.relative_start),
        relative_end: Some(&settings.relative_end),
        ..SinceUntil::new(string_field(form_data, "time_range"), settings.now)
    };
    Ok(get_since_until(&spec)?)
}

/// `time_shift` of the form data, as a distance into the past.
pub(super) fn time_shift(form_data: &FormData, now: NaiveDateTime) -> Result<TimeDelta> {
    Ok(parse_past_timedelta(string_field(form_data, "time_shift").unwrap_or(""), None, now)?)
}

/// Merges the filters and makes the query common to all.
pub(super) fn base(viz: &mut LegacyViz, dataset: &Dataset, is_timeseries: bool) -> Result<LegacyQuery> {
    let form_data = &mut viz.form_data;
    let sanitize = |sql: &str| {
        sanitize_clause(sql, dataset.engine).map_err(|error| VizError::invalid(error.to_string()))
    };
    convert_legacy_filters_into_adhoc(form_data);
    merge_extra_filters(form_data);
    split_adhoc_filters(form_data, sanitize)?;

    let mut is_timeseries = is_timeseries;
    let mut groupby = deduplicated(&[form_data.get("groupby"), form_data.get("columns")])?;
    let timestamp = groupby.iter().position(|c| c.as_str() == Some(DTTM_ALIAS));
    if let Some(at) = timestamp {
        groupby.remove(at);
        is_timeseries = true;
    }
    let int = |key, default| {
        int_or(form_data, key, default).ok_or_else(|| {
            VizError::unexpected(format!(
                "invalid literal for int() with base 10: {}",
                crate::python::repr(form_data.get(key).unwrap_or(&Value::Null))
            ))
        })
    };
    let limit = int("limit", 0)?;
    let row_limit = match (int("row_limit", viz.settings.row_limit)?, viz.settings.sql_max_row) {
        (limit, 0) => limit,
        (0, max) => max,
        (limit, max) => limit.min(max),
    };
    let (since, until) = bounds(form_data, &viz.settings)?;
    let shift = time_shift(form_data, viz.settings.now)?;
    let shifted = |t: Option<NaiveDateTime>| {
        t.map(|t| t.checked_sub_signed(shift).ok_or_else(|| VizError::unexpected("date value out of range")))
            .transpose()
    };
    let (from_dttm, to_dttm) = (shifted(since)?, shifted(until)?);
    for key in ["where", "having"] {
        if let Some(clause) = string_field(form_data, key) {
            let clause = sanitize_clause(clause, dataset.engine)
                .map_err(|error| VizError::invalid(error.to_string()))?;
            form_data.insert(key.into(), clause.into());
        }
    }
    (viz.from_dttm, viz.to_dttm) = (from_dttm, to_dttm);
    let form_data = &viz.form_data;
    Ok(LegacyQuery {
        // anything that is not a temporal column stands for the dataset's main one
        granularity: match form_data.get("granularity_sqla") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => Some(other.to_string()),
        },
        from_dttm,
        to_dttm,
        inner_from_dttm: None,
        inner_to_dttm: None,
        is_timeseries,
        groupby,
        columns: None,
        metrics: Some(viz.metrics.iter().map(|(_, metric)| metric.clone()).collect()),
        row_limit: Some(row_limit),
        filter: form_data.get("filters").and_then(Value::as_array).cloned().unwrap_or_default(),
        timeseries_limit: limit,
        extras: Extras {
            where_: string_field(form_data, "where").map(str::to_owned),
            having: string_field(form_data, "having").map(str::to_owned),
            time_grain_sqla: string_field(form_data, "time_grain_sqla").map(str::to_owned),
            ..Extras::default()
        },
        timeseries_limit_metric: form_data.get("timeseries_limit_metric").cloned().unwrap_or(Value::Null),
        order_desc: form_data.get("order_desc").is_none_or(|v| truthy(Some(v))),
        orderby: Vec::new(),
    })
}

/// Columns of several controls, each label once (`dedup_columns`).
pub(super) fn deduplicated(controls: &[Option<&Value>]) -> Result<Vec<Value>> {
    // The original forgets to remember the labels, so that it never drops a column; a column twice in GROUP BY does no
    // harm, but twice in SELECT is dropped further on.
    let mut columns = Vec::new();
    for control in controls {
        match control {
            Some(Value::Array(list)) => {
                for column in list {
                    label_of_column(column)?;
                    columns.push(column.clone());
                }
            }
            // Python iterates over the characters of a text.
            Some(Value::String(name)) => columns.extend(name.chars().map(|c| Value::String(c.to_string()))),
            _ => {}
        }
    }
    Ok(columns)
}

impl LegacyQuery {
    /// Adds the metric to order by if it is not selected yet (several classes share this).
    pub(super) fn select_metric(&mut self, metric: &Value) -> Result<()> {
        let label = super::label_of_metric(metric)?;
        let metrics = self.metrics.get_or_insert_default();
        for known in metrics.iter() {
            if super::label_of_metric(known)? == label {
                return Ok(());
            }
        }
        metrics.push(metric.clone());
        Ok(())
    }

    /// The query object that the SQL builder takes.
    pub fn into_query_object(self) -> QueryObject {
        let series = self.is_timeseries && self.timeseries_limit != 0;
        QueryObject {
            granularity: self.granularity,
            from_dttm: self.from_dttm,
            to_dttm: self.to_dttm,
            inner_from_dttm: self.inner_from_dttm,
            inner_to_dttm: self.inner_to_dttm,
            is_timeseries: self.is_timeseries,
            groupby: self.groupby.into_iter().filter_map(Column::from_json).collect(),
            columns: self.columns.into_iter().flatten().filter_map(Column::from_json).collect(),
            metrics: self.metrics.map(|list| list.into_iter().filter_map(Metric::from_json).collect()),
            row_limit: self.row_limit,
            filter: self.filter.iter().filter_map(Filter::from_json).collect(),
            series_limit: if series { self.timeseries_limit } else { 0 },
            series_limit_metric: Some(self.timeseries_limit_metric).filter(|m| truthy(Some(m))),
            extras: self.extras,
            order_desc: self.order_desc,
            orderby: self.orderby,
            ..QueryObject::new()
        }
    }
}
