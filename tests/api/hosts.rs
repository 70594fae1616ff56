//! What a `Host` may say, and where links lead (T28 of the security list).

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use crate::support::{Client, Installation, Server};

/// Sends a request as it is written; status and all of the answer.
fn raw(server: &Server, text: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_default();
    (status, answer)
}

#[test]
fn a_request_has_one_host() {
    let server = Server::start_with_settings("hosts", &[]);
    let get = |hosts: &str, version: &str| {
        raw(&server, &format!("GET /health HTTP/{version}\r\n{hosts}connection: close\r\n\r\n")).0
    };
    assert_eq!(get("host: localhost\r\n", "1.1"), 200);
    for hosts in [
        "",
        "host: localhost\r\nhost: localhost\r\n",
        "host: localhost\r\nHost: evil.example\r\n",
        "host: evil.example\r\nx: y\r\nhost: localhost\r\n",
        "host: a b\r\n",
        "host: a/b\r\n",
        "host: a@b\r\n",
    ] {
        assert_eq!(get(hosts, "1.1"), 400, "{hosts:?}");
    }
    assert_eq!(get("", "1.0"), 200, "HTTP/1.0 knows no host");
    assert_eq!(get("host: a\r\nhost: b\r\n", "1.0"), 400);
}

fn with_host(client: &Client, method: &str, path: &str, host: &str, body: &str) -> String {
    let (cookie, csrf, length) = (client.cookie(), &client.csrf, body.len());
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nx-csrftoken: {csrf}\r\naccept: text/html\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// T28.
#[test]
fn links_never_lead_to_a_host_that_somebody_made_up() {
    let on = Installation::on_sqlite("forged-host");
    let (admin, nobody) = (on.server.admin(), on.server.anonymous());
    let board = json!({"dataMask": {}, "activeTabs": []}).to_string();
    let explore = json!({"formData": {"datasource": format!("{}__table", on.dataset), "viz_type": "table"}})
        .to_string();
    let lab = json!({"dbId": on.database, "name": "x", "sql": "SELECT 1"}).to_string();
    let asked = [
        ("POST", format!("/api/v1/dashboard/{}/permalink", on.dashboard), board.as_str(), 201),
        ("POST", "/api/v1/explore/permalink".to_owned(), &explore, 201),
        ("POST", "/api/v1/sqllab/permalink".to_owned(), &lab, 201),
    ];
    let ours = on.server.base.strip_prefix("http://").unwrap();
    for (method, path, body, status) in &asked {
        let (found, text) = raw(&on.server, &with_host(&admin, method, path, ours, body));
        assert_eq!(found, *status, "{text}");
        assert!(text.contains(&format!("{}/", on.server.base)), "a link of this server: {text}");
        let (found, text) = raw(&on.server, &with_host(&admin, method, path, "evil.example", body));
        assert_eq!(found, *status, "{text}");
        assert!(!text.contains("evil.example"), "{path}: {text}");
    }
    for rule in
        web::router::table().rules().filter(|r| r.methods.contains(&"GET") && !r.rule.contains("logout"))
    {
        let path = rule
            .rule
            .split('/')
            .map(|p| if p.starts_with('<') { "1" } else { p })
            .collect::<Vec<_>>()
            .join("/");
        for path in [path.trim_end_matches('/').to_owned(), path] {
            for client in [&admin, &nobody] {
                let (_, text) = raw(
                    &on.server,
                    &with_host(client, "GET", if path.is_empty() { "/" } else { &path }, "evil.example", ""),
                );
                assert!(!text.contains("evil.example"), "{path}: {}", &text[..text.len().min(600)]);
            }
        }
    }
    for path in ["//evil.example/api/v1/chart", "/%5Cevil.example/api/v1/chart", "//api/v1/chart"] {
        let (_, text) = raw(&on.server, &with_host(&admin, "GET", path, "other.example", ""));
        let location = text.lines().find(|l| l.to_lowercase().starts_with("location:")).unwrap_or_default();
        assert!(!location.contains(" //") && !location.contains('\\'), "{path}: {location}");
    }
}

/// T28: the configured address is the address.
#[test]
fn links_are_made_of_the_configured_address() {
    let public = [("LITESET_WEBDRIVER_BASEURL_USER_FRIENDLY", "https://bi.example.org/")];
    let server = Server::start_with_settings("public-address", &public);
    let admin = server.admin();
    let (status, text) =
        raw(&server, &with_host(&admin, "POST", "/api/v1/dashboard/1/permalink", "evil.example", "{}"));
    assert_eq!(status, 201, "{text}");
    assert!(text.contains("\"https://bi.example.org/superset/dashboard/p/"), "{text}");
    // and `next` may lead there, not where the request says it is
    let (_, page) = raw(&server, &with_host(&server.anonymous(), "GET", "/chart/list/", "evil.example", ""));
    assert!(page.contains("/login/?next=https://bi.example.org/chart/list/"), "{page}");
}
