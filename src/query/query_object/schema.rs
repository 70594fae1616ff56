//! The request body of chart data (`superset.charts.schemas:ChartDataQueryContextSchema`).

use serde_json::{Map, Value};

use super::{
    DatasourceType, ResultFormat, ResultType,
    fields::{Check, Field, Kind, Messages, Schema},
};
use crate::error::{QueryError, Result};

static DATASOURCE: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("id", Kind::Int).required(),
        Field::new("type", Kind::Str).check(Check::OneOf(&[
            "table",
            "dataset",
            "query",
            "saved_query",
            "view",
        ])),
    ],
};

static FILTER: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("col", Kind::Raw).required(),
        Field::new("op", Kind::Str).required().check(Check::OneOfAnyCase(&[
            "==",
            "!=",
            ">",
            "<",
            ">=",
            "<=",
            "LIKE",
            "NOT LIKE",
            "ILIKE",
            "IS NULL",
            "IS NOT NULL",
            "IN",
            "NOT IN",
            "IS TRUE",
            "IS FALSE",
            "TEMPORAL_RANGE",
        ])),
        Field::new("val", Kind::Raw).nullable(),
        Field::new("grain", Kind::Str),
        Field::new("isExtra", Kind::Bool),
    ],
};

static EXTRAS: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("relative_start", Kind::Str).check(Check::OneOf(&["today", "now"])),
        Field::new("relative_end", Kind::Str).check(Check::OneOf(&["today", "now"])),
        Field::new("where", Kind::Str),
        Field::new("having", Kind::Str),
        Field::new("time_grain_sqla", Kind::Str).nullable().check(Check::Grain),
        Field::new("instant_time_comparison_range", Kind::Str).nullable(),
    ],
};

static ANNOTATION_LAYER: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("annotationType", Kind::Str).check(Check::OneOf(&[
            "FORMULA",
            "INTERVAL",
            "EVENT",
            "TIME_SERIES",
        ])),
        Field::new("color", Kind::Str).nullable(),
        Field::new("descriptionColumns", Kind::List(&Field::new("", Kind::Str))),
        Field::new("hideLine", Kind::Bool).nullable(),
        Field::new("intervalEndColumn", Kind::Str).nullable(),
        Field::new("name", Kind::Str).required(),
        Field::new("opacity", Kind::Str).nullable().check(Check::OneOf(&[
            "",
            "opacityLow",
            "opacityMedium",
            "opacityHigh",
        ])),
        Field::new(
            "overrides",
            Kind::DictOf(&["granularity", "time_grain_sqla", "time_range", "time_shift"]),
        )
        .nullable(),
        Field::new("show", Kind::Bool).required(),
        Field::new("showLabel", Kind::Bool).nullable(),
        Field::new("showMarkers", Kind::Bool).required(),
        Field::new("sourceType", Kind::Str).check(Check::OneOf(&["", "line", "NATIVE", "table"])),
        Field::new("style", Kind::Str).check(Check::OneOf(&["dashed", "dotted", "solid", "longDashed"])),
        Field::new("timeColumn", Kind::Str).nullable(),
        Field::new("titleColumn", Kind::Str).nullable(),
        Field::new("width", Kind::Float).check(Check::AtLeastZero("`width` must be greater or equal to 0")),
        Field::new("value", Kind::Raw).required(),
    ],
};

static POST_PROCESSING: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("operation", Kind::Str).required().check(Check::OneOf(&[
            "aggregate",
            "boxplot",
            "compare",
            "contribution",
            "cum",
            "diff",
            "escape_separator",
            "flatten",
            "geodetic_parse",
            "geohash_decode",
            "geohash_encode",
            "histogram",
            "pivot",
            "prophet",
            "rank",
            "rename",
            "resample",
            "rolling",
            "select",
            "sort",
            "unescape_separator",
        ])),
        Field::new("options", Kind::Dict),
    ],
};

const RESULT_TYPES: Kind = Kind::Enum(&[
    "columns",
    "full",
    "query",
    "results",
    "samples",
    "timegrains",
    "post_processed",
    "drill_detail",
]);

static QUERY_OBJECT: Schema = Schema {
    refuse_unknown: false,
    fields: &[
        Field::new("datasource", Kind::Nested(&DATASOURCE)).nullable(),
        Field::new("result_type", RESULT_TYPES).nullable(),
        Field::new("annotation_layers", Kind::List(&Field::new("", Kind::Nested(&ANNOTATION_LAYER))))
            .nullable(),
        Field::new("applied_time_extras", Kind::Dict).nullable(),
        Field::new("apply_fetch_values_predicate", Kind::Bool).nullable(),
        Field::new("filters", Kind::List(&Field::new("", Kind::Nested(&FILTER)))).nullable(),
        Field::new("granularity", Kind::Str).nullable(),
        Field::new("granularity_sqla", Kind::Str).nullable(),
        Field::new("groupby", Kind::List(&Field::new("", Kind::Raw))).nullable(),
        Field::new("metrics", Kind::List(&Field::new("", Kind::Raw))).nullable(),
        Field::new("post_processing", Kind::List(&Field::new("", Kind::Nested(&POST_PROCESSING)).nullable()))
            .nullable(),
        Field::new("time_range", Kind::Str).nullable(),
        Field::new("time_shift", Kind::Str).nullable(),
        Field::new("is_timeseries", Kind::Bool).nullable(),
        Field::new("series_columns", Kind::List(&Field::new("", Kind::Raw))).nullable(),
        Field::new("series_limit", Kind::Int).nullable(),
        Field::new("series_limit_metric", Kind::Raw).nullable(),
        Field::new("group_others_when_limit_reached", Kind::Bool).nullable(),
        Field::new("timeseries_limit", Kind::Int).nullable(),
        Field::new("timeseries_limit_metric", Kind::Raw).nullable(),
        Field::new("row_limit", Kind::Int)
            .nullable()
            .check(Check::AtLeastZero("`row_limit` must be greater than or equal to 0")),
        Field::new("row_offset", Kind::Int)
            .nullable()
            .check(Check::AtLeastZero("`row_offset` must be greater than or equal to 0")),
        Field::new("order_desc", Kind::Bool).nullable(),
        Field::new("extras", Kind::Nested(&EXTRAS)).nullable(),
        Field::new("columns", Kind::List(&Field::new("", Kind::Raw))).nullable(),
        Field::new("orderby", Kind::List(&Field::new("", Kind::OrderBy))).nullable(),
        Field::new("where", Kind::Str).nullable(),
        Field::new("having", Kind::Str).nullable(),
        Field::new("url_params", Kind::StrDict).nullable(),
        Field::new("is_rowcount", Kind::Bool).nullable(),
        Field::new("time_offsets", Kind::List(&Field::new("", Kind::Str))).nullable(),
    ],
};

static QUERY_CONTEXT: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("datasource", Kind::Nested(&DATASOURCE)),
        Field::new("queries", Kind::List(&Field::new("", Kind::Nested(&QUERY_OBJECT)))),
        Field::new("custom_cache_timeout", Kind::Int).nullable(),
        Field::new("force", Kind::Bool).nullable(),
        Field::new("result_type", RESULT_TYPES),
        Field::new("result_format", Kind::Enum(&["csv", "json", "xlsx"])),
        Field::new("form_data", Kind::Raw).nullable(),
    ],
};

/// The dataset that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasourceRef {
    /// Its id.
    pub id: i64,
    /// Its kind.
    pub type_: DatasourceType,
}

/// A request body whose form has been checked; [`super::assemble`] gives it meaning.
#[derive(Debug, Clone)]
pub struct RequestBody {
    /// The dataset.
    pub datasource: DatasourceRef,
    /// Query objects, converted by the schema.
    pub queries: Vec<Map<String, Value>>,
    /// What the answer should hold.
    pub result_type: ResultType,
    /// The encoding of the answer.
    pub result_format: ResultFormat,
    /// Do not read the cache.
    pub force: bool,
    /// Seconds to cache.
    pub custom_cache_timeout: Option<i64>,
    /// The chart's form data.
    pub form_data: Option<Value>,
}

fn incorrect(messages: &Messages) -> QueryError {
    QueryError::validation(format!("Request is incorrect: {}", messages.repr()))
}

/// `superset.views.datasource.schemas:SamplesPayloadSchema`.
static SAMPLES: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("filters", Kind::List(&Field::new("", Kind::Nested(&FILTER)))),
        Field::new("granularity", Kind::Str).nullable(),
        Field::new("time_range", Kind::Str).nullable(),
        Field::new("extras", Kind::Nested(&EXTRAS)).nullable(),
    ],
};

/// Checks the form of what narrows samples down; null is nothing.
pub fn load_samples(body: &Value) -> Result<Map<String, Value>> {
    if body.is_null() {
        return Ok(Map::new());
    }
    SAMPLES.load(body).map_err(|messages| incorrect(&messages))
}

/// `superset.views.datasource.schemas:ExternalMetadataSchema`.
static EXTERNAL_METADATA: Schema = Schema {
    refuse_unknown: true,
    fields: &[
        Field::new("datasource_type", Kind::Str).required(),
        Field::new("database_name", Kind::Str).required(),
        Field::new("catalog_name", Kind::Str).nullable(),
        Field::new("schema_name", Kind::Str).nullable(),
        Field::new("table_name", Kind::Str).required(),
        Field::new("normalize_columns", Kind::Bool).nullable(),
        Field::new("always_filter_main_dttm", Kind::Bool).nullable(),
    ],
};

/// Checks the names of a table whose columns are asked for; the error is the text of marshmallow's messages.
pub fn load_external_metadata(question: &Value) -> std::result::Result<Map<String, Value>, String> {
    EXTERNAL_METADATA.load(question).map_err(|messages| messages.repr())
}

/// Checks the form of a chart data request.
pub fn load(body: &Value) -> Result<RequestBody> {
    let map = QUERY_CONTEXT.load(body).map_err(|messages| incorrect(&messages))?;
    let missing = |name: &str| {
        // The original runs into a TypeError here and answers 500 with its text.
        QueryError::generic(format!(
            "QueryContextFactory.create() missing 1 required keyword-only argument: '{name}'"
        ))
    };
    let datasource = map.get("datasource").ok_or_else(|| missing("datasource"))?;
    let datasource = DatasourceRef {
        id: datasource.get("id").and_then(Value::as_i64).ok_or_else(|| QueryError::generic("'id'"))?,
        type_: datasource
            .get("type")
            .and_then(Value::as_str)
            .and_then(DatasourceType::named)
            .ok_or_else(|| QueryError::generic("'type'"))?,
    };
    let queries = match map.get("queries") {
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_object().cloned()).collect(),
        _ => return Err(missing("queries")),
    };
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    Ok(RequestBody {
        datasource,
        queries,
        result_type: text("result_type").and_then(ResultType::named).unwrap_or_default(),
        result_format: text("result_format").and_then(ResultFormat::named).unwrap_or_default(),
        force: map.get("force").and_then(Value::as_bool).unwrap_or(false),
        custom_cache_timeout: map.get("custom_cache_timeout").and_then(Value::as_i64),
        form_data: map.get("form_data").filter(|value| !value.is_null()).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(query: Value) -> String {
        load(&json!({"datasource": {"id": 7, "type": "table"}, "queries": [query]})).unwrap_err().to_string()
    }

    #[test]
    fn accepts_what_explore_sends() {
        let body = json!({
            "datasource": {"id": "7", "type": "table"},
            "force": null,
            "queries": [{"columns": ["town"], "metrics": [], "orderby": [["town", "true"]], "custom_params": {}}],
            "result_type": "results",
            "result_format": "csv",
        });
        let loaded = load(&body).unwrap();
        assert_eq!(loaded.datasource, DatasourceRef { id: 7, type_: DatasourceType::Table });
        assert_eq!(loaded.result_type, ResultType::Results);
        assert_eq!(loaded.queries[0].get("orderby"), Some(&json!([["town", true]])));
        assert_eq!(loaded.queries[0].get("custom_params"), None);
    }

    #[test]
    fn refuses_with_the_messages_of_marshmallow() {
        let all = "Must be one of: ==, !=, >, <, >=, <=, LIKE, NOT LIKE, ILIKE, IS NULL, IS NOT NULL, IN, NOT IN, \
                   IS TRUE, IS FALSE, TEMPORAL_RANGE.";
        for (query, message) in [
            (
                json!({"row_limit": -1}),
                "{'row_limit': ['`row_limit` must be greater than or equal to 0']}".into(),
            ),
            (json!({"row_limit": "x"}), "{'row_limit': ['Not a valid integer.']}".into()),
            (json!({"columns": "town"}), "{'columns': ['Not a valid list.']}".into()),
            (json!({"extras": "x"}), "{'extras': {'_schema': ['Invalid input type.']}}".into()),
            (json!({"orderby": [["town"]]}), "{'orderby': {0: ['Length must be 2.']}}".into()),
            (json!({"orderby": [[null, 1]]}), "{'orderby': {0: {0: ['Field may not be null.']}}}".to_owned()),
            (
                json!({"filters": [{"col": "a", "op": "~"}]}),
                format!("{{'filters': {{0: {{'op': ['{all}']}}}}}}"),
            ),
        ] {
            assert_eq!(refusal(query), format!("Request is incorrect: {{'queries': {{0: {message}}}}}"));
        }
        let error =
            load(&json!({"datasource": {"id": 1, "type": "table"}, "queries": [], "zzz": 1})).unwrap_err();
        assert_eq!(error.to_string(), "Request is incorrect: {'zzz': ['Unknown field.']}");
    }
}
