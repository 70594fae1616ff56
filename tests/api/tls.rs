//! TLS without a proxy: who is let in, what is redirected, and what becomes of certificates that are renewed or broken.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{
    PASSWORD, Server, command, copy_to, run_to_end, scratch,
    tls::{Certificate, NAME, connect, exchange, get},
};

/// A server with a certificate, and a place for requests in clear.
struct Encrypted {
    server: Server,
    certificate: Certificate,
    address: SocketAddr,
    in_clear: SocketAddr,
}

/// The address in a line of the log.
fn address_in(log: &str, words: &str) -> SocketAddr {
    let line = log.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("no {words} in {log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["fields"]["address"].as_str().unwrap().split_once("://").unwrap().1.parse().unwrap()
}

fn start(name: &str, settings: &[(&str, &str)]) -> Encrypted {
    let home = scratch(name);
    copy_to(&home.join("data"), true);
    let certificate = Certificate::make(&home, "own", 30);
    let mut start = command(&home);
    start.args(["--home", home.join("data").to_str().unwrap(), "--tls-redirect", "127.0.0.1:0"]);
    start.args(certificate.options()).env("LITESET_RATELIMIT_ENABLED", "false");
    start.envs(settings.iter().copied());
    let server = Server::start_with(&mut start, home);
    let address = server.base.strip_prefix("https://").unwrap().parse().unwrap();
    let in_clear = until(&server, || {
        server.log().contains("sent on to https").then(|| address_in(&server.log(), "sent on to https"))
    });
    Encrypted { server, certificate, address, in_clear }
}

fn until<T>(server: &Server, mut done: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(Instant::now() < end, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Encrypted {
    fn get(&self, path: &str, more: &str) -> String {
        get(self.address, NAME, &self.certificate.chain, path, more).unwrap()
    }

    fn clear(&self, said: &str) -> String {
        let mut stream = TcpStream::connect(self.in_clear).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Logs in through the form; the cookies.
    fn log_in(&self) -> String {
        let page = self.get("/login/", "");
        let token = page.split("name=\"csrf_token\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
        let token = token.and_then(|rest| rest.split('"').next()).unwrap();
        let body = format!("username=admin&password={}&csrf_token={token}", PASSWORD.replace(' ', "+"));
        let said = format!(
            "POST /login/ HTTP/1.1\r\nhost: {NAME}\r\ncookie: {}\r\nreferer: https://{NAME}/login/\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            cookies(&page),
            body.len()
        );
        let answer = exchange(self.address, NAME, &self.certificate.chain, &said).unwrap();
        assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
        cookies(&answer)
    }
}

/// Lines of a header.
fn headers<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

fn cookies(answer: &str) -> String {
    let pairs = headers(answer, "set-cookie").into_iter().filter_map(|cookie| cookie.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

#[test]
fn pages_are_served_encrypted_and_cookies_stay_there() {
    let own = start("tls", &[]);
    let page = own.get("/login/", "");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert_eq!(headers(&page, "strict-transport-security"), ["max-age=31556926; includeSubDomains"]);
    let set = headers(&page, "set-cookie").join("\n");
    assert!(set.contains("session=") && set.contains("; Secure; "), "{set}");
    let cookies = own.log_in();
    let me = own.get("/api/v1/me/", &format!("cookie: {cookies}\r\n"));
    assert!(me.starts_with("HTTP/1.1 200") && me.contains("\"admin\""), "{me}");
    // links are absolute where the request's host is known to be ours
    let list = get(own.address, "localhost", &own.certificate.chain, "/chart/list", "").unwrap();
    assert_eq!(headers(&list, "location"), ["https://localhost/chart/list/"], "{list}");
    let foreign = connect(own.address, "other.example.org", &std::fs::read(&own.certificate.chain).unwrap());
    assert!(foreign.is_err(), "the certificate is for another name");
    // HSTS and cookies as the configuration wants them
    let talisman =
        r#"{"force_https": false, "session_cookie_secure": false, "strict_transport_security": false}"#;
    let loose = start("tls-loose", &[("LITESET_TALISMAN_CONFIG", talisman)]);
    let page = loose.get("/login/", "");
    assert!(headers(&page, "strict-transport-security").is_empty(), "{page}");
    assert!(!headers(&page, "set-cookie").join("\n").contains("Secure"), "{page}");
}

#[test]
fn http_2_is_spoken_with_who_speaks_it() {
    let own = start("tls-http2", &[]);
    let curl = |more: &[&str], path: &str| {
        let url = format!("https://{NAME}:{}{path}", own.address.port());
        let resolve = format!("{NAME}:{}:127.0.0.1", own.address.port());
        let done = Command::new("curl")
            .args(["-sS", "--resolve", &resolve, "--cacert", own.certificate.chain.to_str().unwrap()])
            .args(["-o", "/dev/null", "-w", "%{http_version} %{http_code}"])
            .args(more)
            .arg(url)
            .output()
            .unwrap();
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    assert_eq!(curl(&["--http2"], "/login/"), "2 200");
    assert_eq!(curl(&["--http1.1"], "/login/"), "1.1 200");
    let cookies = own.log_in();
    assert_eq!(curl(&["--http2", "-H", &format!("cookie: {cookies}")], "/api/v1/me/"), "2 200");
    // browsers split cookies in pieces there
    let halves: Vec<String> = cookies.split("; ").map(|pair| format!("cookie: {pair}")).collect();
    let mut split = vec!["--http2"];
    halves.iter().for_each(|half| split.extend(["-H", half]));
    assert_eq!(curl(&split, "/api/v1/me/"), "2 200");
}

#[test]
fn requests_in_clear_are_sent_on() {
    let own = start("tls-redirect", &[("SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES", "true")]);
    let port = own.address.port();
    let ask = |line: &str, more: &str| {
        own.clear(&format!("{line} HTTP/1.1\r\nhost: {NAME}:80\r\n{more}connection: close\r\n\r\n"))
    };
    let page = ask("GET /login/?next=%2Fchart%2Flist%2F", "");
    assert!(page.starts_with("HTTP/1.1 301"), "{page}");
    assert_eq!(headers(&page, "location"), [format!("https://{NAME}:{port}/login/?next=%2Fchart%2Flist%2F")]);
    assert!(
        headers(&page, "set-cookie").is_empty() && headers(&page, "strict-transport-security").is_empty()
    );
    let post = format!("POST /api/v1/security/login HTTP/1.1\r\nhost: {NAME}\r\ncontent-length: 2\r\n");
    let post = own.clear(&format!("{post}connection: close\r\n\r\n{{}}"));
    assert!(post.starts_with("HTTP/1.1 308"), "{post}");
    assert!(
        ask("GET /login/", "x-forwarded-proto: https\r\n").starts_with("HTTP/1.1 301"),
        "anybody can say so"
    );
    let socket =
        "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    assert!(ask("GET /ws", socket).starts_with("HTTP/1.1 301"), "a socket was opened in clear");
    for path in ["/health", "/healthcheck", "/ping"] {
        assert!(ask(&format!("GET {path}"), "").starts_with("HTTP/1.1 200"), "{path}");
    }
    let nowhere = own.clear("GET / HTTP/1.0\r\n\r\n");
    assert!(nowhere.lines().next().unwrap().contains(" 400"), "{nowhere}");
    let health = run_to_end(command(&own.server.home).args(["health", &format!("https://127.0.0.1:{port}")]));
    assert!(health.status.success(), "{}", String::from_utf8_lossy(&health.stderr));
}

#[test]
fn sockets_are_opened_encrypted() {
    let settings = [
        ("SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES", "true"),
        ("LITESET_GLOBAL_ASYNC_QUERIES_TRANSPORT", "ws"),
        ("LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET", "only-for-tests-0123456789-0123456789"),
    ];
    let own = start("tls-socket", &settings);
    let cookies = own.log_in();
    let page = get(own.address, "localhost", &own.certificate.chain, "/login/", "").unwrap();
    assert!(page.contains("wss://localhost/ws"), "pages are told of the encrypted socket: {page}");
    let said = format!(
        "GET /ws HTTP/1.1\r\nhost: {NAME}\r\norigin: https://{NAME}\r\ncookie: {cookies}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    let mut stream = connect(own.address, NAME, &std::fs::read(&own.certificate.chain).unwrap()).unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101", "{cookies}");
}

#[test]
fn a_renewed_certificate_is_taken_over_and_a_broken_one_is_not() {
    let own = start("tls-renewed", &[]);
    let first = std::fs::read(&own.certificate.chain).unwrap();
    let shows = |trusted: &[u8]| connect(own.address, NAME, trusted).is_ok();
    assert!(shows(&first));
    let second = Certificate::make(&own.server.home, "second", 60);
    let wanted = std::fs::read(&second.chain).unwrap();
    second.replace(&own.certificate);
    until(&own.server, || own.server.log().contains("a renewed certificate was taken over").then_some(()));
    assert!(shows(&wanted) && !shows(&first));
    // half a file
    std::fs::write(&own.certificate.chain, &first[..first.len() / 2]).unwrap();
    let broken = "a renewed certificate is not taken over";
    until(&own.server, || own.server.log().contains(broken).then_some(()));
    assert!(shows(&wanted), "the old one does not stay");
    let line = own.server.log().lines().find(|line| line.contains(broken)).unwrap().to_owned();
    assert!(line.contains("own.pem") && line.contains("ERROR"), "{line}");
    // the signal asks at once, and says what came of it
    let hangup = |words: &str| {
        let before = own.server.log().matches(words).count();
        Command::new("kill").args(["-HUP", &own.server.pid().to_string()]).status().unwrap();
        until(&own.server, || (own.server.log().matches(words).count() > before).then_some(()));
    };
    hangup("the certificate is not taken over");
    assert!(shows(&wanted));
    let third = Certificate::make(&own.server.home, "third", 90);
    third.replace(&own.certificate);
    hangup("certificate for bi.example.org");
    assert!(shows(&std::fs::read(&third.chain).unwrap()));
    let told = own.server.log().matches(broken).count();
    assert!(told <= 2, "a broken file is told at every look: {told}");
}

#[test]
fn files_that_do_not_fit_stop_the_start() {
    let home = scratch("tls-refused");
    let (own, other) = (Certificate::make(&home, "own", 30), Certificate::make(&home, "other", 30));
    let write = |name: &str, content: &[u8]| {
        let path = home.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let chain = std::fs::read(&own.chain).unwrap();
    let short = write("short.pem", &chain[..chain.len() / 2]);
    let empty = write("empty.pem", b"");
    let encrypted = home.join("encrypted.key");
    let (key, out) = (own.key.to_str().unwrap(), encrypted.to_str().unwrap());
    Certificate::openssl(&["pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", out]);
    let missing = home.join("missing.pem");
    let cases: [(&Path, &Path, &[&str]); 7] = [
        (&own.chain, &other.key, &["other.key is not the key", "own.pem"]),
        (&short, &own.key, &["short.pem", "damaged"]),
        (&empty, &own.key, &["empty.pem", "no certificate"]),
        (&missing, &own.key, &["missing.pem", "--tls-certificate"]),
        (&own.chain, &encrypted, &["encrypted.key", "openssl pkey"]),
        (&own.key, &own.chain, &["own.key", "swapped"]),
        (&own.chain, &home, &["no file of a certificate or key"]),
    ];
    for (chain, key, words) in cases {
        let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
        let data = home.join("data");
        let done = run_to_end(command(&home).args([
            "run",
            "--home",
            data.to_str().unwrap(),
            "--port",
            "0",
            "--tls-certificate",
            chain,
            "--tls-key",
            key,
        ]));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{chain} {key}");
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!data.exists(), "a start that was refused has made something");
    }
    let half = run_to_end(command(&home).args([
        "run",
        "--port",
        "0",
        "--tls-certificate",
        own.chain.to_str().unwrap(),
    ]));
    assert!(String::from_utf8_lossy(&half.stderr).contains("TLS_KEY"));
    std::fs::remove_dir_all(&home).unwrap();
}

/// What `liteset doctor` says of a certificate: how it is, and what was found.
fn doctor(home: &Path, certificate: &Certificate, more: &[(&str, &str)]) -> (String, String) {
    let done = run_to_end(
        command(home)
            .args(["doctor", "--json", "--home", home.join("data").to_str().unwrap()])
            .env("LITESET_TLS_CERTIFICATE", &certificate.chain)
            .env("LITESET_TLS_KEY", &certificate.key)
            .envs(more.iter().copied()),
    );
    let checks: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let own = checks.as_array().unwrap().iter().find(|check| check["name"] == "certificate").cloned();
    let own = own.unwrap_or_else(|| panic!("it is not looked at: {checks}"));
    (own["state"].as_str().unwrap().to_owned(), own["found"].as_str().unwrap().to_owned())
}

#[test]
fn keys_of_all_forms_are_read() {
    let home = scratch("tls-forms");
    copy_to(&home.join("data"), false);
    let own = Certificate::make(&home, "own", 90);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let sec1 = home.join("sec1.key");
    Certificate::openssl(&["pkey", "-in", &path(&own.key), "-traditional", "-out", &path(&sec1)]);
    assert!(std::fs::read_to_string(&sec1).unwrap().contains("BEGIN EC PRIVATE KEY"));
    let (chain, key) = (home.join("rsa.pem"), home.join("rsa.key"));
    let (pkcs1, san) = (home.join("pkcs1.key"), format!("subjectAltName=DNS:{NAME}"));
    let asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch", "-days", "90", "-subj", "/CN=x"];
    let files = ["-addext", &san, "-keyout", &path(&key), "-out", &path(&chain)];
    Certificate::openssl(&[&asked[..], &files[..]].concat());
    Certificate::openssl(&["pkey", "-in", &path(&key), "-traditional", "-out", &path(&pkcs1)]);
    assert!(std::fs::read_to_string(&pkcs1).unwrap().contains("BEGIN RSA PRIVATE KEY"));
    for (chain, key) in [(&own.chain, &sec1), (&chain, &key), (&chain, &pkcs1)] {
        let (state, found) = doctor(&home, &Certificate { chain: chain.clone(), key: key.clone() }, &[]);
        assert_eq!(state, "ok", "{}: {found}", key.display());
    }
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn strangers_neither_hold_the_server_up_nor_fill_its_log() {
    let own = start("tls-strangers", &[]);
    let lines = own.server.log().lines().count();
    let silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(own.address).unwrap()).collect();
    for said in [&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], b"\x16\x03\x01\xff\xff", &[0; 2_000]] {
        let mut stream = TcpStream::connect(own.address).unwrap();
        let _ = stream.write_all(said);
    }
    assert!(own.get("/health", "").starts_with("HTTP/1.1 200"), "silent ones hold the others up");
    // who never begins is left
    let mut first = &silent[0];
    first.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(first.read(&mut [0; 10]).unwrap(), 0);
    let more: Vec<String> = own.server.log().lines().skip(lines).map(str::to_owned).collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn doctor_looks_at_the_certificate() {
    let home = scratch("tls-doctor");
    copy_to(&home.join("data"), false);
    let good = Certificate::make(&home, "good", 90);
    assert_eq!(doctor(&home, &good, &[]).0, "ok");
    let (state, found) = doctor(&home, &Certificate::make(&home, "soon", 5), &[]);
    assert!(state == "warning" && found.contains("ends in"), "{state}: {found}");
    let elsewhere = [("LITESET_WEBDRIVER_BASEURL_USER_FRIENDLY", "https://www.example.org/")];
    let (state, found) = doctor(&home, &good, &elsewhere);
    assert!(state == "warning" && found.contains("www.example.org"), "{state}: {found}");
    let other = Certificate::make(&home, "other", 90);
    let mixed = Certificate { chain: good.chain.clone(), key: other.key };
    let (state, found) = doctor(&home, &mixed, &[]);
    assert!(state == "failed" && found.contains("is not the key"), "{state}: {found}");
    std::fs::remove_dir_all(&home).unwrap();
}
