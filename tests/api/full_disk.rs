//! A disk that is full: people log in and read, and `/readyz` says it.

use std::process::Command;

use crate::support::{PASSWORD, Server, scratch};

/// Bytes that a file may have, in the blocks of `ulimit`: enough for the side files that SQLite reads with, not for
/// what it writes.
const BLOCKS: u32 = 80;

#[test]
fn people_log_in_and_read() {
    let home = scratch("full");
    let data = home.join("data");
    let first = Server::start_with(
        crate::support::command(&home).args(["run", "--home", data.to_str().unwrap()]),
        home.clone(),
    );
    assert_eq!(first.anonymous().get("/readyz").status, 200);
    let kept = scratch("full-kept");
    Command::new("kill").arg(first.pid().to_string()).status().unwrap();
    while std::fs::exists(format!("/proc/{}/fd/0", first.pid())).unwrap_or_default() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::fs::rename(&data, kept.join("data")).unwrap();
    drop(first);
    std::fs::create_dir_all(&home).unwrap();
    std::fs::rename(kept.join("data"), &data).unwrap();
    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" run --home \"$1\" \"$2\" \"$3\"");
    limited.args(["-c", &script, env!("CARGO_BIN_EXE_liteset"), data.to_str().unwrap()]);
    limited.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &home);
    limited.env("LITESET_LOG", "error,liteset=info").env("LITESET_RATELIMIT_ENABLED", "false");
    let server = Server::start_with(&mut limited, home);
    for n in 0..30 {
        let mut client = server.anonymous();
        assert_eq!(client.log_in("admin", PASSWORD), 302, "log-in {n}");
        assert_eq!(client.get("/api/v1/me/").status, 200, "log-in {n}");
        assert_eq!(client.get("/api/v1/dashboard/").status, 200);
        assert_eq!(client.get("/superset/dashboard/1/").status, 200);
    }
    let ready = server.anonymous().get("/readyz");
    assert_eq!((ready.status, ready.text().contains("full")), (503, true), "{}", ready.text());
    assert_eq!(server.anonymous().get("/health").status, 200);
}
