//! Over the whole route table: who gets in, what a write without a token does, where redirects lead, what errors say
//! (T14, T24, T25, T27–T29, T33, T34 of the security list).

use serde_json::{Value, json};
use web::routes::Rule;

use crate::support::{Client, Server};

fn fill(rule: &Rule) -> String {
    rule.rule.split('/').map(|p| if p.starts_with('<') { "1" } else { p }).collect::<Vec<_>>().join("/")
}

/// Pages that are meant for everybody.
const OPEN: &[&str] =
    &["/login/", "/health", "/ping", "/readyz", "/register/", "/static/", "/api/v1/user/1/avatar.png"];

#[test]
fn nobody_gets_a_page_but_the_open_ones() {
    let server = Server::start_with_settings("crawl-all", &[]);
    let mut nobody = server.anonymous();
    let mut open = Vec::new();
    for rule in web::router::table().rules().filter(|r| r.methods.contains(&"GET")) {
        let path = fill(rule);
        let answer = nobody.get(&path);
        // an unknown language is a failure of the original's, too, and so is coming back from nowhere
        let fails = path.starts_with("/lang/") || path == "/api/v1/database/oauth2/";
        assert!(answer.status < 500 || fails, "{path}: {}", answer.status);
        if answer.status == 200 && !OPEN.iter().any(|o| path.starts_with(o)) {
            open.push(path);
        }
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
}

/// Routes whose writes need no token: they take none from a browser, or change nothing (`WTF_CSRF_EXEMPT_LIST` and
/// Flask-AppBuilder's own resources).
const EXEMPT: &[&str] = &[
    "/api/v1/security/login",
    "/api/v1/security/refresh",
    "/api/v1/security/roles/",
    "/api/v1/security/users/",
    "/api/v1/security/groups/",
    "/api/v1/security/permissions/",
    "/api/v1/security/permissions-resources/",
    "/api/v1/security/resources/",
    "/api/v1/chart/data",
    "/api/v1/dashboard/1/cache_dashboard_screenshot/",
    "/superset/explore_json/",
    "/superset/log/",
    "/datasource/samples",
];

#[test]
fn every_write_wants_a_token() {
    let settings = [("SUPERSET_FEATURE_ALERT_REPORTS", "true"), ("LITESET_AUTH_USER_REGISTRATION", "true")];
    let server = Server::start_with_settings("tokens", &settings);
    let admin = server.admin();
    let mut forged = server.anonymous();
    forged.cookies.clone_from(&admin.cookies);
    let mut passed = Vec::new();
    for rule in web::router::table().rules() {
        let path = fill(rule);
        for method in rule.methods.iter().filter(|m| matches!(**m, "POST" | "PUT" | "PATCH" | "DELETE")) {
            if EXEMPT.iter().any(|e| path.starts_with(e)) {
                continue;
            }
            let answer = forged.send(method, &path, Some(&json!({})));
            if answer.status != 400 || !answer.text().contains("CSRF") {
                passed.push(format!("{method} {path}: {} {}", answer.status, answer.text()));
            }
        }
    }
    assert!(passed.is_empty(), "{}", passed.join("\n"));
}

fn leads_off(location: &str) -> bool {
    let location = location.trim();
    let off =
        ["evil.example", "\\"].iter().any(|e| location.split('?').next().unwrap_or_default().contains(e));
    off || location.starts_with("//")
}

#[test]
fn redirects_stay_here() {
    let server = Server::start_with_settings("redirects", &[]);
    let mut people = [server.admin(), server.anonymous()];
    let mut wrong = Vec::new();
    for rule in
        web::router::table().rules().filter(|r| r.methods.contains(&"GET") && !r.rule.contains("logout"))
    {
        for target in ["https://evil.example/", "//evil.example/", "/\\evil.example"] {
            let query = target.replace('\\', "%5C");
            let path = format!("{}?next={query}&redirect={query}&url={query}", fill(rule));
            for client in &mut people {
                client.headers = vec![("referer".into(), "https://evil.example/page".into())];
                let answer = client.send("GET", &path, None);
                if leads_off(answer.header("location")) {
                    wrong.push(format!("{path} → {}", answer.header("location")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // after the log-in, too
    for target in [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "http:///evil.example",
        "%09//evil.example",
    ] {
        let mut client = server.anonymous();
        let page = client.get("/login/").text();
        let token = page.split("name=\"csrf_token\"").nth(1).and_then(|r| r.split("value=\"").nth(1));
        let token = token.and_then(|r| r.split('"').next()).unwrap().to_owned();
        let form =
            [("username", "admin"), ("password", crate::support::PASSWORD), ("csrf_token", token.as_str())];
        let answer = client.post_form(&format!("/login/?next={target}"), &form);
        assert!(!leads_off(answer.header("location")), "{target} → {}", answer.header("location"));
    }
}

#[test]
fn connections_roles_and_users_are_not_for_gamma() {
    let server = Server::start_with_settings("gamma", &[]);
    let (mut gamma, _) = server.person("gus", "Gamma");
    let (mut alpha, _) = server.person("ann", "Alpha");
    let uri = json!({"sqlalchemy_uri": "sqlite:////etc/passwd", "database_name": "x", "engine": "sqlite"});
    for path in ["test_connection/", "validate_parameters/", ""] {
        let status = gamma.post(&format!("/api/v1/database/{path}"), &uri).status;
        assert_eq!(status, 403, "Gamma may POST /api/v1/database/{path}");
    }
    for resource in ["users", "roles", "groups", "permissions", "resources", "permissions-resources"] {
        for (who, client) in [("Gamma", &mut gamma), ("Alpha", &mut alpha)] {
            let path = format!("/api/v1/security/{resource}/");
            assert_eq!(client.get(&path).status, 403, "{who} may read {resource}");
            let status = client.post(&path, &json!({"name": "x"})).status;
            assert!(matches!(status, 403 | 405), "{who} may write {resource}: {status}");
        }
    }
    assert_eq!(gamma.get("/api/v1/css_template/").status, 403);
    assert_eq!(gamma.get("/api/v1/annotation_layer/").status, 403);
    assert_eq!(gamma.get("/api/v1/rowlevelsecurity/").status, 403);
    assert_eq!(gamma.get("/api/v1/log/").status, 403);
}

fn create_dashboard(admin: &mut Client, title: &str) -> i64 {
    let made = admin.post("/api/v1/dashboard/", &json!({"dashboard_title": title}));
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_i64().unwrap()
}

#[test]
fn what_people_write_stays_text() {
    let server = Server::start_with_settings("xss", &[]);
    let mut admin = server.admin();
    let hostile = "</title></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let id = create_dashboard(&mut admin, hostile);
    let page = admin.get(&format!("/superset/dashboard/{id}/"));
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("<script>alert") && !page.text().contains("<img src=x"));
    for path in ["/login/?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/%3Cscript%3Ealert(1)%3C/script%3E"]
    {
        assert!(!admin.get(path).text().contains("<script>alert"), "{path}");
    }
    for path in [&format!("/api/v1/dashboard/{id}"), "/api/v1/chart/", "/superset/welcome/", "/api/v1/nope"] {
        let answer = admin.get(path);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        if path.starts_with("/api/") {
            assert!(answer.header("content-type").starts_with("application/json"), "{path}");
        } else {
            assert!(answer.header("content-security-policy").contains("script-src"), "{path}");
        }
    }
}

#[test]
fn errors_and_logs_tell_nothing_and_forge_nothing() {
    let server = Server::start_with_settings("errors", &[]);
    let mut admin = server.admin();
    let (mut gamma, _) = server.person("gil", "Gamma");
    let broken: Vec<Value> = vec![
        json!(null),
        json!([]),
        json!({"datasource": {"id": 1, "type": "table"}, "queries": [{"columns": ["nope"]}]}),
        json!({"datasource": {"id": 1, "type": "table"}, "queries": [{"metrics": [{"expressionType": "SQL",
            "sqlExpression": "1/0); --", "label": "x"}]}]}),
        json!({"datasource": {"id": "x", "type": {}}, "queries": 7}),
        json!({"queries": [{"filters": [{"col": {}, "op": "IN", "val": "x".repeat(100_000)}]}]}),
    ];
    for body in &broken {
        for (who, client) in [("admin", &mut admin), ("gamma", &mut gamma)] {
            let answer = client.post("/api/v1/chart/data", body);
            let text = answer.text();
            assert!(answer.status >= 400, "{who}: {text}");
            for telltale in ["Traceback", "panicked", "src/", ".rs:", "rusqlite", "tokio"] {
                assert!(!text.contains(telltale), "{who}: {text}");
            }
        }
    }
    let forged = "x\n{\"level\":\"INFO\",\"fields\":{\"message\":\"forged entry\"}}\u{1b}[31m";
    server.anonymous().log_in(forged, "wrong");
    server.anonymous().get("/%0Aforged%20entry%0D%0A/%1B[31m");
    admin.get("/api/v1/chart/?q=%0Aforged%20entry");
    for line in server.log().lines() {
        assert!(!line.starts_with("{\"level\":\"INFO\",\"fields\":{\"message\":\"forged"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
        assert!(!line.starts_with("forged entry"), "{line}");
    }
}
