//! People of a provider of OpenID Connect (`AUTH_OAUTH`): the way there and back, and everything that a provider or
//! somebody between may say wrongly.

use serde_json::{Value, json};

use crate::{
    sign_in_by_directory::who,
    support::{Client, EngineServer, Server},
};

pub fn tell(provider: &EngineServer, what: &str, value: &str) {
    let address = format!("http://127.0.0.1:{}/_{what}", provider.port);
    ureq::put(address).send(value).unwrap();
}

pub fn seen(provider: &EngineServer, path: &str) -> usize {
    let address = format!("http://127.0.0.1:{}/_seen", provider.port);
    let all: Vec<String> = ureq::get(address).call().unwrap().body_mut().read_json().unwrap();
    all.iter().filter(|p| *p == path).count()
}

fn with(name: &str, provider: &EngineServer, more: &[(&str, &str)]) -> Server {
    let issuer = format!("http://127.0.0.1:{}", provider.port);
    let mut settings = vec![
        ("LITESET_OIDC_ISSUER", issuer.as_str()),
        ("LITESET_OIDC_CLIENT_ID", "liteset"),
        ("LITESET_OIDC_CLIENT_SECRET", "hush"),
    ];
    settings.extend(more);
    Server::start_with_settings(name, &settings)
}

/// Goes to the provider and returns the way back, not taken.
pub fn way_back(server: &Server, client: &mut Client, start: &str) -> String {
    let answer = client.get(start);
    assert_eq!(answer.status, 302, "{}", answer.text());
    let there = answer.header("location").to_owned();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let answer = agent.get(&there).call().unwrap();
    let back = answer.headers().get("location").unwrap_or_else(|| panic!("{there}")).to_str().unwrap();
    back.strip_prefix(&server.base).unwrap().to_owned()
}

fn messages(client: &mut Client) -> String {
    client.get("/login/").text()
}

#[test]
fn three_keys_are_enough_for_a_log_in() {
    let Some(provider) = EngineServer::openid_provider() else { return };
    let server = with("oidc", &provider, &[("LITESET_OIDC_ROLES_CLAIM", "realm_access.roles")]);
    let mut client = server.anonymous();
    let page = client.get("/login/").text();
    assert!(page.contains("AUTH_PROVIDERS") && page.contains("fa-openid"), "{page}");
    assert!(!page.contains("hush"), "no secret on the page");
    let back = way_back(&server, &mut client, "/login/oidc?next=/chart/list/");
    let answer = client.get(&back);
    assert_eq!((answer.status, answer.header("location")), (302, "/chart/list/"));
    let roles = vec!["Alpha".to_owned(), "Public".to_owned()];
    assert_eq!(who(&mut client), Some(("alice".into(), roles)));
    // once
    client.get("/logout/");
    assert_eq!(client.get(&back).header("location"), "/login/");
    assert_eq!(who(&mut client), None);
    assert!(messages(&mut client).contains("The request to sign in was denied."));
    // neither the form nor the API knows passwords
    let body = json!({"username": "admin", "password": crate::support::PASSWORD, "provider": "db"});
    assert_eq!(client.post("/api/v1/security/login", &body).status, 401);
    assert_eq!(client.post_form("/login/", &[("username", "admin")]).status, 405);
    // an address that somebody has refuses a new person
    tell(&provider, "person", "taken");
    let mut other = server.anonymous();
    let back = way_back(&server, &mut other, "/login/oidc");
    assert_eq!(other.get(&back).header("location"), "/login/");
    assert_eq!(who(&mut other), None);
    // somebody called as a local user is that user
    tell(&provider, "person", "admin");
    let mut admin = server.anonymous();
    let back = way_back(&server, &mut admin, "/login/oidc?next=https://attacker.example/");
    assert_eq!(admin.get(&back).header("location"), "/");
    assert_eq!(who(&mut admin), Some(("admin".into(), vec!["Admin".into()])));
}

#[test]
fn forged_ways_back_let_nobody_in_and_ask_nobody() {
    let Some(provider) = EngineServer::openid_provider() else { return };
    let server = with("oidc-forged", &provider, &[]);
    let mut client = server.anonymous();
    let back = way_back(&server, &mut client, "/login/oidc");
    // another browser
    assert_eq!(server.anonymous().get(&back).header("location"), "/login/");
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    for wrong in [
        "/oauth-authorized/oidc".to_owned(),
        "/oauth-authorized/oidc?state=&code=x".to_owned(),
        "/oauth-authorized/oidc?state=other&code=x".to_owned(),
        format!("/oauth-authorized/other?state={state}&code=x"),
    ] {
        assert_eq!(client.get(&wrong).header("location"), "/login/", "{wrong}");
    }
    let mut asked = server.anonymous();
    let back = way_back(&server, &mut asked, "/login/oidc");
    let (head, _) = back.split_once("&iss=").unwrap();
    asked.get(&format!("{head}&iss=https%3A%2F%2Fattacker.example"));
    let mut asked = server.anonymous();
    let back = way_back(&server, &mut asked, "/login/oidc");
    asked.get(&format!("{back}&error=access_denied"));
    assert_eq!(seen(&provider, "/token"), 0, "nobody was asked for tokens");
    assert!(server.log().contains("another provider"));
}

#[test]
fn what_is_wrong_with_a_token_lets_nobody_in() {
    let Some(provider) = EngineServer::openid_provider() else { return };
    let server = with("oidc-lies", &provider, &[]);
    let hour = 3_600;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let lies: &[Value] = &[
        json!({"claims": {"iss": "https://attacker.example"}}),
        json!({"claims": {"aud": "somebody"}}),
        json!({"claims": {"aud": ["liteset", "somebody"]}}),
        json!({"claims": {"azp": "somebody"}}),
        json!({"claims": {"exp": now - hour}}),
        json!({"claims": {"exp": null}}),
        json!({"claims": {"iat": now + hour}}),
        json!({"claims": {"nonce": null}}),
        json!({"claims": {"nonce": "other"}}),
        json!({"claims": {"sub": null}}),
        json!({"claims": {"sub": "2"}}),
        json!({"claims": {"at_hash": "AAAA"}}),
        json!({"kid": "unknown"}),
        json!({"header": {"alg": "none"}}),
        json!({"header": {"alg": "HS256"}}),
        json!({"answer": {"id_token": null}}),
        json!({"answer": {"id_token": "not.a.token"}}),
        json!({"answer": {"access_token": null}}),
        json!({"answer": {"error": "server_error"}}),
        json!({"size": 10 << 20}),
        json!({"move": "http://localhost:1/"}),
    ];
    for lie in lies {
        let mut client = server.anonymous();
        let back = way_back(&server, &mut client, "/login/oidc");
        tell(&provider, "lie", &lie.to_string());
        assert_eq!(client.get(&back).header("location"), "/login/", "{lie}");
        assert_eq!(who(&mut client), None, "{lie}");
        tell(&provider, "lie", "{}");
    }
    // other keys are asked for
    tell(&provider, "rotate", "");
    let mut client = server.anonymous();
    let back = way_back(&server, &mut client, "/login/oidc");
    client.get(&back);
    assert_eq!(who(&mut client).map(|w| w.0), Some("alice".into()));
    let people = server.log().matches("nobody is let in by the provider").count();
    assert_eq!(people, lies.len(), "each is logged with its reason");
}

#[test]
fn a_provider_that_is_away_shows_the_page() {
    let issuer = [
        ("LITESET_OIDC_ISSUER", "http://127.0.0.1:9"),
        ("LITESET_OIDC_CLIENT_ID", "liteset"),
        ("LITESET_OIDC_CLIENT_SECRET", "hush"),
    ];
    let server = Server::start_with_settings("oidc-away", &issuer);
    let mut client = server.anonymous();
    assert_eq!(client.get("/login/").status, 200);
    assert_eq!(client.get("/login/oidc").header("location"), "/");
    assert!(messages(&mut client).contains("Invalid login. Please try again."));
    assert_eq!(client.get("/login/nosuch").header("location"), "/");
    assert_eq!(client.get("/oauth-authorized/nosuch?state=x").header("location"), "/login/");
    assert!(messages(&mut client).contains("Provider not supported."));
}
