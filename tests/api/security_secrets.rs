//! Secrets stay secret: keys, password hashes, tokens, sessions (T1–T5, T26 of the security list).

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, command, run_to_end, scratch};

#[test]
fn published_and_short_keys_are_refused() {
    for key in [
        "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
        "thisISaSECRET_1234",
        "TEST_NON_DEV_SECRET",
        "YOUR_OWN_RANDOM_GENERATED_SECRET_KEY",
        "short",
    ] {
        let home = scratch("key");
        let mut start = command(&home);
        start.env("SUPERSET_SECRET_KEY", key).args(["run", "--port", "0", "--home", home.to_str().unwrap()]);
        let out = run_to_end(&mut start);
        assert!(!out.status.success(), "{key} was accepted");
        assert!(!String::from_utf8_lossy(&out.stderr).contains("panicked"));
    }
}

#[cfg(unix)]
#[test]
fn generated_secrets_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::first_start("mode");
    let mode = std::fs::metadata(server.home.join("data/secrets.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn sessions_end_with_the_account() {
    let server = Server::start_with_settings("ends", &[]);
    let (mut ada, id) = server.person("ada", "Gamma");
    let mut admin = server.admin();
    assert_eq!(ada.get("/api/v1/me/").status, 200);
    let cookies = ada.cookies.clone();
    assert_eq!(ada.get("/logout/").status, 302);
    ada.cookies.clone_from(&cookies);
    assert_eq!(ada.get("/api/v1/me/").status, 401, "the cookie outlives the log-out");
    ada.cookies.clear();
    ada.log_in("ada", PASSWORD);
    assert_eq!(ada.get("/api/v1/me/").status, 200);
    let put = admin.put(&format!("/api/v1/security/users/{id}"), &json!({"active": false}));
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(ada.get("/api/v1/me/").status, 401, "an inactive user keeps the session");
    ada.cookies.clear();
    ada.log_in("ada", PASSWORD);
    assert_eq!(ada.get("/api/v1/me/").status, 401, "an inactive user logs in");
}

#[test]
fn sessions_end_with_the_password() {
    let server = Server::start_with_settings("changed", &[]);
    let (mut here, id) = server.person("ida", "Gamma");
    let mut there = server.anonymous();
    there.log_in("ida", PASSWORD);
    assert_eq!(there.get("/api/v1/me/").status, 200);
    let changed = here.put("/api/v1/me/", &json!({"password": "quite another passphrase"}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(here.get("/api/v1/me/").status, 200, "who changes the password stays");
    assert_eq!(there.get("/api/v1/me/").status, 401, "another session outlives the password");
    let by_admin = json!({"password": "set by somebody else"});
    assert_eq!(server.admin().put(&format!("/api/v1/security/users/{id}"), &by_admin).status, 200);
    assert_eq!(here.get("/api/v1/me/").status, 401, "a session outlives a password set by an administrator");
}

/// A JWT with other claims or another algorithm, the signature kept or left out.
fn forged(token: &str, header: Option<Value>, change: impl Fn(&mut Value), sign: bool) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| serde_json::from_slice::<Value>(&engine.decode(part).unwrap()).unwrap();
    let header = header.unwrap_or_else(|| decode(parts[0]));
    let mut claims = decode(parts[1]);
    change(&mut claims);
    let encode = |value: &Value| engine.encode(value.to_string());
    format!("{}.{}.{}", encode(&header), encode(&claims), if sign { parts[2] } else { "" })
}

#[test]
fn forged_tokens_are_nobodys() {
    let server = Server::start_with_settings("forged", &[]);
    let mut nobody = server.anonymous();
    let body = json!({"username": "admin", "password": PASSWORD, "provider": "db", "refresh": true});
    let tokens = nobody.post("/api/v1/security/login", &body).json();
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let mut ask = |token: &str| {
        nobody.headers = vec![("authorization".into(), format!("Bearer {token}"))];
        nobody.send("GET", "/api/v1/chart/", None).status
    };
    assert_eq!(ask(access), 200);
    let none = json!({"alg": "none", "typ": "JWT"});
    let same = |_: &mut Value| {};
    for (what, token) in [
        ("no algorithm", forged(access, Some(none.clone()), same, false)),
        ("no algorithm, old signature", forged(access, Some(none), same, true)),
        ("another algorithm", forged(access, Some(json!({"alg": "RS256", "typ": "JWT"})), same, true)),
        ("another user", forged(access, None, |c| c["sub"] = json!("2"), true)),
        ("a later end", forged(access, None, |c| c["exp"] = json!(9_999_999_999_i64), true)),
        ("no signature", forged(access, None, same, false)),
        ("a refresh token", refresh.to_owned()),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ] {
        let status = ask(&token);
        assert!(matches!(status, 401 | 422), "{what}: {status}");
    }
}

/// Every GET route of the API, with 1 for each placeholder.
fn api_paths() -> Vec<String> {
    let table = web::router::table();
    let fill = |rule: &str| {
        rule.split('/').map(|p| if p.starts_with('<') { "1" } else { p }).collect::<Vec<_>>().join("/")
    };
    table.rules().filter(|r| r.methods.contains(&"GET")).map(|r| fill(&r.rule)).collect()
}

#[test]
fn no_answer_holds_a_hash_a_key_or_a_password() {
    let server = Server::start_with_settings("leaks", &[("SUPERSET_FEATURE_TAGGING_SYSTEM", "true")]);
    let secrets = std::fs::read_to_string(server.home.join("data/secrets.toml")).unwrap();
    let key = secrets.split('"').nth(1).unwrap().to_owned();
    let (gamma, _) = server.person("gina", "Gamma");
    let (alpha, _) = server.person("alf", "Alpha");
    let mut people =
        [("admin", server.admin()), ("gamma", gamma), ("alpha", alpha), ("nobody", server.anonymous())];
    let mut leaks = Vec::new();
    for path in api_paths().iter().filter(|p| !p.starts_with("/static") && !p.contains("logout")) {
        for (who, client) in &mut people {
            let answer = client.get(path);
            let text = answer.text();
            for secret in ["scrypt:", "pbkdf2:", "$argon2", PASSWORD, key.as_str()] {
                if text.contains(secret) {
                    leaks.push(format!("{who} {path} shows {secret}"));
                }
            }
            // addresses of others are for administrators and for who chooses owners
            let own = ["/api/v1/me/", "/related/", "/user_info", "/swagger"].iter().any(|p| path.contains(p));
            let json = answer.header("content-type").starts_with("application/json");
            if *who != "admin" && json && !own && text.contains("admin@") {
                leaks.push(format!("{who} {path} shows an address"));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn passwords_of_connections_appear_nowhere() {
    let server = Server::start_with_settings("canary", &[]);
    let mut admin = server.admin();
    let uri = "postgresql://someone:c4n4ryS3cret@127.0.0.1:1/nothing";
    let body = json!({"database_name": "canary", "sqlalchemy_uri": uri});
    for path in ["/api/v1/database/test_connection/", "/api/v1/database/"] {
        let answer = admin.post(path, &body);
        assert!(answer.status >= 400 || answer.status == 201, "{path}: {}", answer.text());
        assert!(!answer.text().contains("c4n4ryS3cret"), "{path}: {}", answer.text());
    }
    for path in api_paths().iter().filter(|p| p.contains("database") || p.contains("dataset")) {
        assert!(!admin.get(path).text().contains("c4n4ryS3cret"), "{path}");
    }
    assert!(!server.log().contains("c4n4ryS3cret"), "the log holds the password");
}
