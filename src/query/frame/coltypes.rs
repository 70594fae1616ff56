//! Generic column types of an answer (`superset.utils.core:extract_dataframe_dtypes`).

use infra::{
    compute::check,
    engines::column::{ColumnData, Scalar},
};
use regex::Regex;
use std::sync::LazyLock;

use super::{Frame, FrameError, LabelPositions, Result, is_na};

/// `superset.utils.core:GenericDataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum GenericType {
    /// Numbers.
    Numeric = 0,
    /// Text and everything unknown.
    String = 1,
    /// Dates and timestamps.
    Temporal = 2,
    /// Booleans.
    Boolean = 3,
}

/// What the dataset knows about a label.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnHint {
    /// The dataset column of this name is temporal.
    pub is_temporal: bool,
    /// A dataset column of this name exists; its SQL type (empty when unknown).
    pub sql_type: Option<String>,
    /// Expression of the saved metric of this name.
    pub metric_expression: Option<String>,
}

/// The generic type of every column; `hint` tells what the dataset says about a label.
pub fn coltypes(frame: &Frame, hint: impl Fn(&str) -> ColumnHint) -> Result<Vec<GenericType>> {
    let mut places = LabelPositions::default();
    for c in &frame.columns {
        if places.find_or_add(&c.label).is_some() {
            // `df[label]` is then a frame of its own, and Superset asks it for its truth.
            return Err(FrameError::unexpected(
                "The truth value of a Series is ambiguous. Use a.empty, a.bool(), a.item(), a.any() or a.all().",
            ));
        }
    }
    frame
        .columns
        .iter()
        .map(|c| {
            check()?;
            let hint = c.label.text().map(&hint).unwrap_or_default();
            Ok(type_of_column(&c.data, &hint))
        })
        .collect()
}

/// The generic type of one column.
pub fn type_of_column(data: &ColumnData, hint: &ColumnHint) -> GenericType {
    if hint.is_temporal {
        return GenericType::Temporal;
    }
    let all_null = match data {
        ColumnData::Null(_) => true,
        ColumnData::Float(v) => v.iter().all(|x| x.is_none_or(f64::is_nan)),
        other => (0..other.len()).all(|i| is_na(&other.get(i))),
    };
    let inferred = if all_null { type_of_nulls(hint) } else { infer_dtype(data) };
    match inferred {
        "floating" | "integer" | "mixed-integer-float" | "decimal" => GenericType::Numeric,
        "boolean" => GenericType::Boolean,
        "datetime64" | "datetime" | "date" => GenericType::Temporal,
        _ => GenericType::String,
    }
}

/// `superset.utils.core:map_sql_type_to_inferred_type`, `get_metric_type_from_column`.
fn type_of_nulls(hint: &ColumnHint) -> &'static str {
    static METRIC: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(SUM|AVG|COUNT|COUNT_DISTINCT|MIN|MAX|FIRST|LAST)\((.*)\)").ok());
    if let Some(sql_type) = &hint.sql_type {
        let t = sql_type.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|w| t.contains(w));
        return if has(&["INT"]) {
            "integer"
        } else if has(&["CHAR", "TEXT"]) {
            "string"
        } else if has(&["DECIMAL", "NUMERIC", "FLOAT", "DOUBLE"]) {
            "floating"
        } else if has(&["BOOL"]) {
            "boolean"
        } else if has(&["DATE", "TIME"]) {
            "datetime64"
        } else {
            "string"
        };
    }
    let aggregate = hint
        .metric_expression
        .as_deref()
        .and_then(|e| METRIC.as_ref().and_then(|re| re.captures(e)))
        .and_then(|c| c.get(1).map(|m| m.as_str().to_owned()));
    match aggregate.as_deref() {
        Some("SUM" | "AVG" | "COUNT" | "COUNT_DISTINCT") => "floating",
        Some("MIN" | "MAX") => "numeric",
        Some(_) => "string",
        None => "",
    }
}

/// `pandas.api.types.infer_dtype`, without the distinctions that nobody asks for.
pub fn infer_dtype(data: &ColumnData) -> &'static str {
    match data {
        ColumnData::Null(_) => "empty",
        ColumnData::Bool(_) => "boolean",
        ColumnData::Int(_) => "integer",
        ColumnData::Float(_) => "floating",
        ColumnData::Decimal(_) => "decimal",
        ColumnData::Text(_) => "string",
        ColumnData::Date(_) => "date",
        ColumnData::Timestamp(_) => "datetime64",
        ColumnData::Object(v) => infer_objects(v),
    }
}

fn infer_objects(values: &[Scalar]) -> &'static str {
    let present: Vec<&Scalar> = values.iter().filter(|v| !is_na(v)).collect();
    let all = |f: fn(&Scalar) -> bool| present.iter().all(|v| f(v));
    match present.first() {
        None => "empty",
        Some(Scalar::Int(_) | Scalar::Float(_)) => {
            if all(|v| matches!(v, Scalar::Int(_))) {
                "integer"
            } else if all(|v| matches!(v, Scalar::Float(_))) {
                "floating"
            } else if all(|v| matches!(v, Scalar::Int(_) | Scalar::Float(_))) {
                "mixed-integer-float"
            } else {
                "mixed"
            }
        }
        Some(Scalar::Bool(_)) if all(|v| matches!(v, Scalar::Bool(_))) => "boolean",
        Some(Scalar::Decimal(_)) if all(|v| matches!(v, Scalar::Decimal(_))) => "decimal",
        Some(Scalar::Text(_)) if all(|v| matches!(v, Scalar::Text(_))) => "string",
        Some(Scalar::Date(_)) if all(|v| matches!(v, Scalar::Date(_))) => "date",
        Some(Scalar::Timestamp(_)) if all(|v| matches!(v, Scalar::Timestamp(_))) => "datetime64",
        Some(Scalar::TimestampTz(..)) if all(|v| matches!(v, Scalar::TimestampTz(..))) => "datetime64",
        _ => "mixed",
    }
}
