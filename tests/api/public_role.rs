//! Nobody is logged in: what the Public role permits, and nothing besides.

use serde_json::json;

use crate::support::{Answer, Client, Installation, Server, command, run_to_end, scratch};

/// Gives or takes permissions of a role, straight in the metadata database.
fn grant(server: &Server, role: &str, permission: &str, view: &str) {
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute(
        "INSERT INTO ab_permission (name) SELECT ?1 WHERE NOT EXISTS \
         (SELECT 1 FROM ab_permission WHERE name = ?1)",
        [permission],
    )
    .unwrap();
    db.execute(
        "INSERT INTO ab_view_menu (name) SELECT ?1 WHERE NOT EXISTS \
         (SELECT 1 FROM ab_view_menu WHERE name = ?1)",
        [view],
    )
    .unwrap();
    db.execute(
        "INSERT INTO ab_permission_view (permission_id, view_menu_id) SELECT p.id, v.id FROM ab_permission p, \
         ab_view_menu v WHERE p.name = ?1 AND v.name = ?2 AND NOT EXISTS (SELECT 1 FROM ab_permission_view x \
         WHERE x.permission_id = p.id AND x.view_menu_id = v.id)",
        [permission, view],
    )
    .unwrap();
    let granted = db
        .execute(
            "INSERT INTO ab_permission_view_role (permission_view_id, role_id) SELECT pv.id, r.id FROM ab_role r, \
             ab_permission_view pv JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON \
             v.id = pv.view_menu_id WHERE r.name = ?3 AND p.name = ?1 AND v.name = ?2",
            [permission, view, role],
        )
        .unwrap();
    assert_eq!(granted, 1, "{role}: {permission} on {view}");
}

/// A server with the example content, whose role for nobody is `role` and has Gamma's permissions.
fn open_to_everybody(name: &str, role: &str, settings: &[(&str, &str)]) -> Server {
    let home = scratch(name);
    let data = home.join("data");
    let prepared = |command: &mut std::process::Command| {
        command.env("LITESET_AUTH_ROLE_PUBLIC", role).env("LITESET_PUBLIC_ROLE_LIKE", "Gamma");
        command.env("LITESET_RATELIMIT_ENABLED", "false").envs(settings.iter().copied());
    };
    let mut run = command(&home);
    prepared(run.args(["run", "--home", data.to_str().unwrap()]));
    drop(Server::start_with(&mut run, keep(&home)));
    let mut init = command(&home);
    prepared(init.args(["init", "--home", data.to_str().unwrap()]));
    let out = run_to_end(&mut init);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut again = command(&home);
    prepared(again.args(["run", "--home", data.to_str().unwrap()]));
    Server::start_with(&mut again, home)
}

/// A server removes its folder when it ends: the first one gets another to write its log to.
fn keep(home: &std::path::Path) -> std::path::PathBuf {
    let log = home.with_extension("first");
    std::fs::create_dir_all(&log).unwrap();
    log
}

/// The example dashboard's id, a chart of it and its dataset with the view menu of its data.
fn examples(server: &Server) -> (i64, i64, i64, String) {
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    let row = |sql: &str| db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
    let dashboard = row("SELECT id FROM dashboards WHERE dashboard_title = 'Bakery'");
    let chart = db
        .query_row(
            "SELECT s.id, s.datasource_id, t.perm FROM slices s JOIN dashboard_slices d ON d.slice_id = s.id \
             JOIN tables t ON t.id = s.datasource_id WHERE d.dashboard_id = ?1 ORDER BY s.id LIMIT 1",
            [dashboard],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .unwrap();
    (dashboard, chart.0, chart.1, chart.2)
}

fn count(dataset: i64) -> serde_json::Value {
    json!({
        "datasource": {"id": dataset, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": [], "metrics": [{"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "n"}]}],
    })
}

fn rows(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["result"][0]["data"][0]["n"].as_i64().unwrap()
}

fn titles(client: &mut Client) -> Vec<String> {
    let list = client.get("/api/v1/dashboard/?q=(order_column:dashboard_title,order_direction:asc)");
    assert_eq!(list.status, 200, "{}", list.text());
    let all = list.json()["result"].as_array().unwrap().clone();
    all.iter().map(|d| d["dashboard_title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nobody_sees_nothing_where_the_public_role_is_empty() {
    let on = Installation::on_sqlite("public-empty");
    let mut nobody = on.server.anonymous();
    for path in ["/api/v1/dashboard/", "/api/v1/chart/", "/api/v1/dataset/", "/api/v1/chart/1/data/"] {
        assert_eq!(nobody.get(path).status, 401, "{path}");
    }
    for path in ["/dashboard/list/", "/superset/welcome/", "/superset/dashboard/1/", "/explore/?slice_id=1"] {
        let answer = nobody.get(path);
        assert!(answer.status == 302 && answer.header("location").starts_with("/login/"), "{path}");
    }
}

/// Lists, pages and data of the role that `AUTH_ROLE_PUBLIC` names, whatever its name.
#[test]
fn nobody_sees_what_the_public_role_permits() {
    for role in ["Public", "Visitors"] {
        let server = open_to_everybody("public", role, &[]);
        let (dashboard, chart, dataset, perm) = examples(&server);
        let mut nobody = server.anonymous();
        assert_eq!(titles(&mut nobody), [""; 0], "{role}: no data yet");
        assert_eq!(nobody.post("/api/v1/chart/data", &count(dataset)).status, 403);
        grant(&server, role, "datasource_access", &perm);
        // grants are remembered for a moment
        std::thread::sleep(std::time::Duration::from_secs(3));

        assert_eq!(titles(&mut nobody), ["Bakery"]);
        let charts = nobody.get("/api/v1/chart/").json();
        let charts = charts["result"].as_array().unwrap();
        assert!(!charts.is_empty() && charts.iter().all(|c| c["datasource_id"] == dataset), "{charts:?}");
        assert_eq!(nobody.get(&format!("/api/v1/dashboard/{dashboard}/charts")).status, 200);
        for path in [
            format!("/superset/dashboard/{dashboard}/"),
            format!("/explore/?slice_id={chart}"),
            "/chart/list/".into(),
        ] {
            let page = nobody.get(&path);
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.text().contains("&#34;username&#34;"), "{path}: nobody has no name");
        }
        // without a CSRF token: the rule is exempt
        assert!(rows(&nobody.post("/api/v1/chart/data", &count(dataset))) > 0);

        // what only somebody may have
        assert_eq!(nobody.get("/api/v1/me/").status, 401);
        assert_eq!(nobody.get("/api/v1/me/roles/").status, 401);
        let favorites = nobody.get(&format!("/api/v1/dashboard/favorite_status/?q=!({dashboard})"));
        assert_eq!(favorites.json()["result"][0]["value"], false);
        // what the role does not permit
        assert_eq!(nobody.get("/api/v1/security/users/").status, 401);
        assert_eq!(nobody.get("/sqllab/").status, 302);
        assert_eq!(nobody.get("/api/v1/rowlevelsecurity/").status, 401);
        // writing needs the token of a session also where the role may write
        assert_eq!(nobody.post("/api/v1/chart/", &json!({})).status, 400);
    }
}

/// T25: what nobody asked is not what somebody else gets, and the other way round, through every cache.
#[test]
fn answers_in_caches_are_those_of_who_asked() {
    let settings = [
        ("LITESET_DATA_CACHE_CONFIG", r#"{"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 600}"#),
        ("LITESET_CACHE_CONFIG", r#"{"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 600}"#),
    ];
    let server = open_to_everybody("public-cache", "Public", &settings);
    let (dashboard, chart, dataset, perm) = examples(&server);
    grant(&server, "Public", "datasource_access", &perm);
    let mut admin = server.admin();
    let roles = admin.get("/api/v1/security/roles/?q=(filters:!((col:name,opr:eq,value:Public)))").json();
    let rule = json!({
        "name": "nothing", "filter_type": "Regular", "tables": [dataset], "roles": [roles["result"][0]["id"]],
        "clause": "1 = 0",
    });
    let made = admin.post("/api/v1/rowlevelsecurity/", &rule);
    assert_eq!(made.status, 201, "{}", made.text());
    std::thread::sleep(std::time::Duration::from_secs(3));

    let mut nobody = server.anonymous();
    for _ in 0..2 {
        let all = rows(&admin.post("/api/v1/chart/data", &count(dataset)));
        let none = rows(&nobody.post("/api/v1/chart/data", &count(dataset)));
        assert!(all > 0 && none == 0, "admin {all}, nobody {none}");
    }
    let key = admin.post("/api/v1/chart/data", &count(dataset)).json()["result"][0]["cache_key"].clone();
    let other = nobody.post("/api/v1/chart/data", &count(dataset)).json()["result"][0]["cache_key"].clone();
    assert!(key.is_string() && key != other);
    // what a shared cache must not keep for others
    for path in [
        format!("/api/v1/dashboard/{dashboard}"),
        format!("/api/v1/chart/{chart}"),
        format!("/api/v1/chart/{chart}/data/"),
        "/api/v1/dashboard/".to_owned(),
        format!("/superset/dashboard/{dashboard}/"),
    ] {
        let answer = nobody.get(&path);
        assert!(answer.header("vary").contains("Cookie"), "{path}: vary {:?}", answer.header("vary"));
        assert!(!answer.header("cache-control").contains("public"), "{path}");
    }
    // a draft that the administrator has just read stays theirs
    let draft = json!({"dashboard_title": "Draft", "published": false});
    let id = admin.post("/api/v1/dashboard/", &draft).json()["id"].as_i64().unwrap();
    assert_eq!(admin.get(&format!("/api/v1/dashboard/{id}")).status, 200);
    assert!(!titles(&mut nobody).contains(&"Draft".to_owned()));
}

/// What nobody did is written down with nobody as its author.
#[test]
fn what_nobody_does_is_logged() {
    let server = open_to_everybody("public-log", "Public", &[]);
    let (dashboard, _, dataset, perm) = examples(&server);
    grant(&server, "Public", "datasource_access", &perm);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let mut nobody = server.anonymous();
    assert_eq!(nobody.get(&format!("/superset/dashboard/{dashboard}/")).status, 200);
    rows(&nobody.post("/api/v1/chart/data", &count(dataset)));
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    for action in ["dashboard", "ChartDataRestApi.data"] {
        let written = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let sql = "SELECT count(*) FROM logs WHERE action = ?1 AND user_id IS NULL";
            db.query_row(sql, [action], |r| r.get::<_, i64>(0)).unwrap() > 0
        });
        assert!(written, "{action}");
    }
}
