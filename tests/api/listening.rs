//! Where a server listens, and that a start which is refused says what to do and leaves nothing behind.

use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Server, command, run_to_end, scratch};

/// The words of a start that is refused.
fn refusal(home: &Path, arguments: &[&str]) -> String {
    let data = home.join("data");
    let done = run_to_end(command(home).args(["run", "--home", data.to_str().unwrap()]).args(arguments));
    assert!(!done.status.success());
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
fn what_cannot_be_opened_is_told_before_anything_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = scratch("taken");
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--port", &port], &[&port, "--port", "in use"]),
        (&["--host", "name.invalid", "--port", "0"], &["--host name.invalid"]),
        (&["--host", "192.0.2.1", "--port", "0"], &["192.0.2.1", "--host"]),
        (&["--host", "unix:/nonexistent/folder/socket"], &["/nonexistent/folder/socket", "--host"]),
        (&["--port", "0", "--metrics", &format!("127.0.0.1:{port}")], &["METRICS", "--metrics", &port]),
    ];
    for (arguments, words) in cases {
        let said = refusal(&home, arguments);
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert!(!home.join("data").exists(), "a start that was refused has made something");
}

#[test]
fn a_database_file_that_is_missing_is_not_made() {
    let home = scratch("missing");
    let missing = home.join("folder/superset.db");
    let config = home.join("superset_config.py");
    let uri = format!("sqlite:///{}", missing.display());
    std::fs::write(
        &config,
        format!("SECRET_KEY = 'a-secret-of-this-test'\nSQLALCHEMY_DATABASE_URI = '{uri}'\n"),
    )
    .unwrap();
    let said = refusal(&home, &["--port", "0", "--config", config.to_str().unwrap()]);
    assert!(said.contains("SQLALCHEMY_DATABASE_URI") && said.contains(missing.to_str().unwrap()), "{said}");
    assert!(!home.join("folder").exists(), "its folder was made");
}

#[test]
fn a_database_that_is_down_is_told_with_its_key() {
    let home = scratch("down");
    let config = home.join("superset_config.py");
    let text = "SECRET_KEY = 'a-secret-of-this-test'\n\
                SQLALCHEMY_DATABASE_URI = 'postgresql://nobody:s3cret@127.0.0.1:1/x'\n";
    std::fs::write(&config, text).unwrap();
    let said = refusal(&home, &["--port", "0", "--config", config.to_str().unwrap()]);
    assert!(said.contains("SQLALCHEMY_DATABASE_URI") && !said.contains("s3cret"), "{said}");
}

#[test]
fn names_and_version_six_are_listened_at() {
    for (host, wanted) in
        [("localhost", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("[::1]", "http://[::1]:")]
    {
        if host.contains(':') && TcpListener::bind("[::1]:0").is_err() {
            eprintln!("this machine has no addresses of version 6");
            continue;
        }
        let home = scratch("names");
        let data = home.join("data");
        let mut wanted_command = command(&home);
        wanted_command.args(["--no-examples", "--host", host, "--home", data.to_str().unwrap()]);
        let server = Server::start_with(&mut wanted_command, home);
        let log = server.log();
        assert!(log.contains(wanted), "{host}: {log}");
        assert_eq!(server.anonymous().get("/health").status, 200, "{host}");
    }
}

/// A server at a UNIX socket, once it listens.
fn at_socket(home: &Path, socket: &Path) -> Child {
    let host = format!("unix:{}", socket.display());
    let data = home.join("data");
    let mut start = command(home);
    start.args(["--no-examples", "--host", &host, "--home", data.to_str().unwrap()]);
    let mut child = start.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while answer(socket).is_none() {
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < until, "it does not listen");
        std::thread::sleep(Duration::from_millis(30));
    }
    child
}

fn answer(socket: &Path) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    stream.write_all(b"GET /api/v1/me/ HTTP/1.1\r\nhost: bi.example\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_unix_socket_is_listened_at() {
    let home = scratch("unix");
    let socket = home.join("liteset.sock");
    // one that nobody listens on any more
    drop(UnixListener::bind(&socket).unwrap());
    let mut child = at_socket(&home, &socket);
    assert!(answer(&socket).unwrap().starts_with("HTTP/1.1 401"));
    let said = refusal(&home, &["--host", &format!("unix:{}", socket.display())]);
    assert!(said.contains("another process listens there"), "{said}");
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!socket.exists(), "the socket's file stays");
    std::fs::write(&socket, "precious").unwrap();
    let said = refusal(&home, &["--host", &format!("unix:{}", socket.display())]);
    assert!(said.contains("no socket"), "{said}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
    std::fs::remove_dir_all(&home).unwrap();
}
