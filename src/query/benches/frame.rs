//! Times of frame operations by number of cells; `frame_pandas.py` beside this file does the same with pandas.
//!
//! `cargo bench -p liteset-query --bench frame`

use std::hint::black_box;
use std::time::{Duration, Instant};

use infra::engines::column::{ColumnData, Scalar};
use liteset_query::build_sql::{Answers, BuildContext, NoTemplates, build};
use liteset_query::dataset::{Dataset, DatasetColumn};
use liteset_query::encode::json::write_records;
use liteset_query::frame::{Column, Frame, Index, IndexLevel};
use liteset_query::post_processing::post_process;
use liteset_query::query_object::{self, Filter, Metric, QueryObject};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000_000;

/// A row for each of ten groups and each minute, five columns.
fn long(cells: usize) -> Frame {
    let rows = cells / 5;
    let names: Vec<Box<str>> = (0..10).map(|i| format!("group {i}").into()).collect();
    Frame::new(vec![
        Column::new("ds", ColumnData::Timestamp((0..rows).map(|i| Some((i / 10) as i64 * MINUTE)).collect())),
        Column::new("g", ColumnData::Text((0..rows).map(|i| names.get(i % 10).cloned()).collect())),
        Column::new("a", ColumnData::Int((0..rows).map(|i| Some((i * 7919 % 1000) as i64)).collect())),
        Column::new(
            "b",
            ColumnData::Float((0..rows).map(|i| Some((i * 7919 % 1000) as f64 / 7.0)).collect()),
        ),
        Column::new(
            "c",
            ColumnData::Float((0..rows).map(|i| Some((i * 104_729 % 1000) as f64 / 3.0)).collect()),
        ),
    ])
}

/// A row per minute, ten columns of numbers.
fn wide(cells: usize) -> Frame {
    let rows = cells / 10;
    let column =
        |c: usize| ColumnData::Float((0..rows).map(|i| Some(((i + c) * 7919 % 1000) as f64 / 7.0)).collect());
    let mut frame = Frame::new((0..10).map(|c| Column::new(format!("c{c}"), column(c))).collect());
    frame.index = Index::Flat(IndexLevel {
        name: Some(Scalar::Text("ds".into())),
        data: ColumnData::Timestamp((0..rows).map(|i| Some(i as i64 * MINUTE)).collect()),
    });
    frame
}

fn time(mut run: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    let begin = Instant::now();
    for _ in 0..20 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
        if begin.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    best
}

fn post(frame: &Frame, step: Value) -> Duration {
    let steps = [step];
    time(|| {
        black_box(post_process(frame.clone(), &steps)).ok();
    })
}

/// The time of building the SQL of a question with so many metrics and filters; it does not depend on the cells.
fn sql(parts: usize) -> Duration {
    let column = |i: usize| DatasetColumn {
        column_name: format!("c{i}"),
        type_: Some("INTEGER".into()),
        groupby: true,
        filterable: true,
        ..DatasetColumn::default()
    };
    let dataset = Dataset {
        id: 1,
        table_name: "t".into(),
        schema: Some("s".into()),
        catalog: None,
        sql: None,
        columns: (0..parts).map(column).collect(),
        metrics: Vec::new(),
        main_dttm_col: None,
        offset: 0,
        always_filter_main_dttm: false,
        fetch_values_predicate: None,
        normalize_columns: false,
        template_params: serde_json::Map::new(),
        engine: infra::engine_specs::spec("postgresql", None),
        db_extra: serde_json::Map::new(),
        rls: Vec::new(),
        inner_rls: Some(infra::sql::RlsRules::default()),
        names: Default::default(),
    };
    let mut query = QueryObject::new();
    query.columns = (0..parts).map(|i| query_object::Column::Name(format!("c{i}"))).collect();
    let metric = |i| {
        json!({"expressionType": "SIMPLE", "column": {"column_name": format!("c{i}")}, "aggregate": "SUM",
            "label": format!("m{i}")})
    };
    query.metrics = Some((0..parts).filter_map(|i| Metric::from_json(metric(i))).collect());
    let filter = |i| json!({"col": format!("c{i}"), "op": "IN", "val": [1, 2, 3]});
    query.filter = (0..parts).filter_map(|i| Filter::from_json(&filter(i))).collect();
    query.extras.where_ = Some("c0 > 1 AND (c1 < 2 OR c1 IS NULL)".into());
    let ranges = |_: Option<&str>, _: Option<&str>, _: &query_object::Extras| Ok((None, None));
    let context = BuildContext {
        dataset: &dataset,
        templates: &NoTemplates,
        time_ranges: &ranges,
        allow_adhoc_subquery: false,
        answers: &Answers::default(),
    };
    time(|| {
        black_box(build(&query, &context)).ok();
    })
}

fn main() {
    let text: Vec<String> =
        [1, 10, 100].map(|n| format!("{n} parts {:.3} ms", sql(n).as_secs_f64() * 1e3)).to_vec();
    #[expect(clippy::print_stdout, reason = "a benchmark prints")]
    {
        println!("SQL: {}", text.join(", "));
    }
    let columns: serde_json::Map<String, Value> =
        (0..10).map(|c| (format!("c{c}"), json!(format!("c{c}")))).collect();
    for cells in [1_000, 100_000, 1_000_000] {
        let (long, wide) = (long(cells), wide(cells));
        let pivot = json!({"operation": "pivot", "options": {"index": ["ds"], "columns": ["g"],
            "aggregates": {"a": {"operator": "sum"}, "b": {"operator": "mean"}, "c": {"operator": "mean"}}}});
        let rolling = json!({"operation": "rolling", "options": {"rolling_type": "mean", "window": 7, "min_periods": 0,
            "columns": columns}});
        let contribution = json!({"operation": "contribution", "options": {"orientation": "row"}});
        let resample = json!({"operation": "resample", "options": {"rule": "1H", "method": "mean"}});
        let cum = json!({"operation": "cum", "options": {"operator": "sum", "columns": columns}});
        let mut out = Vec::new();
        let encode = time(|| {
            out.clear();
            write_records(&mut out, black_box(&long)).ok();
        });
        let line = [
            ("pivot", post(&long, pivot)),
            ("rolling", post(&wide, rolling)),
            ("contribution", post(&wide, contribution)),
            ("resample", post(&wide, resample)),
            ("cum", post(&wide, cum)),
            ("json", encode),
        ];
        let text: Vec<String> =
            line.iter().map(|(n, d)| format!("{n} {:.2} ms", d.as_secs_f64() * 1e3)).collect();
        #[expect(clippy::print_stdout, reason = "a benchmark prints")]
        {
            println!("{cells} cells: {}", text.join(", "));
        }
    }
}
