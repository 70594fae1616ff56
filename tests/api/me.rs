//! `/api/v1/me/`: one's own account.

use serde_json::json;

use crate::support::{PASSWORD, Server, fields, message, refused};

#[test]
fn people_read_and_change_their_own_account() {
    let server = Server::start_with_settings("me", &[]);
    let (mut gus, id) = server.person("gus", "Gamma");
    let me = gus.result("me/");
    assert_eq!((&me["id"], &me["username"], &me["is_anonymous"]), (&json!(id), &json!("gus"), &json!(false)));
    let roles = gus.result("me/roles/");
    assert!(roles["roles"]["Gamma"].as_array().unwrap().contains(&json!(["can_read", "Chart"])), "{roles}");
    assert_eq!(roles["firstName"], "gus");
    let put = gus.put("/api/v1/me/", &json!({"first_name": "Günther"}));
    assert_eq!((put.status, &put.json()["result"]["first_name"]), (200, &json!("Günther")), "{}", put.text());
    assert_eq!(gus.result("me/")["first_name"], "Günther");
    refused(
        &mut gus,
        "PUT",
        "me/",
        &[
            (json!({}), 400, message("At least one field must be provided.")),
            (json!({"first_name": 1}), 400, fields("first_name", "Not a valid string.")),
            (json!({"username": "admin"}), 400, fields("username", "Unknown field.")),
            (json!({"roles": [1]}), 400, fields("roles", "Unknown field.")),
        ],
    );
    assert_eq!(gus.put("/api/v1/me/", &json!({"password": "another password 9"})).status, 200);
    let (mut old, mut new) = (server.anonymous(), server.anonymous());
    old.log_in("gus", PASSWORD);
    new.log_in("gus", "another password 9");
    assert_eq!((old.get("/api/v1/me/").status, new.get("/api/v1/me/").status), (401, 200));
    let mut nobody = server.anonymous();
    for path in ["me/", "me/roles/"] {
        assert_eq!(nobody.get(&format!("/api/v1/{path}")).told(), (401, message("Not authorized")));
    }
}
