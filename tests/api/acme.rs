//! Certificates of an authority, against Pebble, the test server of Let's Encrypt's authors.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    Server, command, copy_to, run_to_end, scratch, skip,
    tls::{Certificate, connect, get},
};

/// The authority looks at this name on the server's own port.
const DOMAIN: &str = "localhost";

/// A port that nobody listens on.
fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An authority that ends with its test.
struct Pebble {
    child: Child,
    own: Certificate,
    directory: String,
    management: SocketAddr,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pebble {
    /// One that looks at names on `port`; `None` where it is not installed.
    fn start(folder: &Path, port: u16) -> Option<Self> {
        if Command::new("pebble").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            skip("pebble is not installed");
            return None;
        }
        let own = Certificate::make(folder, "pebble", 30);
        let (listen, management) = (free(), free());
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own.chain, "privateKey": own.key,
            "httpPort": free(), "tlsPort": port,
        }});
        let path = folder.join("pebble.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let log = std::fs::File::create(folder.join("pebble.log")).unwrap();
        let child = Command::new("pebble")
            .args(["-config", path.to_str().unwrap()])
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "20")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let directory = format!("https://127.0.0.1:{listen}/dir");
        let management = SocketAddr::from(([127, 0, 0, 1], management));
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", listen)).is_err() || TcpStream::connect(management).is_err() {
            assert!(Instant::now() < until, "pebble does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { child, own, directory, management })
    }

    /// The certificate of its authority.
    fn root(&self) -> Vec<u8> {
        let answer = get(self.management, "127.0.0.1", &self.own.chain, "/roots/0", "").unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.as_bytes().to_vec()
    }

    fn log(&self, folder: &Path) -> String {
        std::fs::read_to_string(folder.join("pebble.log")).unwrap_or_default()
    }
}

fn start(home: &Path, port: u16, directory: &str, root: &Path) -> Server {
    let mut start = command(home);
    start.args(["--home", home.join("data").to_str().unwrap()]).envs([
        ("LITESET_ACME_DOMAINS", DOMAIN),
        ("LITESET_ACME_TERMS_AGREED", "true"),
        ("LITESET_ACME_CONTACT", "ops@example.org"),
        ("LITESET_ACME_DIRECTORY", directory),
        ("LITESET_ACME_ROOT_CERTIFICATE", root.to_str().unwrap()),
    ]);
    Server::start_on(&mut start, home.to_owned(), port)
}

fn until(server: &Server, words: &str, more: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_secs(90);
    while !server.log().contains(words) {
        assert!(Instant::now() < end, "no {words}: {}\n{}", server.log(), more());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_certificate_is_asked_for_kept_and_shown_again() {
    let (home, folder, port) = (scratch("acme"), scratch("acme-authority"), free());
    let Some(pebble) = Pebble::start(&folder, port) else { return };
    copy_to(&home.join("data"), true);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let server = start(&home, port, &pebble.directory, &pebble.own.chain);
    until(&server, "a certificate was given", || pebble.log(&folder));
    let root = pebble.root();
    assert!(connect(address, DOMAIN, &root).is_ok(), "{}", server.log());
    let trusted = folder.join("root.pem");
    std::fs::write(&trusted, &root).unwrap();
    let page = get(address, DOMAIN, &trusted, "/login/", "").unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("; Secure"), "{page}");
    let acme = home.join("data/acme");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&acme), 0o700);
    let files: Vec<_> = std::fs::read_dir(&acme).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "account and certificate: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert!(!server.log().contains("PRIVATE KEY"));
    // the next start has it already, also when the authority is away
    let directory = pebble.directory.clone();
    let own = pebble.own.clone();
    drop(pebble);
    let kept = folder.join("kept");
    std::fs::create_dir_all(kept.join("data")).unwrap();
    let copied = Command::new("cp").arg("-a").arg(&acme).arg(kept.join("data")).status().unwrap();
    assert!(copied.success());
    drop(server);
    copy_to(&kept.join("data"), true);
    let again = start(&kept, port, &directory, &own.chain);
    assert!(connect(address, DOMAIN, &root).is_ok(), "{}", again.log());
    assert!(!again.log().contains("asking for a certificate"), "{}", again.log());
}

#[test]
fn an_authority_that_is_away_is_asked_later_and_stops_nobody() {
    let (home, folder, port) = (scratch("acme-away"), scratch("acme-nobody"), free());
    copy_to(&home.join("data"), true);
    let own = Certificate::make(&folder, "nobody", 30);
    let directory = format!("https://127.0.0.1:{}/dir", free());
    let server = start(&home, port, &directory, &own.chain);
    until(&server, "no certificate was given", String::new);
    let line =
        server.log().lines().find(|line| line.contains("no certificate was given")).unwrap().to_owned();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["fields"]["next_try_in_seconds"], 60, "{line}");
    assert!(!home.join("data/acme/account.json").exists(), "an account that nobody gave");
    let log = server.log();
    assert_eq!(log.matches("asking for a certificate").count(), 1, "{log}");
}

#[test]
fn nobody_is_asked_without_a_domain_and_agreement() {
    let home = scratch("acme-terms");
    let data = home.join("data");
    let refused = |more: &[(&str, &str)]| {
        let mut start = command(&home);
        start.args(["run", "--port", "0", "--home", data.to_str().unwrap()]).envs(more.iter().copied());
        let done = run_to_end(&mut start);
        assert!(!done.status.success());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let domain = ("LITESET_ACME_DOMAINS", "bi.example.org");
    let agreed = ("LITESET_ACME_TERMS_AGREED", "true");
    assert!(refused(&[domain]).contains("ACME_TERMS_AGREED"));
    assert!(refused(&[("LITESET_ACME_DOMAINS", "*.example.org"), agreed]).contains("wildcards"));
    let files = [("LITESET_TLS_CERTIFICATE", "/a.pem"), ("LITESET_TLS_KEY", "/a.key")];
    assert!(refused(&[domain, agreed, files[0], files[1]]).contains("one of both"));
    assert!(!data.exists(), "a start that was refused has made something");
}
