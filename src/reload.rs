//! SIGHUP: the configuration is read again, and what may change while the server runs is taken over.

use infra::{
    config::Config,
    telemetry::{Thresholds, set_thresholds},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::{
    encryption::{self, Files},
    notify,
};

/// Keys that are taken over; the others need a restart.
const TAKEN_OVER: &[&str] = &["LOG_FILTER", "SLOW_REQUEST_MS", "SLOW_STATEMENT_MS"];

/// How it is read again.
pub struct Reload {
    /// Reads the configuration as the start did; an error is for the operator.
    pub read: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
    /// Puts the filter of the log in force that a configuration wants; an error says why it is not.
    pub set_log_filter: fn(&Config) -> Result<(), String>,
}

/// Waits for SIGHUP, as long as the task runs. `files`: those of the certificate.
pub fn start(before: &Config, reload: Reload, files: Files) -> std::io::Result<JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let (mut before, reload) = (before.clone(), std::sync::Arc::new(reload));
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            notify::reloading();
            let (own, files) = (reload.clone(), files.clone());
            let read = tokio::task::spawn_blocking(move || {
                let now = (own.read)()?;
                let certificate = files.map(|files| encryption::read_again(&files, &now));
                Ok::<_, String>((now, certificate))
            });
            match read.await.unwrap_or_else(|error| Err(error.to_string())) {
                Ok((now, certificate)) => {
                    take_over(&before, &now, &reload, certificate);
                    before = now;
                }
                Err(error) => {
                    tracing::error!(error, "the configuration cannot be read again: nothing has changed");
                }
            }
            notify::ready("answering requests");
        }
    }))
}

/// What became of the files of the certificate: another one is shown, it is the same, or they are broken.
type Certificate = Option<Result<Option<String>, String>>;

fn take_over(before: &Config, now: &Config, reload: &Reload, certificate: Certificate) {
    let has_read = matches!(certificate, Some(Ok(_)));
    let is_taken_over = |key: &str| TAKEN_OVER.contains(&key) || has_read && encryption::FILES.contains(&key);
    let (mut taken, waiting): (Vec<String>, Vec<String>) =
        before.differing(now).into_iter().partition(|key| is_taken_over(key.as_str()));
    match certificate {
        Some(Ok(Some(words))) => taken.push(format!("certificate {words}")),
        Some(Err(error)) => tracing::error!(error, "the certificate is not taken over; the old one stays"),
        Some(Ok(None)) | None => {}
    }
    if taken.iter().any(|key| key == "LOG_FILTER")
        && let Err(why) = (reload.set_log_filter)(now)
    {
        tracing::warn!(why, "LOG_FILTER is not taken over");
        taken.retain(|key| key != "LOG_FILTER");
    }
    set_thresholds(Thresholds::new(now.int("SLOW_REQUEST_MS"), now.int("SLOW_STATEMENT_MS")));
    let (taken, waiting) = (taken.join(", "), waiting.join(", "));
    tracing::info!(taken_over = taken, needs_restart = waiting, "configuration read again");
}
