//! Signing in by way of functions of the configuration: a `CUSTOM_SECURITY_MANAGER`, a rule for passwords.

use serde_json::json;

use crate::{
    sign_in_by_directory::who,
    sign_in_by_provider::{seen, tell, way_back},
    support::{EngineServer, PASSWORD, Server, command, copy_to, scratch},
};

/// A server with a configuration file over the usual first start.
fn with(name: &str, text: &str) -> Server {
    let home = scratch(name);
    copy_to(&home.join("data"), false);
    let file = home.join("superset_config.py");
    std::fs::write(&file, text).unwrap();
    let mut run = command(&home);
    run.args(["run", "--home", home.join("data").to_str().unwrap(), "--config", file.to_str().unwrap()]);
    Server::start_with(run.env("LITESET_RATELIMIT_ENABLED", "false"), home)
}

fn users(server: &Server) -> i64 {
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    db.query_row("SELECT count(*) FROM ab_user", [], |row| row.get(0)).unwrap()
}

const MANAGER: &str = r#"
from superset.security import SupersetSecurityManager

AUTH_TYPE = 4
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "Public"
OAUTH_PROVIDERS = [{
    "name": "corp",
    "icon": "fa-corp",
    "token_key": "access_token",
    "remote_app": {
        "client_id": "liteset",
        "client_secret": "hush",
        "api_base_url": ISSUER + "/",
        "client_kwargs": {"scope": "openid email", "code_challenge_method": "S256"},
        "server_metadata_url": ISSUER + "/.well-known/openid-configuration",
    },
}]


class Own(SupersetSecurityManager):
    def oauth_user_info(self, provider, response=None):
        remote = self.appbuilder.sm.oauth_remotes[provider]
        if response["userinfo"]["sub"] == "3":
            remote = remote.get("https://attacker.example/me")
        else:
            remote = remote.get("me")
        remote.raise_for_status()
        me = remote.json()
        if me["preferred_username"] == "admin":
            raise ValueError("hunter2 " + me["email"])
        return {
            "username": me["preferred_username"].upper(),
            "email": me["email"],
            "first_name": me["given_name"],
            "last_name": "?",
            "groups": me["groups"],
        }

    def auth_user_oauth(self, userinfo):
        user = super().auth_user_oauth(userinfo)
        if user and "analysts" in userinfo["groups"]:
            user.roles = [role for role in [self.find_role("Alpha"), self.find_role("Nowhere")] if role]
            user.last_name = "Own"
            self.update_user(user)
        return user


CUSTOM_SECURITY_MANAGER = Own
"#;

#[test]
fn a_security_manager_says_who_somebody_is_and_what_they_may() {
    let Some(provider) = EngineServer::openid_provider() else { return };
    let issuer = format!("ISSUER = 'http://127.0.0.1:{}'\n", provider.port);
    let server = with("custom-manager", &format!("{issuer}{MANAGER}"));
    let mut alice = server.anonymous();
    let back = way_back(&server, &mut alice, "/login/corp");
    assert_eq!(alice.get(&back).header("location"), "/");
    assert_eq!(who(&mut alice), Some(("ALICE".into(), vec!["Alpha".into()])));
    assert_eq!(alice.get("/api/v1/me/").json()["result"]["last_name"], "Own");
    assert_eq!(seen(&provider, "/me"), 1, "one question, one answer");
    let before = users(&server);
    // whatever goes wrong then lets nobody in and makes nobody
    let refused = |person: &str, lie: serde_json::Value, why: &str| {
        let mut client = server.anonymous();
        tell(&provider, "person", person);
        let back = way_back(&server, &mut client, "/login/corp");
        tell(&provider, "lie", &lie.to_string());
        assert_eq!(client.get(&back).header("location"), "/login/", "{why}");
        tell(&provider, "lie", "{}");
        assert_eq!(who(&mut client), None, "{why}");
        assert!(server.log().contains(why), "{why}: {}", server.log());
    };
    refused("admin", json!({}), "line 32: ValueError");
    refused("taken", json!({}), "asks somebody else than the provider");
    refused("alice", json!({"only": "/me", "size": 10 << 20}), "the answer is too long");
    refused("alice", json!({"only": "/me", "seconds": 60}), "no answer in time");
    refused("alice", json!({"only": "/me", "move": "http://localhost:1/me"}), "JSONDecodeError");
    assert_eq!(users(&server), before);
    assert!(!server.log().contains("hunter2"), "what an exception says is nobody's business");
    // the next one gets in
    tell(&provider, "person", "alice");
    let mut alice = server.anonymous();
    let back = way_back(&server, &mut alice, "/login/corp");
    alice.get(&back);
    assert_eq!(who(&mut alice).map(|w| w.0), Some("ALICE".into()));
}

#[test]
fn passwords_of_the_table_go_by_way_of_the_manager() {
    let server = with(
        "custom-passwords",
        r#"
from superset.security import SupersetSecurityManager

class Own(SupersetSecurityManager):
    def auth_user_db(self, username, password):
        if password == "loop":
            while True:
                pass
        user = super().auth_user_db(username.removesuffix("@corp"), password)
        return user if user and self.find_role("Admin") in user.roles else None

CUSTOM_SECURITY_MANAGER = Own
"#,
    );
    let log_in = |name: &str, password: &str| {
        let mut client = server.anonymous();
        client.log_in(name, password);
        let body = json!({"username": name, "password": password, "provider": "db"});
        (who(&mut client).map(|w| w.0), server.anonymous().post("/api/v1/security/login", &body).status)
    };
    assert_eq!(log_in("admin@corp", PASSWORD), (Some("admin".into()), 200));
    assert_eq!(log_in("admin", "wrong"), (None, 401));
    assert_eq!(log_in("admin", "loop"), (None, 401));
    assert!(server.log().contains("it takes too long"));
}

#[test]
fn a_rule_for_passwords() {
    let server = with(
        "custom-complexity",
        r#"
from flask_appbuilder.exceptions import PasswordComplexityValidationError

FAB_PASSWORD_COMPLEXITY_ENABLED = True

def FAB_PASSWORD_COMPLEXITY_VALIDATOR(password):
    if password == "loop":
        while True:
            pass
    if len(password) < 6:
        raise PasswordComplexityValidationError("Six characters at least, please.")
"#,
    );
    let mut admin = server.admin();
    let weak = admin.put("/api/v1/me/", &json!({"password": "short"}));
    assert_eq!(weak.status, 400);
    assert_eq!(weak.json()["message"]["password"], json!(["Six characters at least, please."]));
    assert_eq!(admin.put("/api/v1/me/", &json!({"password": "loop"})).status, 500);
    assert_eq!(admin.put("/api/v1/me/", &json!({"password": "sixsix"})).status, 200);
    let mut again = server.anonymous();
    again.log_in("admin", "sixsix");
    assert_eq!(who(&mut again).map(|w| w.0), Some("admin".into()));
}
