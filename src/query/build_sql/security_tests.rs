//! Hostile names, values and expressions stay where they were put; row-level rules cannot be argued away.

use infra::sql::{Place, RlsRule, RlsRules, TableName};
use serde_json::{Value, json};

use super::*;
use crate::{
    dataset::{DatasetColumn, DatasetMetric, RlsClause},
    query_object::{Column, Extras, Filter, Metric},
};

const ENGINES: [&str; 3] = ["postgresql", "sqlite", "mysql"];

pub(super) fn dataset(engine: &str) -> Dataset {
    let column = |name: &str, type_: &str| DatasetColumn {
        column_name: name.into(),
        type_: Some(type_.into()),
        ..DatasetColumn::default()
    };
    Dataset {
        id: 1,
        table_name: "arrivals".into(),
        schema: None,
        catalog: None,
        sql: None,
        columns: vec![
            column("town", "VARCHAR"),
            column("tonnage", "INTEGER"),
            column("docked_at", "TIMESTAMP"),
        ],
        metrics: vec![DatasetMetric {
            metric_name: "n".into(),
            expression: "COUNT(*)".into(),
            verbose_name: None,
        }],
        main_dttm_col: None,
        offset: 0,
        always_filter_main_dttm: false,
        fetch_values_predicate: None,
        normalize_columns: false,
        template_params: serde_json::Map::new(),
        engine: infra::engine_specs::spec(engine, None),
        db_extra: serde_json::Map::new(),
        rls: Vec::new(),
        inner_rls: Some(infra::sql::RlsRules::default()),
        names: Default::default(),
    }
}

fn sql_of(query: &QueryObject, dataset: &Dataset) -> Result<String> {
    let answers = Answers::default();
    let time_ranges = |_: Option<&str>, _: Option<&str>, _: &Extras| Ok((None, None));
    let cx = BuildContext {
        dataset,
        templates: &NoTemplates,
        time_ranges: &time_ranges,
        allow_adhoc_subquery: false,
        answers: &answers,
    };
    match build(query, &cx)? {
        Step::Ready(built) => Ok(built.sql),
        Step::Probes(all) => Ok(all.into_iter().next().unwrap()),
        Step::Prequery(built) => Ok(built.sql),
    }
}

/// Texts made of what breaks quoting, by a fixed sequence of numbers.
fn hostile_texts() -> Vec<String> {
    let pieces = [
        "'",
        "''",
        "\"",
        "`",
        "]",
        "[",
        "\\",
        "\\'",
        "--",
        "/*",
        "*/",
        ";",
        ")",
        "(",
        " OR 1=1",
        "\n",
        "\0",
        "%",
        "%s",
        ":x",
        "$$",
        "{{ 1 }}",
        "{col}",
        " UNION SELECT password FROM ab_user",
        "a",
        "ä",
        "\u{2019}",
        "#",
        "/*!",
        "E'",
    ];
    let mut seed: u64 = 42;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    let mut texts: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    for _ in 0..150 {
        let length = 1 + next(6);
        texts.push((0..length).map(|_| pieces[next(pieces.len())]).collect());
    }
    texts
}

/// One statement that reads the dataset's table and nothing else.
fn assert_harmless(sql: &str, engine: &str, hostile: &str) {
    let script =
        infra::sql::parse(sql, engine).unwrap_or_else(|error| panic!("{engine} {hostile:?}: {error}\n{sql}"));
    assert_eq!(script.statements().len(), 1, "{engine} {hostile:?}\n{sql}");
    assert!(!script.has_mutation(), "{engine} {hostile:?}\n{sql}");
    for table in script.tables() {
        assert_eq!(table.table, "arrivals", "{engine} {hostile:?}\n{sql}");
    }
}

#[test]
fn names_and_values_stay_in_their_quotes() {
    for engine in ENGINES {
        for hostile in hostile_texts() {
            let mut dataset = dataset(engine);
            let mut evil = dataset.columns[0].clone();
            evil.column_name.clone_from(&hostile);
            dataset.columns.push(evil);
            let mut query = QueryObject::new();
            query.columns = vec![Column::Name("town".into()), Column::Name(hostile.clone())];
            let metric = json!({
                "expressionType": "SIMPLE", "aggregate": "SUM", "label": hostile,
                "column": {"column_name": hostile},
            });
            query.metrics = Some(vec![Metric::from_json(metric).unwrap()]);
            query.orderby = vec![(Value::String(hostile.clone()), true)];
            let filter = |op: &str, val: Value| Filter {
                col: Value::String(hostile.clone()),
                op: op.into(),
                val,
                grain: None,
                is_extra: None,
            };
            query.filter = vec![
                filter("==", json!(hostile)),
                filter("IN", json!([hostile, hostile])),
                filter("LIKE", json!(hostile)),
                filter("ILIKE", json!(hostile)),
                filter("NOT IN", json!([hostile, null])),
            ];
            query.row_limit = Some(10);
            assert_harmless(&sql_of(&query, &dataset).unwrap(), engine, &hostile);
            query.series_columns = vec![Column::Name(hostile.clone())];
            query.series_limit = 3;
            assert_harmless(&sql_of(&query, &dataset).unwrap(), engine, &hostile);
            query.metrics = None;
            query.series_limit = 0;
            assert_harmless(&sql_of(&query, &dataset).unwrap(), engine, &hostile);
        }
    }
}

#[test]
fn expressions_cannot_leave_their_place() {
    for engine in ENGINES {
        for hostile in hostile_texts() {
            for wrapped in [
                hostile.clone(),
                format!("town {hostile}"),
                format!("lower(town){hostile}"),
                format!("'{hostile}"),
            ] {
                let dataset = dataset(engine);
                let mut query = QueryObject::new();
                let metric = json!({"expressionType": "SQL", "sqlExpression": wrapped, "label": "m"});
                query.metrics = Some(vec![Metric::from_json(metric.clone()).unwrap()]);
                let column = json!({"label": "c", "sqlExpression": wrapped});
                let mut grouped = query.clone();
                grouped.columns = vec![Column::from_json(column.clone()).unwrap()];
                let mut where_ = query.clone();
                where_.metrics = Some(vec![Metric::Name("n".into())]);
                let mut ordered = where_.clone();
                let mut having = where_.clone();
                let mut filtered = where_.clone();
                where_.extras.where_ = Some(wrapped.clone());
                having.extras.having = Some(wrapped.clone());
                ordered.orderby = vec![(metric, true)];
                filtered.filter = vec![Filter {
                    col: column,
                    op: "==".into(),
                    val: json!("x"),
                    grain: None,
                    is_extra: None,
                }];
                for query in [&query, &grouped, &where_, &having, &ordered, &filtered] {
                    if let Ok(sql) = sql_of(query, &dataset) {
                        assert_harmless(&sql, engine, &wrapped);
                    }
                }
            }
        }
    }
}

#[test]
fn row_level_rules_hold_whatever_is_asked() {
    let rule = |clause: &str, key: Option<&str>| RlsClause {
        clause: clause.into(),
        group_key: key.map(str::to_owned),
    };
    let mut dataset = dataset("postgresql");
    dataset.rls =
        vec![rule("town = 'Kiel'", Some("g")), rule("tonnage > 3", None), rule("town = 'Bremen'", Some("g"))];
    dataset.fetch_values_predicate = Some("1 = 1 OR 2 = 2".into());
    let mut query = QueryObject::new();
    query.columns = vec![Column::Name("town".into())];
    query.extras.where_ = Some("tonnage = 1 OR tonnage = 2".into());
    query.apply_fetch_values_predicate = true;
    assert_eq!(
        sql_of(&query, &dataset).unwrap(),
        "SELECT town AS town \nFROM arrivals \nWHERE (1 = 1 OR 2 = 2) AND (tonnage > 3) AND ((town = 'Kiel') OR \
         (town = \
         'Bremen')) AND (tonnage = 1 OR tonnage = 2)"
    );
    // The ranking of series is filtered like the statement itself.
    query.metrics = Some(vec![Metric::Name("n".into())]);
    query.series_columns.clone_from(&query.columns);
    query.series_limit = 3;
    assert_eq!(sql_of(&query, &dataset).unwrap().matches("(tonnage > 3)").count(), 2);
}

#[test]
fn tables_of_virtual_datasets_have_to_be_looked_up() {
    let mut dataset = dataset("postgresql");
    dataset.sql = Some("SELECT * FROM secrets".into());
    let mut query = QueryObject::new();
    query.columns = vec![Column::Name("town".into())];
    dataset.inner_rls = None;
    assert!(sql_of(&query, &dataset).is_err());
    let rls = |predicates: Option<&[&str]>| {
        let table = TableName { catalog: None, schema: None, table: "secrets".into() };
        let predicates = predicates.map(|all| all.iter().map(|text| (*text).to_owned()).collect());
        Some(RlsRules::new("postgresql", Place::default(), vec![RlsRule { table, predicates }]))
    };
    dataset.inner_rls = rls(None);
    assert!(sql_of(&query, &dataset).is_err());
    dataset.inner_rls = rls(Some(&["(a = 1)"]));
    assert_eq!(
        sql_of(&query, &dataset).unwrap(),
        "SELECT town AS town \nFROM (SELECT\n  *\nFROM (\n  SELECT\n    *\n  FROM secrets\n  WHERE\n    (\n      \
         a = 1\n    \
         )\n) AS \"secrets\") AS virtual_table"
    );
    dataset.inner_rls = Some(RlsRules::default());
    for (sql, message) in [
        ("", "Virtual dataset query cannot be empty"),
        ("SELECT 1; SELECT 2", "Virtual dataset query cannot consist of multiple statements"),
        ("DELETE FROM secrets", "Virtual dataset query must be read-only"),
        (
            "WITH x AS (DELETE FROM secrets RETURNING *) SELECT * FROM x",
            "Virtual dataset query must be read-only",
        ),
    ] {
        dataset.sql = Some(if sql.is_empty() { ";".into() } else { sql.into() });
        assert_eq!(sql_of(&query, &dataset).unwrap_err().to_string(), message);
    }
}

/// T6, T7: a condition is torn apart by nothing beside it, and comparisons stay as the original writes them.
#[test]
fn conditions_are_in_parentheses_where_it_matters() {
    let dataset = dataset("postgresql");
    for (condition, text) in [
        ("tonnage = 1", "tonnage = 1"),
        ("(tonnage = 1)", "(tonnage = 1)"),
        ("tonnage = 1 AND town IN ('a')", "tonnage = 1 AND town IN ('a')"),
        ("tonnage = 1 OR 1 = 1", "(tonnage = 1 OR 1 = 1)"),
        ("(tonnage = 1) OR (1 = 1)", "((tonnage = 1) OR (1 = 1))"),
        ("tonnage = 1 AND town = 'a' OR 1 = 1", "(tonnage = 1 AND town = 'a' OR 1 = 1)"),
    ] {
        let mut query = QueryObject::new();
        query.columns = vec![Column::Name("town".into())];
        query.extras.where_ = Some(condition.into());
        query.filter = vec![Filter {
            col: json!("tonnage"),
            op: ">".into(),
            val: json!(3),
            grain: None,
            is_extra: None,
        }];
        let sql = sql_of(&query, &dataset).unwrap();
        assert!(sql.ends_with(&format!("WHERE tonnage > 3 AND {text}")), "{sql}");
    }
}

/// What keeps rows from a reader is not closed by a predicate of the dataset.
#[test]
fn a_predicate_of_the_dataset_stays_beside_the_rules() {
    let mut dataset = dataset("postgresql");
    dataset.rls = vec![RlsClause { clause: "town = 'Kiel'".into(), group_key: None }];
    dataset.fetch_values_predicate = Some("1 = 1) OR (1 = 1".into());
    let mut query = QueryObject::new();
    query.columns = vec![Column::Name("town".into())];
    query.apply_fetch_values_predicate = true;
    assert!(sql_of(&query, &dataset).is_err());
}
