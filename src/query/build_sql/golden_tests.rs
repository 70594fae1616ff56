//! SQL compared with texts recorded from Superset (`tests/golden/sql`), and with any other file of that form that
//! `LITESET_SQL_CASES` names.

use chrono::NaiveDateTime;
use serde_json::Value;

use super::*;
use crate::{
    dataset::{DatasetColumn, DatasetMetric, RlsClause, TableRls},
    query_object::{Limits, ResultType, assemble},
};

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn truth(value: &Value, key: &str) -> Option<bool> {
    value.get(key).and_then(|flag| flag.as_bool().or_else(|| flag.as_i64().map(|n| n != 0)))
}

pub(super) fn dataset(value: &Value) -> Dataset {
    Dataset {
        id: 1,
        table_name: text(value, "table_name").unwrap(),
        schema: text(value, "schema"),
        catalog: text(value, "catalog"),
        sql: text(value, "sql"),
        columns: list(value, "columns")
            .iter()
            .map(|column| DatasetColumn {
                column_name: text(column, "column_name").unwrap(),
                verbose_name: text(column, "verbose_name"),
                type_: text(column, "type"),
                expression: text(column, "expression"),
                python_date_format: text(column, "python_date_format"),
                is_dttm: truth(column, "is_dttm"),
                groupby: true,
                filterable: true,
                advanced_data_type: None,
            })
            .collect(),
        metrics: list(value, "metrics")
            .iter()
            .map(|metric| DatasetMetric {
                metric_name: text(metric, "metric_name").unwrap(),
                verbose_name: text(metric, "verbose_name"),
                expression: text(metric, "expression").unwrap(),
            })
            .collect(),
        main_dttm_col: text(value, "main_dttm_col"),
        offset: 0,
        always_filter_main_dttm: truth(value, "always_filter_main_dttm").unwrap_or(false),
        fetch_values_predicate: text(value, "fetch_values_predicate"),
        normalize_columns: false,
        template_params: serde_json::Map::new(),
        engine: infra::engines::spec(&text(value, "engine").unwrap(), None),
        db_extra: serde_json::Map::new(),
        rls: list(value, "rls")
            .iter()
            .map(|rule| RlsClause {
                clause: text(rule, "clause").unwrap(),
                group_key: text(rule, "group_key"),
            })
            .collect(),
        inner_rls: list(value, "inner_rls")
            .iter()
            .map(|rule| TableRls {
                catalog: None,
                schema: text(rule, "schema"),
                table: text(rule, "table").unwrap(),
                predicates: list(rule, "predicates").iter().map(|p| p.as_str().unwrap().to_owned()).collect(),
            })
            .collect(),
        default_schema: text(value, "default_schema"),
        default_catalog: None,
    }
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .ok()
        .or_else(|| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

/// What one case gives: its SQL, or `!` and the message.
pub(super) fn outcome(case: &Value, mut dataset: Dataset) -> String {
    let bounds = list(case, "bounds");
    let of_case = (
        bounds.first().and_then(Value::as_str).and_then(moment),
        bounds.get(1).and_then(Value::as_str).and_then(moment),
    );
    let time_ranges = |range: Option<&str>, _: Option<&str>, _: &crate::query_object::Extras| {
        if bounds.is_empty() {
            let (from, to) = range.and_then(|range| range.split_once(" : ")).unwrap_or_default();
            return Ok((moment(from), moment(to)));
        }
        Ok(if range == Some("No filter") { (None, None) } else { of_case })
    };
    let query = case.get("query").and_then(Value::as_object).unwrap();
    let result_type = text(case, "result_type").and_then(|name| ResultType::named(&name)).unwrap_or_default();
    let build = || -> Result<String> {
        let mut query = assemble::query_object(query, result_type, false, &Limits::default(), &time_ranges)?;
        query.apply_granularity(case.get("form_data"), &dataset);
        query.apply_time_range();
        query.validate(&dataset, false, &|text| Ok(text.to_owned()))?;
        let mut answers = Answers::default();
        loop {
            let cx = BuildContext {
                dataset: &dataset,
                templates: &NoTemplates,
                time_ranges: &time_ranges,
                allow_adhoc_subquery: false,
                answers: &answers,
            };
            match super::build(&query, &cx)? {
                Step::Ready(built) => return Ok(built.sql),
                Step::Probe(sql) => {
                    let answer = truth(case, "probe").ok_or_else(String::new);
                    answers.probes.insert(sql, answer);
                }
                Step::Prequery(built) => match case.get("groups").and_then(Value::as_object) {
                    Some(groups) => {
                        let columns = groups
                            .iter()
                            .map(|(label, values)| (label.clone(), values.as_array().unwrap().clone()));
                        answers.prequeries.insert(built.sql, columns.collect());
                    }
                    None => return Ok(format!("prequery {}", built.sql)),
                },
            }
        }
    };
    // Tables without rules have to be named as such.
    if dataset.inner_rls.is_empty() {
        let answers = Answers::default();
        let cx = BuildContext {
            dataset: &dataset,
            templates: &NoTemplates,
            time_ranges: &time_ranges,
            allow_adhoc_subquery: false,
            answers: &answers,
        };
        if let Ok(tables) = inner_tables(&cx) {
            dataset.inner_rls = tables
                .into_iter()
                .map(|table| TableRls {
                    catalog: table.catalog,
                    schema: table.schema,
                    table: table.table,
                    predicates: Vec::new(),
                })
                .collect();
        }
        return build_or_error(case, dataset);
    }
    build().unwrap_or_else(|error| format!("!{error}"))
}

fn build_or_error(case: &Value, dataset: Dataset) -> String {
    if dataset.inner_rls.is_empty() {
        // Nothing to look up: a marker that no table matches keeps the recursion from going on.
        let mut dataset = dataset;
        dataset.inner_rls.push(TableRls {
            catalog: None,
            schema: None,
            table: String::new(),
            predicates: Vec::new(),
        });
        return outcome(case, dataset);
    }
    outcome(case, dataset)
}

fn check(path: &str) -> (usize, Vec<String>) {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut failures = Vec::new();
    let cases = list(&file, "cases");
    for case in cases {
        let named = file.get("datasets").and_then(|all| all.get(text(case, "dataset").unwrap())).unwrap();
        let got = outcome(case, dataset(named));
        let expected = text(case, "sql").unwrap();
        if got != expected {
            let id = text(case, "id").unwrap_or_default();
            failures.push(format!("{id}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    (cases.len(), failures)
}

#[test]
fn equals_the_recorded_texts() {
    for name in ["statements.json", "duckdb_mssql.json"] {
        let (count, failures) =
            check(&format!("{}/../../tests/golden/sql/{name}", env!("CARGO_MANIFEST_DIR")));
        assert!(count > 50, "{count} cases only");
        assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
    }
}

#[test]
fn equals_further_texts_where_there_are_some() {
    let Ok(path) = std::env::var("LITESET_SQL_CASES") else { return };
    let (count, failures) = check(&path);
    println!("{} of {count} equal\n{}", count - failures.len(), failures.join("\n"));
}
