//! Whether a query asks for no more than is shown.

use query::query_object::{Column, DTTM_ALIAS, Metric, QueryObject, is_adhoc_column};
use serde_json::Value;

use super::{
    Exposed,
    controls::{Control, control},
    exposed::{layer, list},
    meaning::{ColumnMeaning, MetricMeaning},
};

impl Exposed {
    /// The query, as it will be executed, stays within what is shown.
    pub(super) fn allows(&self, query: &QueryObject) -> bool {
        let columns = query.columns.iter().chain(&query.groupby).chain(&query.series_columns);
        let metrics = query.metrics.iter().flatten();
        self.result_types.contains(&query.result_type)
            && columns.into_iter().all(|column| self.allows_column(column))
            && metrics.into_iter().all(|metric| self.allows_metric(metric))
            && query.series_limit_metric.as_ref().is_none_or(|metric| self.allows_metric_json(metric))
            && query.orderby.iter().all(|(item, _)| self.allows_order(item, query))
            && query.granularity.as_deref().is_none_or(|name| self.allows_time_column(name, query))
            && query.filter.iter().all(|filter| self.allows_filter(&filter.col))
            && self.where_.allow(query.extras.where_.as_deref(), &self.dataset)
            && self.having.allow(query.extras.having.as_deref(), &self.dataset)
            && query.annotation_layers.iter().all(|asked| self.annotations.contains(&layer(asked)))
    }

    /// The controls that come with a request stay within what is shown (the original compares these four).
    pub(super) fn allows_controls(&self, form_data: &Value) -> bool {
        let each = |key: &str, allowed: &dyn Fn(&Value) -> bool| match form_data.get(key) {
            Some(Value::Array(items)) => items.iter().all(allowed),
            None | Some(Value::Null) => true,
            Some(one) => control(key) == Control::Order || allowed(one),
        };
        let column = |value: &Value| {
            Column::from_json(value.clone()).is_some_and(|column| self.allows_column(&column))
        };
        let order = |value: &Value| match value {
            Value::Array(pair) => {
                pair.first().is_none_or(|item| self.allows_order(item, &QueryObject::new()))
            }
            item => self.allows_order(item, &QueryObject::new()),
        };
        each("columns", &column)
            && each("groupby", &column)
            && each("metrics", &|metric| self.allows_metric_json(metric))
            && each("orderby", &order)
    }

    fn allows_column(&self, column: &Column) -> bool {
        if column.name() == Some(DTTM_ALIAS) {
            return true;
        }
        match ColumnMeaning::resolve(column, &self.dataset) {
            Some(ColumnMeaning::Name(name)) if self.any_time_column && self.is_temporal(&name) => true,
            meaning => meaning.is_some_and(|meaning| self.columns.contains(&meaning)),
        }
    }

    fn allows_metric(&self, metric: &Metric) -> bool {
        MetricMeaning::resolve(metric, &self.dataset).is_some_and(|meaning| self.metrics.contains(&meaning))
    }

    fn allows_metric_json(&self, metric: &Value) -> bool {
        Metric::from_json(metric.clone()).is_some_and(|metric| self.allows_metric(&metric))
    }

    /// By a metric or column that is shown, or by the label of a selected metric. What is neither metric nor column of
    /// the dataset is an error of the query.
    fn allows_order(&self, item: &Value, query: &QueryObject) -> bool {
        let column = Column::from_json(item.clone());
        let is_shown = column.is_some_and(|column| {
            let meaning = ColumnMeaning::resolve(&column, &self.dataset);
            self.allows_column(&column) || meaning.is_some_and(|meaning| self.order.contains(&meaning))
        });
        if is_shown || self.allows_metric_json(item) {
            return true;
        }
        let Some(name) = item.as_str() else { return false };
        let is_label = query.metrics.iter().flatten().any(|m| m.label(None).as_deref() == Some(name));
        is_label || self.dataset.metric(name).is_none() && self.dataset.column(name).is_none()
    }

    /// As the time of a time series its values are shown; else rows are counted by it and no more. A chart that shows a
    /// time column shows no other one; one that names none stands for the main one.
    fn allows_time_column(&self, name: &str, query: &QueryObject) -> bool {
        let column = ColumnMeaning::Name(name.to_owned());
        let is_series = query.is_timeseries || query.columns.iter().any(|c| c.name() == Some(DTTM_ALIAS));
        if is_series && self.shows_time() && !self.any_time_column {
            return self.is_temporal(name) && self.columns.contains(&column);
        }
        // what is no time column stands for the main one
        !self.is_temporal(name)
            || self.any_time_column
            || self.dataset.main_dttm_col.as_deref() == Some(name)
            || self.columns.contains(&column)
            || self.filters.contains(&column)
    }

    fn shows_time(&self) -> bool {
        self.columns.iter().any(|column| match column {
            ColumnMeaning::Name(name) => self.is_temporal(name),
            _ => false,
        })
    }

    fn is_temporal(&self, name: &str) -> bool {
        self.dataset.is_dttm_col(name)
    }

    /// By what is shown or filtered on the dashboard, and by time. Names that the dataset does not have filter nothing.
    fn allows_filter(&self, col: &Value) -> bool {
        match col {
            Value::Null => true,
            Value::String(name) if self.dataset.column(name).is_none() => true,
            Value::String(name) if self.is_temporal(name) => true,
            Value::String(_) => self.knows(col),
            Value::Object(_) => is_adhoc_column(col) && self.knows(col),
            _ => false,
        }
    }

    fn knows(&self, col: &Value) -> bool {
        ColumnMeaning::of_json(col, &self.dataset)
            .is_some_and(|meaning| self.columns.contains(&meaning) || self.filters.contains(&meaning))
    }

    /// A column of that name is shown or filtered by.
    pub(super) fn has_values_of(&self, name: &str) -> bool {
        self.knows(&Value::String(name.to_owned()))
    }

    /// The filters of rows behind a number: all columns are shown there, so that only SQL is to be known.
    pub(super) fn allows_detail_of(&self, payload: &serde_json::Map<String, Value>) -> bool {
        let clause =
            |key: &str| payload.get("extras").and_then(|extras| extras.get(key)).and_then(Value::as_str);
        list(payload.get("filters")).all(|filter| match filter.get("col") {
            Some(col @ Value::Object(_)) => self.knows(col),
            _ => true,
        }) && self.where_.allow(clause("where"), &self.dataset)
            && self.having.allow(clause("having"), &self.dataset)
    }
}
