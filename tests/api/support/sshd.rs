//! An OpenSSH server of the test's own: a free port, its own keys, its own configuration.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const SSHD: &str = "/usr/sbin/sshd";
/// The user with a password, where the test may make one.
const USER: &str = "liteset-tunnel";
pub const USER_PASSWORD: &str = "s3cret-canary-password";

/// A running server; it takes the keys `rsa` and `ed25519` (with [`PASSPHRASE`]) of its folder for the current user.
pub struct Sshd {
    child: Child,
    folder: PathBuf,
    pub port: u16,
    made_user: bool,
}

pub const PASSPHRASE: &str = "s3cret-canary-passphrase";

fn run(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|s| s.success())
}

fn root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

/// Users and packages are made on machines that are there for tests only.
fn may_change_the_machine() -> bool {
    root() && (std::env::var_os("CI").is_some() || std::env::var_os("LITESET_TEST_SSHD").is_some())
}

impl Sshd {
    /// Starts one, or says why not.
    pub fn start(folder: &Path) -> Option<Self> {
        if !Path::new(SSHD).exists() && may_change_the_machine() {
            run("apt-get", &["install", "-y", "openssh-server"]);
        }
        if !Path::new(SSHD).exists() {
            println!("skipped: no OpenSSH server at {SSHD}");
            return None;
        }
        if root() {
            let _ = std::fs::create_dir_all("/run/sshd");
        }
        let made_user = may_change_the_machine() && {
            run("userdel", &[USER]);
            run("useradd", &["--no-create-home", "--shell", "/bin/sh", USER])
                && run("sh", &["-c", &format!("echo {USER}:{USER_PASSWORD} | chpasswd")])
        };
        let folder = folder.join("sshd");
        std::fs::create_dir_all(&folder).unwrap();
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        for (name, kind, phrase) in
            [("host", "ed25519", ""), ("rsa", "rsa", ""), ("ed25519", "ed25519", PASSPHRASE)]
        {
            assert!(run("ssh-keygen", &["-q", "-t", kind, "-N", phrase, "-f", &at(name)]));
        }
        assert!(run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at("stranger")]));
        let allowed = ["rsa.pub", "ed25519.pub"].map(|n| std::fs::read_to_string(at(n)).unwrap()).concat();
        std::fs::write(at("authorized_keys"), allowed).unwrap();
        let mut sshd = Self { child: Self::launch(&folder, 0), port: 0, folder, made_user };
        sshd.stop();
        sshd.restart();
        Some(sshd)
    }

    fn launch(folder: &Path, port: u16) -> Child {
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPermitRootLogin yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
             AllowTcpForwarding yes\nUseDNS no\n",
            at("host"),
            at("authorized_keys"),
        );
        std::fs::write(at("config"), config).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        Command::new(SSHD).args(["-D", "-e", "-f", &at("config")]).stderr(log).spawn().unwrap()
    }

    /// Listens again, on the port that it had.
    pub fn restart(&mut self) {
        if self.port == 0 {
            self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        }
        self.child = Self::launch(&self.folder, self.port);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "sshd did not start");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Ends the sessions that are open; the server goes on listening.
    pub fn end_sessions(&self) {
        let mut waiting = vec![self.child.id().to_string()];
        while let Some(parent) = waiting.pop() {
            let found = Command::new("ps").args(["-o", "pid=", "--ppid", &parent]).output().unwrap();
            for child in String::from_utf8_lossy(&found.stdout).split_whitespace() {
                waiting.push(child.to_owned());
                run("kill", &["-9", child]);
            }
        }
    }

    /// Ends the server with its sessions.
    pub fn stop(&mut self) {
        self.end_sessions();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The text of a private key: `rsa`, `ed25519`, or `stranger`, which is not let in.
    pub fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Who has the keys.
    pub fn me(&self) -> String {
        let name = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8_lossy(&name.stdout).trim().to_owned()
    }

    /// The user with [`USER_PASSWORD`].
    pub fn user(&self) -> Option<&'static str> {
        self.made_user.then_some(USER)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
        if self.made_user {
            run("userdel", &[USER]);
        }
    }
}
