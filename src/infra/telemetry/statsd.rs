//! `STATS_LOGGER`: counters and timings for a statsd (`superset.stats_logger:StatsdStatsLogger`).
//!
//! A datagram is given to the kernel or is lost; nobody waits for it, and nobody hears of a statsd that is not there.

use std::{net::UdpSocket, sync::OnceLock, time::Duration};

use serde_json::Value;

/// Where counters go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsdSettings {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What all names begin with; nothing without one.
    pub prefix: String,
}

impl StatsdSettings {
    /// What `STATS_LOGGER` says; nothing for `DummyStatsLogger`, which is Superset's default.
    #[must_use]
    pub fn read(stats_logger: &Value) -> Option<Self> {
        let given = stats_logger.as_object()?;
        if given.get("class").and_then(Value::as_str).is_some_and(|class| class != "StatsdStatsLogger") {
            return None;
        }
        let text = |key: &str, default: &str| match given.get(key) {
            None => default.to_owned(),
            Some(value) => value.as_str().unwrap_or_default().to_owned(),
        };
        let port = given.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
        Some(Self {
            host: text("host", "localhost"),
            port: port.unwrap_or(8125),
            prefix: text("prefix", "superset"),
        })
    }
}

/// A socket that is connected to one.
#[derive(Debug)]
pub struct Statsd {
    socket: UdpSocket,
    prefix: String,
}

static STATSD: OnceLock<Statsd> = OnceLock::new();

impl Statsd {
    /// Finds the address of a name and makes a socket; blocks while it does.
    pub fn connect(settings: &StatsdSettings) -> std::io::Result<Self> {
        let at = (settings.host.as_str(), settings.port);
        let connect = |own: &str| {
            let socket = UdpSocket::bind((own, 0))?;
            socket.connect(at)?;
            socket.set_nonblocking(true)?;
            std::io::Result::Ok(socket)
        };
        let socket = connect("0.0.0.0").or_else(|_| connect("::"))?;
        let dot = if settings.prefix.is_empty() { "" } else { "." };
        Ok(Self { socket, prefix: format!("{}{dot}", settings.prefix) })
    }

    /// From here on counters go there.
    pub fn start(self) {
        // there is one for a process
        let _ = STATSD.set(self);
    }

    fn send(&self, name: &str, value: &str) {
        let _ = self.socket.send(format!("{}{name}:{value}", self.prefix).as_bytes());
    }
}

pub(super) fn is_on() -> bool {
    STATSD.get().is_some()
}

pub(super) fn incr(name: &str) {
    if let Some(statsd) = STATSD.get() {
        statsd.send(name, "1|c");
    }
}

pub(super) fn timing(name: &str, took: Duration) {
    if let Some(statsd) = STATSD.get() {
        // six places, as the client of Python writes them
        statsd.send(name, &format!("{:.6}|ms", took.as_secs_f64() * 1000.0));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: Value) -> Option<StatsdSettings> {
        StatsdSettings::read(&value)
    }

    #[test]
    fn the_class_and_its_arguments_are_read() {
        assert_eq!(settings(Value::Null), None);
        assert_eq!(settings(json!({"class": "DummyStatsLogger"})), None);
        let of = |host: &str, port, prefix: &str| {
            Some(StatsdSettings { host: host.to_owned(), port, prefix: prefix.to_owned() })
        };
        assert_eq!(settings(json!({"class": "StatsdStatsLogger"})), of("localhost", 8125, "superset"));
        assert_eq!(settings(json!({"host": "h", "port": 9, "prefix": null})), of("h", 9, ""));
    }

    #[test]
    fn datagrams_are_those_of_the_python_client() {
        let there = UdpSocket::bind("127.0.0.1:0").unwrap();
        there.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (host, port) = ("localhost".to_owned(), there.local_addr().unwrap().port());
        let statsd = Statsd::connect(&StatsdSettings { host, port, prefix: "superset".to_owned() });
        statsd.unwrap().send("ChartRestApi.get_list.success", "1|c");
        let mut bytes = [0; 200];
        let length = there.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"superset.ChartRestApi.get_list.success:1|c");
    }
}
