use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{NaiveDate, NaiveTime};
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
use protocol::Column;
use source::Login;
use value::Kind;

/// An account that answers with what is given, and what it was asked.
async fn server(answers: Vec<(u16, Value)>) -> (Database, Asked) {
    let (port, asked) = answering(answers).await;
    let url = format!("snowflake://ann:secret@127.0.0.1:{port}/sales/port?account=xy1&warehouse=w&role=r");
    (Database::new(&source(&url, json!({"protocol": "http"}))).unwrap(), asked)
}

fn source(url: &str, arguments: Value) -> Source {
    let arguments = arguments.as_object().cloned().unwrap();
    Source { url: Url::parse(url).unwrap(), arguments, ..Source::default() }
}

fn logged_in() -> (u16, Value) {
    let data = json!({"token": "t1", "masterToken": "m1", "sessionId": 4711});
    (200, json!({"success": true, "code": null, "data": data}))
}

fn answer(columns: &[(&str, &str, i64)], rows: Value) -> Value {
    let columns: Vec<_> = columns.iter().map(|(n, t, s)| json!({"name": n, "type": t, "scale": s})).collect();
    let data = json!({"queryId": "q1", "rowtype": columns, "rowset": rows, "queryResultFormat": "json"});
    json!({"success": true, "code": null, "data": data})
}

async fn heard(asked: &Asked, start: &str) {
    for _ in 0..100 {
        if asked.lock().unwrap().iter().any(|text| text.starts_with(start)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not asked: {:?}", asked.lock().unwrap());
}

#[tokio::test]
async fn a_statement_is_waited_for_and_read_in_chunks() {
    let running =
        json!({"success": true, "code": "333333", "data": {"getResultUrl": "/queries/q1/result?a=1"}});
    let mut first = answer(&[("N", "fixed", 0), ("D", "fixed", 2)], json!([["1", "1.50"]]));
    first["data"]["chunks"] = json!([{"url": "http://127.0.0.1:{port}/chunk?sig=a%2Fb", "rowCount": 1}]);
    first["data"]["qrmk"] = json!("k");
    let chunk = json!(r#"["9007199254740993", null]"#);
    let expired = json!({"success": false, "code": "390112", "message": "expired", "data": null});
    let renewed = json!({"success": true, "data": {"sessionToken": "t2", "masterToken": "m2"}});
    let (database, asked) = server(vec![
        logged_in(),
        (503, json!({})),
        (200, running),
        (200, expired),
        (200, renewed),
        (200, first),
        (200, chunk),
    ])
    .await;
    let found = database.query("SELECT n, d FROM t", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(1), Some(9_007_199_254_740_993)]));
    assert_eq!(found.data[1], ColumnData::Decimal(vec![Some("1.50".parse().unwrap()), None]));
    let asked = asked.lock().unwrap();
    let login = asked[0].split(" HTTP/").next().unwrap();
    assert!(login.contains("&databaseName=sales&schemaName=port&warehouse=w&roleName=r"), "{login}");
    for part in [r#""LOGIN_NAME":"ann""#, r#""PASSWORD":"secret""#, r#""AUTOCOMMIT":false"#] {
        assert!(asked[0].contains(part), "{}", asked[0]);
    }
    assert!(asked[1].contains(r#"authorization: Snowflake Token="t1""#), "{}", asked[1]);
    // the service knows by its number that it is the same request
    assert_eq!(asked[1].lines().next(), asked[2].lines().next());
    assert!(asked[2].contains(r#""MULTI_STATEMENT_COUNT":1"#));
    assert!(asked[3].starts_with("GET /queries/q1/result?a=1 "), "{}", asked[3]);
    assert!(asked[4].starts_with("POST /session/token-request"), "{}", asked[4]);
    assert!(asked[5].contains(r#"authorization: Snowflake Token="t2""#), "{}", asked[5]);
    assert!(asked[6].starts_with("GET /chunk?sig=a%2Fb "), "{}", asked[6]);
    assert!(asked[6].contains("x-amz-server-side-encryption-customer-key: k"));
    assert!(!asked[6].contains("Snowflake Token"));
}

#[tokio::test]
async fn sessions_wait_for_statements_that_only_read() {
    let one = || (200, answer(&[("A", "fixed", 0)], json!([["1"]])));
    let gone = json!({"success": false, "code": "390111", "message": "session gone", "data": null});
    let (database, asked) = server(vec![
        logged_in(),
        one(),
        one(),
        (200, gone),
        (200, json!({"success": true})),
        logged_in(),
        one(),
    ])
    .await;
    for _ in 0..2 {
        database.query("SELECT 1", &QueryOptions::default()).await.unwrap();
    }
    // the service has forgotten it meanwhile
    let _ = database.query("SELECT 1", &QueryOptions::default()).await;
    let asked = asked.lock().unwrap();
    let logins = asked.iter().take(3).filter(|text| text.starts_with("POST /session/v1/login")).count();
    assert_eq!(logins, 1);
}

#[tokio::test]
async fn chunks_lie_at_known_places() {
    for url in ["http://169.254.169.254/latest", "file:///etc/passwd", "http://127.0.0.1:1/x"] {
        let mut first = answer(&[("N", "fixed", 0)], json!([]));
        first["data"]["chunks"] = json!([{"url": url}]);
        let (database, _) = server(vec![logged_in(), (200, first)]).await;
        let error = database.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
        assert!(error.to_string().contains("does not speak"), "{error}");
    }
}

#[tokio::test]
async fn failures_have_the_words_of_the_connector() {
    let words = "SQL compilation error:\nObject 'T' does not exist or not authorized.";
    let data = json!({"sqlState": "42S02", "queryId": "q1"});
    let failed = json!({"success": false, "code": "002003", "message": words, "data": data});
    let (database, _) = server(vec![logged_in(), (200, failed)]).await;
    let error = database.query("SELECT * FROM t", &QueryOptions::default()).await.unwrap_err();
    assert_eq!(error, raised("ProgrammingError", &format!("002003 (42S02): q1: {words}")));
    let refused = json!({"success": false, "code": "390100", "message": "Incorrect username or password was specified.",
                         "data": {"nextAction": "RETRY_LOGIN"}});
    let (database, _) = server(vec![(200, refused)]).await;
    let error = database.ping().await.unwrap_err();
    let EngineError::Statement { class, message } = error else { panic!("{error}") };
    assert_eq!(class, "snowflake.connector.errors.DatabaseError");
    assert!(message.starts_with("250001 (08001): None: Failed to connect to DB: 127.0.0.1:"), "{message}");
    assert!(message.ends_with(". Incorrect username or password was specified."), "{message}");
    let wrong = (403, json!("a page of somebody else's"));
    let (database, _) = server(vec![wrong.clone(), wrong]).await;
    let error = database.ping().await.unwrap_err().to_string();
    assert!(error.contains("Verify the account name") && !error.contains("somebody"), "{error}");
    for hostile in [json!("nothing"), json!({"success": 3}), json!([])] {
        let (database, _) = server(vec![logged_in(), (200, hostile)]).await;
        let error = database.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
        assert!(error.to_string().contains("does not speak"), "{error}");
    }
    // a row that lacks a value
    let short = answer(&[("A", "fixed", 0), ("B", "fixed", 0)], json!([["1"]]));
    let (database, _) = server(vec![logged_in(), (200, short)]).await;
    assert!(database.query("SELECT 1", &QueryOptions::default()).await.is_err());
}

#[tokio::test]
async fn what_is_given_up_is_cancelled() {
    let running =
        || (200, json!({"success": true, "code": "333334", "data": {"getResultUrl": "/queries/q1/result"}}));
    let (database, asked) =
        server(vec![logged_in(), running(), running(), (200, json!({"success": true})), logged_in()]).await;
    let options = QueryOptions { timeout: Duration::from_millis(600), ..QueryOptions::default() };
    let error = database.query("SELECT 1", &options).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(options.timeout));
    heard(&asked, "POST /queries/v1/abort-request?requestId=").await;
    heard(&asked, "POST /session?delete=true").await;
    assert_eq!(database.cancel("1) OR (1").await, Ok(false));
}

#[tokio::test]
async fn names_are_those_of_sqlalchemy() {
    let tables = answer(&[("name", "text", 0)], json!([["EVENTS"], ["Mixed"], ["TABLE"], ["small"]]));
    let columns =
        ["column_name", "data_type", "character_maximum_length", "numeric_precision", "numeric_scale"];
    let columns: Vec<_> = columns.iter().map(|name| (*name, "text", 0)).collect();
    let described = answer(
        &columns,
        json!([
            ["ID", "NUMBER", null, "38", "0"],
            ["T", "TEXT", "16", null, null],
            ["V", "VARIANT", null, null, null]
        ]),
    );
    let (database, asked) = server(vec![logged_in(), (200, tables), (200, described)]).await;
    assert_eq!(database.tables("port").await.unwrap(), ["events", "Mixed", "TABLE", "small"]);
    let found = database.columns("port", "events").await.unwrap();
    let found: Vec<_> = found.iter().map(|c| (c.name.as_str(), c.type_.as_str())).collect();
    assert_eq!(found, [("id", "DECIMAL(38, 0)"), ("t", "VARCHAR(16)"), ("v", "VARIANT")]);
    let asked = asked.lock().unwrap();
    assert!(asked[1].contains(r#"TABLES IN \"SALES\".\"PORT\""#), "{}", asked[1]);
    assert!(asked[2].contains("ic.table_schema = 'PORT' AND ic.table_name = 'EVENTS'"), "{}", asked[2]);
}

#[test]
fn values() {
    let pushed = |kind: &str, scale: i64, text: &str| {
        let column = Column { name: String::new(), kind: kind.to_owned(), scale: Some(scale) };
        let mut out = ColumnBuilder::new();
        value::push_text(Some(text), Kind::of(&column, Some("America/New_York")), &mut out);
        out.finish().get(0)
    };
    let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_milli_opt(12, 34, 56, 789).unwrap();
    let late = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap().and_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    assert_eq!(pushed("boolean", 0, "1"), Scalar::Bool(true));
    assert_eq!(pushed("boolean", 0, "false"), Scalar::Bool(false));
    assert_eq!(pushed("fixed", 0, "-9223372036854775808"), Scalar::Int(i64::MIN));
    assert_eq!(
        pushed("fixed", 0, "9223372036854775808"),
        Scalar::Decimal("9223372036854775808".parse().unwrap())
    );
    assert_eq!(pushed("date", 0, "19782"), Scalar::Date(noon.date()));
    assert_eq!(
        pushed("time", 9, "45296.789000000"),
        Scalar::Time(NaiveTime::from_hms_milli_opt(12, 34, 56, 789).unwrap())
    );
    assert_eq!(pushed("timestamp_ntz", 9, "1709210096.789000000"), Scalar::Timestamp(noon));
    assert_eq!(pushed("timestamp_ntz", 9, "-0.000001000"), Scalar::Timestamp(late));
    assert_eq!(pushed("timestamp_ltz", 3, "1709210096.789"), Scalar::TimestampTz(noon, -5 * 3600));
    assert_eq!(pushed("timestamp_tz", 9, "1709210096.789000000 1500"), Scalar::TimestampTz(noon, 3600));
    assert_eq!(pushed("binary", 0, "DEAD"), Scalar::Bytes(vec![0xde, 0xad]));
    assert_eq!(pushed("variant", 0, "[1,2]"), Scalar::Text("[1,2]".into()));
    // what is no value of its type stays a text
    for (kind, text) in [
        ("fixed", "x"),
        ("date", "99999999999999"),
        ("time", "-1.0"),
        ("timestamp_tz", "1.0"),
        ("binary", "A"),
    ] {
        assert_eq!(pushed(kind, 0, text), Scalar::Text(text.into()), "{kind}");
    }
}

/// Columns `i`, `d`, `f`, `s`, `x`, `b`, `day` and `z` of three rows, as pyarrow writes them.
fn sample() -> Vec<u8> {
    let text: String = include_str!("arrow_sample.txt").split_whitespace().collect();
    STANDARD.decode(text).unwrap()
}

#[test]
fn rows_of_arrow() {
    use arrow::Cell;
    let bytes = sample();
    let batches = arrow::batches(&bytes).unwrap();
    let [batch] = batches.as_slice() else { panic!("{}", batches.len()) };
    let row = |row| batch.columns.iter().map(|column| column.cell(row).unwrap()).collect::<Vec<_>>();
    let (first, second, third) = (row(0), row(1), row(2));
    assert_eq!(first[..4], [Cell::Int(1), Cell::Decimal(150, 2), Cell::Float(1.5), Cell::Text("größe")]);
    assert_eq!(first[4..7], [Cell::Bytes(&[0xde, 0xad]), Cell::Bool(true), Cell::Int(19782)]);
    assert_eq!(first[7], Cell::Parts(vec![1_709_210_096, 789_000_000, 1440]));
    assert_eq!(second[..3], [Cell::Null, Cell::Decimal(-1, 2), Cell::Null]);
    assert_eq!(
        third,
        [
            Cell::Int(-3),
            Cell::Null,
            Cell::Float(-1e300),
            Cell::Null,
            Cell::Bytes(&[]),
            Cell::Null,
            Cell::Int(-1),
            Cell::Null
        ]
    );
    let mut out = ColumnBuilder::new();
    value::push_cell(&second[7], Kind::Zoned(9), &mut out).unwrap();
    let late = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap().and_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    assert_eq!(out.finish().get(0), Scalar::TimestampTz(late, 3600));
    assert_eq!(value::push_cell(&Cell::Text("x"), Kind::Fixed(0), &mut ColumnBuilder::new()), None);
}

#[test]
fn broken_arrow_is_no_panic() {
    let good = sample();
    let read = |bytes: &[u8]| {
        for batch in arrow::batches(bytes).unwrap_or_default() {
            for row in 0..batch.rows.min(10) {
                batch.columns.iter().for_each(|column| drop(column.cell(row)));
            }
        }
    };
    for at in 0..good.len() {
        read(good.get(..at).unwrap());
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            read(&bad);
        }
    }
}

#[test]
fn connection_strings() {
    let target = |url: &str, arguments: Value| Target::from_source(&source(url, arguments));
    let found =
        target("snowflake://ann:p@xy12345.eu-central-1/SALES/PORT?warehouse=w&role=r", json!({})).unwrap();
    assert_eq!(
        (found.access.host.as_str(), found.access.port),
        ("xy12345.eu-central-1.snowflakecomputing.com", 443)
    );
    assert_eq!((found.account.as_str(), found.user.as_str()), ("xy12345", "ann"));
    assert_eq!((found.database.as_deref(), found.schema.as_deref()), (Some("SALES"), Some("PORT")));
    assert_eq!((found.warehouse.as_deref(), found.role.as_deref()), (Some("w"), Some("r")));
    assert_eq!(found.access.tls, Some(http::Verify::Public));
    let of = |url: &str| target(url, json!({})).unwrap();
    let found = of("snowflake://a:p@my_org-my_account/d");
    assert_eq!(found.access.host, "my-org-my-account.snowflakecomputing.com");
    assert_eq!(found.account, "my_org-my_account");
    assert_eq!(of("snowflake://a:p@acme-1234.global/d").account, "acme");
    assert_eq!(of("snowflake://a:p@x.cn-north-1/d").access.host, "x.cn-north-1.snowflakecomputing.cn");
    let host = of("snowflake://a:p@xy.snowflakecomputing.com/d");
    assert_eq!((host.account.as_str(), host.access.host.as_str()), ("xy", "xy.snowflakecomputing.com"));
    let emulator =
        target("snowflake://a:p@127.0.0.1:9401/d?account=local", json!({"protocol": "http"})).unwrap();
    assert_eq!((emulator.account.as_str(), emulator.access.port, emulator.access.tls), ("local", 9401, None));
    let token = json!({"authenticator": "oauth", "token": "abc"});
    let Login::Token("OAUTH", given) = target("snowflake://a@x/d", token).unwrap().login else { panic!() };
    assert_eq!(given, "abc");
    assert!(matches!(of("snowflake://a@x/d").login, Login::Missing(_)));
    let refused = |url: &str, arguments: Value| target(url, arguments).err().unwrap().to_string();
    assert!(
        refused("snowflake://a:p@x/d?protocol=http", json!({}))
            .contains("'protocol' cannot be set via the URL")
    );
    assert!(refused("snowflake://a:p@x/d/s/t", json!({})).contains("Invalid name space"));
    assert!(
        refused("snowflake://a:p@x/d", json!({"authenticator": "externalbrowser"}))
            .contains("externalbrowser")
    );
    let path = json!({"auth": {"auth_method": "keypair", "auth_params": {"privatekey_path": "/etc/passwd"}}});
    assert!(refused("snowflake://a@x/d", path).contains("privatekey_body"));
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    let locked = json!({"auth": {"auth_method": "keypair", "auth_params": {"privatekey_body": locked}}});
    assert!(refused("snowflake://a@x/d", locked).contains("Encrypted private keys are not supported"));
}

#[test]
fn key_pairs() {
    let (body, kind) = (include_str!("../http/test_key.txt"), "PRIVATE KEY");
    let pem = format!("-----BEGIN {kind}-----\n{body}-----END {kind}-----\n");
    let pair = key_pair::KeyPair::from_pem(&pem, "xy1", "ann").unwrap();
    // what openssl says of the same key
    assert_eq!(pair.fingerprint(), "SHA256:ZUiZ9f2PwtiOpCkGuaG92//9Ijx7L17wHwbcLB3Wp4Y=");
    let token = pair.token(1000).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], "XY1.ANN");
    assert_eq!(claims["iss"], format!("XY1.ANN.{}", pair.fingerprint()));
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1000), Some(1060)));
    assert_eq!(parts[2].len(), 342);
    assert!(key_pair::KeyPair::from_pem("nothing", "a", "b").is_err());
    assert!(key_pair::KeyPair::from_base64("AAAA", "a", "b").is_err());
}
