//! People whom a proxy names (`AUTH_REMOTE_USER`).

use crate::{sign_in_by_directory::who, support::Server};

const SETTINGS: [(&str, &str); 4] = [
    ("LITESET_AUTH_TYPE", "3"),
    ("LITESET_AUTH_REMOTE_USER_ENV_VAR", "HTTP_X_PROXY_USER"),
    ("LITESET_AUTH_USER_REGISTRATION", "true"),
    ("LITESET_AUTH_USER_REGISTRATION_ROLE", "Gamma"),
];

fn named(server: &Server, name: &str) -> Option<String> {
    let mut client = server.anonymous();
    client.headers.push(("x-proxy-user".into(), name.into()));
    client.send("GET", "/login/", None);
    client.headers.clear();
    who(&mut client).map(|(name, _)| name)
}

#[test]
fn a_proxy_is_believed_by_its_address_alone() {
    let trusting = [("LITESET_AUTH_REMOTE_USER_TRUSTED_PROXIES", "127.0.0.0/8, ::1")];
    let server = Server::start_with_settings("proxy", &[&SETTINGS[..], &trusting].concat());
    assert_eq!(named(&server, "alice").as_deref(), Some("alice"));
    assert_eq!(named(&server, "admin").as_deref(), Some("admin"));
    assert_eq!(named(&server, " "), None);
    for other in [&[][..], &[("LITESET_AUTH_REMOTE_USER_TRUSTED_PROXIES", "10.0.0.0/8")]] {
        let server = Server::start_with_settings("no-proxy", &[&SETTINGS[..], other].concat());
        assert_eq!(named(&server, "admin"), None, "{other:?}");
        assert_eq!(server.anonymous().get("/login/").status, 200);
    }
}
