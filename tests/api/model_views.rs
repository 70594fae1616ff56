//! Flask-AppBuilder's own forms: users, roles, groups and plugins change through them, and only for who may.

use crate::support::{Client, Server};

/// Posts a form with the caller's token; status, and where it leads.
fn send(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let token = client.csrf.clone();
    let mut form = fields.to_vec();
    form.push(("csrf_token", &token));
    let answer = client.post_form(path, &form);
    (answer.status, answer.header("location").to_owned())
}

fn count(server: &Server, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn forms_change_users_roles_and_groups() {
    let server = Server::start_with_settings("forms", &[]);
    let mut admin = server.admin();
    admin.get("/users/list/");
    admin.get("/users/add");
    let ada = [
        ("first_name", "Ada"),
        ("last_name", "L"),
        ("username", "ada"),
        ("active", "y"),
        ("email", "ada@example.org"),
        ("roles", "1"),
        ("password", "a long enough passphrase"),
        ("conf_password", "a long enough passphrase"),
    ];
    let but = |field: &str, value: &'static str| {
        ada.map(|(name, old)| if name == field { (name, value) } else { (name, old) })
    };
    let refusals = [
        ("username", "", "This field is required."),
        ("username", "admin", "Already exists."),
        ("conf_password", "other", "Passwords must match"),
        ("roles", "", "Either select a role or a group"),
        ("roles", "999", "Not a valid choice"),
    ];
    for (field, value, complaint) in refusals {
        let mut form = but(field, value).to_vec();
        let token = admin.csrf.clone();
        form.push(("csrf_token", &token));
        let answer = admin.post_form("/users/add", &form);
        assert!(
            answer.status == 200 && answer.text().contains(complaint),
            "{field}={value}: {}",
            answer.text()
        );
    }
    assert_eq!(count(&server, "SELECT count(*) FROM ab_user WHERE username = 'ada'"), 0);
    assert_eq!(send(&mut admin, "/users/add", &ada), (302, "/users/list/".into()));
    assert!(admin.get("/users/list/").text().contains("Added Row"));
    let mut client = server.anonymous();
    assert_eq!(client.log_in("ada", "a long enough passphrase"), 302);
    assert_eq!(client.get("/api/v1/me/").status, 200);
    let id = count(&server, "SELECT id FROM ab_user WHERE username = 'ada'");

    let edit = format!("/users/edit/{id}");
    assert_eq!(send(&mut admin, &edit, &but("first_name", "Augusta")).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_user WHERE first_name = 'Augusta'"), 1);
    let reset = [("password", "another passphrase"), ("conf_password", "another passphrase")];
    assert_eq!(send(&mut admin, &format!("/resetpassword/form?pk={id}"), &reset).0, 302);
    assert_eq!(client.get("/api/v1/me/").status, 401, "a session outlives the reset of the password");

    let delete = format!("/users/delete/{id}");
    assert_eq!(admin.get(&delete).status, 302);
    let answer = admin.post_form(&delete, &[]);
    assert!(answer.header("location").starts_with("/login/"), "no token: {}", answer.status);
    assert_eq!(
        count(&server, "SELECT count(*) FROM ab_user WHERE username = 'ada'"),
        1,
        "nothing is deleted so far"
    );
    let (_, idle) = server.person("bob", "Gamma");
    let (_, active) = server.person("eve", "Gamma");
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    // the log keeps what somebody did who is gone
    db.execute("INSERT INTO logs (action, user_id) VALUES ('of eve', ?1)", [active]).unwrap();
    assert_eq!(send(&mut admin, &format!("/users/delete/{active}"), &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_user WHERE username = 'eve'"), 0);
    assert_eq!(count(&server, "SELECT count(*) FROM logs WHERE action = 'of eve' AND user_id IS NULL"), 1);
    let delete = format!("/users/delete/{idle}");
    assert_eq!(send(&mut admin, &delete, &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_user WHERE username = 'bob'"), 0);
    assert_eq!(send(&mut admin, &delete, &[]).0, 404);

    assert_eq!(
        send(&mut admin, "/roles/add", &[("name", "made"), ("permissions", "1"), ("permissions", "2")]).0,
        302
    );
    let role = count(&server, "SELECT id FROM ab_role WHERE name = 'made'");
    let granted = |role: i64| format!("SELECT count(*) FROM ab_permission_view_role WHERE role_id = {role}");
    assert_eq!(count(&server, &granted(role)), 2);
    let copy = [("action", "copyrole"), ("rowid", &role.to_string())];
    assert_eq!(send(&mut admin, "/roles/action_post", &copy).0, 302);
    let copied = count(&server, "SELECT id FROM ab_role WHERE name = 'made copy'");
    assert_eq!(count(&server, &granted(copied)), 2);
    assert_eq!(send(&mut admin, &format!("/roles/delete/{role}"), &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_role WHERE name = 'made'"), 0);
    assert_eq!(send(&mut admin, "/roles/delete/1", &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_role WHERE id = 1"), 1, "somebody has the role");

    assert_eq!(send(&mut admin, "/groups/add", &[("name", "crew"), ("label", ""), ("users", "1")]).0, 302);
    let group = count(&server, "SELECT id FROM ab_group WHERE name = 'crew' AND label IS NULL");
    assert_eq!(send(&mut admin, &format!("/groups/delete/{group}"), &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_group"), 1, "somebody is in the group");
    assert_eq!(send(&mut admin, &format!("/groups/edit/{group}"), &[("name", "crew")]).0, 302);
    assert_eq!(send(&mut admin, &format!("/groups/delete/{group}"), &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_group"), 0);
}

#[test]
fn forms_are_for_administrators() {
    let server = Server::start_with_settings("forms-gamma", &[]);
    let (mut alpha, _) = server.person("alf", "Alpha");
    for path in
        ["/users/add", "/users/edit/1", "/users/delete/1", "/roles/add", "/roles/delete/3", "/groups/add"]
    {
        assert_eq!(send(&mut alpha, path, &[("name", "x")]).0, 403, "{path}");
    }
    for path in ["/users/action/resetpasswords/1", "/roles/action_post"] {
        assert_eq!(
            send(&mut alpha, path, &[("action", "copyrole"), ("rowid", "1")]),
            (302, ".".into()),
            "{path}"
        );
    }
    let reset = [("password", "x"), ("conf_password", "x")];
    assert_eq!(send(&mut alpha, "/resetpassword/form?pk=1", &reset).0, 403);
    assert_eq!(count(&server, "SELECT count(*) FROM ab_role WHERE name LIKE '%copy'"), 0);
    // without the feature there is nothing, for administrators either
    assert_eq!(server.admin().get("/dynamic-plugins/list/").status, 404);
}

#[test]
fn plugins_are_rows_behind_a_flag() {
    let server = Server::start_with_settings("plugins", &[("SUPERSET_FEATURE_DYNAMIC_PLUGINS", "true")]);
    let mut admin = server.admin();
    let plugin = [("name", "p"), ("key", "k"), ("bundle_url", "https://plugins.example.org/p.js")];
    assert_eq!(send(&mut admin, "/dynamic-plugins/add", &plugin).0, 302);
    assert_eq!(send(&mut admin, "/dynamic-plugins/add", &plugin).0, 200, "twice the same");
    let id = count(&server, "SELECT id FROM dynamic_plugin WHERE key = 'k' AND created_by_fk IS NOT NULL");
    assert!(admin.get("/dynamic-plugins/list/").text().contains("https://plugins.example.org/p.js"));
    assert_eq!(server.anonymous().get("/dynamic-plugins/list/").status, 302);
    let (mut gamma, _) = server.person("gus", "Gamma");
    assert_eq!(gamma.get("/dynamic-plugins/add").status, 403);
    assert_eq!(send(&mut admin, &format!("/dynamic-plugins/delete/{id}"), &[]).0, 302);
    assert_eq!(count(&server, "SELECT count(*) FROM dynamic_plugin"), 0);
}
