//! The process itself, under the names that Prometheus' client libraries give it.

use std::{fs, sync::LazyLock, time::SystemTime};

use super::metrics::Sample;

/// When the process was first asked, which is when it starts.
static BEGAN: LazyLock<f64> = LazyLock::new(|| {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
});

/// The process begins.
pub(super) fn begin() {
    LazyLock::force(&BEGAN);
}

/// What the kernel says; what it does not say is left out.
pub(super) fn samples() -> Vec<Sample> {
    let mut samples = vec![Sample::gauge(
        "process_start_time_seconds",
        "Start of the process, in seconds since 1970",
        BEGAN.round(),
    )];
    let field = |name: &str| -> Option<f64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    if let Some(kilobytes) = field("VmRSS:") {
        let help = "Memory that the process has, in bytes";
        samples.push(Sample::gauge("process_resident_memory_bytes", help, kilobytes * 1024.0));
    }
    if let Some(threads) = field("Threads:") {
        samples.push(Sample::gauge("process_threads", "Threads of the process", threads));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let help = "Files and sockets that the process has open";
        // one of them is this folder
        samples.push(Sample::gauge("process_open_fds", help, open.count().saturating_sub(1) as f64));
    }
    samples
}
