//! `/api/v1/security/users/`: accounts, as an administrator manages them.

use serde_json::{Value, json};

use crate::support::{Installation, NO_RIGHT, PASSWORD, fields, make, message, refused, statuses};

const USERS: &str = "security/users";

fn role(on: &Installation, name: &str) -> i64 {
    let q = format!("(filters:!((col:name,opr:eq,value:{name})))");
    on.server.admin().ids("security/roles", &q)[0]
}

fn account(on: &Installation, name: &str) -> Value {
    json!({
        "username": name, "first_name": "Ann", "last_name": "Ünal", "email": format!("{name}@example.org"),
        "password": PASSWORD, "active": true, "roles": [role(on, "Gamma")],
    })
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let id = make(&mut admin, USERS, &account(on, "ann"));
    let path = format!("/api/v1/{USERS}/{id}");
    let read = admin.result(&format!("{USERS}/{id}"));
    assert_eq!((&read["username"], &read["last_name"]), (&json!("ann"), &json!("Ünal")));
    assert_eq!((&read["roles"][0]["name"], &read["groups"]), (&json!("Gamma"), &json!([])));
    assert!(read.get("password").is_none(), "{read}");
    let hash = format!("SELECT substr(password, 1, 7) FROM ab_user WHERE id = {id} AND created_by_fk = 1");
    assert!(!on.metadata.texts(&hash)[0].starts_with(&PASSWORD[..7]), "not as it was given");
    assert_eq!(on.server.anonymous().log_in("ann", PASSWORD), 302);
    let mut ids = |q: &str| admin.ids(USERS, q);
    assert_eq!(ids("(filters:!((col:username,opr:sw,value:an)))"), [id]);
    assert_eq!(ids(&format!("(filters:!((col:roles,opr:rel_m_m,value:!({}))))", role(on, "Gamma"))), [id]);
    assert_eq!(ids("(order_column:username,order_direction:asc)"), [1, id]);
    for (q, said) in [
        ("(order_column:password)", "Invalid order by column: password"),
        ("(filters:!((col:password,opr:sw,value:a)))", "Filter column: password not allowed to filter"),
    ] {
        assert_eq!(admin.get(&format!("/api/v1/{USERS}/?q={q}")).told(), (400, message(said)));
    }
    assert!(!admin.get(&format!("/api/v1/{USERS}/?q=(columns:!(password))")).text().contains("\"password\""));
    let alpha = role(on, "Alpha");
    let put = admin.put(&path, &json!({"roles": [alpha], "active": false}));
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(admin.result(&format!("{USERS}/{id}"))["roles"], json!([{"id": alpha, "name": "Alpha"}]));
    let mut ann = on.server.anonymous();
    ann.log_in("ann", PASSWORD);
    assert_eq!(ann.get("/api/v1/me/").status, 401, "not active");
    // whose events were hers, and whose queries
    on.metadata.run(&format!("INSERT INTO saved_query (user_id, label) VALUES ({id}, 'hers')"));
    let hers = format!("SELECT action FROM logs WHERE user_id = {id}");
    for _ in 0..100 {
        if !on.metadata.texts(&hers).is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(on.metadata.texts(&hers)[0], "csrf_token");
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.get(&path).told(), (404, message("Not found")));
    let left = format!("SELECT user_id || '' FROM ab_user_role WHERE user_id = {id}");
    assert!(on.metadata.texts(&left).is_empty());
    assert_eq!(on.metadata.texts("SELECT action FROM logs WHERE user_id IS NULL")[0], "csrf_token", "kept");
    assert!(on.metadata.texts("SELECT label FROM saved_query").is_empty());
}

#[test]
fn users_are_written_and_read() {
    Installation::on_all("user", written_and_read);
}

#[test]
fn users_that_are_refused_and_people() {
    let on = Installation::on_sqlite("user-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, USERS, &account(&on, "ann"));
    let with = |key: &str, value: Value| {
        let mut body = account(&on, "ben");
        body[key] = value;
        body
    };
    refused(
        &mut admin,
        "POST",
        &format!("{USERS}/"),
        &[
            (with("username", json!(1)), 400, fields("username", "Not a valid string.")),
            (with("email", Value::Null), 400, fields("email", "Field may not be null.")),
            (with("roles", json!("x")), 400, fields("roles", "Not a valid list.")),
            (with("active", json!("perhaps")), 400, fields("active", "Not a valid boolean.")),
            (with("bogus", json!(1)), 400, fields("bogus", "Unknown field.")),
        ],
    );
    for (key, value) in [("username", "ann"), ("email", "ann@example.org")] {
        let taken = admin.post(&format!("/api/v1/{USERS}/"), &with(key, json!(value)));
        assert_eq!(taken.status, 422, "{key}: {}", taken.text());
    }
    assert_eq!(admin.delete(&format!("/api/v1/{USERS}/99999")).told(), (404, message("Not found")));
    // who has made what stays can only be made inactive
    let (mut alpha, alpha_id) = on.server.person("alf", "Alpha");
    let chart = json!({"slice_name": "c", "datasource_id": on.dataset, "datasource_type": "table"});
    make(&mut alpha, "chart", &chart);
    let held = admin.delete(&format!("/api/v1/{USERS}/{alpha_id}"));
    assert!(held.status == 422 && held.text().contains("Database exception occurred"), "{}", held.text());
    let change = json!({"first_name": "Z"});
    assert_eq!(statuses(&mut on.server.anonymous(), USERS, id, &change), [401; 6]);
    for name in ["Gamma", "Alpha"] {
        let (mut person, _) = on.server.person(name, name);
        assert_eq!(statuses(&mut person, USERS, id, &change), NO_RIGHT, "{name}");
    }
}
