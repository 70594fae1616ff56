//! What systemd is told (`sd_notify`): datagrams to the socket that `NOTIFY_SOCKET` names; nothing without one.

use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::net::{SocketAddr, UnixDatagram},
    time::Duration,
};

/// The service is ready; `status` is for `systemctl status`.
pub fn ready(status: &str) {
    send(&format!("READY=1\nSTATUS={status}\nMAINPID={}", std::process::id()));
}

/// The configuration is read again; [`ready`] ends it.
pub fn reloading() {
    send("RELOADING=1");
}

/// The service ends.
pub fn stopping() {
    send("STOPPING=1\nSTATUS=stopping: requests in flight may finish");
}

/// Gives signs of life as often as systemd wants, from the runtime that answers requests: one that stands still gives
/// none.
pub fn start_watchdog() {
    let of_us = env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
    let micros = env::var("WATCHDOG_USEC").ok().and_then(|micros| micros.parse().ok()).filter(|_| of_us);
    let Some(period) = micros.map(|micros: u64| Duration::from_micros(micros / 2)) else { return };
    if period.is_zero() {
        return;
    }
    tokio::spawn(async move {
        loop {
            send("WATCHDOG=1");
            tokio::time::sleep(period).await;
        }
    });
}

#[cfg(target_os = "linux")]
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    match name.as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(not(target_os = "linux"))]
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(name)
}

fn send(message: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    let sent = address(&name).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(message.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd was not told");
    }
}
