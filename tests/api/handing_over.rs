//! Restarts that lose no request: the sockets stay open in the hands of who starts the servers, as with systemd.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Server, command, scratch,
    tls::{self, Certificate},
};

/// A server that goes with the test, however that ends.
struct Handed(Child);

impl Drop for Handed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server on an open socket, which it finds as systemd leaves it: as descriptor 3.
fn on_socket(home: &Path, socket: &TcpListener, notify: &Path, more: &[&str]) -> Handed {
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" run --no-examples \"$@\"";
    let plain = command(home);
    let mut start = Command::new("sh");
    start.args(["-c", script, env!("CARGO_BIN_EXE_liteset"), "--home", home.join("data").to_str().unwrap()]);
    start.args(more);
    start.env_clear().envs(plain.get_envs().filter_map(|(k, v)| Some((k, v?))));
    start.env("NOTIFY_SOCKET", notify).env("WATCHDOG_USEC", "2000000").env("LITESET_LOG", "warn");
    start.env("LITESET_RATELIMIT_ENABLED", "false");
    let log = std::fs::File::options().create(true).append(true).open(home.join("server.log")).unwrap();
    let socket: OwnedFd = socket.try_clone().unwrap().into();
    Handed(start.stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

/// Asks for a page over a connection of its own.
fn ask(address: SocketAddr, path: &str) -> Result<(), String> {
    let told = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(60)).map_err(told)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(told)?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).map_err(told)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(told)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.chars().take(200).collect()) }
}

/// What a server tells systemd, until it is a wanted line.
fn until_told(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut told = Vec::new();
    let mut bytes = [0; 1000];
    loop {
        let length = socket.recv(&mut bytes).unwrap_or_else(|e| panic!("{e}: no {wanted} in {told:?}"));
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let is_wanted = text.lines().any(|line| line == wanted);
        told.push(text);
        if is_wanted {
            return told;
        }
    }
}

/// The same over TLS.
fn ask_encrypted(address: SocketAddr, trusted: &Path, path: &str) -> Result<(), String> {
    let answer = tls::get(address, tls::NAME, trusted, path, "")?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.chars().take(200).collect()) }
}

#[test]
fn restarts_under_load_lose_no_request() {
    restarts_lose_none("handing-over", false);
}

#[test]
fn restarts_under_load_lose_no_encrypted_request() {
    restarts_lose_none("handing-over-tls", true);
}

fn restarts_lose_none(name: &str, encrypted: bool) {
    let home = scratch(name);
    let certificate = encrypted.then(|| Certificate::make(&home, "own", 30));
    let options: Vec<&str> = certificate.iter().flat_map(|certificate| certificate.options()).collect();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let notify_path = home.join("notify");
    let notify = UnixDatagram::bind(&notify_path).unwrap();
    notify.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut server = on_socket(&home, &socket, &notify_path, &options);
    until_told(&notify, "READY=1");
    let (stop, asked, lost) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..6)
        .map(|n| {
            let (stop, asked, lost) = (stop.clone(), asked.clone(), lost.clone());
            let path = if n % 2 == 0 { "/health" } else { "/login/" };
            let trusted = certificate.as_ref().map(|certificate| certificate.chain.clone());
            thread::spawn(move || {
                let mut why = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let done = match &trusted {
                        Some(trusted) => ask_encrypted(address, trusted, path),
                        None => ask(address, path),
                    };
                    if let Err(error) = done {
                        lost.fetch_add(1, Ordering::Relaxed);
                        why.push(error);
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                why
            })
        })
        .collect();
    // many for a figure, few for a test
    let between =
        std::env::var("LITESET_TEST_RESTART_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let goes_on = |more: usize| {
        let (before, until) = (asked.load(Ordering::Relaxed), Instant::now() + Duration::from_secs(600));
        while asked.load(Ordering::Relaxed) < before + more {
            assert!(Instant::now() < until, "nobody is answered any more");
            thread::sleep(Duration::from_millis(10));
            // what nobody reads fills the socket, and the next message is lost
            notify.set_nonblocking(true).unwrap();
            while notify.recv(&mut [0; 1_000]).is_ok() {}
            notify.set_nonblocking(false).unwrap();
        }
    };
    for _ in 0..3 {
        goes_on(between);
        Command::new("kill").arg(server.0.id().to_string()).status().unwrap();
        assert!(server.0.wait().unwrap().success());
        let told = until_told(&notify, "STOPPING=1");
        assert!(told.iter().all(|line| line != "READY=1"), "{told:?}");
        server = on_socket(&home, &socket, &notify_path, &options);
        until_told(&notify, "READY=1");
    }
    goes_on(between);
    stop.store(true, Ordering::Relaxed);
    let why: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let log = std::fs::read_to_string(home.join("server.log")).unwrap();
    assert_eq!(lost.load(Ordering::Relaxed), 0, "of {}: {why:?}\n{log}", asked.load(Ordering::Relaxed));
    assert!(asked.load(Ordering::Relaxed) >= 4 * between);
    until_told(&notify, "WATCHDOG=1");
    drop(server);
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn who_has_connected_before_the_end_is_answered() {
    let home = scratch("connected");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let notify_path = home.join("notify");
    let notify = UnixDatagram::bind(&notify_path).unwrap();
    notify.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut server = on_socket(&home, &socket, &notify_path, &[]);
    until_told(&notify, "READY=1");
    let (mut slow, mut silent) = (TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap());
    // both are let in before this one
    ask(address, "/health").unwrap();
    Command::new("kill").arg(server.0.id().to_string()).status().unwrap();
    until_told(&notify, "STOPPING=1");
    thread::sleep(Duration::from_millis(300));
    slow.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    // who never speaks keeps nobody
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut [0; 10]).unwrap(), 0);
    assert!(server.0.wait().unwrap().success());
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn a_second_process_takes_a_shared_port_over() {
    let home = scratch("shared-port");
    let start = |name: &str| {
        let folder = home.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut wanted = command(&folder);
        let data = folder.join("data");
        wanted.args(["--no-examples", "--reuse-port", "--home", data.to_str().unwrap()]);
        (wanted, folder)
    };
    let (mut first, folder) = start("first");
    let mut old = Server::start_with(&mut first, folder);
    let address: SocketAddr = old.base.strip_prefix("http://").unwrap().parse().unwrap();
    let (mut second, folder) = start("second");
    let new = Server::start_on(&mut second, folder, address.port());
    assert_eq!(new.base, old.base);
    Command::new("kill").arg(old.pid().to_string()).status().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !old.has_ended() {
        assert!(Instant::now() < until, "the first one stays");
        thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..50 {
        ask(address, "/health").unwrap();
    }
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let home = scratch("hangup");
    let data = home.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let settings = data.join("liteset.toml");
    std::fs::write(&settings, "ROW_LIMIT = 100\n").unwrap();
    let mut wanted = command(&home);
    wanted.args(["--no-examples", "--home", data.to_str().unwrap()]);
    let server = Server::start_with(&mut wanted, home);
    let hangup = |text: &str| {
        std::fs::write(&settings, text).unwrap();
        let before = server.log().matches("read again").count();
        Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while server.log().matches("read again").count() == before {
            assert!(Instant::now() < until, "{}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
        let log = server.log();
        let line = log.lines().rfind(|line| line.contains("read again")).unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    let told = hangup("ROW_LIMIT = 200\nLOG_FILTER = 'info,liteset::sql=debug'\nSLOW_REQUEST_MS = 9000\n");
    assert_eq!(told["fields"]["taken_over"], "LOG_FILTER, SLOW_REQUEST_MS", "{told}");
    assert_eq!(told["fields"]["needs_restart"], "ROW_LIMIT", "{told}");
    assert_eq!(server.anonymous().get("/login/").status, 200);
    server.admin().get("/api/v1/chart/");
    let until = Instant::now() + Duration::from_secs(20);
    while !server.log().contains("\"target\":\"liteset::sql\"") {
        assert!(Instant::now() < until, "the filter is not in force: {}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
    // without a filter the level counts again, which shows the health checks
    server.anonymous().get("/health");
    let checks =
        || server.log().lines().filter(|l| l.contains("/health") && l.contains("liteset::access")).count();
    assert_eq!(checks(), 0, "{}", server.log());
    hangup("ROW_LIMIT = 200\nLOG_LEVEL = 'DEBUG'\n");
    server.anonymous().get("/health");
    let until = Instant::now() + Duration::from_secs(20);
    while checks() == 0 {
        assert!(Instant::now() < until, "the level is not in force: {}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
    let told = hangup("ROW_LIMIT = = 1\n");
    assert_eq!(told["level"], "ERROR", "{told}");
    assert!(told["fields"]["error"].as_str().unwrap().contains("liteset.toml, line 1"), "{told}");
    assert_eq!(server.anonymous().get("/health").status, 200, "it goes on with what it has");
}
