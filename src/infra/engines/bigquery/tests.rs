use std::sync::{Arc, Mutex};

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    engine_specs::url::Url,
    engines::{
        builder::ColumnBuilder,
        column::{ColumnData, Scalar},
        driver::Inspect,
        http::answering,
    },
};

/// Made for tests, and for nothing else.
const KEY: &str = include_str!("../http/test_key.txt");

fn account(port: u16) -> Value {
    let key = format!("-----BEGIN {0}-----\n{KEY}-----END {0}-----\n", "PRIVATE KEY");
    json!({
        "type": "service_account", "project_id": "own", "private_key_id": "k1", "private_key": key,
        "client_email": "reader@own.example", "token_uri": format!("http://127.0.0.1:{port}/token"),
    })
}

fn source(uri: &str, arguments: Value) -> Source {
    let arguments = arguments.as_object().cloned().unwrap();
    Source { url: Url::parse(uri).unwrap(), arguments, ..Source::default() }
}

fn emulator(port: u16) -> Environment {
    Environment { emulator: Some(format!("http://127.0.0.1:{port}")), ..Environment::default() }
}

fn token() -> (u16, Value) {
    (200, json!({"access_token": "t1", "expires_in": 3600, "token_type": "Bearer"}))
}

/// A database of a server whose first answer is a token.
async fn database(uri: &str, answers: Vec<(u16, Value)>) -> (Database, Arc<Mutex<Vec<String>>>) {
    let answers = std::iter::once(token()).chain(answers).collect();
    let (port, asked) = answering(answers).await;
    let source = source(uri, json!({"credentials_info": account(port)}));
    (Database::new(&source, &emulator(port)).unwrap(), asked)
}

fn job(location: &str) -> (u16, Value) {
    let reference = json!({"projectId": "p", "jobId": "j", "location": location});
    (200, json!({"jobReference": reference, "status": {"state": "RUNNING"}}))
}

fn row(values: &[Value]) -> Value {
    json!({"f": values.iter().map(|v| json!({"v": v})).collect::<Vec<_>>()})
}

fn refusal(status: u16, reason: &str, message: &str) -> (u16, Value) {
    let errors = json!([{"reason": reason, "message": message, "domain": "global"}]);
    (status, json!({"error": {"code": status, "message": message, "errors": errors}}))
}

#[tokio::test]
async fn a_job_is_waited_for_and_read_in_pages() {
    let schema = json!({"fields": [{"name": "n", "type": "INTEGER"}, {"name": "d", "type": "NUMERIC"}]});
    let waits = (200, json!({"jobComplete": false}));
    let first = json!({"jobComplete": true, "schema": schema, "pageToken": "a b",
                       "rows": [row(&[json!("1"), json!("1.50")])]});
    let last = json!({"jobComplete": true, "schema": schema, "rows": [row(&[json!("9007199254740993"), json!(null)])]});
    let busy = refusal(403, "rateLimitExceeded", "later");
    let answers = vec![busy, job("EU"), waits, (200, first), (200, last)];
    let uri = "bigquery://p/d?maximum_bytes_billed=1000&labels=a:b&location=EU&billing_project_id=payer";
    let (database, asked) = database(uri, answers).await;
    let found = database.query("SELECT n, d FROM t", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(1), Some(9_007_199_254_740_993)]));
    assert_eq!(found.data[1], ColumnData::Decimal(vec![Some("1.50".parse().unwrap()), None]));
    assert_eq!(found.columns[0].sql_type, "INTEGER");
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("POST /token ") && asked[0].contains("assertion=ey"), "{}", asked[0]);
    // what another host than Google's gets is of no use at Google's
    let assertion = asked[0].split_once("assertion=").unwrap().1.split('.').nth(1).unwrap();
    let claims =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, assertion).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert!(claims["aud"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{claims}");
    assert_eq!(claims["iss"], "reader@own.example");
    assert!(asked[0].contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant%2Dtype%3Ajwt%2Dbearer"));
    assert!(asked[2].starts_with("POST /bigquery/v2/projects/payer/jobs?prettyPrint=false "), "{}", asked[2]);
    assert!(asked[2].contains("authorization: Bearer t1"), "{}", asked[2]);
    let body: Value = serde_json::from_str(asked[2].split_once("\r\n\r\n").unwrap().1).unwrap();
    let query = &body["configuration"]["query"];
    assert_eq!(query["defaultDataset"], json!({"projectId": "p", "datasetId": "d"}));
    assert_eq!((&query["maximumBytesBilled"], &query["useLegacySql"]), (&json!("1000"), &json!(false)));
    assert_eq!(query["connectionProperties"][0]["value"], "p");
    assert_eq!(body["configuration"]["labels"], json!({"a": "b"}));
    assert_eq!(body["jobReference"]["location"], "EU");
    assert!(asked[5].contains("pageToken=a+b") && asked[5].contains("location=EU"), "{}", asked[5]);
}

#[tokio::test]
async fn failures_have_the_words_of_the_client() {
    let words = "Unrecognized name: nope at [1:8]";
    let (one, _) = database("bigquery://p", vec![refusal(400, "invalidQuery", words)]).await;
    let error = one.query("SELECT nope", &QueryOptions::default()).await.unwrap_err();
    let origin = one.server.origin();
    let wanted = format!("400 POST {origin}/bigquery/v2/projects/p/queries?prettyPrint=false: {words}");
    assert_eq!(error, raised(&wanted));
    let spec = crate::engine_specs::spec("bigquery", None);
    let explained = spec.extract_errors(&format!("bigquery error: {error}"), &[]);
    assert_eq!(explained[0].message, "We can't seem to resolve column \"nope\" at line 1:8.");
    // a job that has failed; its dataset is not there
    let words = "Not found: Dataset p:nope was not found in location EU";
    let mut failed = job("EU");
    failed.1["status"] = json!({"state": "DONE", "errorResult": {"reason": "notFound", "message": words}});
    let (one, _) = database("bigquery://p", vec![failed]).await;
    let error = one.query("SELECT 1 FROM nope.t", &QueryOptions::default()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("404 {words}; reason: notFound")), "{error}");
    let explained = spec.extract_errors(&format!("bigquery error: {error}"), &[]);
    assert!(explained[0].message.starts_with("The schema \"nope\" does not exist."), "{explained:?}");
    // a token that is no longer taken is replaced once
    let answers = vec![refusal(401, "authError", "Invalid Credentials"), token(), job("US")];
    let done = (200, json!({"jobComplete": true}));
    let (one, _) = database("bigquery://p", answers.into_iter().chain([done]).collect()).await;
    assert_eq!(one.query("SELECT 1", &QueryOptions::default()).await, Ok(ResultSet::default()));
    // somebody else's server
    for hostile in [json!("nothing"), json!({"jobReference": 3}), json!([])] {
        let (one, _) = database("bigquery://p", vec![(200, hostile)]).await;
        let error = one.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
        assert!(error.to_string().contains("does not speak"), "{error}");
    }
    let (one, asked) = database("bigquery://p", Vec::new()).await;
    let error = one.query("DROP TABLE d.t", &QueryOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("Only queries are allowed"), "{error}");
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn tokens_that_are_refused() {
    let words = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    let (port, _) = answering(vec![(400, words), (403, json!("secret of somebody's server"))]).await;
    let source = source("bigquery://p", json!({"credentials_info": account(port)}));
    let database = Database::new(&source, &emulator(port)).unwrap();
    let error = database.ping().await.unwrap_err();
    assert_eq!(error, EngineError::Unauthorized("invalid_grant: Invalid JWT Signature.".into()));
    let error = database.ping().await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn what_is_given_up_is_cancelled() {
    let waits = || (200, json!({"jobComplete": false}));
    let answers = std::iter::once(job("EU")).chain((0..40).map(|_| waits())).collect();
    let (database, asked) = database("bigquery://p", answers).await;
    let options = QueryOptions { timeout: Duration::from_millis(700), ..QueryOptions::default() };
    let error = database.query("SELECT 1", &options).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(options.timeout));
    for _ in 0..100 {
        if asked.lock().unwrap().iter().any(|text| {
            text.starts_with("POST /bigquery/v2/projects/p/jobs/")
                && text.contains("/cancel?prettyPrint=false&location=EU ")
        }) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not cancelled: {:?}", asked.lock().unwrap());
}

#[tokio::test]
async fn tables_and_columns() {
    let list = json!({"tables": [
        {"tableReference": {"tableId": "a"}, "type": "TABLE"}, {"tableReference": {"tableId": "v"}, "type": "VIEW"},
        {"tableReference": {"tableId": "m"}, "type": "MODEL"}], "nextPageToken": "n"});
    let rest = json!({"tables": [{"tableReference": {"tableId": "e"}, "type": "EXTERNAL"}]});
    let field = |name: &str, type_: &str| json!({"name": name, "type": type_, "mode": "NULLABLE"});
    let mut bytes = field("b", "BYTES");
    bytes["maxLength"] = json!("3");
    let mut exact = field("x", "BIGNUMERIC");
    (exact["precision"], exact["scale"]) = (json!("50"), json!("20"));
    let mut record = field("r", "RECORD");
    record["fields"] = json!([field("i", "INTEGER"), bytes]);
    let mut list_of = field("l", "STRING");
    list_of["mode"] = json!("REPEATED");
    let mut required = field("q", "DATE");
    (required["mode"], required["description"]) = (json!("REQUIRED"), json!("day"));
    let table = json!({
        "schema": {"fields": [required, exact, record, list_of, field("j", "JSON")]},
        "description": "All", "timePartitioning": {"type": "DAY", "field": "q"},
    });
    let missing = || refusal(404, "notFound", "Not found: Table p:d.no");
    let answers = vec![(200, list), (200, rest), missing(), (200, table.clone()), (200, table), missing()];
    let (database, asked) = database("bigquery://p/d", answers).await;
    assert_eq!(database.tables("d").await.unwrap(), ["a", "e"]);
    assert_eq!(database.views("no").await.unwrap(), Vec::<String>::new());
    let columns = database.columns("d", "t").await.unwrap();
    let shown: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.type_.as_str(), c.nullable)).collect();
    let wanted = [
        ("q", "DATE", false),
        ("x", "BIGNUMERIC(50, 20)", true),
        ("r", "STRUCT<i INT64, b BYTES(3)>", true),
        ("r.i", "INT64", true),
        ("r.b", "BYTES(3)", true),
        ("l", "ARRAY<STRING>", true),
        ("j", "UNKNOWN", true),
    ];
    assert_eq!(shown, wanted);
    assert_eq!(columns[0].comment.as_deref(), Some("day"));
    assert_eq!(database.time_partition("d", "t").await.unwrap().as_deref(), Some("q"));
    assert_eq!(database.columns("other.d", "no").await.unwrap(), []);
    let asked = asked.lock().unwrap();
    assert!(asked[2].contains("pageToken=n"), "{}", asked[2]);
    assert!(asked[6].starts_with("GET /bigquery/v2/projects/other/datasets/d/tables/no?"), "{}", asked[6]);
}

#[tokio::test]
async fn what_a_statement_would_read() {
    let dry =
        json!({"statistics": {"totalBytesProcessed": "1536", "query": {"totalBytesProcessed": "1536"}}});
    let (database, asked) = database("bigquery://p", vec![(200, dry)]).await;
    let bytes = database.bytes_to_read("SELECT * FROM d.t", &QueryOptions::default()).await;
    assert_eq!(bytes, Ok(Some(1536)));
    assert!(asked.lock().unwrap()[1].contains(r#""dryRun":true"#));
}

#[test]
fn values() {
    let pushed = |field: Value, value: Value| {
        let mut out = ColumnBuilder::new();
        value::push(value, &serde_json::from_value(field).unwrap(), &mut out);
        out.finish().get(0)
    };
    let of = |type_: &str, text: &str| pushed(json!({"name": "c", "type": type_}), json!(text));
    let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_milli_opt(12, 0, 0, 500).unwrap();
    assert_eq!(of("BOOLEAN", "true"), Scalar::Bool(true));
    assert_eq!(of("FLOAT", "-Infinity"), Scalar::Float(f64::NEG_INFINITY));
    assert_eq!(of("BIGNUMERIC", "1.50"), Scalar::Decimal("1.50".parse().unwrap()));
    assert_eq!(of("TIMESTAMP", "1709208000500000"), Scalar::TimestampTz(noon, 0));
    assert_eq!(of("TIMESTAMP", "1.7092080005E9"), Scalar::TimestampTz(noon, 0));
    assert_eq!(of("DATETIME", "2024-02-29T12:00:00.500"), Scalar::Timestamp(noon));
    assert_eq!(of("TIME", "12:34:56"), Scalar::Time(NaiveTime::from_hms_opt(12, 34, 56).unwrap()));
    assert_eq!(of("BYTES", "3q0="), Scalar::Bytes(vec![0xde, 0xad]));
    assert_eq!(of("JSON", r#"{"a": 1}"#), Scalar::Json(json!({"a": 1})));
    assert_eq!(of("INTEGER", "no number"), Scalar::Text("no number".into()));
    assert_eq!(of("GEOGRAPHY", "POINT(1 2)"), Scalar::Text("POINT(1 2)".into()));
    let field = json!({"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [
        {"name": "k", "type": "STRING"}, {"name": "v", "type": "INTEGER", "mode": "REPEATED"}]});
    let value = json!([{"v": row(&[json!("a"), json!([{"v": "1"}, {"v": "2"}])])}]);
    assert_eq!(pushed(field, value), Scalar::Json(json!([{"k": "a", "v": [1, 2]}])));
    assert_eq!(pushed(json!({"name": "c", "type": "RECORD"}), Value::Null), Scalar::Null);
}

#[test]
fn connection_strings() {
    let open = |uri: &str, arguments: Value, environment: &Environment| {
        Server::new(&source(uri, arguments), environment).map(|server| server.target)
    };
    let refused = |uri: &str, arguments: Value| {
        open(uri, arguments, &emulator(1)).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let good = || json!({"credentials_info": account(1)});
    let target = open("bigquery://", good(), &emulator(1)).unwrap();
    assert_eq!((target.project.as_str(), target.billing.as_str()), ("own", "own"));
    assert_eq!((target.dataset, target.access.port), (None, 1));
    let mut google = account(1);
    google["token_uri"] = json!("https://oauth2.googleapis.com/token");
    let service =
        open("bigquery://p/?", json!({"credentials_info": google}), &Environment::default()).unwrap();
    assert_eq!((service.access.host.as_str(), service.access.port), ("bigquery.googleapis.com", 443));
    // what the connection names as the giver of tokens must be public and encrypted
    for uri in ["http://tokens.example/", "https://127.0.0.1/", "https://[::1]/", "file:///etc/passwd"] {
        let mut account = account(1);
        account["token_uri"] = json!(uri);
        let arguments = json!({"credentials_info": account});
        assert!(open("bigquery://p", arguments, &Environment::default()).is_err(), "{uri}");
    }
    assert!(refused("bigquery://p", json!({})).starts_with("Your default credentials were not found."));
    let broken = json!({"credentials_info": {"type": "service_account"}});
    assert_eq!(
        refused("bigquery://p", broken),
        "Service account info was not in the expected format, missing fields token_uri, client_email."
    );
    let mut wrong = account(1);
    wrong["private_key"] = json!("no key");
    assert_eq!(refused("bigquery://p", json!({"credentials_info": wrong})), "No key could be detected.");
    assert!(refused("bigquery://p?credentials_path=/etc/passwd", good()).contains("names a file"));
    assert!(refused("bigquery://p?destination=a.b.c", good()).contains("not supported"));
    assert!(refused("bigquery://p?maximum_bytes_billed=x", good()).contains("invalid int"));
    assert!(refused("bigquery://p?use_legacy_sql=true", good()).contains("legacy sql"));
    // the operator's file, which only the environment names
    let file = std::env::temp_dir().join(format!("liteset-bigquery-{}.json", std::process::id()));
    std::fs::write(&file, account(1).to_string()).unwrap();
    let environment = Environment { credentials: Some(file.clone()), ..emulator(1) };
    assert_eq!(open("bigquery://", json!({}), &environment).unwrap().project, "own");
    std::fs::remove_file(&file).unwrap();
    let person: Map<String, Value> =
        json!({"type": "authorized_user", "client_id": "i", "client_secret": "s",
        "refresh_token": "r"})
        .as_object()
        .cloned()
        .unwrap();
    assert!(account::Account::new(&person, TIMEOUT, (true, false)).is_ok());
    assert!(account::Account::new(&person, TIMEOUT, (false, true)).is_err());
}
