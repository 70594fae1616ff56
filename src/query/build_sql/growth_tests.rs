//! What building costs grows with what is asked for, and not with its square.

use serde_json::{Value, json};

use super::{Answers, BuildContext, NoTemplates, Step, build, security_tests::dataset};
use crate::{
    dataset::{Dataset, DatasetColumn, DatasetMetric},
    encode::json::write_records,
    frame::{Column as FrameColumn, Frame, coltypes},
    query_object::{Column, Extras, Filter, Metric, QueryObject},
};
use infra::engines::column::ColumnData;

/// The clock ticks seldom: so many runs are counted together, and a few ticks are allowed for.
const RUNS: usize = 4;
const TICKS: u64 = 60_000_000;

/// Nanoseconds that this thread has had the processor; other work of the machine does not count.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

fn wide(engine: &str, n: usize) -> Dataset {
    let mut wide = dataset(engine);
    let column = |i| DatasetColumn { column_name: format!("c{i}"), ..wide.columns[0].clone() };
    let metric = |i| DatasetMetric { metric_name: format!("s{i}"), ..wide.metrics[0].clone() };
    (wide.columns, wide.metrics) = ((0..n).map(column).collect(), (0..n).map(metric).collect());
    wide
}

fn query(shape: &str, n: usize) -> QueryObject {
    let sql = |i: usize| {
        json!({"expressionType": "SQL", "sqlExpression": format!("SUM(c{i})"),
        "label": format!("m{i}")})
    };
    let adhoc = |i: usize| json!({"sqlExpression": format!("c{i} + 1"), "label": format!("a{i}")});
    let mut query = QueryObject::new();
    let columns =
        |f: &dyn Fn(usize) -> Value| (0..n).filter_map(|i| Column::from_json(f(i))).collect::<Vec<_>>();
    let metrics = |f: &dyn Fn(usize) -> Value| Some((0..n).filter_map(|i| Metric::from_json(f(i))).collect());
    match shape {
        "names" => query.columns = columns(&|i| json!(format!("c{i}"))),
        "expressions" => query.columns = columns(&adhoc),
        "series" => {
            query.columns = columns(&adhoc);
            query.series_columns = query.columns.clone();
            query.metrics = Some(Vec::new());
            query.series_limit = 5;
        }
        "saved" => query.metrics = metrics(&|i| json!(format!("s{i}"))),
        "filters" => {
            query.columns = columns(&|_| json!("c0")).into_iter().take(1).collect();
            let filter = |i| json!({"col": format!("c{i}"), "op": "==", "val": i});
            query.filter = (0..n).filter_map(|i| Filter::from_json(&filter(i))).collect();
        }
        _ => {
            query.metrics = metrics(&sql);
            query.orderby = (0..n).map(|i| (sql(i), true)).collect();
            query.orderby.extend((0..n).map(|i| (json!(format!("m{i}")), false)));
        }
    }
    query
}

fn cost(engine: &str, shape: &str, n: usize) -> u64 {
    let (dataset, mut query) = (wide(engine, n), query(shape, n));
    let time_ranges = |_: Option<&str>, _: Option<&str>, _: &Extras| Ok((None, None));
    let run = || {
        let answers = Answers::default();
        let cx = BuildContext {
            dataset: &dataset,
            templates: &NoTemplates,
            time_ranges: &time_ranges,
            allow_adhoc_subquery: false,
            answers: &answers,
        };
        let before = spent();
        query.validate(&dataset, false, &|text| Ok(text.to_owned())).unwrap();
        let step = build(&query, &cx).unwrap();
        assert!(!matches!(step, Step::Probes(_)));
        let labels = query.metric_names(Some(&dataset));
        assert!(labels.len() <= n);
        spent() - before
    };
    let mut run = run;
    (0..RUNS).map(|_| run()).sum()
}

#[test]
fn four_times_as_much_costs_about_four_times() {
    for engine in ["postgresql", "bigquery"] {
        for shape in ["names", "expressions", "series", "saved", "filters", "order"] {
            let (few, many) = (cost(engine, shape, 400), cost(engine, shape, 1_600));
            // 16 would be the square
            assert!(many < few * 8 + TICKS, "{engine} {shape}: {few} ns, then {many} ns");
        }
    }
}

#[test]
fn wide_frames_too() {
    let cost = |n: usize| {
        let column = |i| FrameColumn::new(format!("c{i}"), ColumnData::Int(vec![Some(1)]));
        let frame = Frame::new((0..n).map(column).collect());
        let before = spent();
        for _ in 0..RUNS {
            let types = coltypes(&frame, |_| crate::frame::ColumnHint::default()).unwrap();
            let mut out = Vec::new();
            write_records(&mut out, &frame).unwrap();
            assert_eq!(types.len(), n);
        }
        spent() - before
    };
    let (few, many) = (cost(2_000), cost(8_000));
    assert!(many < few * 8 + TICKS, "{few} ns, then {many} ns");
}
