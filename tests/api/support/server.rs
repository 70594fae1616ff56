//! Starts the binary on a scratch installation; kills it when the test ends.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use super::{Client, template};

/// Password of `admin` in the scratch installations.
pub const PASSWORD: &str = "correct horse battery";

/// An empty folder that no other test uses.
pub fn scratch(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("liteset-test-{}-{n}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The binary with a clean environment.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liteset"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("LITESET_ADMIN_PASSWORD", PASSWORD);
    command
}

/// Runs a verb to its end.
pub fn run_to_end(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Says why a test does nothing; where CI promises what it needs, that is a failure.
pub fn skip(why: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{why}");
    eprintln!("skipped: {why}");
}

/// The test server of PostgreSQL, or `None` with a line that says so.
pub fn postgres_uri() -> Option<String> {
    let uri = std::env::var("LITESET_TEST_POSTGRES").ok();
    if uri.is_none() {
        skip("LITESET_TEST_POSTGRES is not set");
    }
    uri
}

/// The address in the line of the log that says that the server listens.
fn listening(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("\"listening\"") && line.ends_with('}'))?;
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(line["fields"]["address"].as_str()?.to_owned())
}

/// A running server.
pub struct Server {
    /// Nothing where it is the original that answers.
    child: Option<Child>,
    pub base: String,
    pub home: PathBuf,
}

impl Server {
    /// An installation with the example content.
    pub fn start(name: &str) -> Self {
        let home = scratch(name);
        template::copy_to(&home.join("data"), true);
        Self::start_with(command(&home).args(["--home", home.join("data").to_str().unwrap()]), home)
    }

    /// A first start on an empty folder, for tests of what it does; the others take a copy of one.
    pub fn first_start(name: &str) -> Self {
        let home = scratch(name);
        Self::start_with(command(&home).args(["--home", home.join("data").to_str().unwrap()]), home)
    }

    /// An installation with settings in the environment, and without a limit of requests.
    pub fn start_with_settings(name: &str, settings: &[(&str, &str)]) -> Self {
        let home = scratch(name);
        if template::may_be_copied(settings) {
            template::copy_to(&home.join("data"), true);
        }
        if let Some((server, _)) = Self::original(&home, &home.join("data/superset.db")) {
            return server;
        }
        let mut command = command(&home);
        command
            .args(["--home", home.join("data").to_str().unwrap()])
            .env("LITESET_RATELIMIT_ENABLED", "false");
        command.envs(settings.iter().copied());
        Self::start_with(&mut command, home)
    }

    /// The original in the place of the binary, if `LITESET_TEST_ORIGINAL` names its address and, after a comma, the
    /// file of its metadata database, which becomes a copy of `metadata`.
    pub fn original(home: &Path, metadata: &Path) -> Option<(Self, PathBuf)> {
        let given = std::env::var("LITESET_TEST_ORIGINAL").ok()?;
        let (base, file) = given.split_once(',').unwrap();
        std::fs::copy(metadata, file).unwrap();
        Some((Self { child: None, base: base.to_owned(), home: home.to_owned() }, file.into()))
    }

    /// Starts a prepared command line on a port that the kernel chooses, which the log tells: a port chosen here could
    /// be another test's by the time it is bound.
    pub fn start_with(command: &mut Command, home: PathBuf) -> Self {
        Self::start_on(command, home, 0)
    }

    /// The same on a port that another server has already.
    pub fn start_on(command: &mut Command, home: PathBuf, port: u16) -> Self {
        let log = std::fs::File::create(home.join("server.log")).unwrap();
        let child = command
            .args(["--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { child: Some(child), base: String::new(), home };
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(base) = listening(&server.log()) {
                server.base = base;
                return server;
            }
            let ended = server.has_ended();
            assert!(!ended && Instant::now() < until, "did not start: {}", server.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Whether it is gone.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("server.log")).unwrap_or_default()
    }

    /// Nobody.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base)
    }

    /// A new user of a role, logged in, with their id.
    pub fn person(&self, name: &str, role: &str) -> (Client, i64) {
        self.person_with(name, &[role])
    }

    /// The same with several roles.
    pub fn person_with(&self, name: &str, roles: &[&str]) -> (Client, i64) {
        let mut admin = self.admin();
        let mut id_of = |role: &&str| {
            let q = format!("(filters:!((col:name,opr:eq,value:{role})))");
            admin.get(&format!("/api/v1/security/roles/?q={q}")).json()["result"][0]["id"].clone()
        };
        let roles: Vec<_> = roles.iter().map(&mut id_of).collect();
        let body = serde_json::json!({
            "username": name, "first_name": name, "last_name": "Test", "email": format!("{name}@example.org"),
            "password": PASSWORD, "active": true, "roles": roles,
        });
        let made = admin.post("/api/v1/security/users/", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let mut client = self.anonymous();
        client.log_in(name, PASSWORD);
        (client, made.json()["id"].as_i64().unwrap())
    }

    /// The administrator, logged in through the form.
    pub fn admin(&self) -> Client {
        let mut client = self.anonymous();
        client.log_in("admin", PASSWORD);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.home);
        }
    }
}
