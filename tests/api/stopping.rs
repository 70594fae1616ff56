//! SIGTERM: nobody is let in any more, who is served is served to the end.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::Server;

const SLOW: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) \
                    SELECT COUNT(*) AS v FROM c AS a WHERE a.n % 7 = 3";

#[test]
fn the_listener_closes_first() {
    let mut server = Server::start_with_settings("stopping", &[]);
    let mut admin = server.admin();
    assert_eq!(admin.get("/api/v1/database/1").status, 200);
    let address = server.base.strip_prefix("http://").unwrap().to_owned();
    let connect = || TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(5));
    let mut idle = connect().unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 1024];
    assert!(idle.read(&mut first).unwrap() > 0);
    let body = json!({"database_id": 1, "sql": SLOW, "client_id": "stopping1", "runAsync": false, "schema": "main",
                      "tab": "t", "sql_editor_id": "1"});
    let mut busy = admin.begin_post("/api/v1/sqllab/execute/", &body);
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").arg(server.pid().to_string()).status().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while connect().is_ok() {
        assert!(Instant::now() < until, "connections are still taken");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!server.has_ended(), "the request in flight was given up");
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).unwrap_or_default(), 0, "an idle connection is closed");
    busy.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = Vec::new();
    let _ = busy.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let until = Instant::now() + Duration::from_secs(20);
    while !server.has_ended() {
        assert!(Instant::now() < until, "the server stays");
        std::thread::sleep(Duration::from_millis(50));
    }
}
