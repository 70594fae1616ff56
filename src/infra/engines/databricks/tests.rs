use chrono::NaiveDate;
use serde_json::{Value, json};

use super::*;
use crate::{
    engine_specs::url::Url,
    engines::{
        builder::ColumnBuilder,
        column::{ColumnData, Scalar},
        driver::Inspect,
        http::{Asked, answering},
    },
};

/// A warehouse that answers with what is given, and what it was asked.
async fn server(answers: Vec<(u16, Value)>) -> (Database, Asked) {
    let (port, asked) = answering(answers).await;
    let url = Url::parse("databricks+connector://token:dapi@h:443/port").unwrap();
    let here = format!("http://127.0.0.1:{port}/x");
    let arguments = json!({"http_path": "/sql/1.0/warehouses/w1", "_connection_uri": here});
    let arguments = arguments.as_object().cloned().unwrap();
    (Database::new(&Source { url, arguments, ..Source::default() }).unwrap(), asked)
}

fn answer(state: &str, columns: &[(&str, &str)], rows: Value) -> Value {
    let columns: Vec<_> = columns.iter().map(|(n, t)| json!({"name": n, "type_text": t})).collect();
    json!({
        "statement_id": "s1", "status": {"state": state}, "manifest": {"schema": {"columns": columns}},
        "result": {"data_array": rows},
    })
}

#[tokio::test]
async fn a_statement_is_waited_for_and_read_in_chunks() {
    let mut first = answer("SUCCEEDED", &[("n", "BIGINT"), ("d", "DECIMAL(10,2)")], json!([["1", "1.50"]]));
    first["result"]["next_chunk_internal_link"] =
        json!("/api/2.0/sql/statements/s1/result/chunks/1?row_offset=1");
    let running = json!({"statement_id": "s1", "status": {"state": "RUNNING"}});
    let last = json!({"data_array": [["9007199254740993", null]]});
    let busy = json!({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"});
    let (database, asked) = server(vec![(429, busy), (200, running), (200, first), (200, last)]).await;
    let found = database.query("SELECT n, d FROM t", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(1), Some(9_007_199_254_740_993)]));
    assert_eq!(found.data[1], ColumnData::Decimal(vec![Some("1.50".parse().unwrap()), None]));
    assert_eq!(found.columns[1].sql_type, "DECIMAL");
    let asked = asked.lock().unwrap();
    assert!(asked[1].contains("authorization: Bearer dapi"), "{}", asked[1]);
    assert!(asked[1].contains(r#""warehouse_id":"w1""#) && asked[1].contains(r#""schema":"port""#));
    assert!(asked[2].starts_with("GET /api/2.0/sql/statements/s1 "), "{}", asked[2]);
    assert!(
        asked[3].starts_with("GET /api/2.0/sql/statements/s1/result/chunks/1?row_offset=1 "),
        "{}",
        asked[3]
    );
}

#[tokio::test]
async fn failures_have_the_words_of_the_connector() {
    let words = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `t` cannot be found.";
    let failed = json!({"statement_id": "s1", "status": {"state": "FAILED", "error": {"message": words}}});
    let (database, _) = server(vec![(200, failed.clone()), (200, failed)]).await;
    let error = database.query("SELECT * FROM t", &QueryOptions::default()).await.unwrap_err();
    assert_eq!(error, raised("ServerOperationError", words));
    assert_eq!(database.columns("port", "t").await.unwrap(), []);
    let (database, _) =
        server(vec![(403, json!({"error_code": "403", "message": "secret of the server"}))]).await;
    let error = database.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Error during request to server: Invalid access token.");
    for hostile in [json!("nothing"), json!({"status": 3}), json!([])] {
        let (database, _) = server(vec![(200, hostile)]).await;
        let error = database.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
        assert!(error.to_string().contains("does not speak"), "{error}");
    }
    // a row that lacks a value
    let short = answer("SUCCEEDED", &[("a", "INT"), ("b", "INT")], json!([["1"]]));
    let (database, _) = server(vec![(200, short)]).await;
    assert!(database.query("SELECT 1", &QueryOptions::default()).await.is_err());
}

#[tokio::test]
async fn what_is_given_up_is_cancelled() {
    let running = || json!({"statement_id": "s 1/", "status": {"state": "RUNNING"}});
    let (database, asked) = server(vec![(200, running()), (200, running()), (200, json!({}))]).await;
    let options = QueryOptions { timeout: Duration::from_millis(500), ..QueryOptions::default() };
    let error = database.query("SELECT 1", &options).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(options.timeout));
    for _ in 0..100 {
        if asked
            .lock()
            .unwrap()
            .iter()
            .any(|text| text.starts_with("POST /api/2.0/sql/statements/s%201%2F/cancel "))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not cancelled: {:?}", asked.lock().unwrap());
}

#[test]
fn values() {
    let pushed = |type_text: &str, text: &str| {
        let mut out = ColumnBuilder::new();
        value::push(Some(text), value::Kind::parse(type_text), &mut out);
        out.finish().get(0)
    };
    let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_milli_opt(12, 0, 0, 500).unwrap();
    assert_eq!(pushed("BOOLEAN", "true"), Scalar::Bool(true));
    assert_eq!(pushed("TIMESTAMP", "2024-02-29T12:00:00.500Z"), Scalar::TimestampTz(noon, 0));
    assert_eq!(pushed("TIMESTAMP_NTZ", "2024-02-29T12:00:00.500"), Scalar::Timestamp(noon));
    assert_eq!(pushed("BINARY", "dead"), Scalar::Bytes(vec![0xde, 0xad]));
    assert_eq!(pushed("BINARY", "dea"), Scalar::Text("dea".into()));
    assert_eq!(pushed("BIGINT", "no number"), Scalar::Text("no number".into()));
    assert_eq!(pushed("ARRAY<INT>", "[1,2]"), Scalar::Text("[1,2]".into()));
}

#[test]
fn connection_strings() {
    let target = |url: &str, arguments: Value| {
        let arguments = arguments.as_object().cloned().unwrap();
        Target::from_source(&Source { url: Url::parse(url).unwrap(), arguments, ..Source::default() })
    };
    let url = "databricks://token:dapi@adb-1.example.net?http_path=/sql/1.0/warehouses/abc&catalog=main&schema=port";
    let found = target(url, json!({})).unwrap();
    assert_eq!((found.warehouse.as_str(), found.access.port), ("abc", 443));
    assert_eq!((found.catalog.as_deref(), found.schema.as_deref()), (Some("main"), Some("port")));
    assert_eq!(found.access.tls, Some(http::Verify::Public));
    let cluster = json!({"http_path": "sql/protocolv1/o/1/0123-abc"});
    assert!(
        target("databricks+connector://token:t@h:443/d", cluster)
            .unwrap_err()
            .to_string()
            .contains("SQL warehouse")
    );
    let file = json!({"http_path": "/sql/1.0/warehouses/w", "_connection_uri": "file:///etc/passwd"});
    assert!(target("databricks+connector://token:t@h:443/d", file).is_err());
}
