//! Who is logged in, and for how long.

use serde_json::json;

use crate::support::Server;

#[test]
fn a_session_begins_with_the_form_and_ends_with_log_out() {
    let server = Server::start("session");
    let mut admin = server.admin();
    let me = admin.get("/api/v1/me/");
    assert_eq!((me.status, &me.json()["result"]["username"]), (200, &json!("admin")));
    assert_eq!(admin.get("/logout/").status, 302);
    assert_eq!(admin.get("/api/v1/me/").status, 401);
}

#[test]
fn a_changed_cookie_is_nobodys() {
    let server = Server::start("tampered");
    let mut admin = server.admin();
    let cookie = admin.cookies["session"].clone();
    for broken in [
        cookie.replace('.', ".A"),
        format!("{cookie}x"),
        cookie.chars().rev().collect(),
        String::new(),
        "é".into(),
    ] {
        if broken.is_ascii() {
            admin.cookies.insert("session".into(), broken);
            assert_eq!(admin.get("/api/v1/me/").status, 401);
        }
    }
    admin.cookies.insert("session".into(), cookie);
    assert_eq!(admin.get("/api/v1/me/").status, 200);
}

#[test]
fn a_write_without_a_csrf_token_is_refused() {
    let server = Server::start("csrf");
    let mut admin = server.admin();
    let mut forged = server.anonymous();
    forged.cookies.clone_from(&admin.cookies);
    let body = json!({"template_name": "t", "css": ""});
    let answer = forged.post("/api/v1/css_template/", &body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("CSRF"));
    assert_eq!(admin.post("/api/v1/css_template/", &body).status, 201);
}

#[test]
fn tokens_of_the_api_log_in_and_expire_in_kind() {
    let server = Server::start("jwt");
    let mut nobody = server.anonymous();
    let body =
        json!({"username": "admin", "password": "correct horse battery", "provider": "db", "refresh": true});
    let tokens = nobody.post("/api/v1/security/login", &body);
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    assert!(tokens.json()["refresh_token"].is_string());
    let wrong = json!({"username": "admin", "password": "nope", "provider": "db"});
    assert_eq!(nobody.post("/api/v1/security/login", &wrong).status, 401);
}
