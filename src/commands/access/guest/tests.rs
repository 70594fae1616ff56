use std::sync::Arc;

use infra::engine_specs::spec_for_uri;
use query::{
    dataset::{Dataset, DatasetColumn, DatasetMetric},
    query_object::{Column, Filter, Metric, QueryObject, ResultType},
};
use serde_json::{Map, Value, json};

use super::Exposed;

fn dataset() -> Arc<Dataset> {
    let column = |name: &str| DatasetColumn {
        column_name: name.to_owned(),
        is_dttm: Some(matches!(name, "at" | "since")),
        ..DatasetColumn::default()
    };
    let metric = |name: &str| DatasetMetric {
        metric_name: name.to_owned(),
        verbose_name: None,
        expression: "COUNT(*)".to_owned(),
    };
    Arc::new(Dataset {
        id: 7,
        table_name: "t".to_owned(),
        schema: None,
        catalog: None,
        sql: None,
        columns: ["a", "b", "at", "since", "secret"].into_iter().map(column).collect(),
        metrics: vec![metric("count"), metric("other")],
        main_dttm_col: Some("at".to_owned()),
        offset: 0,
        always_filter_main_dttm: false,
        fetch_values_predicate: None,
        normalize_columns: false,
        template_params: Map::new(),
        engine: spec_for_uri("postgresql://"),
        db_extra: Map::new(),
        rls: Vec::new(),
        inner_rls: Some(infra::sql::RlsRules::default()),
        names: Default::default(),
    })
}

fn exposed_by(controls: &Value) -> Exposed {
    let mut exposed = Exposed::new(dataset());
    exposed.add_form_data(controls.as_object().unwrap());
    exposed
}

fn query() -> QueryObject {
    QueryObject { metrics: Some(Vec::new()), ..QueryObject::new() }
}

fn by_column(column: Value) -> QueryObject {
    QueryObject { columns: vec![Column::from_json(column).unwrap()], ..query() }
}

fn by_metric(metric: Value) -> QueryObject {
    QueryObject { metrics: vec![Metric::from_json(metric).unwrap()].into(), ..query() }
}

fn ordered(item: Value) -> QueryObject {
    QueryObject { orderby: vec![(item, true)], ..query() }
}

fn sum(column: &str) -> Value {
    json!({"expressionType": "SIMPLE", "aggregate": "SUM", "column": {"column_name": column}, "label": column})
}

#[test]
fn every_control_of_columns_is_known() {
    for controls in [
        json!({"groupby": ["a"]}),
        json!({"groupby": "a"}),
        json!({"columns": ["a"]}),
        json!({"all_columns": ["a"]}),
        json!({"groupby_b": ["a"]}),
        json!({"x_axis": "a"}),
        json!({"x_axis": {"sqlExpression": "a", "label": "x", "expressionType": "SQL"}}),
        json!({"series": "a"}),
        json!({"entity": "a"}),
        json!({"source": "a"}),
        json!({"id": "a"}),
        json!({"spatial": {"type": "latlong", "latCol": "a", "lonCol": "b"}}),
        json!({"start_spatial": {"type": "geohash", "geohashCol": "a"}}),
        json!({"line_column": "a"}),
        json!({"groupbyRows": ["a"]}),
        json!({"granularity_sqla": "a"}),
        json!({"tooltip_contents": [{"item_type": "column", "column_name": "a"}]}),
        json!({"some_plugin": {"sqlExpression": "a", "label": "x", "expressionType": "SQL"}}),
    ] {
        let exposed = exposed_by(&controls);
        assert!(exposed.allows(&by_column(json!("a"))), "{controls}");
        assert!(!exposed.allows(&by_column(json!("secret"))), "{controls}");
    }
    let text = json!({"color_scheme": "secret", "url_params": {"a": "secret"}, "header": "secret",
        "row_limit": "secret"});
    assert!(!exposed_by(&text).allows(&by_column(json!("secret"))), "a name elsewhere is only a text");
}

#[test]
fn every_control_of_metrics_is_known() {
    for key in [
        "metric",
        "metrics",
        "metrics_b",
        "percent_metrics",
        "secondary_metric",
        "metric_2",
        "x",
        "y",
        "size",
        "timeseries_limit_metric",
        "series_limit_metric",
        "orderby",
        "legacy_order_by",
        "custom_metric",
    ] {
        let of_column = exposed_by(&json!({key: sum("a")}));
        assert!(of_column.allows(&by_metric(sum("a"))), "{key}");
        assert!(of_column.allows(&ordered(sum("a"))), "{key}");
        assert!(!of_column.allows(&by_metric(sum("secret"))), "{key}");
        assert!(!of_column.allows(&by_column(json!("a"))), "{key}: the column itself is not shown");
        if key != "custom_metric" {
            assert!(exposed_by(&json!({key: "count"})).allows(&by_metric(json!("count"))), "{key}");
        }
    }
    let radius = exposed_by(&json!({"point_radius_fixed": {"type": "metric", "value": sum("a")}}));
    assert!(radius.allows(&by_metric(sum("a"))));
    let fixed = exposed_by(&json!({"point_radius_fixed": {"type": "fix", "value": sum("a")}}));
    assert!(!fixed.allows(&by_metric(sum("a"))));
}

#[test]
fn order_follows_what_is_shown() {
    let by_rows = exposed_by(&json!({"all_columns": ["a"], "order_by_cols": ["[\"b\", false]"]}));
    assert!(by_rows.allows(&ordered(json!("a"))) && by_rows.allows(&ordered(json!("b"))));
    assert!(!by_rows.allows(&by_column(json!("b"))), "what is ordered by is not shown");
    assert!(!by_rows.allows(&ordered(json!("secret"))) && !by_rows.allows(&ordered(json!("other"))));
    let mut by_label = by_metric(sum("a"));
    by_label.orderby = vec![(json!("a"), true)];
    assert!(exposed_by(&json!({"metrics": [sum("a")]})).allows(&by_label), "the label of a selected metric");
    assert!(!exposed_by(&json!({"metrics": [sum("a")]})).allows(&ordered(json!("a"))));
}

#[test]
fn time_and_filters_follow_what_is_shown() {
    let chart = exposed_by(&json!({"adhoc_filters": [
        {"expressionType": "SIMPLE", "subject": "b", "clause": "WHERE"},
        {"expressionType": "SQL", "sqlExpression": "a > 1 -- why", "clause": "WHERE"},
    ]}));
    let granularity = |name: &str| QueryObject { granularity: Some(name.to_owned()), ..query() };
    assert!(chart.allows(&granularity("at")) && !chart.allows(&granularity("since")));
    // the values of a series are those of its time column
    let by_at = exposed_by(&json!({"granularity_sqla": "since"}));
    let series = |name: &str| QueryObject { is_timeseries: true, ..granularity(name) };
    assert!(by_at.allows(&series("since")) && !by_at.allows(&series("at")) && chart.allows(&series("at")));
    let filtered = |col: Value| {
        let filter = Filter { col, op: "IN".into(), val: json!([1]), grain: None, is_extra: None };
        QueryObject { filter: vec![filter], ..query() }
    };
    for known in [json!("b"), json!("since"), json!("of another dataset"), json!(null)] {
        assert!(chart.allows(&filtered(known.clone())), "{known}");
    }
    for unknown in [json!("a"), json!("secret"), json!({"sqlExpression": "b"}), json!(1)] {
        assert!(!chart.allows(&filtered(unknown.clone())), "{unknown}");
    }
    let mut clause = query();
    for (text, passes) in
        [("(a > 1 -- why\n)", true), ("(a > 1 -- why)", false), ("(a > 1)", false), ("a > 1 -- why", false)]
    {
        clause.extras.where_ = Some(text.to_owned());
        assert_eq!(chart.allows(&clause), passes, "{text}");
    }
    let kind = |result_type| QueryObject { result_type, ..query() };
    assert!(chart.allows(&kind(ResultType::Results)) && chart.allows(&kind(ResultType::PostProcessed)));
    for other in [ResultType::Samples, ResultType::DrillDetail, ResultType::Columns, ResultType::Timegrains] {
        assert!(!chart.allows(&kind(other)));
    }
}

#[test]
fn native_filters_ask_for_their_column() {
    let filter = json!({"id": "F", "filterType": "filter_select", "controlValues": {"sortMetric": "count"},
        "targets": [{"datasetId": 7, "column": {"name": "a"}}, {"datasetId": 8, "column": {"name": "secret"}}]});
    let mut own = Exposed::new(dataset());
    own.add_native_filter(&filter);
    assert!(own.allows(&by_column(json!("a"))) && own.allows(&by_metric(json!("count"))));
    let smallest = json!({"expressionType": "SIMPLE", "aggregate": "MIN", "column": {"column_name": "a"},
        "label": "min"});
    assert!(own.allows(&by_metric(smallest)));
    assert!(!own.allows(&by_column(json!("secret"))) && !own.allows(&by_metric(sum("a"))));
}
