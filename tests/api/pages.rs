//! The frontend's pages and files.

use crate::support::Server;

#[test]
fn pages_carry_their_bootstrap_and_files_are_immutable() {
    let server = Server::start("pages");
    let mut admin = server.admin();
    let welcome = admin.get("/superset/welcome/");
    assert_eq!(welcome.status, 200);
    let html = welcome.text();
    assert!(
        html.contains("data-bootstrap=") && html.contains("&#34;username&#34;: &#34;admin&#34;"),
        "{html}"
    );
    assert!(welcome.header("content-security-policy").contains("'nonce-"));
    let script =
        html.split("src=\"").find(|s| s.starts_with("/static/assets/")).and_then(|s| s.split('"').next());
    let file = server.anonymous().get(script.unwrap());
    assert_eq!(file.status, 200);
    assert!(file.header("cache-control").contains("max-age=31536000"));
    assert_eq!(server.anonymous().get("/static/assets/../../etc/passwd").status, 404);
    assert_eq!(server.anonymous().get("/superset/welcome/").status, 302);
}
