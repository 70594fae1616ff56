//! What a column or a metric of a request means, whatever it is called there.

use infra::sql::spelling;
use query::{
    dataset::Dataset,
    query_object::{Column, Metric},
};
use serde_json::Value;

/// What a column reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ColumnMeaning {
    /// A column of the dataset.
    Name(String),
    /// An expression, as [`spelling`] has it.
    Sql(Vec<String>),
}

/// What a metric computes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum MetricMeaning {
    /// A metric of the dataset.
    Saved(String),
    /// An aggregate of a column.
    Aggregate(String, String),
    /// An expression, as [`spelling`] has it.
    Sql(Vec<String>),
}

impl ColumnMeaning {
    /// As the SQL builder reads it (`adhoc_column_to_sqla`): an expression that is the name of a column is that column.
    pub(super) fn resolve(column: &Column, dataset: &Dataset) -> Option<Self> {
        let text = match column {
            Column::Name(name) => name,
            Column::Adhoc(_) => column.sql_expression()?,
        };
        if dataset.column(text).is_some() || column.is_column_reference() {
            return Some(Self::Name(text.to_owned()));
        }
        Some(Self::Sql(spelling(text, &dataset.engine.engine)))
    }

    pub(super) fn of_json(value: &Value, dataset: &Dataset) -> Option<Self> {
        Self::resolve(&Column::from_json(value.clone())?, dataset)
    }
}

impl MetricMeaning {
    /// As the SQL builder reads it; nothing for what it refuses.
    pub(super) fn resolve(metric: &Metric, dataset: &Dataset) -> Option<Self> {
        let Metric::Adhoc(map) = metric else { return metric.name().map(|n| Self::Saved(n.to_owned())) };
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        match text("expressionType")? {
            "SIMPLE" => {
                let column = metric.simple_column()?.as_str()?;
                Some(Self::Aggregate(text("aggregate")?.to_owned(), column.to_owned()))
            }
            "SQL" => Some(Self::Sql(spelling(text("sqlExpression")?, &dataset.engine.engine))),
            _ => None,
        }
    }

    pub(super) fn of_json(value: &Value, dataset: &Dataset) -> Option<Self> {
        Self::resolve(&Metric::from_json(value.clone())?, dataset)
    }
}
