//! Row-level rules hold in every shape, spelling and dialect (T7, T8, T22): by execution on SQLite and PostgreSQL,
//! elsewhere by looking for the predicate at every scan of the text that would be executed.

use std::{collections::BTreeSet, ops::ControlFlow};

use sqlparser::ast::{Query, Select, SetExpr, TableFactor, Visit, Visitor};

use super::{
    parse::Source,
    rls_shapes::{REFUSED, SILENT, Shape, TELLING, WHOLE_TABLES},
    tests::processor_time,
    *,
};
use crate::{
    engine_specs::url::Url,
    engines::{Engine, Engines, QueryOptions, Source as Target, Statements},
};

const ENGINES: &[&str] = &[
    "sqlite",
    "postgresql",
    "redshift",
    "cockroachdb",
    "mysql",
    "mariadb",
    "starrocks",
    "mssql",
    "oracle",
    "bigquery",
    "snowflake",
    "duckdb",
    "trino",
    "presto",
    "clickhousedb",
    "hive",
    "databricks",
    "teradatasql",
    "hana",
    "db2",
];

fn name(catalog: Option<&str>, schema: Option<&str>, table: &str) -> TableName {
    TableName {
        catalog: catalog.map(str::to_owned),
        schema: schema.map(str::to_owned),
        table: table.to_owned(),
    }
}

/// The place of a statement in the catalog `c` and the schema `main`.
fn place() -> Place {
    Place {
        catalog: Some("c".into()),
        default_catalog: Some("c".into()),
        schemas: vec!["main".into()],
        default_schemas: vec!["main".into()],
    }
}

fn rules(engine: &str, place: Place, table: TableName) -> RlsRules {
    RlsRules::new(engine, place, vec![RlsRule { table, predicates: Some(vec!["(gender = 'girl')".into()]) }])
}

fn rewritten(sql: &str, engine: &str, rules: &RlsRules) -> Result<String, ParseError> {
    let mut script = parse(sql, engine)?;
    script.apply_rls(rules)?;
    Ok(script.format())
}

fn quotes(engine: &str) -> (&'static str, &'static str) {
    match engine {
        "mysql" | "mariadb" | "starrocks" | "bigquery" | "hive" | "databricks" => ("`", "`"),
        "mssql" => ("[", "]"),
        _ => ("\"", "\""),
    }
}

/// Spellings of `people` in the schema `main` of the catalog `c`.
fn spellings(engine: &str) -> Vec<String> {
    let (open, close) = quotes(engine);
    let quoted = |text: &str| format!("{open}{text}{close}");
    let mut all = vec![
        "people".to_owned(),
        "PEOPLE".to_owned(),
        "PeoPle".to_owned(),
        quoted("people"),
        quoted("PEOPLE"),
        "main.people".to_owned(),
        "MAIN.People".to_owned(),
        format!("{}.{}", quoted("main"), quoted("people")),
        format!("/* main. */ {} . /* x */ people", quoted("Main")),
        "c.main.people".to_owned(),
        format!("C.{}.PEOPLE", quoted("MAIN")),
    ];
    match engine {
        "mssql" => all.extend(["c..people".to_owned(), "loop.c.main.people".into(), "[people ]".into()]),
        "bigquery" => {
            all.extend(["`c.main.people`".to_owned(), "`main.peop*`".into(), "`main.people$2020`".into()])
        }
        "trino" => all.push("\"people$partitions\"".to_owned()),
        "databricks" => all.push("main.people.branch_main".to_owned()),
        _ => {}
    }
    all
}

/// Scans of `people` without and with the predicate beside them.
#[derive(Default)]
struct Scans {
    bare: usize,
    filtered: usize,
    inside: BTreeSet<usize>,
}

impl Scans {
    fn names_people(factor: &TableFactor) -> bool {
        matches!(factor, TableFactor::Table { name, args: None, .. }
            if name.to_string().to_lowercase().contains("peop"))
    }

    fn look(&mut self, select: &Select) {
        let filters =
            select.selection.as_ref().is_some_and(|expr| expr.to_string().contains("gender = 'girl'"));
        if let ([from], true) = (select.from.as_slice(), filters)
            && Self::names_people(&from.relation)
            && from.joins.is_empty()
        {
            self.inside.insert(std::ptr::from_ref(&from.relation).addr());
        }
    }
}

impl Visitor for Scans {
    type Break = ();
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref() {
            self.look(select);
        }
        ControlFlow::Continue(())
    }
    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if Self::names_people(factor) {
            match self.inside.contains(&std::ptr::from_ref(factor).addr()) {
                true => self.filtered += 1,
                false => self.bare += 1,
            }
        }
        ControlFlow::Continue(())
    }
}

fn scans(sql: &str, engine: &str) -> Scans {
    let source = Source::new(sql, engine).unwrap_or_else(|e| panic!("{engine} {sql}: {e}"));
    let statements = source.parser().parse_statements().unwrap_or_else(|e| panic!("{engine} {sql}: {e}"));
    let mut scans = Scans::default();
    let _ = statements.visit(&mut scans);
    scans
}

/// Every shape in every spelling and dialect is refused, or each scan in it is filtered.
#[test]
fn every_scan_is_filtered_in_every_dialect() {
    for engine in ENGINES {
        let rules = rules(engine, place(), name(None, Some("main"), "people"));
        let (mut done, mut refused) = (0, 0);
        // elsewhere `ONLY people` is a table `only` under another name
        let knows_only = ["postgresql", "redshift", "cockroachdb", "duckdb", "db2", "hana"].contains(engine);
        let known = |sql: &str| knows_only || !sql.contains("ONLY");
        for (sql, references) in TELLING.iter().chain(SILENT).filter(|(sql, _)| known(sql)) {
            for spelling in spellings(engine) {
                let sql = sql.replace("{t}", &spelling);
                let Ok(text) = rewritten(&sql, engine, &rules) else {
                    refused += 1;
                    continue;
                };
                let scans = scans(&text, engine);
                // where letters tell names apart, a reference to the CTE may be filtered as well
                assert!(scans.filtered > 0 && scans.bare <= *references, "{engine}: {sql}\n{text}");
                done += 1;
            }
        }
        println!("{engine}: {done} rewritten, {refused} refused");
        assert!(done > refused, "{engine}: {done} rewritten, {refused} refused");
    }
}

/// Where a table with rules cannot be filtered, or where it is not known what is read, the statement is refused.
#[test]
fn what_cannot_be_filtered_is_refused() {
    for engine in ENGINES {
        let table = name(None, Some("main"), "people");
        let predicates = Some(vec!["gender IN (SELECT g FROM allowed)".into()]);
        let rules = RlsRules::new(engine, place(), vec![RlsRule { table, predicates }]);
        for sql in REFUSED {
            for spelling in ["people", "PEOPLE", "main.people", "c.main.people"] {
                let sql = sql.replace("{t}", spelling);
                assert!(rewritten(&sql, engine, &rules).is_err(), "{engine}: {sql}");
            }
        }
        for sql in WHOLE_TABLES {
            let sql = sql.replace("{t}", "people");
            let text = rewritten(&sql, engine, &rules);
            assert!(
                text.is_err() || text.as_ref().is_ok_and(|text| text.contains("allowed")),
                "{engine}: {text:?}"
            );
        }
        let free = "SELECT * FROM other AS o JOIN elsewhere.people AS p ON o.id = p.id";
        if !matches!(*engine, "hive" | "databricks" | "teradatasql" | "snowflake") {
            assert!(!rewritten(free, engine, &rules).unwrap().contains("allowed"), "{engine}");
        }
        assert!(rewritten("INSERT INTO people (id) VALUES (1)", engine, &rules).is_ok(), "{engine}");
    }
    // an alias, a column and a text of that name are no table
    let rules = rules("postgresql", place(), name(None, Some("main"), "people"));
    let sql = "SELECT people, 'people' FROM other AS people";
    assert!(!rewritten(sql, "postgresql", &rules).unwrap().contains("girl"));
}

/// Catalog and schema of the dataset that has the rule: NULL is the default, in either direction.
#[test]
fn defaults_and_null_are_one() {
    let known = |catalog, schema| name(catalog, schema, "people");
    for engine in ENGINES {
        for table in [
            known(None, None),
            known(Some("c"), None),
            known(None, Some("main")),
            known(Some("c"), Some("main")),
            known(Some(""), Some("")),
            known(Some("C"), Some("MAIN")),
        ] {
            for named in [
                known(None, None),
                known(None, Some("main")),
                known(Some("c"), Some("main")),
                known(Some("C"), Some("Main")),
            ] {
                let tables = vec![name(None, None, "other"), table.clone()];
                let same = SameTable::new(engine, place(), tables);
                assert_eq!(same.find(&named), [1], "{engine} {named:?} {table:?}");
                let unknown = SameTable::new(engine, Place::default(), vec![table.clone()]);
                assert_eq!(unknown.find(&named), [0], "{engine} {named:?} {table:?}");
            }
        }
        let other =
            [name(None, None, "peoples"), name(None, Some("s2"), "people"), name(Some("c2"), None, "people")];
        let same = SameTable::new(engine, place(), other.to_vec());
        assert!(same.find(&known(None, None)).is_empty(), "{engine}");
        assert_eq!(same.find(&known(None, Some("S2"))), [1], "{engine}");
        // the schema of a statement is not where a dataset without one lies
        let elsewhere = Place { schemas: vec!["s2".into()], ..place() };
        let same = SameTable::new(engine, elsewhere, vec![known(None, None), known(None, Some("s2"))]);
        assert_eq!(same.find(&known(None, None)), [1], "{engine}");
    }
    // any schema of the path
    let path = Place { schemas: vec!["a".into(), "main".into()], ..place() };
    let same = SameTable::new("postgresql", path, vec![known(None, Some("main"))]);
    assert_eq!(same.find(&known(None, None)), [0]);
}

/// Spellings that only an engine takes for the same name.
#[test]
fn names_are_compared_as_engines_compare_them() {
    let finds = |engine: &str, known: &str, named: &str| {
        !SameTable::new(engine, place(), vec![name(None, None, known)])
            .find(&name(None, None, named))
            .is_empty()
    };
    let long = "n".repeat(70);
    assert!(finds("postgresql", &long[..63], &long));
    assert!(!finds("mysql", &long[..63], &long));
    for (known, named) in
        [("Größe", "GRÖSSE"), ("people", "ｐｅｏｐｌｅ"), ("people", "péople "), ("people", "peo\u{200b}ple")]
    {
        assert!(finds("mssql", known, named), "{named}");
    }
    assert!(finds("bigquery", "people", "peo*") && !finds("bigquery", "people", "x*"));
    assert!(!finds("postgresql", "people", "peo*"));
}

/// A CTE of the table's name in other letters is not the table's name, where letters count.
#[test]
fn a_cte_in_other_letters_hides_no_table() {
    for (engine, sql, filtered) in [
        ("postgresql", "WITH people AS (SELECT 1) SELECT * FROM \"PEOPLE\"", true),
        ("postgresql", "WITH people AS (SELECT 1) SELECT * FROM PEOPLE", false),
        ("mysql", "WITH PEOPLE AS (SELECT 1) SELECT * FROM people", true),
        ("clickhousedb", "WITH PEOPLE AS (SELECT 1) SELECT * FROM people", true),
        ("mssql", "WITH PEOPLE AS (SELECT 1 AS a) SELECT * FROM people", true),
        ("oracle", "WITH people AS (SELECT 1 FROM dual) SELECT * FROM \"people\"", true),
        ("snowflake", "WITH people AS (SELECT 1) SELECT * FROM \"people\"", true),
        ("sqlite", "WITH PEOPLE AS (SELECT 1) SELECT * FROM \"people\"", false),
        ("sqlite", "WITH people AS (SELECT 1) SELECT * FROM main.people", true),
        ("sqlite", "SELECT * FROM (WITH people AS (SELECT 1) SELECT 2), people", true),
        (
            "postgresql",
            "WITH a AS (WITH people AS (SELECT 1) SELECT * FROM people), b AS (SELECT * FROM people) SELECT * FROM b",
            true,
        ),
        ("postgresql", "WITH people AS (SELECT 1), b AS (SELECT * FROM people) SELECT * FROM b", false),
    ] {
        let rules = rules(engine, place(), name(None, None, "people"));
        let text = rewritten(sql, engine, &rules).unwrap();
        assert_eq!(text.contains("girl"), filtered, "{engine}: {sql}\n{text}");
    }
}

/// The work grows with the text, not with its square.
#[test]
fn the_cost_is_linear() {
    let many = (0..500).map(|n| RlsRule {
        table: name(None, Some("main"), &format!("t{n}")),
        predicates: Some(vec!["a = 1".into()]),
    });
    let rules = RlsRules::new("postgresql", place(), many.collect());
    let time = |size: usize| {
        let ctes: Vec<_> = (0..size).map(|n| format!("c{n} AS (SELECT * FROM x{n}, t{n})")).collect();
        let reads: Vec<_> = (0..size).map(|n| format!("c{n}")).collect();
        let sql = format!("WITH {} SELECT * FROM {}", ctes.join(", "), reads.join(", "));
        let mut script = parse(&sql, "postgresql").unwrap();
        let start = processor_time();
        script.tables();
        script.apply_rls(&rules).unwrap();
        (processor_time() - start).as_secs_f64()
    };
    time(200);
    let (small, large) = (time(200), time(1_600));
    println!("200: {small} s, 1600: {large} s");
    assert!(large > 0.0 && large < small * 8.0 * 3.0, "{small} {large}");
}

const DATA: &[&str] = &[
    "CREATE TABLE people (id int, gender text)",
    "INSERT INTO people VALUES (1, 'girl'), (2, 'boy'), (3, 'girl')",
    "CREATE TABLE other (id int, name text)",
    "INSERT INTO other VALUES (1, 'x'), (2, 'y'), (3, 'z')",
    "CREATE VIEW seen AS SELECT * FROM people",
];

/// Executes every shape with and without the rule.
async fn execute_all(engine: &Engine, dialect: &str, schema: &str) {
    let place = Place {
        catalog: Some("c".into()),
        default_catalog: Some("c".into()),
        schemas: vec![schema.into()],
        default_schemas: vec![schema.into()],
    };
    let show = async |sql: &str| match engine.query(sql, &QueryOptions::default()).await {
        Ok(found) => Some(
            found
                .data
                .iter()
                .flat_map(|c| (0..c.len()).map(|n| format!("{:?}", c.get(n))))
                .collect::<Vec<_>>(),
        ),
        Err(error) => {
            println!("{dialect}: {error}: {sql}");
            None
        }
    };
    let boy = |rows: &Option<Vec<String>>| rows.iter().flatten().any(|cell| cell.contains("boy"));
    let (mut seen, mut leaks) = (0, Vec::new());
    for (shape, _) in TELLING {
        for table in [
            name(None, None, "people"),
            name(Some("c"), None, "people"),
            name(None, Some(schema), "people"),
            name(Some("c"), Some(schema), "PEOPLE"),
        ] {
            let rules = rules(dialect, place.clone(), table.clone());
            for spelling in spellings(dialect).iter().filter(|s| !s.to_lowercase().starts_with('c')) {
                let sql = shape.replace(
                    "{t}",
                    &spelling.replace("main", schema).replace("MAIN", &schema.to_uppercase()),
                );
                let Ok(text) = rewritten(&sql, dialect, &rules) else { continue };
                if boy(&show(&text).await) {
                    leaks.push(format!("{sql}\n  {text}\n  {table:?}"));
                }
                // what is tested must be able to tell
                if spelling == "people" && table.schema.is_none() {
                    let bare = show(&sql).await;
                    assert!(bare.is_none() || boy(&bare), "{dialect} tells nothing: {sql}");
                    seen += usize::from(bare.is_some());
                }
            }
        }
    }
    println!("{dialect}: {seen} executed");
    assert!(leaks.is_empty(), "{dialect}: {} leaks\n{}", leaks.len(), leaks.join("\n"));
    assert!(seen > 50, "{dialect}: {seen} executed");
    // a view is a table of its own: whoever names it sees what it shows, unless it has rules itself
    let of_table = rules(dialect, place.clone(), name(None, None, "people"));
    let text = rewritten("SELECT gender FROM seen", dialect, &of_table).unwrap();
    assert!(boy(&show(&text).await), "{dialect}: {text}");
    let of_view = rules(dialect, place, name(None, None, "seen"));
    let text = rewritten("SELECT gender FROM seen", dialect, &of_view).unwrap();
    assert!(!boy(&show(&text).await), "{dialect}: {text}");
}

fn engine(uri: &str) -> Engine {
    let source = Target { url: Url::parse(uri).unwrap(), ..Target::default() };
    Engines::new(None).make(&source).unwrap()
}

#[tokio::test]
async fn sqlite_shows_no_forbidden_row() {
    let file = std::env::temp_dir().join(format!("liteset_rules_{}.db", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let database = rusqlite::Connection::open(&file).unwrap();
    database.execute_batch(&DATA.join(";")).unwrap();
    drop(database);
    let engine = engine(&format!("sqlite:///{}", file.display()));
    execute_all(&engine, "sqlite", "main").await;
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn postgresql_shows_no_forbidden_row() {
    let Ok(uri) = std::env::var("LITESET_TEST_POSTGRES") else {
        println!("skipped: LITESET_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("liteset_rules_{}", std::process::id());
    let server = engine(&uri);
    server.execute_all(Statements::list([format!("CREATE SCHEMA {schema}")])).await.unwrap();
    let mut url = Url::parse(&uri).unwrap();
    url.set_option("options", format!("-csearch_path={schema}"));
    let engine = Engines::new(None).make(&Target { url, ..Target::default() }).unwrap();
    for sql in DATA {
        engine.execute_all(Statements::list([(*sql).to_owned()])).await.unwrap();
    }
    assert_eq!(engine.search_path().await.unwrap(), std::slice::from_ref(&schema));
    let (dialect, path) = ("postgresql", schema.clone());
    let outcome = tokio::spawn(async move { execute_all(&engine, dialect, &path).await }).await;
    server.execute_all(Statements::list([format!("DROP SCHEMA {schema} CASCADE")])).await.unwrap();
    outcome.unwrap();
}

#[test]
fn shapes_are_different() {
    let all: BTreeSet<&Shape> = TELLING.iter().chain(SILENT).collect();
    assert_eq!(all.len(), TELLING.len() + SILENT.len());
}
