//! People of a directory (`AUTH_LDAP`), asked through the form and the API.

use std::time::Instant;

use serde_json::json;

use crate::support::{Client, EngineServer, Server};

fn with(name: &str, directory: &EngineServer, more: &[(&str, &str)]) -> Server {
    let address = format!("ldap://127.0.0.1:{}", directory.port);
    let mut settings = vec![
        ("LITESET_AUTH_TYPE", "2"),
        ("LITESET_AUTH_LDAP_SERVER", &address),
        ("LITESET_AUTH_LDAP_BIND_USER", "cn=reader"),
        ("LITESET_AUTH_LDAP_BIND_PASSWORD", "reads"),
        ("LITESET_AUTH_LDAP_SEARCH", "ou=people"),
        ("LITESET_AUTH_USER_REGISTRATION", "true"),
        ("LITESET_AUTH_USER_REGISTRATION_ROLE", "Gamma"),
        ("LITESET_AUTH_ROLES_MAPPING", r#"{"cn=analysts,ou=groups": ["Alpha", "No such role"]}"#),
        ("LITESET_AUTH_RATE_LIMITED", "false"),
    ];
    settings.extend(more);
    Server::start_with_settings(name, &settings)
}

/// Who is in after these were typed into the form, with the roles.
fn typed(server: &Server, name: &str, password: &str) -> Option<(String, Vec<String>)> {
    let mut client = server.anonymous();
    client.log_in(name, password);
    who(&mut client)
}

pub fn who(client: &mut Client) -> Option<(String, Vec<String>)> {
    let me = client.get("/api/v1/me/roles/");
    if me.status != 200 {
        return None;
    }
    let me = me.json()["result"].clone();
    let roles = me["roles"].as_object().unwrap().keys().cloned().collect();
    Some((me["username"].as_str().unwrap().to_owned(), roles))
}

#[test]
fn people_of_a_directory() {
    let Some(directory) = EngineServer::directory(&[]) else { return };
    let server = with("directory", &directory, &[]);
    let roles = || vec!["Alpha".to_owned(), "Gamma".to_owned()];
    assert_eq!(typed(&server, " alice ", "alice-pass"), Some(("alice".into(), roles())), "the form trims");
    assert_eq!(typed(&server, "ALICE", "alice-pass"), Some(("alice".into(), roles())));
    assert_eq!(typed(&server, "b*b", "bob-pass"), Some(("b*b".into(), vec!["Gamma".into()])));
    for (name, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", "\0"),
        ("*", "alice-pass"),
        ("alic*", "alice-pass"),
        ("x)(uid=alice", "alice-pass"),
        ("twin", "x"),
        ("nobody", "x"),
        ("admin", crate::support::PASSWORD),
    ] {
        assert_eq!(typed(&server, name, password), None, "{name} {password}");
    }
    // another spelling that the directory takes for the same would be a user of its own
    let api = |name: &str, provider: &str| {
        let body = json!({"username": name, "password": "alice-pass", "provider": provider});
        server.anonymous().post("/api/v1/security/login", &body).status
    };
    assert_eq!((api("alice", "ldap"), api("alice ", "ldap"), api("alice", "db")), (200, 401, 400));
    let mut client = server.anonymous();
    assert_eq!(client.get("/resetmypassword/form").status, 404);
}

#[test]
fn directories_that_lie_let_nobody_in() {
    for lie in ["hang", "huge", "garbage"] {
        let Some(directory) = EngineServer::directory(&[lie]) else { return };
        let server = with(&format!("directory-{lie}"), &directory, &[]);
        let begun = Instant::now();
        assert_eq!(typed(&server, "alice", "alice-pass"), None, "{lie}");
        assert!(begun.elapsed().as_secs() < 40, "{lie}");
        assert!(server.log().contains("nobody is let in by the directory"), "{lie}");
    }
}

#[test]
fn nobody_is_asked_about_whom_the_table_refuses() {
    let Some(directory) = EngineServer::directory(&[]) else { return };
    let format = ("LITESET_AUTH_LDAP_USERNAME_FORMAT", "uid=%s,ou=people");
    let direct = [format, ("LITESET_AUTH_LDAP_BIND_USER", ""), ("LITESET_AUTH_USER_REGISTRATION", "false")];
    let server = with("directory-known", &directory, &direct);
    assert_eq!(typed(&server, "alice", "alice-pass"), None);
    let direct = [format, ("LITESET_AUTH_LDAP_BIND_USER", "")];
    let server = with("directory-direct", &directory, &direct);
    assert_eq!(typed(&server, "alice", "alice-pass").unwrap().0, "alice");
    assert_eq!(typed(&server, "alice,ou=people", "alice-pass"), None, "a name is but a value");
}
