//! Events over WebSockets: who gets them, who does not, and how sockets end.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{
    Client, Server, Source, ask, jwt, redis_add, redis_prefix,
    websocket::{Refused, Socket},
};

const SECRET: &str = "only-for-tests-0123456789-0123456789";

fn start(name: &str, more: &[(&str, &str)]) -> Server {
    let settings = [
        ("SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES", "true"),
        ("LITESET_GLOBAL_ASYNC_QUERIES_TRANSPORT", "ws"),
        ("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", SECRET),
    ];
    let settings: Vec<_> = settings.into_iter().chain(more.iter().copied()).collect();
    Server::start_with_settings(name, &settings)
}

fn open(server: &Server, client: &Client, query: &str) -> Socket {
    Socket::open(&server.base, &format!("/ws{query}"), &client.cookie(), &[]).unwrap()
}

fn of_channel(channel: &str) -> String {
    format!("async-token={}", jwt::hs256(&json!({"channel": channel, "sub": "1"}), SECRET))
}

#[test]
fn an_event_reaches_all_sockets_of_its_channel_and_no_other() {
    let server = start("ws-live", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    let (mut one, mut two) = (open(&server, &admin, ""), open(&server, &admin, ""));
    let mut other = Socket::open(&server.base, "/ws", &of_channel("other"), &[]).unwrap();
    one.0.send("what clients say is ignored".into()).unwrap();
    let asked = admin.post("/api/v1/chart/data", &ask(id, "json"));
    assert_eq!(asked.status, 202, "{}", asked.text());
    for socket in [&mut one, &mut two] {
        let event = socket.event();
        assert_eq!((&event["job_id"], &event["status"]), (&asked.json()["job_id"], &json!("done")));
        let names: Vec<&String> = event.as_object().unwrap().keys().collect();
        let wanted = ["id", "channel_id", "job_id", "user_id", "status", "errors", "result_url"];
        assert!(
            names.iter().all(|name| wanted.contains(&name.as_str())) && names.len() == wanted.len(),
            "{event}"
        );
        assert_eq!(admin.get(event["result_url"].as_str().unwrap()).status, 200);
    }
    assert!(other.is_quiet() && one.is_quiet());
}

#[test]
fn whoever_comes_back_gets_what_was_missed() {
    let server = start("ws-replay", &[]);
    let id = server.add_virtual("one", &Source::Examples, "SELECT 1 AS v", "INTEGER");
    let mut admin = server.admin();
    let mut first = open(&server, &admin, "");
    let mut events = Vec::new();
    for limit in 1..4 {
        let mut question = ask(id, "json");
        question["queries"][0]["row_limit"] = limit.into();
        assert_eq!(admin.post("/api/v1/chart/data", &question).status, 202);
        events.push(first.event());
    }
    drop(first);
    let last = events[0]["id"].as_str().unwrap();
    let mut back = open(&server, &admin, &format!("?last_id={last}"));
    assert_eq!([back.event(), back.event()], [events[1].clone(), events[2].clone()]);
    assert!(back.is_quiet());
    for query in ["", "?last_id=", "?last_id=abc", "?last_id=9999999999999-0"] {
        assert!(open(&server, &admin, query).is_quiet(), "{query}");
    }
}

#[test]
fn foreign_pages_and_bad_tokens_get_no_socket() {
    let server = start("ws-refused", &[]);
    let good = of_channel("c");
    let open = |cookie: &str, headers: &[(&str, &str)]| {
        Socket::open(&server.base, "/ws", cookie, headers).map(|_| ())
    };
    assert_eq!(open(&good, &[]), Ok(()));
    assert_eq!(open(&good, &[("origin", &server.base)]), Ok(()));
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1.evil.example"] {
        assert_eq!(open(&good, &[("origin", origin)]), Err(Refused(Some(403))), "{origin}");
    }
    let bad = [
        String::new(),
        "async-token=garbage".to_owned(),
        format!("async-token={}", jwt::hs256(&json!({"channel": "c", "sub": "1", "exp": 1}), SECRET)),
        format!(
            "async-token={}",
            jwt::hs256(&json!({"channel": "c"}), "another-secret-0123456789-0123456789")
        ),
        format!("async-token={}", jwt::hs256(&json!({"sub": "1"}), SECRET)),
        "async-token=eyJhbGciOiJub25lIn0.eyJjaGFubmVsIjoiYyJ9.".to_owned(),
    ];
    for cookie in bad {
        assert_eq!(open(&cookie, &[]), Err(Refused(None)), "the connection is cut: {cookie}");
    }
    assert!(matches!(Socket::open(&server.base, "/elsewhere", &good, &[]), Err(Refused(Some(404)))));
}

#[test]
fn a_message_that_is_too_long_ends_the_socket() {
    let server = start("ws-long", &[]);
    let mut socket = Socket::open(&server.base, "/ws", &of_channel("c"), &[]).unwrap();
    socket.0.send("x".repeat(1 << 20).into()).ok();
    socket.end();
    assert_eq!(server.anonymous().get("/health").status, 200);
}

#[test]
fn a_client_that_reads_nothing_is_closed_and_others_are_not_held_up() {
    let Some(prefix) = redis_prefix("ws-slow") else { return };
    let redis = r#"{"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "127.0.0.1", "CACHE_REDIS_DB": 7}"#;
    let server = start(
        "ws-slow",
        &[
            ("LITESET_GLOBAL_ASYNC_QUERIES_CACHE_BACKEND", redis),
            ("LITESET_GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX", &prefix),
        ],
    );
    let slow = Socket::open(&server.base, "/ws", &of_channel("c"), &[]).unwrap();
    let mut quick = Socket::open(&server.base, "/ws", &of_channel("c"), &[]).unwrap();
    let filler = "x".repeat(100_000);
    // what the kernel and the queue take together is a few megabytes
    for n in 0..200 {
        redis_add(&prefix, &json!({"channel_id": "c", "n": n, "filler": filler}).to_string());
        assert_eq!(quick.event()["n"], json!(n), "the quick client misses nothing");
    }
    let until = Instant::now() + Duration::from_secs(60);
    while !server.log().contains("does not keep up") {
        assert!(Instant::now() < until, "the slow client is kept");
        thread::sleep(Duration::from_millis(100));
    }
    let mut slow = slow;
    slow.end();
}

#[test]
fn sockets_are_told_when_the_server_stops() {
    let mut server = start("ws-stop", &[]);
    let id = server.add_virtual(
        "endless",
        &Source::Examples,
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n > 0) SELECT COUNT(*) AS v FROM c",
        "INTEGER",
    );
    let mut admin = server.admin();
    let mut socket = open(&server, &admin, "");
    assert_eq!(admin.post("/api/v1/chart/data", &ask(id, "json")).status, 202);
    Command::new("kill").arg(server.pid().to_string()).status().unwrap();
    let event = socket.event();
    assert!(event["errors"][0]["message"].as_str().unwrap().contains("server stopped"), "{event}");
    assert_eq!(socket.end(), Some(1001));
    let until = Instant::now() + Duration::from_secs(20);
    while !server.has_ended() {
        assert!(Instant::now() < until, "the server stays");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_socket_ends_with_its_users_log_in() {
    let server = start("ws-revoked", &[("LITESET_ASYNC_QUERIES_LOG_IN_CHECK", "1")]);
    let (person, id) = server.person("leaver", "Gamma");
    let mut admin = server.admin();
    let (mut socket, mut own) = (open(&server, &person, ""), open(&server, &admin, ""));
    let gone = admin.put(&format!("/api/v1/security/users/{id}"), &json!({"active": false}));
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert_eq!(Socket::open(&server.base, "/ws", &person.cookie(), &[]).map(|_| ()), Err(Refused(None)));
    assert_eq!(socket.end(), Some(1008));
    assert!(own.is_quiet(), "others stay");
}

#[test]
fn pages_name_the_address_that_their_browser_can_reach() {
    let server = start("ws-page", &[("LITESET_ENABLE_PROXY_FIX", "true")]);
    let address = |headers: &[(&str, &str)]| {
        let mut admin = server.admin();
        admin.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let page = admin.send("GET", "/superset/welcome/", None).text();
        let value = page.split("GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL&#34;: &#34;").nth(1).unwrap().to_owned();
        value.split("&#34;").next().unwrap().to_owned()
    };
    let own = server.base.replace("http://", "ws://");
    assert_eq!(address(&[]), format!("{own}/ws"));
    let proxy = [
        ("x-forwarded-host", "bi.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/analytics"),
    ];
    assert_eq!(address(&proxy), "wss://bi.example/analytics/ws");
    let named =
        start("ws-named", &[("LITESET_GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL", "wss://bi.example/live/events")]);
    let page = named.admin().get("/superset/welcome/").text();
    assert!(page.contains("wss://bi.example/live/events"));
    assert!(Socket::open(&named.base, "/live/events", &of_channel("c"), &[]).is_ok());
}

#[test]
fn sockets_are_opened_below_the_root() {
    let mut server = start("ws-root", &[("SUPERSET_APP_ROOT", "/bi")]);
    assert!(Socket::open(&server.base, "/bi/ws", &of_channel("c"), &[]).is_ok());
    for path in ["/ws", "/", "/bix/ws"] {
        let refused = Socket::open(&server.base, path, &of_channel("c"), &[]).map(|_| ());
        assert_eq!(refused, Err(Refused(Some(404))), "{path}");
    }
    let told = format!("{}/bi/ws", server.base.replace("http://", "ws://"));
    server.base.push_str("/bi");
    assert!(server.admin().get("/superset/welcome/").text().contains(&told));
}

#[test]
fn without_the_feature_there_are_no_sockets() {
    let server = Server::start_with_settings("ws-off", &[]);
    let refused = Socket::open(&server.base, "/ws", &of_channel("c"), &[]).map(|_| ());
    assert_eq!(refused, Err(Refused(Some(404))));
    assert!(!server.admin().cookies.contains_key("async-token"));
}
