//! Starting Chromium, and ending it with all its children.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::BrowserSettings;

/// Chromium reads commands from its descriptor 3 and answers on 4. A shell puts them there: nothing in safe Rust does.
const HAND_OVER: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// What it is always started with: without a window, talking to nobody, writing nothing that outlives it.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-pipe",
    // `navigator.webdriver`: pages draw charts also where nobody has scrolled to
    "--enable-automation",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--no-pings",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-hang-monitor",
    "--disable-notifications",
    "--disable-prompt-on-repost",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // the loopback goes through the proxy, too; what a proxy cannot carry goes nowhere
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--metrics-recording-only",
    "--mute-audio",
    "--hide-scrollbars",
    "--password-store=basic",
    "--use-mock-keychain",
    "--force-color-profile=srgb",
    // maps are drawn with WebGL, on machines without a graphics card too
    "--enable-unsafe-swiftshader",
    "--disk-cache-size=1",
    "--disable-features=Translate,MediaRouter,DialMediaRouteProvider,OptimizationHints,AutofillServerCommunication,\
     CertificateTransparencyComponentUpdater,InterestFeedContentSuggestions,SafeBrowsing,GlobalMediaControls",
];

/// Arguments that would take it out of our hands, or that other drivers want.
const OURS: &[&str] = &[
    "--headless",
    "--remote-debugging",
    "--remote-allow-origins",
    "--user-data-dir",
    "--proxy",
    "--no-proxy-server",
    "--host-r",
    "--window-size",
    "--force-device-scale-factor",
    "--marionette",
];

/// Profiles of one process; the number between is its own.
const PROFILE: &str = "liteset-chromium-";

/// A Chromium that runs.
pub(super) struct Process {
    pub child: Child,
    /// What it last complained about.
    pub error_output: ErrorOutput,
    group: Option<Pid>,
    /// Removed with it.
    _profile: TempDir,
}

/// Its ends of the two pipes.
pub(super) type Pipes = (ChildStdin, ChildStdout);

/// The last lines of its standard error.
#[derive(Clone, Default)]
pub(super) struct ErrorOutput(Arc<Mutex<Vec<String>>>);

impl ErrorOutput {
    fn follow(&self, stderr: ChildStderr) {
        let error_output = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                tracing::debug!(line, "Chromium says");
                // there is no desktop, and that is no news
                if line.contains("dbus") {
                    continue;
                }
                let mut kept = error_output.0.lock();
                if kept.len() >= 5 {
                    kept.remove(0);
                }
                kept.push(line.chars().take(300).collect());
            }
        });
    }

    /// In words for an operator.
    pub fn text(&self) -> String {
        let said = self.0.lock().join(" | ");
        if said.contains("No usable sandbox") || said.contains("Failed to move to new namespace") {
            return "it has no sandbox here: allow user namespaces, or set WEBDRIVER_OPTION_ARGS = [\"--no-sandbox\"]"
                .to_owned();
        }
        said
    }
}

/// Starts it; the profile is a fresh folder. All that it asks goes through the proxy at `fence`.
pub(super) fn launch(
    program: &Path,
    settings: &BrowserSettings,
    fence: SocketAddr,
) -> std::io::Result<(Process, Pipes)> {
    let folder = std::env::temp_dir();
    remove_abandoned(&folder);
    let profile =
        tempfile::Builder::new().prefix(&format!("{PROFILE}{}-", std::process::id())).tempdir_in(folder)?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", HAND_OVER]).arg(program).args(arguments(settings, fence, profile.path()));
    // our environment holds secrets
    command.env_clear().env("HOME", profile.path());
    for name in ["PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.current_dir(profile.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let error_output = ErrorOutput::default();
    if let Some(stderr) = child.stderr.take() {
        error_output.follow(stderr);
    }
    let pipes = child.stdin.take().zip(child.stdout.take());
    let process = Process { child, error_output, group, _profile: profile };
    pipes.map(|pipes| (process, pipes)).ok_or_else(|| std::io::Error::other("no pipes"))
}

fn arguments(settings: &BrowserSettings, fence: SocketAddr, profile: &Path) -> Vec<String> {
    let mut all: Vec<String> = ARGUMENTS.iter().map(|a| (*a).to_owned()).collect();
    all.push(format!("--user-data-dir={}", profile.display()));
    all.push(format!("--proxy-server=http://{fence}"));
    let named =
        |argument: &&String| argument.starts_with("--") && !OURS.iter().any(|a| argument.starts_with(a));
    all.extend(settings.arguments.iter().filter(named).cloned());
    // Chromium refuses to run as root in its sandbox
    if geteuid().is_root() && !all.iter().any(|a| a == "--no-sandbox") {
        all.push("--no-sandbox".to_owned());
    }
    all.push("about:blank".to_owned());
    all
}

impl Process {
    /// Ends it with all that it has started, and waits until it is gone.
    pub async fn kill(mut self) {
        self.signal();
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }

    fn signal(&self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // once it was waited for, its number may be another's
        if self.child.id().is_some() {
            self.signal();
        }
    }
}

/// Profiles of processes that were killed.
fn remove_abandoned(folder: &Path) {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let abandoned: Vec<PathBuf> = names
        .filter(|entry| {
            let name = entry.file_name();
            let rest =
                name.to_str().and_then(|name| name.strip_prefix(PROFILE)).and_then(|r| r.split_once('-'));
            rest.is_some_and(|(id, _)| id.parse::<u32>().is_ok_and(|id| !is_alive(id)))
        })
        .map(|entry| entry.path())
        .collect();
    for path in abandoned {
        let _ = std::fs::remove_dir_all(path);
    }
}

fn is_alive(id: u32) -> bool {
    i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(arguments: &[&str]) -> BrowserSettings {
        BrowserSettings {
            program: None,
            arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            pages: 1,
            idle: Duration::from_secs(1),
            max_mb: 100,
        }
    }

    #[test]
    fn arguments_of_the_operator_cannot_open_a_port() {
        let given = [
            "--lang=de",
            "--headless",
            "--remote-debugging-port=9222",
            "--proxy-server=x",
            "http://evil.example/",
            "--marionette",
        ];
        let all = arguments(&settings(&given), ([127, 0, 0, 1], 9).into(), Path::new("/tmp/p"));
        assert!(all.contains(&"--lang=de".to_owned()));
        assert!(
            !all.iter().any(|a| a.contains("9222") || a.contains("evil") || a == "--marionette"),
            "{all:?}"
        );
        let proxies: Vec<_> = all.iter().filter(|a| a.starts_with("--proxy-server")).collect();
        assert_eq!(proxies, ["--proxy-server=http://127.0.0.1:9"]);
    }

    #[test]
    fn profiles_of_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dead = folder.path().join(format!("{PROFILE}{}-x", i32::MAX));
        let living = folder.path().join(format!("{PROFILE}{}-x", std::process::id()));
        let other = folder.path().join(format!("{PROFILE}mine"));
        for path in [&dead, &living, &other] {
            std::fs::create_dir(path).unwrap();
        }
        remove_abandoned(folder.path());
        assert_eq!([dead.exists(), living.exists(), other.exists()], [false, true, true]);
    }
}
