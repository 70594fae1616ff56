//! No route without a demand: every rule stands in the permission table, and anonymous callers get nothing.

use std::collections::BTreeMap;

use web::routes::Access;

use crate::support::Server;

/// A permission and its view menu.
type Demand = Option<(String, String)>;

/// Rule and method → permission and view menu, as Superset 6.0.0 registers them.
fn table() -> BTreeMap<(String, String), Demand> {
    let text = include_str!("../golden/permissions/routes.json");
    let rows: Vec<(String, Vec<String>, Demand)> = serde_json::from_str(text).unwrap();
    let methods = |(rule, methods, demand): (String, Vec<String>, Demand)| {
        methods.into_iter().map(move |m| ((normal(&rule), m), demand.clone()))
    };
    rows.into_iter().flat_map(methods).collect()
}

/// Placeholders without their names: `<int:pk>` and `<pk>` are the same place.
fn normal(rule: &str) -> String {
    let part = |p: &str| if p.starts_with('<') { "<>".to_owned() } else { p.to_owned() };
    rule.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_rule_demands_what_superset_demands() {
    let table = table();
    let (mut wrong, mut served) = (Vec::new(), 0);
    for rule in web::router::table().rules() {
        for method in rule.methods {
            let key = (normal(&rule.rule), (*method).to_owned());
            let Some(demand) = table.get(&key) else {
                if !OURS.contains(&rule.rule.as_str()) && !OTHER_AUTH_TYPES.contains(&rule.rule.as_str()) {
                    wrong.push(format!("{method} {}: not a route of Superset", rule.rule));
                }
                continue;
            };
            served += 1;
            let ours = match rule.access {
                Access::Protect(p, v) | Access::Page(p, v) | Access::PageApi(p, v) => {
                    Some((p.to_owned(), v.to_owned()))
                }
                Access::Open => None,
            };
            if ours != *demand && !HANDLERS_DECIDE.contains(&rule.rule.as_str()) {
                wrong.push(format!("{method} {}: {ours:?}, Superset demands {demand:?}", rule.rule));
            }
        }
    }
    println!("{served} of {} routes of Superset are served", table.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Routes that Superset does not have.
const OURS: &[&str] = &["/readyz", "/api/v1/jobs/"];

/// Routes that Superset has where people sign in otherwise, or register.
const OTHER_AUTH_TYPES: &[&str] = &["/login/<provider>", "/oauth-authorized/<provider>", "/register/form"];

/// Routes whose handler asks for the permission itself.
const HANDLERS_DECIDE: &[&str] = &[
    "/dynamic-plugins/list/",
    "/dynamic-plugins/show/<pk>",
    "/dynamic-plugins/download/<filename>",
    "/dynamic-plugins/add",
    "/dynamic-plugins/edit/<pk>",
    "/dynamic-plugins/delete/<pk>",
    "/tagview/tags/",
];

#[test]
fn nobody_gets_data_from_any_get_route() {
    let server = Server::start("crawl");
    let mut nobody = server.anonymous();
    let mut leaks = Vec::new();
    for rule in
        web::router::table().rules().filter(|r| r.methods.contains(&"GET") && r.rule.starts_with("/api/"))
    {
        let path = rule
            .rule
            .split('/')
            .map(|p| if p.starts_with('<') { "1" } else { p })
            .collect::<Vec<_>>()
            .join("/");
        // an exception of the original without it
        let state = if path == "/api/v1/database/oauth2/" { "?state=x" } else { "" };
        let answer = nobody.get(&format!("{path}{state}"));
        let public = PUBLIC.iter().any(|p| path.starts_with(p));
        if !public && !matches!(answer.status, 401 | 404 | 302 | 308) {
            leaks.push(format!(
                "{path}: {} {}",
                answer.status,
                &answer.text().chars().take(80).collect::<String>()
            ));
        }
        assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.text());
        for secret in ["scrypt:", "pbkdf2:", "admin@localhost"] {
            assert!(!answer.text().contains(secret), "{path} shows {secret}");
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// Answers that are meant for everybody.
const PUBLIC: &[&str] = &["/api/v1/user/1/avatar.png", "/api/v1/database/oauth2/"];
