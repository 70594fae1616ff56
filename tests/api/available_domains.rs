//! `/api/v1/available_domains/`: hosts that the frontend may spread its questions over.

use serde_json::json;

use crate::support::Server;

#[test]
fn there_is_one_host() {
    let server = Server::start_with_settings("domains", &[]);
    let told = (200, json!({"result": {"domains": null}}));
    assert_eq!(server.admin().get("/api/v1/available_domains/").told(), told);
    assert_eq!(server.person("gus", "Gamma").0.get("/api/v1/available_domains/").told(), told);
    assert_eq!(server.anonymous().get("/api/v1/available_domains/").status, 401);
}
