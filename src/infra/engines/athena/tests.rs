use std::time::Instant;

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    engine_specs::url::Url,
    engines::{
        aws::Environment,
        builder::ColumnBuilder,
        column::{ColumnData, Scalar},
        driver::Inspect,
        http::{Asked, Verify, answering},
    },
};
use source::Target;

const URI: &str = "awsathena+rest://AKIA:s%2Fecret-key@athena.eu-west-1.amazonaws.com:443/port?\
                   s3_staging_dir=s3%3A%2F%2Fb%2Fp%2F&work_group=wg";

fn source(uri: &str, arguments: Value) -> Source {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    Source { url: Url::parse(uri).unwrap(), arguments, ..Source::default() }
}

fn nothing() -> Environment {
    Environment::default()
}

/// A service that answers with what is given, and what it was asked.
async fn database_of(uri: &str, answers: Vec<(u16, Value)>) -> (Database, Asked) {
    let (port, asked) = answering(answers).await;
    let arguments = json!({"endpoint_url": format!("http://127.0.0.1:{port}/")});
    (Database::new(&source(uri, arguments), &nothing()).unwrap(), asked)
}

async fn database(answers: Vec<(u16, Value)>) -> (Database, Asked) {
    database_of(URI, answers).await
}

fn begun() -> (u16, Value) {
    (200, json!({"QueryExecutionId": "q1"}))
}

fn state(state: &str) -> (u16, Value) {
    (200, json!({"QueryExecution": {"Status": {"State": state}, "StatementType": "DML"}}))
}

fn row(values: &[Option<&str>]) -> Value {
    let of = |value: &Option<&str>| value.map_or(json!({}), |value| json!({"VarCharValue": value}));
    json!({"Data": values.iter().map(of).collect::<Vec<_>>()})
}

fn page(columns: &[(&str, &str)], rows: &[Value], next: Option<&str>) -> (u16, Value) {
    let info: Vec<_> = columns.iter().map(|(name, type_)| json!({"Name": name, "Type": type_})).collect();
    let mut page = json!({"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}});
    if let Some(next) = next {
        page["NextToken"] = next.into();
    }
    (200, page)
}

fn refusal(status: u16, kind: &str, message: &str) -> (u16, Value) {
    (status, json!({"__type": format!("com.amazonaws.athena#{kind}"), "message": message}))
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

async fn error(database: &Database, sql: &str) -> String {
    database.query(sql, &QueryOptions::default()).await.unwrap_err().to_string()
}

const ONE: [(&str, &str); 1] = [("n", "bigint")];

#[tokio::test]
async fn a_statement_is_waited_for_and_read_in_pages() {
    let columns = [("n", "bigint"), ("d", "decimal")];
    let busy = refusal(400, "ThrottlingException", "Rate exceeded");
    let often = refusal(400, "TooManyRequestsException", "later");
    let first = page(&columns, &[row(&[Some("n"), Some("d")]), row(&[Some("1"), Some("1.50")])], Some("t1"));
    let last = page(&columns, &[row(&[Some("9007199254740993"), None])], None);
    let answers =
        vec![busy, begun(), state("QUEUED"), often, state("RUNNING"), state("SUCCEEDED"), first, last];
    let uri =
        format!("{URI}&result_reuse_enable=true&result_reuse_minutes=5&encryption_option=SSE_KMS&kms_key=k");
    let (database, asked) = database_of(&uri, answers).await;
    let found = database.query("SELECT n, d FROM t", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(1), Some(9_007_199_254_740_993)]));
    assert_eq!(found.data[1], ColumnData::Decimal(vec![Some("1.50".parse().unwrap()), None]));
    assert_eq!(found.columns[1].sql_type, "decimal");
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].starts_with("POST / ")
            && asked[0].contains("x-amz-target: AmazonAthena.StartQueryExecution")
    );
    assert!(asked[0].contains("content-type: application/x-amz-json-1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("Credential=AKIA/") && asked[0].contains("/eu-west-1/athena/aws4_request"));
    assert!(!asked.iter().any(|request| request.contains("ecret-key")));
    let (one, again) = (body(&asked[0]), body(&asked[1]));
    // begun twice by the same number, it runs once
    assert_eq!(one, again);
    assert_eq!(one["QueryExecutionContext"], json!({"Database": "port", "Catalog": "awsdatacatalog"}));
    let results = json!({"OutputLocation": "s3://b/p/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "k"}});
    assert_eq!((&one["ResultConfiguration"], &one["WorkGroup"]), (&results, &json!("wg")));
    let reuse = json!({"ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": 5}});
    assert_eq!(one["ResultReuseConfiguration"], reuse);
    assert_eq!(body(&asked[6]), json!({"QueryExecutionId": "q1", "MaxResults": 1000}));
    assert_eq!(body(&asked[7])["NextToken"], "t1");
}

#[tokio::test]
async fn no_more_rows_are_read_than_wanted() {
    let rows = [row(&[Some("n")]), row(&[Some("1")]), row(&[Some("2")])];
    let (database, asked) = database(vec![begun(), state("SUCCEEDED"), page(&ONE, &rows, Some("t"))]).await;
    let options = QueryOptions { max_rows: Some(2), ..QueryOptions::default() };
    let found = database.query("SELECT n FROM t", &options).await.unwrap();
    assert_eq!(found.row_count(), 2);
    assert_eq!(body(&asked.lock().unwrap()[2])["MaxResults"], 3);
    // what has neither columns nor rows
    let ddl = json!({"QueryExecution": {"Status": {"State": "SUCCEEDED"}, "StatementType": "DDL"}});
    let answers = vec![begun(), (200, ddl), page(&[], &[], None)];
    let (database, _) = self::database(answers).await;
    let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
    assert_eq!(database.query("CREATE TABLE t (a int)", &options).await.unwrap(), ResultSet::default());
    // results of other statements have no heading, and rows may lack values
    let utility = json!({"QueryExecution": {"Status": {"State": "SUCCEEDED"}, "StatementType": "UTILITY"}});
    let columns = [("a", "string"), ("b", "string")];
    let answers = vec![begun(), (200, utility), page(&columns, &[row(&[Some("x")])], None)];
    let (database, _) = self::database(answers).await;
    let found = database.query("SHOW TABLES", &QueryOptions::default()).await.unwrap();
    assert_eq!((found.data[0].get(0), found.data[1].get(0)), (Scalar::Text("x".into()), Scalar::Null));
}

#[tokio::test]
async fn pages_that_repeat_or_never_end() {
    let heading = row(&[Some("n")]);
    let rows = [heading.clone(), row(&[Some("1")])];
    let same = || page(&ONE, &rows, Some("t"));
    let (database, _) = database(vec![begun(), state("SUCCEEDED"), same(), same(), same()]).await;
    assert!(error(&database, "SELECT n FROM t").await.contains("repeat and do not end"));
    let mut answers = vec![begun(), state("SUCCEEDED")];
    answers.extend((0..200).map(|n| page(&ONE, &[], Some(&format!("t{n}")))));
    let (database, asked) = self::database(answers).await;
    assert!(error(&database, "SELECT n FROM t").await.contains("repeat and do not end"));
    assert!(asked.lock().unwrap().len() < 110);
    let list = || (200, json!({"DatabaseList": [{"Name": "a"}], "NextToken": "t"}));
    let (database, _) = self::database(vec![list(), list(), list()]).await;
    assert!(database.schemas().await.unwrap_err().to_string().contains("repeat and do not end"));
}

#[tokio::test]
async fn failures_have_the_words_of_the_driver() {
    let words = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.port.t' does not exist";
    let failed = json!({"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": words}}});
    let (database, asked) = database(vec![begun(), (200, failed)]).await;
    let found = database.query("SELECT * FROM t", &QueryOptions::default()).await;
    assert_eq!(found, Err(raised("OperationalError", words)));
    // what has ended is not stopped
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(asked.lock().unwrap().len(), 2);
    let (database, _) = self::database(vec![begun(), state("CANCELLED")]).await;
    assert_eq!(error(&database, "SELECT 1").await, "Query cancelled");
    let words = "The Canonical String should have been 'host:h\nx-amz-security-token:the-token s/ecret-key'";
    let refused = refusal(403, "InvalidSignatureException", words);
    let uri = format!("{URI}&aws_session_token=the-token");
    let (database, asked) = database_of(&uri, vec![refused.clone(), refused]).await;
    let found = database.query("SELECT 1", &QueryOptions::default()).await.unwrap_err();
    let told = "An error occurred (InvalidSignatureException) when calling the StartQueryExecution operation: The \
                Canonical String should have been 'host:h\nx-amz-security-token:XXXXXXXXXX XXXXXXXXXX'";
    assert_eq!(found, raised("DatabaseError", told));
    assert_eq!(database.ping().await, Err(EngineError::Uri(told.to_owned())));
    assert!(asked.lock().unwrap()[0].contains("x-amz-security-token: the-token\r\n"));
    let (database, _) = self::database(vec![]).await;
    assert!(error(&database, "DROP TABLE t").await.contains("Only queries are allowed"));
}

#[tokio::test]
async fn a_service_that_stays_busy() {
    let busy = || refusal(400, "ThrottlingException", "Rate exceeded");
    let (database, asked) = database((0..9).map(|_| busy()).collect()).await;
    let begin = Instant::now();
    assert_eq!(
        error(&database, "SELECT 1").await,
        "An error occurred (ThrottlingException) when calling the StartQueryExecution operation (reached max retries: \
         4): Rate exceeded"
    );
    assert!(begin.elapsed() > Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(asked.lock().unwrap().len(), 5);
    let fault = || refusal(500, "InternalServerException", "oops");
    let (database, _) = self::database((0..9).map(|_| fault()).collect()).await;
    assert!(error(&database, "SELECT 1").await.ends_with("operation (reached max retries: 2): oops"));
}

#[tokio::test]
async fn keys_that_end_in_the_middle() {
    let sts = |id: &str| {
        let text = format!(
            "<R><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2199-01-01T00:00:00Z</Expiration></R>"
        );
        (200, json!(text))
    };
    let (port, given) = answering(vec![sts("ASIA1"), sts("ASIA2"), sts("ASIA3")]).await;
    let address = format!("http://127.0.0.1:{port}");
    let environment = Environment::of(move |name| (name == "AWS_ENDPOINT_URL_STS").then(|| address.clone()));
    let stale =
        || refusal(400, "ExpiredTokenException", "The security token included in the request is expired");
    let rows = [row(&[Some("n")]), row(&[Some("1")])];
    let answers = vec![
        begun(),
        state("SUCCEEDED"),
        stale(),
        page(&ONE, &rows, None),
        begun(),
        stale(),
        stale(),
        (200, json!({})),
    ];
    let (port, asked) = answering(answers).await;
    let arguments = json!({"endpoint_url": format!("http://127.0.0.1:{port}"), "role_arn": "arn:r"});
    let database = Database::new(&source(URI, arguments), &environment).unwrap();
    let found = database.query("SELECT n FROM t", &QueryOptions::default()).await.unwrap();
    assert_eq!(found.data[0], ColumnData::Int(vec![Some(1)]));
    assert!(asked.lock().unwrap()[3].contains("Credential=ASIA2/"));
    // and when there are none that are good
    let words = "An error occurred (ExpiredTokenException) when calling the GetQueryExecution operation: The security \
                 token included in the request is expired";
    assert_eq!(error(&database, "SELECT 1").await, words);
    assert_eq!(given.lock().unwrap().len(), 3);
    // who has one pair only is told at once
    let (database, asked) = self::database(vec![stale()]).await;
    assert!(error(&database, "SELECT 1").await.contains("ExpiredTokenException"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn somebody_elses_server() {
    let protocol = "does not speak Athena's protocol";
    for hostile in
        [json!("<html>hello</html>"), json!({"QueryExecutionId": 3}), json!([]), json!("{\"QueryExec")]
    {
        let (database, _) = database(vec![(200, hostile)]).await;
        let found = error(&database, "SELECT 1").await;
        assert!(found.contains(protocol), "{found}");
    }
    let page = (404, json!("<html>secret of the house</html>"));
    let (database, _) = database(vec![page, (302, json!("elsewhere"))]).await;
    for _ in 0..2 {
        let found = error(&database, "SELECT 1").await;
        assert!(found.contains(protocol) && !found.contains("secret"), "{found}");
    }
    // rows that lack a value, or columns
    let short = self::page(&[("a", "integer"), ("b", "integer")], &[row(&[Some("1")])], None);
    let (database, _) = self::database(vec![begun(), state("SUCCEEDED"), short]).await;
    assert!(error(&database, "SELECT 1").await.contains(protocol));
    let bare = (200, json!({"ResultSet": {"Rows": []}}));
    let (database, _) = self::database(vec![begun(), state("SUCCEEDED"), bare]).await;
    assert!(error(&database, "SELECT 1").await.contains(protocol));
    // ten gigabytes that are announced, and half an answer
    let head = "HTTP/1.1 200 X\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: ";
    let (database, _) = self::database(vec![(0, json!(format!("{head}10737418240\r\n\r\n{{")))]).await;
    let found = database.query("SELECT 1", &QueryOptions::default()).await;
    assert_eq!(found, Err(EngineError::TooLarge(64)));
    let (database, _) = self::database(vec![(0, json!(format!("{head}100\r\n\r\n{{\"Query")))]).await;
    let found = error(&database, "SELECT 1").await;
    assert!(found.starts_with("Connection was closed before we received a valid response"), "{found}");
    let nobody = json!({"endpoint_url": "http://127.0.0.1:1"});
    let database = Database::new(&source(URI, nobody), &nothing()).unwrap();
    let words = "Could not connect to the endpoint URL: \"http://127.0.0.1:1/\"";
    let found = database.query("SELECT 1", &QueryOptions::default()).await;
    assert_eq!(found, Err(EngineError::Connect(words.to_owned())));
}

#[tokio::test]
async fn what_is_given_up_is_cancelled() {
    let answers = std::iter::once(begun()).chain((0..40).map(|_| state("RUNNING"))).collect();
    let (database, asked) = database(answers).await;
    let options = QueryOptions { timeout: Duration::from_millis(500), ..QueryOptions::default() };
    let error = database.query("SELECT 1", &options).await.unwrap_err();
    assert_eq!(error, EngineError::Timeout(options.timeout));
    stopped(&asked).await;
    // the answer to its beginning was lost: it is begun by the same number, and ended
    let (port, asked) = answering(vec![begun(), (200, json!({}))]).await;
    let arguments = json!({"endpoint_url": format!("http://127.0.0.1:{port}")});
    let database = Database::new(&source(URI, arguments), &nothing()).unwrap();
    let mut running = Running::new(&database.server);
    running.begun(Statement::Asked(database.server.statement("SELECT 2")));
    drop(running);
    stopped(&asked).await;
    assert_eq!(body(&asked.lock().unwrap()[0])["QueryString"], "SELECT 2");
}

async fn stopped(asked: &Asked) {
    for _ in 0..100 {
        let found = asked.lock().unwrap().iter().any(|text| {
            text.contains("x-amz-target: AmazonAthena.StopQueryExecution")
                && body(text) == json!({"QueryExecutionId": "q1"})
        });
        if found {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not stopped: {:?}", asked.lock().unwrap());
}

#[tokio::test]
async fn tables_and_columns() {
    let table = |name: &str, kind: &str| json!({"Name": name, "TableType": kind});
    let tables = [table("a", "EXTERNAL_TABLE"), table("v", "VIRTUAL_VIEW")];
    let first = json!({"TableMetadataList": tables, "NextToken": "n"});
    let rest = json!({"TableMetadataList": [table("m", "MANAGED_TABLE"), {"Name": "x"}]});
    let price = json!({"Name": "p", "Type": "decimal(10,2)", "Comment": "price"});
    let described = json!({"TableMetadata": {"Name": "t", "Columns": [price],
        "PartitionKeys": [{"Name": "day", "Type": "string"}], "Parameters": {"comment": "All"}}});
    let missing = refusal(400, "MetadataException", "EntityNotFoundException: Entity Not Found");
    let denied = refusal(400, "AccessDeniedException", "no");
    let lists = refusal(400, "InvalidRequestException", "no lists");
    let answers = vec![
        (200, first),
        (200, rest),
        missing.clone(),
        (200, described.clone()),
        (200, described),
        missing,
        denied,
        (200, json!({"DatabaseList": [{"Name": "default"}, {"Name": "port"}]})),
        lists,
    ];
    let (database, asked) = database_of(&format!("{URI}&catalog_name=lake"), answers).await;
    assert_eq!(database.default_schema().await.unwrap().as_deref(), Some("port"));
    assert_eq!(database.tables("d").await.unwrap(), ["a", "m"]);
    let found = database.views("nope").await.unwrap_err();
    let words = "An error occurred (MetadataException) when calling the ListTableMetadata operation: \
                 EntityNotFoundException: Entity Not Found";
    assert_eq!(found, EngineError::Connect(words.to_owned()));
    let columns = database.columns("d", "t").await.unwrap();
    let shown: Vec<_> =
        columns.iter().map(|c| (c.name.as_str(), c.type_.as_str(), c.comment.as_deref())).collect();
    assert_eq!(shown, [("p", "DECIMAL(10, 2)", Some("price")), ("day", "STRING", None)]);
    assert_eq!(database.table_comment("d", "t").await.unwrap().as_deref(), Some("All"));
    assert_eq!(database.columns("d", "no").await.unwrap(), []);
    assert!(database.columns("d", "t").await.is_err());
    assert_eq!(database.schemas().await.unwrap(), ["default", "port"]);
    assert_eq!(database.schemas().await.unwrap(), Vec::<String>::new());
    let asked = asked.lock().unwrap();
    let list = json!({"CatalogName": "lake", "DatabaseName": "d", "MaxResults": 50, "NextToken": "n"});
    assert_eq!(body(&asked[1]), list);
}

#[test]
fn values() {
    let pushed = |type_: &str, text: &str| {
        let mut out = ColumnBuilder::new();
        value::push(Some(text), Kind::parse(type_), &mut out);
        out.finish().get(0)
    };
    let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_milli_opt(12, 0, 0, 500).unwrap();
    assert_eq!(pushed("boolean", "true"), Scalar::Bool(true));
    assert_eq!(pushed("tinyint", "-128"), Scalar::Int(-128));
    assert_eq!(pushed("float", "1.0E30"), Scalar::Float(1e30));
    assert_eq!(pushed("double", "-Infinity"), Scalar::Float(f64::NEG_INFINITY));
    assert_eq!(pushed("decimal", "1.50"), Scalar::Decimal("1.50".parse().unwrap()));
    assert_eq!(pushed("date", "2024-02-29"), Scalar::Date(noon.date()));
    assert_eq!(pushed("timestamp", "2024-02-29 12:00:00.500"), Scalar::Timestamp(noon));
    assert_eq!(pushed("time", "12:34:56.000"), Scalar::Time(NaiveTime::from_hms_opt(12, 34, 56).unwrap()));
    let zoned = "2024-02-29 12:00:00.500 Europe/Berlin";
    assert_eq!(pushed("timestamp with time zone", zoned), Scalar::Text(zoned.into()));
    assert_eq!(pushed("varbinary", "de ad"), Scalar::Bytes(vec![0xde, 0xad]));
    assert_eq!(pushed("varbinary", ""), Scalar::Bytes(vec![]));
    assert_eq!(pushed("varbinary", "de a"), Scalar::Text("de a".into()));
    assert_eq!(pushed("json", r#"{"a": [1, null]}"#), Scalar::Json(json!({"a": [1, null]})));
    assert_eq!(pushed("json", "null"), Scalar::Null);
    assert_eq!(pushed("json", "\"x\""), Scalar::Text("x".into()));
    assert_eq!((pushed("json", "1"), pushed("json", "1.5")), (Scalar::Int(1), Scalar::Float(1.5)));
    assert_eq!(pushed("json", "true"), Scalar::Bool(true));
    assert_eq!(pushed("bigint", "no number"), Scalar::Text("no number".into()));
    assert_eq!(pushed("row", "{x=1, y=a}"), Scalar::Text("{x=1, y=a}".into()));
    assert_eq!(pushed("interval day to second", "2 00:00:00.000"), Scalar::Text("2 00:00:00.000".into()));
}

#[test]
fn connection_strings() {
    let open = |uri: &str, arguments: Value, environment: &Environment| {
        Target::from_source(&source(uri, arguments), environment)
    };
    let refused = |uri: &str, arguments: Value, environment: &Environment| {
        open(uri, arguments, environment).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let target = open(URI, json!({}), &nothing()).unwrap();
    assert_eq!((target.access.host.as_str(), target.access.port), ("athena.eu-west-1.amazonaws.com", 443));
    assert_eq!(target.access.tls, Some(Verify::Public));
    assert_eq!((target.region.as_str(), target.schema.as_str()), ("eu-west-1", "port"));
    assert_eq!((target.catalog.as_str(), target.missing), ("awsdatacatalog", None));
    for (uri, host, region) in [
        ("arrow://k:s@eu-west-3/?", "athena.eu-west-3.amazonaws.com", "eu-west-3"),
        (
            "jdbc://k:s@athena.cn-north-1.amazonaws.com.cn/d?",
            "athena.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
        ),
        (
            "pandas://k:s@athena-fips.us-east-1.amazonaws.com/d?",
            "athena-fips.us-east-1.amazonaws.com",
            "us-east-1",
        ),
        (
            "rest://k:s@athena.eu-west-1.amazonaws.com/d?region_name=eu-west-2&",
            "athena.eu-west-2.amazonaws.com",
            "eu-west-2",
        ),
    ] {
        let target = open(&format!("awsathena+{uri}work_group=w"), json!({}), &nothing()).unwrap();
        assert_eq!((target.access.host.as_str(), target.region.as_str()), (host, region), "{uri}");
    }
    let bare = open("awsathena+arrow://k:s@eu-west-3/?work_group=w", json!({}), &nothing()).unwrap();
    assert_eq!(bare.schema, "default");
    for (uri, words) in [
        ("k@athena.eu-west-1.amazonaws.com/d?", "missing: aws_secret_access_key"),
        ("k:s@169.254.169.254/d?", "doesn't match a supported format"),
        ("k:s@/d?", "You must specify a region."),
        ("k:s@eu-west-1/d?serial_number=m&", "second factor"),
        ("k:s@eu-west-1/d?verify=/etc/passwd&", "names a file"),
        ("k:s@eu-west-1/d?duration_seconds=x&", "invalid number"),
        ("k@eu-west-1/d?aws_secret_access_key=s&", "the password's place"),
        ("k:s@eu-west-1/d?endpoint_url=file%3A%2F%2F%2Fetc%2Fpasswd&", "Invalid endpoint"),
        ("k:s@eu-west-1/d?endpoint_url=http%3A%2F%2F169.254.169.254%2F&", "address of the link"),
        ("k:s@eu-west-1/d?endpoint_url=http%3A%2F%2F%5Bfd00:ec2::254%5D%2F&", "address of the link"),
    ] {
        let error = refused(&format!("awsathena+rest://{uri}work_group=w"), json!({}), &nothing());
        assert!(error.contains(words), "{uri}: {error}");
    }
    let missing = |uri: &str| open(uri, json!({}), &nothing()).unwrap().missing;
    let words = "Required argument `s3_staging_dir` or `work_group` not found.";
    assert_eq!(missing("awsathena+rest://k:s@eu-west-1/d"), Some(words));
    assert_eq!(missing("awsathena+rest://@eu-west-1/d?work_group=w"), Some("Unable to locate credentials"));
    // the operator's own keys go to the service only, wherever a connection points
    let operators = |more: Option<(&'static str, &'static str)>| {
        Environment::of(move |name| match (name, more) {
            ("AWS_ACCESS_KEY_ID", _) => Some("OPERATOR".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", _) => Some("secret".to_owned()),
            ("AWS_REGION", _) => Some("eu-north-1".to_owned()),
            (name, Some((key, value))) if name == key => Some(value.to_owned()),
            _ => None,
        })
    };
    let bare = "awsathena+rest://@/d?work_group=w";
    let target = open(bare, json!({}), &operators(None)).unwrap();
    assert_eq!((target.access.host.as_str(), target.missing), ("athena.eu-north-1.amazonaws.com", None));
    for address in [
        "https://evil.example/",
        "https://x1.execute-api.eu-west-1.amazonaws.com/",
        "https://athena.eu-west-1.amazonaws.com.evil.example/",
        "http://athena.eu-west-1.amazonaws.com/",
    ] {
        let error = refused(bare, json!({"endpoint_url": address}), &operators(None));
        assert!(error.contains("addresses of Athena only"), "{address}: {error}");
    }
    for arguments in [json!({"use_ssl": false}), json!({"verify": false})] {
        assert!(refused(bare, arguments, &operators(None)).contains("addresses of Athena only"));
    }
    let private = "https://vpce-0a-1b.athena.eu-north-1.vpce.amazonaws.com";
    assert!(open(bare, json!({"endpoint_url": private}), &operators(None)).is_ok());
    let named = operators(Some(("AWS_ENDPOINT_URL_ATHENA", "http://athena.inside:8080/x")));
    let target = open(bare, json!({}), &named).unwrap();
    assert_eq!(
        (target.access.host.as_str(), target.access.port, target.path.as_str()),
        ("athena.inside", 8080, "/x")
    );
    let staged = operators(Some(("AWS_ATHENA_S3_STAGING_DIR", "s3://b/")));
    let target = open("awsathena+rest://@/d", json!({}), &staged).unwrap();
    assert_eq!(target.results, json!({"OutputLocation": "s3://b/"}));
}
