//! A result above `MAX_RESULT_MB` is an answer of its own, and the process goes on.

use serde_json::json;

use crate::support::{Server, Source, ask, postgres_uri};

/// 200 rows of 64 kB.
const LARGE_SQLITE: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200) \
                            SELECT HEX(ZEROBLOB(32768)) || n AS v FROM c";
const LARGE_POSTGRESQL: &str =
    "SELECT REPEAT('x', 65536) || CAST(n AS TEXT) AS v FROM GENERATE_SERIES(1, 200) AS n";

#[test]
fn charts_over_large_results() {
    let server = Server::start_with_settings("limits", &[("LITESET_MAX_RESULT_MB", "8")]);
    let mut admin = server.admin();
    let mut sources = vec![(Source::Examples, LARGE_SQLITE)];
    let uri = postgres_uri();
    if let Some(uri) = &uri {
        sources.push((Source::Uri(uri), LARGE_POSTGRESQL));
    }
    for (n, (source, sql)) in sources.iter().enumerate() {
        let id = server.add_virtual(&format!("large {n}"), source, sql, "TEXT");
        let mut all = ask(id, "json");
        all["queries"][0]["row_limit"] = json!(200);
        let answer = admin.post("/api/v1/chart/data", &all);
        let text = answer.text();
        assert_eq!(answer.status, 400, "{}", &text[..text.len().min(300)]);
        assert!(text.contains("The result exceeds the allowed size of 8 MB"), "{text}");
        all["queries"][0]["row_limit"] = json!(50);
        assert_eq!(admin.post("/api/v1/chart/data", &all).status, 200, "a part that fits");
    }
}

#[test]
fn sql_lab_over_large_results() {
    let server = Server::start_with_settings("limits", &[("LITESET_MAX_RESULT_MB", "8")]);
    let mut admin = server.admin();
    let body = |limit: i64| {
        json!({"database_id": 1, "sql": LARGE_SQLITE, "client_id": format!("limits{limit}"), "queryLimit": limit,
               "runAsync": false, "schema": "main", "tab": "limits", "sql_editor_id": "1"})
    };
    let answer = admin.post("/api/v1/sqllab/execute/", &body(200));
    let text = answer.text();
    assert!(answer.status >= 400, "{}: {}", answer.status, &text[..text.len().min(300)]);
    assert!(text.contains("The result exceeds the allowed size of 8 MB"), "{text}");
    assert_eq!(admin.post("/api/v1/sqllab/execute/", &body(50)).status, 200);
}

/// A cell of half a gigabyte is refused before it is in memory.
#[cfg(target_os = "linux")]
#[test]
fn a_cell_that_would_not_fit() {
    let Some(uri) = postgres_uri() else { return };
    let server = Server::start_with_settings("limits", &[("LITESET_MAX_RESULT_MB", "8")]);
    let mut admin = server.admin();
    let id = server.add_virtual(
        "huge",
        &Source::Uri(&uri),
        "SELECT REPEAT(REPEAT('x', 10000), 50000) AS v",
        "TEXT",
    );
    let answer = admin.post("/api/v1/chart/data", &ask(id, "json"));
    let text = answer.text();
    assert_eq!(answer.status, 400, "{}", &text[..text.len().min(300)]);
    assert!(text.contains("The result exceeds the allowed size of 8 MB"), "{text}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 400 << 10, "{peak} kB at most");
    let small = server.add_virtual("small", &Source::Uri(&uri), "SELECT 'x' AS v", "TEXT");
    assert_eq!(admin.post("/api/v1/chart/data", &ask(small, "json")).status, 200);
}
