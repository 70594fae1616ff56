//! Keys of the operator that open or close something: they hold, or the server does not start.

use serde_json::json;

use crate::support::{Client, Server, command, run_to_end, scratch};

fn with(name: &str, settings: &[(&str, &str)]) -> Server {
    let home = scratch(name);
    let mut run = command(&home);
    run.args(["run", "--no-examples", "--home", home.join("data").to_str().unwrap()]);
    run.env("LITESET_RATELIMIT_ENABLED", "false").envs(settings.iter().copied());
    Server::start_with(&mut run, home)
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> crate::support::Answer {
    let mut client = server.anonymous();
    client.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    client.send(method, path, None)
}

const SECURITY_API: [&str; 6] =
    ["users", "roles", "groups", "permissions", "resources", "permissions-resources"];

/// `FAB_ADD_SECURITY_API` and its kin take routes away.
#[test]
fn switched_off_apis_are_not_there() {
    let on = with("apis-on", &[]);
    let mut admin = on.admin();
    for name in SECURITY_API {
        assert_eq!(admin.get(&format!("/api/v1/security/{name}/")).status, 200, "{name}");
    }
    assert_eq!(admin.get("/api/v1/_openapi").status, 200);
    drop(on);
    let off = with(
        "apis-off",
        &[
            ("LITESET_FAB_ADD_SECURITY_API", "False"),
            ("LITESET_FAB_API_SWAGGER_UI", "False"),
            ("LITESET_FAB_ADD_MENU_API", "False"),
            ("LITESET_SUPERSET_LOG_VIEW", "False"),
        ],
    );
    let mut admin = off.admin();
    for name in SECURITY_API {
        for method in ["GET", "POST"] {
            let status = admin.send(method, &format!("/api/v1/security/{name}/"), Some(&json!({}))).status;
            assert_eq!(status, 404, "{method} {name}");
        }
        assert_eq!(admin.send("DELETE", &format!("/api/v1/security/{name}/1"), None).status, 404, "{name}");
    }
    for path in ["/api/v1/_openapi", "/swagger/v1", "/api/v1/menu/", "/api/v1/log/"] {
        assert_eq!(admin.get(path).status, 404, "{path}");
    }
    assert_eq!(admin.get("/api/v1/security/roles/search/").status, 200);
    assert_eq!(admin.get("/api/v1/log/recent_activity/").status, 200);
    assert_eq!(admin.get("/api/v1/me/").status, 200);
}

/// T29: `WTF_CSRF_EXEMPT_LIST` names view functions of the original.
#[test]
fn the_exempt_list_decides_which_writes_need_a_token() {
    let write = |admin: &mut Client| {
        admin.csrf.clear();
        let put = admin.put("/api/v1/css_template/1", &json!({})).text();
        let data = admin.post("/api/v1/chart/data", &json!({})).text();
        [put, data].map(|text| text.contains("CSRF"))
    };
    let server = with("exempt-default", &[]);
    assert_eq!(write(&mut server.admin()), [true, false]);
    drop(server);
    let put = css_template_put();
    let server = with("exempt-own", &[("LITESET_WTF_CSRF_EXEMPT_LIST", &format!("[\"{put}\"]"))]);
    assert_eq!(write(&mut server.admin()), [false, true]);
}

/// The original's name of the view function behind PUT /api/v1/css_template/<pk>.
fn css_template_put() -> &'static str {
    let views = include_str!("../../src/web/guards/csrf_views.tsv");
    let line = views.lines().find(|line| line.starts_with("PUT\t/api/v1/css_template/<>\t"));
    line.and_then(|l| l.rsplit('\t').next()).unwrap()
}

#[test]
fn clear_requests_are_sent_to_https() {
    let options = r#"{"force_https": true, "force_https_permanent": true, "session_cookie_secure": true,
        "referrer_policy": "no-referrer", "permissions_policy": {"camera": "()"}, "frame_options": null,
        "strict_transport_security_max_age": 60, "content_security_policy": {"frame-ancestors": ["https://a"]}}"#;
    let server = with("https", &[("LITESET_TALISMAN_CONFIG", options)]);
    let answer = ask(&server, "POST", "/login/?a=b", &[]);
    let host = server.base.strip_prefix("http://").unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, format!("https://{host}/login/?a=b").as_str())
    );
    assert_eq!(ask(&server, "GET", "/health", &[]).status, 200);
    let page = ask(&server, "GET", "/login/", &[("x-forwarded-proto", "https")]);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("permissions-policy"), "camera=()");
    assert_eq!(page.header("strict-transport-security"), "max-age=60; includeSubDomains");
    assert_eq!(page.header("content-security-policy"), "frame-ancestors https://a");
    assert_eq!(page.header("x-frame-options"), "");
    assert!(page.header("set-cookie").contains("Secure"), "{}", page.header("set-cookie"));
}

#[test]
fn other_sites_may_read_what_their_resource_allows() {
    let options = r#"{"resources": {"/api/*": {"origins": ["https://portal.example", "https://.*[.]own[.]example"]}},
        "supports_credentials": true, "expose_headers": ["X-One"], "allow_headers": ["X-CSRFToken"], "max_age": 9}"#;
    let server = with("cors", &[("LITESET_ENABLE_CORS", "True"), ("LITESET_CORS_OPTIONS", options)]);
    let preflight = |path: &str, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-csrftoken,x-other"),
        ];
        ask(&server, "OPTIONS", path, &headers)
    };
    for origin in ["https://portal.example", "https://a.own.example"] {
        let answer = preflight("/api/v1/chart/1", origin);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert_eq!(answer.header("access-control-allow-headers"), "x-csrftoken");
        assert!(answer.header("access-control-allow-methods").contains("PUT"));
        assert_eq!(answer.header("access-control-max-age"), "9");
        assert_eq!(answer.header("access-control-expose-headers"), "X-One");
    }
    for (path, origin) in [
        ("/api/v1/chart/1", "https://evil.example"),
        ("/api/v1/chart/1", "https://a.own.example.evil.example"),
        ("/login/", "https://portal.example"),
    ] {
        assert_eq!(preflight(path, origin).header("access-control-allow-origin"), "", "{path} {origin}");
    }
}

#[test]
fn denied_databases_are_not_offered() {
    let server = with("denylist", &[("LITESET_DBS_AVAILABLE_DENYLIST", r#"{"postgresql": ["psycopg2"]}"#)]);
    let offered = server.admin().get("/api/v1/database/available/").json();
    let names: Vec<_> =
        offered["databases"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"MySQL") && !names.contains(&"PostgreSQL"), "{names:?}");
}

/// Runs a start that is refused; what it says.
fn refused(name: &str, file: &str) -> String {
    let home = scratch(name);
    let config = home.join("superset_config.py");
    std::fs::write(&config, file).unwrap();
    let mut run = command(&home);
    let data = home.join("data");
    run.args(["run", "--port", "0", "--home", data.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    let out = run_to_end(&mut run);
    assert!(!out.status.success(), "started: {file}");
    assert!(!data.join("superset.db").exists() && !data.join("secrets.toml").exists(), "{file}");
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let _ = std::fs::remove_dir_all(&home);
    text
}

#[test]
fn a_start_that_is_refused_makes_nothing_and_shows_no_secret() {
    let secrets = "import company\nfor k, v in company.more({'SECRET_KEY': 'hunter2-hunter2-hunter2', \
                   'SQLALCHEMY_DATABASE_URI': 'postgresql://u:hunter3@h/d'}).items():\n    globals()[k] = v\n";
    let text = refused("secret-loop", secrets);
    assert!(text.contains("line 3") && !text.contains("hunter"), "{text}");
    let text =
        refused("two", "AUTH_TYPE = 5\nGUEST_TOKEN_JWT_ALGO = 'RS256'\nCORS_OPTIONS = {'origin': '*'}\n");
    for part in ["AUTH_TYPE is 5 (SAML)", "GUEST_TOKEN_JWT_ALGO", "CORS_OPTIONS"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// T1: a key that decrypts nothing is another installation's.
#[test]
fn a_wrong_secret_key_does_not_start() {
    let data = scratch("wrong-key-data");
    let prepared = |accept: &str| {
        let home = scratch("wrong-key");
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", data.to_str().unwrap()])
            .env("LITESET_ACCEPT_IGNORED", accept);
        (run, home)
    };
    let (mut run, home) = prepared("");
    drop(Server::start_with(&mut run, home));
    let db = rusqlite::Connection::open(data.join("superset.db")).unwrap();
    // 32 bytes that no key of ours has written
    db.execute(
        "INSERT INTO dbs (created_on, changed_on, database_name, sqlalchemy_uri, password) VALUES \
         ('2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000', 'foreign', 'postgresql://u@h/d', ?1)",
        [b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=".to_vec()],
    )
    .unwrap();
    drop(db);
    let (mut run, _) = prepared("");
    let out = run_to_end(run.args(["--port", "0"]));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !out.status.success() && text.contains("SECRET_KEY is not the key of this metadata database"),
        "{text}"
    );
    let (mut run, home) = prepared("SECRET_KEY");
    assert_eq!(Server::start_with(&mut run, home).anonymous().get("/health").status, 200);
    let _ = std::fs::remove_dir_all(&data);
}
