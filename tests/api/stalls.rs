//! Nobody stops the server: what one asks for costs the others nothing (T11, T12, T32).

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Client, Server, Source, ask};

/// The worst that a reader of charts can send, but for what the bounds refuse at once.
fn hostile(dataset: i64) -> Vec<Value> {
    let metric = |n: usize| {
        json!({"expressionType": "SQL", "sqlExpression": format!("MAX(LENGTH(v)) + {n}"),
        "label": format!("m{n}")})
    };
    let query = |query: Value| {
        let mut body = ask(dataset, "json");
        body["queries"] = json!([query]);
        body["force"] = json!(true);
        body
    };
    let many: Vec<Value> = (0..1_500).map(metric).collect();
    let steps: Vec<Value> = (0..150)
        .map(|_| {
            json!({"operation": "rolling", "options": {"rolling_type": "quantile", "window": 900, "min_periods": 0,
                   "rolling_type_options": {"quantile": 0.3}, "columns": {"n": "n"}}})
        })
        .collect();
    let rows = json!({"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "n"});
    vec![
        query(json!({"columns": [], "metrics": many,
            "orderby": many.iter().map(|m| json!([m, true])).collect::<Vec<_>>()})),
        query(json!({"columns": ["v"], "extras": {"where": format!("{}1 = 1{}", "(".repeat(100_000),
            ")".repeat(100_000))}})),
        query(json!({"columns": ["v"], "extras": {"where": vec!["v = 'x'"; 60_000].join(" OR ")}})),
        query(
            json!({"columns": ["v"], "filters": [{"col": "v", "op": "IN", "val": (0..60_000).collect::<Vec<_>>()}]}),
        ),
        query(json!({"columns": ["v"],
            "extras": {"where": "{% for a in range(999) %}{% for b in range(999) %}{{ a ~ b }}{% endfor %}\
             {% endfor %}"}})),
        query(json!({"columns": ["v"], "metrics": [rows], "row_limit": 3_000, "post_processing": steps})),
    ]
}

/// `/health` while every reader sends the worst: from several accounts, again and again.
#[test]
fn health_is_told_whatever_readers_ask() {
    let server = Server::start_with_settings("stalls", &[]);
    let sql =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000) SELECT n AS v FROM c";
    let dataset = server.add_virtual("rows", &Source::Examples, sql, "TEXT");
    let over = Arc::new(AtomicBool::new(false));
    let (base, bodies) = (server.base.clone(), hostile(dataset));
    let reader = server.admin();
    let mut attackers = Vec::new();
    for (n, body) in bodies.iter().cycle().take(12).enumerate() {
        let (over, mut body) = (over.clone(), body.clone());
        // not the same question: those would share one execution
        body["queries"][0]["row_limit"] = json!(3_000 - n);
        let mut client = Client::new(&base);
        client.cookies = reader.cookies.clone();
        client.csrf.clone_from(&reader.csrf);
        attackers.push(thread::spawn(move || {
            let mut answers = 0;
            while !over.load(Ordering::Relaxed) {
                // gives up in the middle, as well
                drop(client.begin_post("/api/v1/chart/data", &body));
                let status = client.post("/api/v1/chart/data", &body).status;
                assert!((200..=503).contains(&status), "{status}");
                answers += 1;
            }
            answers
        }));
    }
    let mut nobody = server.anonymous();
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            thread::sleep(Duration::from_millis(30));
            let start = Instant::now();
            assert_eq!(nobody.get("/health").status, 200);
            start.elapsed()
        })
        .collect();
    // logging in and lists are not held up either
    let start = Instant::now();
    let mut other = server.admin();
    assert_eq!(other.get("/api/v1/dashboard/").status, 200);
    let logged_in = start.elapsed();
    over.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.join().unwrap();
    }
    times.sort_unstable();
    // generous: the machine has other work, too; a blocked worker is blocked for tens of seconds
    assert!(times[97] < Duration::from_millis(1_500), "{:?} of {times:?}", times[97]);
    assert!(logged_in < Duration::from_secs(20), "{logged_in:?}");
}

#[test]
fn requests_have_bounds() {
    let server = Server::start_with_settings("stalls", &[("LITESET_MAX_CONTEXT_QUERIES", "7")]);
    let mut admin = server.admin();
    let dataset = server.add_virtual("one", &Source::Examples, "SELECT 'x' AS v", "TEXT");
    let metric =
        |n: usize| json!({"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": format!("m{n}")});
    for (key, value, what) in [
        ("metrics", (0..1_601).map(metric).collect::<Vec<_>>(), "1600 columns and metrics, not 1602"),
        ("time_offsets", vec![json!("1 day ago"); 101], "100 time comparisons, not 101"),
        ("filters", vec![json!({"col": "v", "op": "==", "val": 1}); 1_601], "1600 filters, not 1601"),
    ] {
        let mut body = ask(dataset, "json");
        body["queries"][0][key] = json!(value);
        let answer = admin.post("/api/v1/chart/data", &body);
        assert_eq!((answer.status, answer.text().contains(what)), (400, true), "{}", answer.text());
    }
    let mut body = ask(dataset, "json");
    body["queries"] = json!(vec![body["queries"][0].clone(); 8]);
    let answer = admin.post("/api/v1/chart/data", &body);
    assert_eq!(
        (answer.status, answer.text().contains("at most 7 queries, not 8")),
        (400, true),
        "{}",
        answer.text()
    );
    body["queries"] = json!(vec![body["queries"][0].clone(); 7]);
    assert_eq!(admin.post("/api/v1/chart/data", &body).status, 200);
}

/// Sends a head and the beginning of a body; the answer, if there is one within a while.
fn begin(server: &Server, path: &str, headers: &str, length: u64, body: &[u8]) -> (TcpStream, String) {
    let host = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: application/json\r\ncontent-length: \
         {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = vec![0; 200];
    let n = stream.read(&mut answer).unwrap_or_default();
    answer.truncate(n);
    (stream, String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn large_bodies_are_not_read_for_everybody() {
    let server = Server::start_with_settings("stalls", &[("LITESET_BODY_TIMEOUT_SECONDS", "1")]);
    let admin = server.admin();
    let login = "/api/v1/security/login";
    // refused by what the head says: not one byte of the body has been sent
    assert!(begin(&server, login, "", 60_000_000, b"").1.contains(" 413 "));
    let chart = "/api/v1/chart/data";
    let (_, refused) = begin(&server, chart, "", 60_000_000, b"");
    assert!(refused.contains(" 401 "), "{refused}");
    // who may, but does not prove that the request is of our own page
    let cookie = format!("cookie: {}\r\n", admin.cookie());
    let (_, refused) = begin(&server, "/api/v1/dashboard/", &cookie, 60_000_000, b"");
    assert!(refused.contains(" 400 "), "{refused}");
    // who may and proves it, but does not send it
    let proof = format!("{cookie}x-csrftoken: {}\r\n", admin.csrf);
    let start = Instant::now();
    let (_, late) = begin(&server, "/api/v1/dashboard/", &proof, 100_000, b"{");
    assert!(late.contains(" 408 "), "{late}");
    assert!(start.elapsed() < Duration::from_secs(15));
    let (_, late) = begin(&server, login, "", 100, b"{");
    assert!(late.contains(" 408 "), "{late}");
    let mut nobody = server.anonymous();
    let large = json!({"username": "x".repeat(2 << 20), "password": "y", "provider": "db"});
    // an answer before the whole body was sent may reach the client as a broken connection
    let text = large.to_string();
    let (_, refused) = begin(&server, login, "", text.len() as u64, text.as_bytes());
    assert!(refused.contains(" 413 ") || refused.is_empty(), "{refused}");
    let many = format!("[{}0]", "0,".repeat(20_000));
    let (_, refused) = begin(&server, login, "", many.len() as u64, many.as_bytes());
    assert!(refused.contains(" 413 "), "{refused}");
    let body = json!({"username": "nobody", "password": "y", "provider": "db"});
    assert_eq!(nobody.post(login, &body).status, 401);
}

/// Memory under bodies of the nameless stays near what it was.
#[cfg(target_os = "linux")]
#[test]
fn bodies_of_the_nameless_take_no_memory() {
    let server = Server::start_with_settings("stalls", &[]);
    assert_eq!(server.anonymous().get("/login/").status, 200);
    let before = peak(&server);
    let piece = vec![b'a'; 1 << 20];
    let attackers: Vec<_> = (0..40)
        .map(|n| {
            let (host, piece) = (server.base.strip_prefix("http://").unwrap().to_owned(), piece.clone());
            thread::spawn(move || {
                let mut stream = TcpStream::connect(&host).unwrap();
                let length =
                    if n % 2 == 0 { "content-length: 64000000" } else { "transfer-encoding: chunked" };
                let head = format!(
                    "POST /api/v1/security/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: \
                 application/json\r\n{length}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
                for _ in 0..32 {
                    let chunk = format!("{:x}\r\n", piece.len());
                    let sent = if n % 2 == 0 { Ok(()) } else { stream.write_all(chunk.as_bytes()) };
                    if sent.and_then(|()| stream.write_all(&piece)).is_err()
                        || n % 2 == 1 && stream.write_all(b"\r\n").is_err()
                    {
                        return;
                    }
                }
            })
        })
        .collect();
    for attacker in attackers {
        attacker.join().unwrap();
    }
    let grown = peak(&server) - before;
    assert!(grown < 120 << 10, "{grown} kB more");
}

#[cfg(target_os = "linux")]
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn values_that_are_put_away_have_bounds() {
    let server = Server::start_with_settings("stalls", &[]);
    let mut admin = server.admin();
    let dashboard = admin.get("/api/v1/dashboard/").json()["ids"][0].clone();
    let state = |bytes: usize| json!({"value": json!({"a": "x".repeat(bytes)}).to_string()});
    let path = format!("/api/v1/dashboard/{dashboard}/filter_state");
    assert_eq!(admin.post(&path, &state(100_000)).status, 201);
    let answer = admin.post(&path, &state(1_100_000));
    assert_eq!((answer.status, answer.text().contains("larger than 1 MB")), (413, true), "{}", answer.text());
    let link = |bytes: usize| json!({"dataMask": {"a": "x".repeat(bytes)}});
    let path = format!("/api/v1/dashboard/{dashboard}/permalink");
    assert_eq!(admin.post(&path, &link(1_000)).status, 201);
    assert_eq!(admin.post(&path, &link(1_100_000)).status, 413);
    // the oldest go when somebody has too many
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let count = || -> i64 {
        let sql = "SELECT COUNT(*) FROM key_value WHERE resource = 'superset_metastore_cache' AND created_by_fk = 1";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    db.execute(
        "INSERT INTO key_value (resource, value, uuid, created_on, created_by_fk) \
         WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2500) \
         SELECT 'superset_metastore_cache', x'00', RANDOMBLOB(16), '2020-01-01', 1 FROM c",
        [],
    )
    .unwrap();
    let newest: i64 = db.query_row("SELECT MAX(id) FROM key_value", [], |row| row.get(0)).unwrap();
    let path = format!("/api/v1/dashboard/{dashboard}/filter_state");
    for _ in 0..64 {
        assert_eq!(admin.post(&path, &state(10)).status, 201);
    }
    assert!((1_900..=2_130).contains(&count()), "{}", count());
    let first: i64 = db
        .query_row("SELECT MIN(id) FROM key_value WHERE resource = 'superset_metastore_cache'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(first > newest - 2_100, "the oldest went");
}
