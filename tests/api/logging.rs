//! The log of requests: their ids, one line each, the statements they cause, and nothing that is secret or forged.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Server};

/// Lines of a target that belong to a request.
pub fn lines(server: &Server, target: &str, id: &str) -> Vec<Value> {
    let log = server.log();
    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}")));
    lines.filter(|line| line["target"] == target && line["spans"][0]["id"] == id).collect()
}

/// The only line of an answered request.
fn access(server: &Server, id: &str) -> Value {
    // it is written before the last byte of the answer is sent, but by another process
    for _ in 0..100 {
        if let [line] = &lines(server, "liteset::access", id)[..] {
            return line.clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no line of {id}: {}", server.log());
}

#[test]
fn a_request_is_a_line_with_its_id() {
    let server = Server::start("logging");
    let mut admin = server.admin();
    let answer = admin.get("/api/v1/chart/1?q=(columns:!(s3cretInQuery))");
    let made = answer.header("x-request-id").to_owned();
    assert!(made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()), "{made}");
    let line = access(&server, &made);
    let span = &line["spans"][0];
    assert_eq!((&span["method"], &span["user"]), (&json!("GET"), &json!(1)));
    assert_eq!(span["rule"], "/api/v1/chart/<id_or_uuid>");
    assert_eq!((&line["level"], &line["fields"]["status"]), (&json!("INFO"), &json!(answer.status)));
    assert_eq!(line["fields"]["path"], "/api/v1/chart/1");
    assert!(line["fields"]["ms"].as_f64().unwrap() > 0.0, "{line}");

    // taken over only where nothing can be forged with it
    for (sent, is_taken) in [("edge-7.4_2", true), ("a b", false), ("a\"}", false), (&*"x".repeat(65), false)]
    {
        admin.headers = vec![("x-request-id".to_owned(), sent.to_owned())];
        let answer = admin.send("GET", "/api/v1/me/", None);
        assert_eq!(answer.header("x-request-id") == sent, is_taken, "{sent}");
        access(&server, answer.header("x-request-id"));
    }
    admin.headers.clear();

    // answers without a handler have one, too
    let mut nobody = server.anonymous();
    for (path, status) in [("/nope", 404), ("/api/v1/chart", 308), ("/%ff", 404), ("/api/v1/chart/1", 401)] {
        let answer = nobody.get(path);
        assert_eq!(answer.status, status, "{path}");
        let line = access(&server, answer.header("x-request-id"));
        assert_eq!(line["fields"]["status"], status, "{line}");
        assert_eq!(line["spans"][0].get("user"), None, "{line}");
    }

    // what everybody asks all the time is not worth a line
    for path in ["/health", "/static/assets/404.html"] {
        let id = nobody.get(path).header("x-request-id").to_owned();
        assert_eq!(id.len(), 32, "{path}");
        assert_eq!(lines(&server, "liteset::access", &id), [] as [Value; 0], "{path}");
    }
    assert!(lines(&server, "liteset::sql", &made).is_empty(), "statements are for whoever asks for them");
}

/// T34 and what a log must not give away.
#[test]
fn lines_hold_no_secret_and_cannot_be_forged() {
    let server = Server::start_with_settings("logging-secrets", &[("LITESET_LOG", "debug")]);
    let admin = server.admin();
    let session = admin.cookies.get("session").unwrap().clone();
    let mut nobody = server.anonymous();
    nobody.headers = vec![("authorization".to_owned(), "Bearer s3cretBearer".to_owned())];
    nobody.send("GET", "/api/v1/me/?token=s3cretToken", None);
    nobody.headers = vec![("x-request-id".to_owned(), "s3cretId\"}{".to_owned())];
    nobody.send("GET", "/register/activation/s3cretHash", None);
    nobody.send("POST", "/register/activation/s3cretHash", None);
    nobody.send("GET", "/superset/dashboard/p/s3cretKey/", None);
    let forged = nobody.get("/%0d%0a%7b%22level%22:%22ERROR%22%7d%1b[31m");
    let line = access(&server, forged.header("x-request-id"));
    assert_eq!(line["fields"]["path"], "/%0d%0a%7b%22level%22:%22ERROR%22%7d%1b[31m");
    let long = nobody.get(&format!("/{}", "x".repeat(5000)));
    assert!(access(&server, long.header("x-request-id")).to_string().len() < 1000);
    let log = server.log();
    for secret in ["s3cret", PASSWORD, &session, &admin.csrf] {
        assert!(!log.contains(secret), "{secret}: {:?}", log.lines().find(|line| line.contains(secret)));
    }
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

#[test]
fn statements_are_told_without_their_values() {
    let server =
        Server::start_with_settings("logging-statements", &[("LITESET_LOG", "info,liteset::sql=debug")]);
    let mut admin = server.admin();
    let answer =
        admin.get("/api/v1/chart/?q=(filters:!((col:slice_name,opr:chart_all_text,value:s3cretValue)))");
    let found = lines(&server, "liteset::sql", answer.header("x-request-id"));
    let searching = found.iter().find(|line| line.to_string().contains("LIKE")).unwrap();
    let fields = &searching["fields"];
    assert_eq!((&fields["database"], &fields["engine"]), (&json!("metadata"), &json!("sqlite")));
    assert!(fields["ms"].is_f64() && fields["rows"].is_u64(), "{fields}");
    assert!(fields["statement"].as_str().unwrap().contains('?'), "{fields}");

    let databases = admin.get("/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:examples)))");
    let id = databases.json()["result"][0]["id"].clone();
    let query = |sql: &str| json!({"database_id": id, "sql": sql, "client_id": "logged", "runAsync": false});
    let answer = admin
        .post("/api/v1/sqllab/execute/", &query("SELECT 's3cretValue' AS a, 47114711 AS b -- s3cretValue"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let found = lines(&server, "liteset::sql", answer.header("x-request-id"));
    let own = found.iter().find(|line| line["fields"]["database"] == "analytical").unwrap();
    assert_eq!(own["fields"]["rows"], 1);
    assert!(own["fields"]["statement"].as_str().unwrap().starts_with("SELECT ? AS a, ? AS b"), "{own}");

    let failing = admin
        .post("/api/v1/sqllab/execute/", &query("SELECT no_column FROM no_table WHERE a = 's3cretValue'"));
    let found = lines(&server, "liteset::sql", failing.header("x-request-id"));
    assert!(found.iter().any(|line| line["fields"]["message"] == "statement failed"), "{found:?}");
    let log = server.log();
    assert!(!log.contains("s3cretValue") && !log.contains("47114711"), "{log}");
}

#[test]
fn one_request_can_be_followed_alone() {
    let filter = "warn,liteset::app=info,[request{id=mine-7}]=debug";
    let server = Server::start_with_settings("logging-one", &[("LITESET_LOG", filter)]);
    let mut admin = server.admin();
    let before = server.log();
    assert!(!before.contains("liteset::access") && !before.contains("liteset::sql"), "{before}");
    admin.headers = vec![("x-request-id".to_owned(), "mine-7".to_owned())];
    admin.send("GET", "/api/v1/chart/", None);
    assert_eq!(access(&server, "mine-7")["spans"][0]["user"], 1);
    assert!(!lines(&server, "liteset::sql", "mine-7").is_empty(), "{}", server.log());
}
