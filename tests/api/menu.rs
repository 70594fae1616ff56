//! `/api/v1/menu/`: what of the menu a person has.

use serde_json::Value;

use crate::support::{Client, Server};

fn names(client: &mut Client) -> Vec<String> {
    fn add(items: &Value, names: &mut Vec<String>) {
        for item in items.as_array().into_iter().flatten() {
            names.extend(item["name"].as_str().map(str::to_owned));
            add(&item["childs"], names);
        }
    }
    let mut found = Vec::new();
    add(&client.result("menu/"), &mut found);
    found
}

#[test]
fn the_menu_is_what_one_may_open() {
    let server = Server::start_with_settings("menu", &[]);
    let of_admin = names(&mut server.admin());
    for name in ["Security", "List Users", "List Roles", "Dashboards", "Charts", "Datasets", "Databases"] {
        assert!(of_admin.contains(&name.to_owned()), "{name}: {of_admin:?}");
    }
    let of_gamma = names(&mut server.person("gus", "Gamma").0);
    assert!(of_gamma.contains(&"Dashboards".to_owned()), "{of_gamma:?}");
    for name in ["Security", "List Users", "Row Level Security", "SQL Editor"] {
        assert!(!of_gamma.contains(&name.to_owned()), "{name}: {of_gamma:?}");
    }
    assert_eq!(server.anonymous().get("/api/v1/menu/").status, 401);
}
