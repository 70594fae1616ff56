//! When sessions and tokens end, and how often passwords may be tried (T3, T34 of the security list).

use serde_json::{Value, json};

use crate::support::{Client, Installation, Metadata, PASSWORD, Server, command, scratch};

const OWN_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Access and refresh token of a user; none when the log-in is refused.
fn tokens(server: &Server, name: &str, password: &str) -> Option<(String, String)> {
    let body = json!({"username": name, "password": password, "provider": "db", "refresh": true});
    let answer = server.anonymous().post("/api/v1/security/login", &body);
    let text = |key: &str| answer.json()[key].as_str().map(str::to_owned);
    (answer.status == 200).then(|| (text("access_token").unwrap(), text("refresh_token").unwrap()))
}

fn bearer(server: &Server, method: &str, path: &str, token: &str) -> (u16, Value) {
    let mut client = server.anonymous();
    client.headers = vec![("authorization".into(), format!("Bearer {token}"))];
    let answer = client.send(method, path, None);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// What the two tokens still open, one after the other.
fn open(server: &Server, (access, refresh): &(String, String)) -> [u16; 2] {
    let read = bearer(server, "GET", "/api/v1/chart/", access).0;
    [read, bearer(server, "POST", "/api/v1/security/refresh", refresh).0]
}

fn is_in(client: &mut Client) -> bool {
    client.get("/api/v1/me/").status == 200
}

fn log_out(client: &mut Client) {
    client.headers = vec![(OWN_PAGE.0.into(), OWN_PAGE.1.into())];
    assert_eq!(client.send("GET", "/logout/", None).status, 302);
    client.headers.clear();
}

/// Somebody with a session and tokens.
struct Person {
    name: &'static str,
    id: i64,
    session: Client,
    tokens: (String, String),
}

impl Person {
    fn new(server: &Server, name: &'static str) -> Self {
        let (session, id) = server.person(name, "Alpha");
        let mut person = Self { name, id, session, tokens: tokens(server, name, PASSWORD).unwrap() };
        assert!(is_in(&mut person.session));
        assert_eq!(open(server, &person.tokens), [200, 200]);
        person
    }

    fn is_out(&mut self, server: &Server, after: &str) {
        assert!(!is_in(&mut self.session), "{}: the session outlives {after}", self.name);
        assert_eq!(open(server, &self.tokens), [401, 401], "{}: the tokens outlive {after}", self.name);
    }
}

fn ends(on: &Installation) {
    let server = &on.server;
    let mut admin = server.admin();
    let put = |id: i64, body: Value| {
        let mut admin = server.admin();
        let answer = admin.put(&format!("/api/v1/security/users/{id}"), &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let mut ada = Person::new(server, "ada");
    put(ada.id, json!({"password": "set by an administrator"}));
    ada.is_out(server, "a password that an administrator set");

    let mut bea = Person::new(server, "bea");
    put(bea.id, json!({"active": false}));
    bea.is_out(server, "the account");
    put(bea.id, json!({"active": true}));
    bea.is_out(server, "a time in which the account was closed");
    assert!(tokens(server, "bea", PASSWORD).is_some());

    let mut cia = Person::new(server, "cia");
    let changed = cia.session.put("/api/v1/me/", &json!({"password": "a passphrase of my own"}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(is_in(&mut cia.session), "who changes the password stays");
    assert_eq!(open(server, &cia.tokens), [401, 401]);
    let new = tokens(server, "cia", "a passphrase of my own").unwrap();
    assert_eq!(open(server, &new), [200, 200]);

    let mut dea = Person::new(server, "dea");
    let copy = dea.session.cookies.clone();
    log_out(&mut dea.session);
    dea.session.cookies = copy;
    dea.is_out(server, "the log-out");
    let mut again = server.anonymous();
    again.log_in("dea", PASSWORD);
    assert!(
        is_in(&mut again) && tokens(server, "dea", PASSWORD).is_some_and(|t| open(server, &t) == [200, 200])
    );
    dea.is_out(server, "the next log-in");

    // a token ends itself and what came of the same log-in, and nothing else
    let mut eva = Person::new(server, "eva");
    let other = tokens(server, "eva", PASSWORD).unwrap();
    let (_, fresh) = bearer(server, "POST", "/api/v1/security/refresh", &eva.tokens.1);
    let fresh = fresh["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bearer(server, "GET", "/logout/", &eva.tokens.0).0, 302);
    let (status, said) = bearer(server, "GET", "/api/v1/chart/", &fresh);
    assert_eq!((status, &said["msg"]), (401, &json!("Token has been revoked")));
    assert_eq!(open(server, &eva.tokens), [401, 401]);
    assert_eq!(open(server, &other), [200, 200]);
    assert!(is_in(&mut eva.session));

    // the rows are of a resource that Superset does not ask for, and hold no user back
    let of = |what: &str| {
        on.metadata.texts(&format!("SELECT {what} FROM key_value WHERE resource = 'liteset_log_in'"))
    };
    assert!(of("resource").len() >= 6, "{:?}", of("resource"));
    assert!(of("CAST(COALESCE(created_by_fk, changed_by_fk, 0) AS VARCHAR(9))").iter().all(|by| by == "0"));
    let mut fay = Person::new(server, "fay");
    for id in [fay.id, ada.id] {
        // what people did is logged a moment later, and holds them back as in the original
        let gone = (0..20).any(|_| {
            on.metadata.run(&format!("UPDATE logs SET user_id = NULL WHERE user_id = {id}"));
            std::thread::sleep(std::time::Duration::from_millis(200));
            admin.delete(&format!("/api/v1/security/users/{id}")).status == 200
        });
        assert!(gone, "a user who was logged out cannot be deleted");
    }
    fay.is_out(server, "the user");
}

/// T3.
#[test]
fn log_ins_end_with_password_account_and_log_out() {
    ends(&Installation::on_sqlite("log-ins"));
}

/// T3.
#[test]
fn log_ins_end_on_postgresql() {
    if let Some(on) = Installation::on_postgres("log-ins") {
        ends(&on);
    }
}

#[test]
fn log_ins_end_on_mysql() {
    if let Some(on) = Installation::on_mysql("log-ins") {
        ends(&on);
    }
}

/// T3: what was logged out stays so, whichever process is asked.
#[test]
fn log_out_holds_after_a_restart() {
    let home = scratch("again");
    let start = || {
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", home.join("data").to_str().unwrap()]);
        Server::start_with(&mut run, home.clone())
    };
    let server = start();
    let mut admin = server.admin();
    let own = tokens(&server, "admin", PASSWORD).unwrap();
    let (copy, mut stays) = (admin.cookies.clone(), server.admin());
    log_out(&mut admin);
    let stays_cookies = stays.cookies.clone();
    assert!(is_in(&mut stays));
    // the folder has to outlive the process
    let kept = scratch("kept").join("data");
    std::process::Command::new("kill").arg(server.pid().to_string()).status().unwrap();
    while std::fs::exists(format!("/proc/{}/fd/0", server.pid())).unwrap_or_default() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::fs::rename(home.join("data"), &kept).unwrap();
    drop(server);
    std::fs::create_dir_all(&home).unwrap();
    std::fs::rename(&kept, home.join("data")).unwrap();
    let server = start();
    let mut client = server.anonymous();
    client.cookies = copy;
    assert!(!is_in(&mut client), "a cookie outlives the log-out by a restart");
    assert_eq!(open(&server, &own), [401, 401]);
    client.cookies = stays_cookies;
    assert!(is_in(&mut client), "a restart ends what nobody ended");
}

/// T3.
#[test]
fn log_out_holds_on_a_second_process_on_postgresql() {
    if let Some(database) = Metadata::on_postgres("two_processes") {
        log_out_holds_on_a_second_process(&database);
    }
}

#[test]
fn log_out_holds_on_a_second_process_on_mysql() {
    if let Some(database) = Metadata::on_mysql("two_processes") {
        log_out_holds_on_a_second_process(&database);
    }
}

fn log_out_holds_on_a_second_process(database: &Metadata) {
    let (first, second) = (scratch("first-process"), scratch("second-process"));
    let liteset = database.prepared(&first);
    let one = Server::start_with(&mut liteset(&["run"]), first);
    let two = Server::start_with(&mut liteset(&["run"]), second);
    let mut admin = one.admin();
    let own = tokens(&one, "admin", PASSWORD).unwrap();
    let mut there = two.anonymous();
    there.cookies = admin.cookies.clone();
    assert!(is_in(&mut there));
    assert_eq!(open(&two, &own), [200, 200]);
    log_out(&mut admin);
    assert!(!is_in(&mut there), "the second process does not know of the log-out");
    assert_eq!(open(&two, &own), [401, 401]);
    drop((one, two));
}

/// Sessions that Superset began have no mark of ours: they go on, and end as all others.
#[test]
fn sessions_of_superset_go_on_and_end() {
    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";
    let server = Server::start_with_settings("foreign", &[("SUPERSET_SECRET_KEY", SECRET)]);
    let (_, id) = server.person("ada", "Gamma");
    let foreign = |csrf: &str| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let values = json!({"_fresh": true, "_id": "x", "_user_id": id.to_string(), "csrf_token": csrf});
        let signer = infra::crypto::signer::Signer::session(SECRET);
        let mut client = server.anonymous();
        let cookie = signer.dumps(values.to_string().as_bytes(), i64::try_from(now).unwrap());
        client.cookies.insert("session".into(), cookie);
        client
    };
    let (mut here, mut copy, mut other) = (foreign("aa"), foreign("aa"), foreign("bb"));
    assert!(is_in(&mut here) && is_in(&mut copy) && is_in(&mut other));
    log_out(&mut here);
    assert!(!is_in(&mut here) && !is_in(&mut copy), "a copy outlives the log-out");
    assert!(!is_in(&mut foreign("aa")) && is_in(&mut other));
    let new = json!({"password": "another passphrase"});
    assert_eq!(server.admin().put(&format!("/api/v1/security/users/{id}"), &new).status, 200);
    assert!(!is_in(&mut other) && !is_in(&mut foreign("cc")), "a session outlives the password");
    // a copy that was ended is not made younger by what is asked with it
    let mut late = foreign("dd");
    late.get("/login/");
    assert!(!late.cookies["session"].is_empty() && !is_in(&mut late));
}

fn try_form(server: &Server, name: &str, password: &str, from: &str) -> u16 {
    let mut client = server.anonymous();
    client.headers = vec![("x-forwarded-for".into(), from.to_owned())];
    let page = client.send("GET", "/login/", None).text();
    let token = page.split("name=\"csrf_token\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
    let token = token.and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let mut form = server.anonymous();
    form.cookies = client.cookies;
    let fields = [("username", name), ("password", password), ("csrf_token", token.as_str())];
    let answer = form.post_form_from("/login/", &fields, from);
    match answer.status {
        302 if answer.header("location").starts_with("/login/") => 401,
        302 => 200,
        other => other,
    }
}

fn try_api(server: &Server, name: &str, password: &str, from: &str) -> u16 {
    let mut client = server.anonymous();
    client.headers = vec![("x-forwarded-for".into(), from.to_owned())];
    let body = json!({"username": name, "password": password, "provider": "db"});
    client.send("POST", "/api/v1/security/login", Some(&body)).status
}

/// T3: guessing is slowed down, and shuts out nobody but who guesses.
#[test]
fn guessing_shuts_out_only_who_guesses() {
    let proxied = [("LITESET_ENABLE_PROXY_FIX", "true")];
    let server = Server::start_with_settings("guess", &proxied);
    for name in ["ada", "bea"] {
        server.person(name, "Gamma");
    }
    let (guesser, elsewhere) = ("203.0.113.7", "203.0.113.8");
    // the form and the API share what is counted: five in a second, ten in a minute
    let mut seen = Vec::new();
    while seen.iter().filter(|s| **s == 401).count() < 10 && seen.len() < 2_000 {
        let attempt = if seen.len() % 2 == 0 { try_form } else { try_api };
        seen.push(attempt(&server, "ada", "wrong", guesser));
    }
    assert!(seen[0] == 401 && seen.iter().all(|s| [401, 429].contains(s)), "{seen:?}");
    for attempt in [try_form, try_api] {
        assert_eq!(
            attempt(&server, "ada", PASSWORD, guesser),
            429,
            "the right password tells who guesses nothing"
        );
        assert_eq!(attempt(&server, "bea", PASSWORD, guesser), 200, "somebody else at the address");
        assert_eq!(attempt(&server, "ada", PASSWORD, elsewhere), 200, "the user elsewhere");
    }
}

/// A header that nobody trusts makes no new address.
#[test]
fn forwarded_addresses_count_only_behind_a_proxy() {
    let server = Server::start_with_settings("forwarded", &[]);
    let seen: Vec<u16> =
        (0..20).map(|n| try_api(&server, "admin", "wrong", &format!("203.0.113.{n}"))).collect();
    assert!(seen.contains(&429), "{seen:?}");
    assert!(server.log().contains("\"address\":\"127.0.0.1\"") && !server.log().contains("203.0.113"));
}

/// T3: a company behind one address comes to work.
#[test]
fn fifty_people_behind_one_address_log_in_at_once() {
    let server = Server::start_with_settings("burst", &[]);
    let db = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    let hash: String =
        db.query_row("SELECT password FROM ab_user WHERE id = 1", [], |row| row.get(0)).unwrap();
    for n in 0..50 {
        db.execute(
            "INSERT INTO ab_user (first_name, last_name, username, password, active, email) VALUES ('u', 'u', ?1, \
             ?2, 1, ?1)",
            rusqlite::params![format!("user{n}"), hash],
        )
        .unwrap();
    }
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|n| {
                let server = &server;
                scope.spawn(move || try_api(server, &format!("user{n}"), PASSWORD, ""))
            })
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|s| *s == 200), "{statuses:?}");
}

/// T34.
#[test]
fn failed_log_ins_are_logged_with_address_and_account() {
    let server = Server::start_with_settings("logged", &[]);
    let name = "ada\r\n{\"level\":\"INFO\",\"fields\":{\"message\":\"forged\"}}\u{1b}[2J\u{202e}";
    for attempt in [try_form, try_api] {
        assert_eq!(attempt(&server, name, "not-to-be-logged", ""), 401);
    }
    let log = server.log();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let failed: Vec<_> = lines.iter().filter(|l| l["fields"]["message"] == "a log-in failed").collect();
    assert_eq!(failed.len(), 2, "{log}");
    for line in failed {
        assert_eq!(line["fields"]["address"], "127.0.0.1");
        let account = line["fields"]["account"].as_str().unwrap();
        assert!(account.starts_with("ada\\r\\n{"), "{account}");
        assert!(!account.chars().any(|c| c.is_control() || c == '\u{202e}'));
    }
    assert!(!log.contains("not-to-be-logged") && lines.iter().all(|l| l["fields"]["message"] != "forged"));
}

/// A metadata database of the test's own kind has no trace of who was never logged out.
#[test]
fn logging_in_leaves_no_row() {
    let server = Server::start_with_settings("rows", &[]);
    let metadata = Metadata::Sqlite(server.home.join("data/superset.db"));
    drop(server.admin());
    drop(tokens(&server, "admin", PASSWORD));
    assert!(metadata.texts("SELECT resource FROM key_value WHERE resource = 'liteset_log_in'").is_empty());
}
