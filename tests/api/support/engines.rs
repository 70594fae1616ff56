//! Servers of `tests/servers`, in Python, for engines, providers and directories that are no program of this machine.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::{scratch, server::skip};

/// A server of an engine; it ends with the test.
pub struct EngineServer {
    child: Child,
    pub port: u16,
}

impl EngineServer {
    /// ClickHouse's own engine, where `LITESET_TEST_PYTHON` names a Python with the package chdb.
    pub fn clickhouse() -> Option<Self> {
        let Ok(python) = std::env::var("LITESET_TEST_PYTHON") else {
            skip("LITESET_TEST_PYTHON does not name a Python with chdb");
            return None;
        };
        Self::start(&python, "clickhouse_chdb.py", &[scratch("chdb").join("data").to_str().unwrap()])
    }

    /// The protocol of Trino and Presto, without an engine behind it.
    pub fn trino_protocol() -> Option<Self> {
        Self::start("python3", "trino_protocol.py", &[])
    }

    /// The same, for nobody without a proof.
    pub fn trino_with_proofs() -> Option<Self> {
        Self::start("python3", "trino_protocol.py", &["proof"])
    }

    /// The protocol of SQL Server, without an engine behind it.
    pub fn tds_protocol() -> Option<Self> {
        Self::start("python3", "tds_protocol.py", &[])
    }

    /// A provider of OpenID Connect.
    pub fn openid_provider() -> Option<Self> {
        Self::start("python3", "openid_provider.py", &[])
    }

    /// A directory, honest or not.
    pub fn directory(lie: &[&str]) -> Option<Self> {
        Self::start("python3", "ldap_directory.py", lie)
    }

    fn start(python: &str, script: &str, arguments: &[&str]) -> Option<Self> {
        let script = format!("{}/tests/servers/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(python)
            .arg(&script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if let Ok(port) = line.trim().parse() {
            return Some(Self { child, port });
        }
        let _ = child.wait();
        skip(&format!("{script} did not start"));
        None
    }
}

impl Drop for EngineServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
