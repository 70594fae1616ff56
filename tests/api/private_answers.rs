//! What answers tell about people: no password hash, and e-mail addresses of others only to who manages users (T4 of
//! the security list). Every GET route is asked by every role.

use serde_json::Value;
use web::routes::Rule;

use crate::support::{Client, Installation};

/// Words of a text that look like an e-mail address.
fn addresses(text: &str) -> Vec<String> {
    let of_address = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
    let words = text.split(|c| !of_address(c));
    words
        .filter(|w| w.split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains("example.org")))
        .map(str::to_owned)
        .collect()
}

/// A route with the ids of objects that are there.
fn paths(on: &Installation, rule: &Rule) -> Vec<String> {
    let fill = |id: i64| {
        let part = |p: &str| match p {
            "<column_name>" | "<rel>" => "owners".to_owned(),
            "<datasource_type>" => "table".to_owned(),
            p if p.starts_with('<') => id.to_string(),
            p => p.to_owned(),
        };
        rule.rule.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    let mut ids = vec![1, 2, 3, on.database, on.dataset, on.chart, on.dashboard];
    ids.sort_unstable();
    ids.dedup();
    let mut paths: Vec<String> =
        if rule.rule.contains('<') { ids.into_iter().map(fill).collect() } else { vec![fill(1)] };
    for relation in ["created_by", "changed_by", "user", "database", "roles"] {
        if rule.rule.contains("/related/") || rule.rule.contains("/distinct/") {
            paths.extend(rule.rule.rsplit_once('/').map(|(start, _)| format!("{start}/{relation}")));
        }
    }
    paths
}

fn scan(on: &Installation) {
    let mut admin = on.server.admin();
    let (alpha, alpha_id) = on.server.person("alan", "Alpha");
    let (gamma, _) = on.server.person("gwen", "Gamma");
    // something that belongs to others and is seen
    let own = serde_json::json!({"owners": [1, alpha_id]});
    for path in [format!("/api/v1/chart/{}", on.chart), format!("/api/v1/dataset/{}", on.dataset)] {
        assert_eq!(admin.put(&path, &own).status, 200, "{path}");
    }
    let board = serde_json::json!({"owners": [1, alpha_id], "published": true});
    assert_eq!(admin.put(&format!("/api/v1/dashboard/{}", on.dashboard), &board).status, 200);
    let tag = serde_json::json!({"name": "of everybody", "objects_to_tag": [["chart", on.chart]]});
    assert_eq!(admin.post("/api/v1/tag/", &tag).status, 201);
    let people = [
        ("admin", admin, None),
        ("alan", alpha, Some("alan@example.org")),
        ("gwen", gamma, Some("gwen@example.org")),
    ];
    let table = web::router::table();
    for (name, mut client, own) in people {
        let mut asked = 0;
        for rule in table.rules().filter(|r| {
            r.methods.contains(&"GET") && !r.rule.contains("logout") && !r.rule.contains("/static/")
        }) {
            for path in paths(on, rule) {
                let answer = client.send("GET", &path, None);
                asked += usize::from(answer.status == 200);
                let text = answer.text();
                for hash in ["scrypt:", "pbkdf2:", "\"password\": \"s", "SECRET_KEY\":"] {
                    assert!(!text.contains(hash), "{name}: {path} tells {hash}");
                }
                if let Some(own) = own {
                    let others: Vec<_> = addresses(&text).into_iter().filter(|a| a != own).collect();
                    assert!(others.is_empty(), "{name}: {path} tells {others:?}");
                }
            }
        }
        assert!(asked > 40, "{name} was refused nearly everything: {asked}");
    }
}

#[test]
fn no_role_reads_what_is_private() {
    scan(&Installation::on_sqlite("private"));
}

#[test]
fn no_role_reads_what_is_private_on_postgresql() {
    if let Some(on) = Installation::on_postgres("private") {
        scan(&on);
    }
}

#[test]
fn no_role_reads_what_is_private_on_mysql() {
    if let Some(on) = Installation::on_mysql("private") {
        scan(&on);
    }
}

fn owners(client: &mut Client, resource: &str, filter: &str) -> Vec<Value> {
    let query = if filter.is_empty() { String::new() } else { format!("?q=(filter:{filter})") };
    let answer = client.get(&format!("/api/v1/{resource}/related/owners{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["result"].as_array().unwrap().clone()
}

/// The form's fields stay: only the address is empty, and a search does not find by it.
#[test]
fn addresses_are_for_who_manages_users() {
    let on = Installation::on_sqlite("addresses");
    let (mut alpha, _) = on.server.person("alan", "Alpha");
    on.server.person("zoe", "Gamma");
    let mut admin = on.server.admin();
    for resource in ["chart", "dashboard", "dataset"] {
        for owner in owners(&mut alpha, resource, "") {
            assert_eq!(
                (owner["extra"]["email"].clone(), owner["extra"]["active"].clone()),
                (Value::Null, true.into())
            );
        }
        let seen = owners(&mut admin, resource, "zoe");
        assert_eq!(seen[0]["extra"]["email"], "zoe@example.org");
        assert_eq!(owners(&mut alpha, resource, "zoe").len(), 1);
        for oracle in ["'zoe@'", "'example.org'", "'@'"] {
            assert!(owners(&mut alpha, resource, oracle).is_empty(), "{resource} finds by {oracle}");
        }
    }
}
