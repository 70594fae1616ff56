//! Payloads of the visualisations over small frames; expected values worked out by hand from what pandas does.

use chrono::NaiveDateTime;
use infra::engines::column::ColumnData;
use serde_json::{Value, json};

use super::*;
use crate::frame::Column;

fn settings() -> Settings {
    Settings {
        now: "2026-11-20T21:51:39".parse().unwrap(),
        row_limit: 50_000,
        sql_max_row: 100_000,
        relative_start: "today".into(),
        relative_end: "today".into(),
        mapbox_api_key: String::new(),
    }
}

fn viz(form_data: Value) -> LegacyViz {
    LegacyViz::new(form_data.as_object().cloned().unwrap(), settings()).unwrap()
}

fn times(texts: &[&str]) -> ColumnData {
    let micros = |t: &&str| {
        Some(format!("{t}T00:00:00").parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros())
    };
    ColumnData::Timestamp(texts.iter().map(micros).collect())
}

fn texts(values: &[&str]) -> ColumnData {
    ColumnData::Text(values.iter().map(|v| Some((*v).into())).collect())
}

fn ints(values: &[i64]) -> ColumnData {
    ColumnData::Int(values.iter().map(|v| Some(*v)).collect())
}

/// Two groups over three months; the second month lacks `b`.
fn monthly() -> Frame {
    Frame::new(vec![
        Column::new(
            DTTM_ALIAS,
            times(&["2020-01-01", "2020-01-01", "2020-02-01", "2020-03-01", "2020-03-01"]),
        ),
        Column::new("g", texts(&["a", "b", "a", "a", "b"])),
        Column::new("m", ints(&[1, 10, 2, 3, 30])),
    ])
}

fn points(entry: &Value) -> Vec<Option<f64>> {
    entry["values"].as_array().unwrap().iter().map(|p| p["y"].as_f64()).collect()
}

#[test]
fn lines_are_sorted_and_named_without_the_only_metric() {
    let data =
        viz(json!({"viz_type": "compare", "metrics": ["m"], "groupby": ["g"]})).data(monthly(), &[]).unwrap();
    assert_eq!(data[0]["key"], json!(["a"]));
    assert_eq!(data[1]["key"], json!(["b"]));
    assert_eq!(points(&data[0]), [Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(points(&data[1]), [Some(10.0), None, Some(30.0)]);
    assert_eq!(data[0]["values"][0]["x"], json!(1_577_836_800_000.0));
}

#[test]
fn rolling_resampling_and_contribution() {
    let run = |extra: Value| {
        let mut form = json!({"viz_type": "compare", "metrics": ["m"], "groupby": ["g"]});
        form.as_object_mut().unwrap().extend(extra.as_object().cloned().unwrap());
        viz(form).data(monthly(), &[])
    };
    let rolled = run(json!({"rolling_type": "sum", "rolling_periods": 2, "min_periods": 0})).unwrap();
    assert_eq!(points(&rolled[1]), [Some(10.0), Some(10.0), Some(30.0)]);
    let cumulated = run(json!({"rolling_type": "cumsum"})).unwrap();
    assert_eq!(points(&cumulated[1]), [Some(10.0), None, Some(40.0)]);
    let quarterly = run(json!({"resample_rule": "Q", "resample_method": "sum"})).unwrap();
    assert_eq!(points(&quarterly[0]), [Some(6.0)]);
    assert_eq!(quarterly[0]["values"][0]["x"], json!(1_585_612_800_000.0));
    let daily = run(json!({"resample_rule": "1D", "resample_method": "ffill"})).unwrap();
    assert_eq!(daily[0]["values"].as_array().unwrap().len(), 61);
    let shares = run(json!({"contribution": true})).unwrap();
    assert_eq!(points(&shares[0]), [Some(1.0 / 11.0), Some(1.0), Some(3.0 / 33.0)]);
    let nothing = run(json!({"rolling_type": "mean", "rolling_periods": 9, "min_periods": 9}));
    assert!(matches!(nothing, Err(VizError::Invalid(_))));
}

#[test]
fn time_comparison_interpolates() {
    let form = json!({"viz_type": "compare", "metrics": ["m"], "time_compare": ["1 year"],
        "comparison_type": "absolute"});
    let now = Frame::new(vec![
        Column::new(DTTM_ALIAS, times(&["2020-01-01", "2020-01-03", "2020-01-05"])),
        Column::new("m", ints(&[5, 6, 7])),
    ]);
    let before = Frame::new(vec![
        Column::new(DTTM_ALIAS, times(&["2019-01-01", "2019-01-05"])),
        Column::new("m", ints(&[1, 3])),
    ]);
    let comparison = Comparison { option: "1 year".into(), delta: TimeDelta::days(365), frame: before };
    let data = viz(form).data(now, &[comparison]).unwrap();
    assert_eq!(data[0]["key"], json!(["m", "1 year offset"]));
    assert_eq!(points(&data[0]), [Some(4.0), Some(4.0), Some(4.0)]);
}

#[test]
fn periods_are_laid_over_the_newest() {
    let frame = Frame::new(vec![
        Column::new(DTTM_ALIAS, times(&["2018-01-01", "2018-06-01", "2019-01-01", "2020-01-01"])),
        Column::new("m", ints(&[1, 2, 3, 4])),
    ]);
    let data = viz(json!({"viz_type": "time_pivot", "metric": "m", "freq": "AS"})).data(frame, &[]).unwrap();
    let keys: Vec<_> = data
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["key"].as_str().unwrap(), e["rank"].as_i64().unwrap()))
        .collect();
    assert_eq!(keys, [("-1", 1), ("-2", 2), ("current", 0)]);
    assert_eq!(points(&data[1]), [Some(1.0), Some(2.0)]);
}

#[test]
fn tables_calendars_and_maps() {
    let data = viz(json!({"viz_type": "time_table", "metrics": ["m"], "groupby": ["g"]}))
        .data(monthly(), &[])
        .unwrap();
    assert_eq!(data["columns"], json!(["a", "b"]));
    assert_eq!(data["records"]["2020-02-01 00:00:00"], json!({"a": 2.0, "b": null}));
    let form = json!({"viz_type": "cal_heatmap", "metrics": ["m"], "time_range": "2020-01-01 : 2020-03-01",
        "domain_granularity": "month"});
    let data = viz(form).data(monthly(), &[]).unwrap();
    assert_eq!(data["data"]["m"]["1580515200.0"], 2);
    assert_eq!(data["range"], 3);
    let frame = Frame::new(vec![Column::new("c", texts(&["DEU", "??"])), Column::new("m", ints(&[1, 2]))]);
    let form = json!({"viz_type": "world_map", "entity": "c", "metric": "m", "country_fieldtype": "cca3"});
    let data = viz(form).data(frame, &[]).unwrap();
    assert_eq!((&data[0]["name"], &data[0]["code"]), (&json!("Germany"), &json!("DEU")));
    assert_eq!(data[1], json!({"country": "XXX", "m1": 2}));
}

#[test]
fn hierarchies_and_chords() {
    let data = viz(json!({"viz_type": "partition", "metrics": ["m"], "groupby": ["g"]}))
        .data(monthly(), &[])
        .unwrap();
    assert_eq!(data[0]["val"], 46);
    assert_eq!(data[0]["children"][1], json!({"name": "b", "val": 40, "children": []}));
    let frame = Frame::new(vec![
        Column::new("s", texts(&["x", "y"])),
        Column::new("t", texts(&["y", "z"])),
        Column::new("m", ints(&[1, 2])),
    ]);
    let chord = viz(json!({"viz_type": "chord", "groupby": "s", "columns": "t", "metric": "m"}));
    let data = chord.data(frame, &[]).unwrap();
    assert_eq!(data, json!({"nodes": ["x", "y", "z"], "matrix": [[0, 0, 0], [1, 0, 0], [0, 2, 0]]}));
}

#[test]
fn columns_are_named_after_the_rows_were_shaped() {
    let after = |form_data: Value, labels: &[&str]| {
        let labels = labels.iter().map(|label| Value::from(*label)).collect();
        Value::Array(viz(form_data).labels_after(labels))
    };
    assert_eq!(
        after(json!({"viz_type": "bubble"}), &["e", "x"]),
        json!(["e", "x", "y", "size", "shape", "group"])
    );
    assert_eq!(after(json!({"viz_type": "chord"}), &["a", "b", "c"]), json!(["source", "target", "value"]));
    let delimited = json!({"viz_type": "deck_scatter", "spatial": {"type": "delimited", "lonlatCol": "p"}});
    assert_eq!(after(delimited, &["p", "m"]), json!(["m", "spatial"]));
    let pair = json!({"type": "latlong", "lonCol": "a", "latCol": "b"});
    let arc = json!({"viz_type": "deck_arc", "start_spatial": pair, "end_spatial": pair});
    assert_eq!(after(arc, &["a", "b"]), json!(["a", "b", "start_spatial", "end_spatial"]));
}

#[test]
fn layers_read_places_and_lines() {
    let spatial = json!({"type": "delimited", "lonlatCol": "p"});
    let frame = Frame::new(vec![Column::new("p", texts(&["52.5, 13.4"])), Column::new("m", ints(&[0]))]);
    let data =
        viz(json!({"viz_type": "deck_grid", "spatial": spatial, "size": "m"})).data(frame, &[]).unwrap();
    assert_eq!(data["features"][0], json!({"position": [52.5, 13.4], "weight": 1}));
    let frame = Frame::new(vec![Column::new("l", texts(&["_p~iF~ps|U_ulLnnqC"]))]);
    let form = json!({"viz_type": "deck_path", "line_type": "polyline", "line_column": "l"});
    let data = viz(form).data(frame, &[]).unwrap();
    assert_eq!(data["features"][0]["path"], json!([[38.5, -120.2], [40.7, -120.95]]));
}

#[test]
fn unknown_types_are_key_errors() {
    let form = json!({"viz_type": "pie"}).as_object().cloned().unwrap();
    assert_eq!(LegacyViz::new(form, settings()).err(), Some(VizError::Unexpected("'pie'".into())));
}
