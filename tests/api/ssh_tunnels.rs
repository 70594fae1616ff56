//! SSH tunnels through a real OpenSSH server to the PostgreSQL server of the tests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Client, Server,
    postgres::number,
    postgres_uri,
    sshd::{PASSPHRASE, Sshd, USER_PASSWORD},
};

/// Never ends of itself.
const ENDLESS: &str = "SELECT COUNT(*) AS v FROM GENERATE_SERIES(1, 1000000) AS a \
                       CROSS JOIN GENERATE_SERIES(1, 1004712) AS b";
const MASK: &str = "XXXXXXXXXX";

fn error(found: &Value) -> &str {
    found["errors"][0]["message"].as_str().unwrap_or_default()
}

struct Test<'a> {
    admin: &'a mut Client,
    uri: &'a str,
}

impl Test<'_> {
    fn refused(&mut self, tunnel: &Value, words: &str) {
        let answer = self.connect(tunnel);
        assert_eq!(answer.0, 422, "{}", answer.1);
        assert!(error(&answer.1).contains(words), "{words}: {}", answer.1);
        assert!(!answer.1.to_string().contains("canary"), "{}", answer.1);
    }

    fn connect(&mut self, tunnel: &Value) -> (u16, Value) {
        let body = json!({"sqlalchemy_uri": self.uri, "ssh_tunnel": tunnel});
        let answer = self.admin.post("/api/v1/database/test_connection/", &body);
        (answer.status, answer.json())
    }

    fn run(&mut self, database: i64, id: &str, sql: &str) -> (u16, Value) {
        let body = json!({"database_id": database, "sql": sql, "client_id": id, "queryLimit": 10});
        let answer = self.admin.post("/api/v1/sqllab/execute/", &body);
        (answer.status, answer.json())
    }
}

#[test]
fn tunnels_need_their_flag() {
    let server = Server::start("ssh-off");
    let mut admin = server.admin();
    let tunnel = json!({"server_address": "h", "server_port": 22, "username": "u", "password": "p"});
    let uri = "postgresql://u@127.0.0.1:1/d";
    for path in ["/api/v1/database/", "/api/v1/database/test_connection/"] {
        let body = json!({"database_name": "x", "sqlalchemy_uri": uri, "ssh_tunnel": tunnel});
        let answer = admin.post(path, &body);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("SSH Tunneling is not enabled"), "{}", answer.text());
    }
    assert_eq!(admin.put("/api/v1/database/1", &json!({"ssh_tunnel": null})).status, 400);
}

#[test]
fn connections_go_through_the_gateway() {
    let Some(uri) = postgres_uri() else { return };
    let server = Server::start_with_settings("ssh", &[("SUPERSET_FEATURE_SSH_TUNNELING", "true")]);
    let Some(mut sshd) = Sshd::start(&server.home) else { return };
    let mut admin = server.admin();
    let mut test = Test { admin: &mut admin, uri: &uri };
    let gateway = json!({"server_address": "127.0.0.1", "server_port": sshd.port, "username": sshd.me()});
    let with = |more: Value| {
        let mut tunnel = gateway.clone();
        tunnel.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        tunnel
    };

    // every way in, and what is told when there is none
    let rsa = with(json!({"private_key": sshd.key("rsa")}));
    let sealed = with(json!({"private_key": sshd.key("ed25519"), "private_key_password": PASSPHRASE}));
    for tunnel in [&rsa, &sealed] {
        assert_eq!(test.connect(tunnel), (200, json!({"message": "OK"})));
    }
    match sshd.user() {
        Some(user) => {
            let tunnel = with(json!({"username": user, "password": USER_PASSWORD}));
            assert_eq!(test.connect(&tunnel), (200, json!({"message": "OK"})));
        }
        None => println!("not tried: a password (no root, or neither CI nor LITESET_TEST_SSHD is set)"),
    }
    test.refused(&with(json!({"private_key": sshd.key("stranger")})), "it refuses the login");
    test.refused(&with(json!({"password": "s3cret-canary wrong"})), "it refuses the login");
    test.refused(&with(json!({"private_key": "s3cret-canary"})), "the private key cannot be read");
    let wrong = json!({"private_key": sshd.key("ed25519"), "private_key_password": "s3cret-canary wrong"});
    test.refused(&with(wrong), "cannot be read with this passphrase");
    test.refused(&with(json!({"private_key": sshd.key("ed25519")})), "there is no passphrase");
    test.refused(&with(json!({"server_port": 1, "password": "p"})), "Connection refused");
    test.refused(
        &with(json!({"server_address": "no.such.host.invalid", "password": "p"})),
        "cannot be resolved",
    );
    test.refused(&gateway, "SSH Tunnel parameters are invalid.");

    // a connection that has one
    let body = json!({"database_name": "far", "sqlalchemy_uri": uri, "expose_in_sqllab": true, "ssh_tunnel": sealed});
    let made = test.admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["result"]["ssh_tunnel"]["private_key"], MASK);
    assert!(!made.text().contains("canary") && !made.text().contains("PRIVATE KEY"), "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/database/{id}");
    for path in [path.clone(), format!("{path}/connection")] {
        let shown = test.admin.get(&path);
        let tunnel = &shown.json()["result"]["ssh_tunnel"];
        assert_eq!(tunnel["username"], sshd.me(), "{}", shown.text());
        assert_eq!((&tunnel["private_key"], &tunnel["private_key_password"]), (&json!(MASK), &json!(MASK)));
        assert!(tunnel["password"].is_null() && !shown.text().contains("canary"));
    }
    assert_eq!(test.run(id, "one", "SELECT 1 AS a").1["data"], json!([{"a": 1}]));
    let schemas = test.admin.get(&format!("{path}/schemas/?q=(force:!t)")).json();
    assert!(schemas["result"].as_array().unwrap().contains(&json!("public")), "{schemas}");

    // masks stand for what is stored
    let tunnel = test.admin.get(&path).json()["result"]["ssh_tunnel"].clone();
    assert_eq!(test.connect(&tunnel), (200, json!({"message": "OK"})));
    let renamed = test.admin.put(&path, &json!({"database_name": "farther", "ssh_tunnel": tunnel}));
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    assert_eq!(test.run(id, "two", "SELECT 2 AS a").0, 200);

    // a session that dies in the middle of a statement: the statement fails at once, the next one works
    let mut other = server.admin();
    let begun = Instant::now();
    let sleeping = std::thread::spawn(move || {
        let body = json!({"database_id": id, "sql": ENDLESS, "client_id": "sleep"});
        other.post("/api/v1/sqllab/execute/", &body).status
    });
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%1004712%' AND state = 'active' \
                  AND pid <> pg_backend_pid()";
    while number(&uri, active) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the statement does not run");
        std::thread::sleep(Duration::from_millis(50));
    }
    sshd.end_sessions();
    assert_ne!(sleeping.join().unwrap(), 200);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let again = test.run(id, "three", "SELECT 3 AS a");
    assert_eq!(again.1["data"], json!([{"a": 3}]), "{}", again.1);

    // no gateway, no connection: never a direct one
    sshd.stop();
    let (status, found) = test.run(id, "four", "SELECT 4 AS a");
    assert_ne!(status, 200);
    assert!(found.to_string().contains("Could not establish session to SSH gateway"), "{found}");
    let failed = test.admin.put(&path, &json!({"database_name": "x"}));
    assert_eq!(failed.status, 422, "{}", failed.text());
    sshd.restart();
    assert_eq!(test.run(id, "five", "SELECT 5 AS a").0, 200);
    sshd.stop();

    // taken away, the connection is direct
    let direct = test.admin.put(&path, &json!({"ssh_tunnel": null}));
    assert_eq!(direct.status, 200, "{}", direct.text());
    assert!(test.admin.get(&path).json()["result"].get("ssh_tunnel").is_none());
    assert_eq!(test.run(id, "six", "SELECT 6 AS a").0, 200);
    let log = server.log();
    assert!(log.contains("SHA256:") && !log.contains("canary"), "fingerprints are logged, secrets are not");
}
