//! Arbitrary input to what reads requests: an answer or an error, soon, and never a panic.

use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    sample::select,
};
use serde_json::{Map, Value, json};

use crate::{
    build_sql::{Answers, BuildContext, NoTemplates, Templates as _, build},
    dataset::{Dataset, DatasetColumn, DatasetMetric},
    frame::{Column, Frame},
    legacy_viz::{LegacyViz, Settings},
    query_object::{Limits, assemble, schema},
    template::{Processor, TemplateContext},
    time_range::{SinceUntil, get_since_until},
};

/// What one input may take in a build without optimisation.
const SOON: Duration = Duration::from_secs(5);

fn now() -> NaiveDateTime {
    "2026-11-20T21:51:39".parse().unwrap()
}

fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    result
}

/// Texts that mean something somewhere, and any others.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec![
            "a", "t", "count", "__timestamp", "No filter", "Last week", "previous calendar year", "100 years ago : now",
            "IN", "==", "TEMPORAL_RANGE", "IS NULL", "ILIKE", "SIMPLE", "SQL", "SUM", "COUNT_DISTINCT", "BASE_AXIS",
            "P1D", "PT1H", "table", "dataset", "query", "full", "samples", "drill_detail", "csv", "json", "latlong",
            "delimited", "geohash", "NATIVE", "1 year ago", "inherit", "2020-01-01", "'; DROP TABLE t; --", "\"",
            "`", "\\",
            "a\u{0}b", "{{ a }}", "(SELECT 1)", "1e999", "-1", "",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// JSON whose members have names that the readers look for.
fn document(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let member = (select(keys), inner.clone()).prop_map(|(key, value)| (key.to_owned(), value));
        prop_oneof![
            1 => vec(inner, 0..5).prop_map(Value::Array),
            3 => vec(member, 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const QUERY_KEYS: &[&str] = &[
    "annotation_layers",
    "applied_time_extras",
    "columns",
    "datasource",
    "extras",
    "filters",
    "granularity",
    "groupby",
    "having",
    "is_rowcount",
    "is_timeseries",
    "metrics",
    "order_desc",
    "orderby",
    "post_processing",
    "row_limit",
    "row_offset",
    "series_columns",
    "series_limit",
    "series_limit_metric",
    "time_offsets",
    "time_range",
    "time_shift",
    "where",
    "col",
    "op",
    "val",
    "grain",
    "label",
    "sqlExpression",
    "expressionType",
    "column",
    "column_name",
    "aggregate",
    "columnType",
    "timeGrain",
    "time_grain_sqla",
    "relative_start",
    "operation",
    "options",
    "sourceType",
    "value",
    "name",
];

const FORM_KEYS: &[&str] = &[
    "viz_type",
    "metric",
    "metrics",
    "groupby",
    "columns",
    "entity",
    "series",
    "x",
    "y",
    "size",
    "limit",
    "row_limit",
    "adhoc_filters",
    "extra_filters",
    "extra_form_data",
    "filters",
    "where",
    "having",
    "granularity_sqla",
    "time_range",
    "since",
    "until",
    "time_shift",
    "time_compare",
    "comparison_type",
    "rolling_type",
    "rolling_periods",
    "min_periods",
    "resample_rule",
    "resample_method",
    "contribution",
    "freq",
    "spatial",
    "start_spatial",
    "end_spatial",
    "type",
    "lonCol",
    "latCol",
    "lonlatCol",
    "geohashCol",
    "line_column",
    "line_type",
    "geojson",
    "js_columns",
    "point_radius_fixed",
    "value",
    "dimension",
    "all_columns_x",
    "all_columns_y",
    "all_columns",
    "mapbox_label",
    "point_radius",
    "domain_granularity",
    "subdomain_granularity",
    "time_series_option",
    "timeseries_limit_metric",
    "order_desc",
    "order_by_entity",
    "country_fieldtype",
    "select_country",
    "clause",
    "expressionType",
    "subject",
    "operator",
    "comparator",
    "sqlExpression",
    "label",
    "col",
    "op",
    "val",
];

fn dataset(engine: &str) -> Dataset {
    let column = |name: &str, sql_type: &str, is_dttm| DatasetColumn {
        column_name: name.into(),
        type_: Some(sql_type.into()),
        is_dttm: Some(is_dttm),
        groupby: true,
        filterable: true,
        ..DatasetColumn::default()
    };
    let metric = |name: &str, expression: &str| DatasetMetric {
        metric_name: name.into(),
        verbose_name: None,
        expression: expression.into(),
    };
    Dataset {
        id: 1,
        table_name: "t".into(),
        schema: None,
        catalog: None,
        sql: None,
        columns: vec![
            column("a", "INTEGER", false),
            column("t", "TIMESTAMP", true),
            column("b", "TEXT", false),
        ],
        metrics: vec![metric("count", "COUNT(*)")],
        main_dttm_col: Some("t".into()),
        offset: 0,
        always_filter_main_dttm: false,
        fetch_values_predicate: None,
        normalize_columns: false,
        template_params: Map::new(),
        engine: infra::engine_specs::spec(engine, None),
        db_extra: Map::new(),
        rls: Vec::new(),
        inner_rls: Some(infra::sql::RlsRules::default()),
        names: Default::default(),
    }
}

/// From a request to its SQL, which has to be a single statement over the only table.
fn build_all(body: &Value, engine: &str) {
    let Ok(loaded) = schema::load(body) else { return };
    let dataset = dataset(engine);
    let ranges = |range: Option<&str>, _: Option<&str>, _: &_| {
        get_since_until(&SinceUntil::new(range, now())).map_err(|e| crate::QueryError::generic(e.to_string()))
    };
    let Ok(context) = assemble(loaded, &dataset, &Limits::default(), &ranges) else { return };
    for mut query in context.queries {
        let same = |text: &str| Ok(text.to_owned());
        if query.validate(&dataset, false, &same).is_err() {
            continue;
        }
        let context = BuildContext {
            dataset: &dataset,
            templates: &NoTemplates,
            time_ranges: &ranges,
            allow_adhoc_subquery: false,
            answers: &Answers::default(),
        };
        if let Ok(crate::build_sql::Step::Ready(built)) = build(&query, &context) {
            // what the parser refuses is refused before it is executed
            let Ok(script) = infra::sql::parse(&built.sql, engine) else { continue };
            assert_eq!(script.statements().len(), 1, "{}", built.sql);
            assert!(!script.has_mutation(), "{}", built.sql);
            assert!(script.tables().iter().all(|table| table.table == "t"), "{}", built.sql);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn query_contexts(queries in vec(document(QUERY_KEYS), 0..3), sqlite in any::<bool>()) {
        let body = json!({"datasource": {"id": 1, "type": "table"}, "queries": queries});
        soon(|| build_all(&body, if sqlite { "sqlite" } else { "postgresql" }));
    }

    #[test]
    fn whole_requests(body in document(QUERY_KEYS)) {
        soon(|| schema::load(&body).map(|_| ()).ok());
    }

    #[test]
    fn hostile_texts_stay_in_their_places(name in words(), value in words(), label in words(), clause in words()) {
        let body = json!({"datasource": {"id": 1, "type": "table"}, "queries": [{
            "columns": [name, {"label": label, "sqlExpression": "a", "expressionType": "SQL"}],
            "metrics": [{"label": value, "expressionType": "SIMPLE", "aggregate": "SUM",
                "column": {"column_name": "a"}}],
            "filters": [{"col": "b", "op": "==", "val": value}, {"col": "b", "op": "IN", "val": [label, name]},
                {"col": "b", "op": "ILIKE", "val": clause}],
            "extras": {"where": clause}, "orderby": [[label, true]],
        }]});
        soon(|| { build_all(&body, "sqlite"); build_all(&body, "postgresql"); });
    }

    #[test]
    fn time_ranges(parts in vec(prop_oneof![
        3 => select(vec![
            "last", "next", "previous", "calendar", "Current", "week", "quarter", "years", "3", "-1",
            "99999999999", "ago", " : ",
            ":", "today", "now", "DATEADD(", "DATETIME(", "DATETRUNC(", "LASTDAY(", "HOLIDAY(", "\"", "'", ")",
            ",", "2020-02-29",
            "T12:00", "easter", "christmas", "month", "first of", "end of", "Feb", "noon", "+", "DATEDIFF(", "inherit",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ], 0..24), spaced in any::<bool>()) {
        let text = parts.join(if spaced { " " } else { "" });
        soon(|| get_since_until(&SinceUntil::new(Some(&text), now())).map(|_| ()).ok());
    }

    #[test]
    fn templates(parts in vec(prop_oneof![
        4 => select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", "for", "in", "if", "else", "endif", "endfor", "set", "macro",
            "endmacro", "x", "=",
            "1", "9999999999", "**", "*", "+", "~", "|", "join", "length", "where_in", "'a'", "\"", "[", "]",
            "(", ")", ".", ",",
            "__class__", "mro", "range(9999999)", "loop.index", "filter_values", "('a')", "current_user_id()",
            "is defined", "not",
            "and", "%", "raw", "endraw", "-%}", "lipsum", "cycler", "namespace(a=1)", "replace", "('', x * 9999)",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ], 0..40)) {
        let text = parts.join(" ");
        let processor = Processor::new(TemplateContext::new(infra::engine_specs::spec("sqlite", None), now()));
        if let Some(out) = soon(|| processor.render(&text).ok()) {
            assert!(out.len() < 64 << 20, "{} bytes", out.len());
        }
    }

    #[test]
    fn form_data(form in document(FORM_KEYS), viz_type in select(vec![
        "time_table", "cal_heatmap", "bubble", "bullet", "compare", "horizon", "time_pivot", "rose", "partition",
        "chord",
        "country_map", "world_map", "para", "event_flow", "paired_ttest", "mapbox", "deck_scatter",
        "deck_screengrid", "deck_arc",
        "deck_geojson", "deck_path", "deck_polygon", "deck_hex",
    ])) {
        let mut form = form.as_object().cloned().unwrap_or_default();
        form.insert("viz_type".into(), viz_type.into());
        let settings = Settings {
            now: now(),
            row_limit: 50_000,
            sql_max_row: 100_000,
            relative_start: "today".into(),
            relative_end: "today".into(),
            mapbox_api_key: String::new(),
        };
        let dataset = dataset("sqlite");
        soon(|| {
            let Ok(mut viz) = LegacyViz::new(form, settings) else { return };
            let _ = viz.comparison_queries(&dataset).map(|_| ());
            let Ok(query) = viz.query(&dataset) else { return };
            let query = query.into_query_object();
            let ints = |n: [i64; 3]| infra::engines::column::ColumnData::Int(n.map(Some).to_vec());
            let mut labels = vec!["a".to_owned(), "count".to_owned(), "__timestamp".to_owned()];
            labels.extend(viz.metric_labels().into_iter().map(str::to_owned));
            labels.dedup();
            let mut frame = Frame::new(labels.into_iter().map(|label| Column::new(label, ints([3, 1, 2]))).collect());
            if viz.normalize(&mut frame, &dataset, &query).is_ok() {
                let _ = viz.data(frame, &[]);
            }
        });
    }
}
