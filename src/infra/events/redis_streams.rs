//! Streams of events in Redis, as `superset.async_events.async_query_manager:AsyncQueryManager` writes them and
//! Superset's WebSocket server reads them: one for each channel, and one with the events of all (`…full`).

use std::time::Duration;

use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, RedisError, TlsCertificates, Value,
    aio::MultiplexedConnection,
};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    Event, frame,
    listeners::Listeners,
    settings::{Address, Certificates},
};
use crate::{Error, Result};

/// How long a connection may take, and how long an answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
/// How long one read of the stream of all waits for an event.
const BLOCK: Duration = Duration::from_secs(5);
/// Events of one read.
const AT_ONCE: usize = 100;
/// Between attempts to reach a server that is away.
const RETRY: Duration = Duration::from_secs(1);

/// The streams of a server.
pub(super) struct Streams {
    address: Address,
    certificates: Certificates,
    prefix: String,
    limit: usize,
    limit_all: usize,
    connection: AsyncMutex<Option<MultiplexedConnection>>,
    /// The last event of all that this process has read.
    last: Mutex<Option<String>>,
}

impl Streams {
    pub(super) fn new(
        address: Address,
        certificates: Certificates,
        prefix: String,
        (limit, limit_all): (usize, usize),
    ) -> Self {
        let (connection, last) = (AsyncMutex::default(), Mutex::default());
        Self { address, certificates, prefix, limit, limit_all, connection, last }
    }

    fn stream(&self, channel: &str) -> String {
        format!("{}{channel}", self.prefix)
    }

    /// Asks the server; one that went away is looked for once more.
    async fn ask(&self, command: &redis::Pipeline) -> Result<Vec<Value>> {
        let mut again = true;
        loop {
            let asked = async {
                let mut connection = self.connection().await?;
                command.query_async::<Vec<Value>>(&mut connection).await
            };
            match asked.await {
                Ok(answers) => return Ok(answers),
                Err(error) => {
                    let lost = error.is_io_error() || error.is_timeout() || error.is_connection_dropped();
                    let moved = error.code() == Some("READONLY");
                    if lost || moved {
                        *self.connection.lock().await = None;
                    }
                    if (lost && !error.is_timeout() || moved) && std::mem::take(&mut again) {
                        continue;
                    }
                    return Err(without_address(&error));
                }
            }
        }
    }

    async fn connection(&self) -> std::result::Result<MultiplexedConnection, RedisError> {
        let mut known = self.connection.lock().await;
        if let Some(connection) = &*known {
            return Ok(connection.clone());
        }
        let connection = self.connect(ANSWER).await?;
        *known = Some(connection.clone());
        Ok(connection)
    }

    async fn connect(&self, answer: Duration) -> std::result::Result<MultiplexedConnection, RedisError> {
        let config = || {
            AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(answer))
        };
        let url = match &self.address {
            Address::Url(url) => url.clone(),
            Address::Sentinel { sentinels, password, master, server } => {
                let mut found = None;
                for (host, port) in sentinels {
                    let asked = ask_sentinel((host, *port), password.as_deref(), master, config()).await;
                    match asked {
                        Ok(address) => {
                            found = Some(address);
                            break;
                        }
                        Err(error) => {
                            tracing::warn!(host, port, kind = ?error.kind(), "a sentinel does not answer")
                        }
                    }
                }
                let (host, port) =
                    found.ok_or_else(|| RedisError::from(std::io::Error::other("no sentinel answers")))?;
                Address::of_master(server, &host, port)
            }
        };
        self.client(&url)?.get_multiplexed_async_connection_with_config(&config()).await
    }

    fn client(&self, url: &str) -> std::result::Result<Client, RedisError> {
        if self.certificates == Certificates::default() {
            return Client::open(url);
        }
        let read = |path: &String| std::fs::read(path).map_err(RedisError::from);
        let client_tls = match &self.certificates.own {
            Some((certificate, key)) => {
                Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
            }
            None => None,
        };
        let root_cert = self.certificates.authorities.as_ref().map(read).transpose()?;
        Client::build_with_tls(url, TlsCertificates { client_tls, root_cert })
    }

    /// Adds an event to its channel and to the stream of all, in one go.
    pub(super) async fn publish(&self, channel: &str, data: &str) -> Result<()> {
        let mut both = redis::pipe();
        for (stream, limit) in [(self.stream(channel), self.limit), (self.stream("full"), self.limit_all)] {
            both.cmd("XADD").arg(stream).arg("MAXLEN").arg("~").arg(limit).arg("*").arg("data").arg(data);
        }
        self.ask(&both).await.map(|_| ())
    }

    /// Events of a channel between two bounds.
    pub(super) async fn range(
        &self,
        channel: &str,
        (start, end): (&str, &str),
        count: Option<usize>,
    ) -> Result<Vec<Event>> {
        let mut one = redis::pipe();
        one.cmd("XRANGE").arg(self.stream(channel)).arg(start).arg(end);
        if let Some(count) = count {
            one.arg("COUNT").arg(count);
        }
        let answers = self.ask(&one).await?;
        Ok(answers.first().map(entries).unwrap_or_default())
    }

    /// The last event of all that those who listen have been told of; `+` before the first.
    pub(super) fn last_delivered(&self) -> String {
        self.last.lock().clone().unwrap_or_else(|| "+".to_owned())
    }

    /// Reads the events of all and hands them to those who listen, for ever. `begun` is told when nothing that happens
    /// from now on is missed.
    pub(super) async fn follow(&self, listeners: &Listeners, begun: impl FnOnce()) {
        let (mut begun, mut from, mut away) = (Some(begun), None, false);
        loop {
            let error = match self.read(listeners, &mut from, &mut begun, &mut away).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            if !std::mem::replace(&mut away, true) {
                tracing::warn!(kind = ?error.kind(), "Redis does not answer: events wait until it does");
            }
            // whoever waits for the beginning must not wait for a server that is away
            if let Some(begun) = begun.take() {
                begun();
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn read(
        &self,
        listeners: &Listeners,
        from: &mut Option<String>,
        begun: &mut Option<impl FnOnce()>,
        away: &mut bool,
    ) -> std::result::Result<std::convert::Infallible, RedisError> {
        let mut connection = self.connect(BLOCK * 2).await?;
        let stream = self.stream("full");
        let mut at = match from.take() {
            Some(at) => at,
            None => {
                let last = redis::cmd("XREVRANGE").arg(&stream).arg("+").arg("-").arg("COUNT").arg(1).take();
                let last: Value = last.query_async(&mut connection).await?;
                entries(&last).pop().map_or_else(|| "0-0".to_owned(), |event| event.id)
            }
        };
        *from = Some(at.clone());
        if let Some(begun) = begun.take() {
            begun();
        }
        if std::mem::take(away) {
            tracing::info!("events come from Redis again");
        }
        loop {
            let mut ask = redis::cmd("XREAD");
            ask.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or(5_000));
            let answer: Value = ask.arg("STREAMS").arg(&stream).arg(&at).query_async(&mut connection).await?;
            for event in of_streams(&answer) {
                deliver(&event, listeners);
                at.clone_from(&event.id);
                *self.last.lock() = Some(event.id);
            }
            *from = Some(at.clone());
        }
    }
}

/// Hands an event to those who listen to the channel that it names.
pub(super) fn deliver(event: &Event, listeners: &Listeners) {
    let parsed = serde_json::from_str::<serde_json::Value>(&event.data).ok();
    let channel = parsed.as_ref().and_then(|data| data.get("channel_id")?.as_str());
    if let (Some(channel), Some(frame)) = (channel, frame(&event.id, &event.data)) {
        listeners.deliver(channel, &frame);
    }
}

async fn ask_sentinel(
    (host, port): (&str, u16),
    password: Option<&str>,
    master: &str,
    config: AsyncConnectionConfig,
) -> std::result::Result<(String, u16), RedisError> {
    let mut map = serde_json::Map::new();
    map.insert("CACHE_REDIS_PASSWORD".to_owned(), password.into());
    let url = Address::of_master(&map, host, port);
    let mut connection = Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await?;
    let named: Option<(String, u16)> = redis::cmd("SENTINEL")
        .arg("get-master-addr-by-name")
        .arg(master)
        .query_async(&mut connection)
        .await?;
    named.ok_or_else(|| RedisError::from(std::io::Error::other("the sentinel knows no such master")))
}

/// The failure without the address, which may hold a password.
fn without_address(error: &RedisError) -> Error {
    match error.code() {
        Some(code) => Error::internal(format!("Redis: {code} {}", error.detail().unwrap_or_default())),
        None => Error::internal(format!("Redis: {:?}", error.kind())),
    }
}

/// `[[stream, [entry, …]], …]`, or nothing where nothing came in time.
fn of_streams(value: &Value) -> Vec<Event> {
    match value {
        Value::Array(streams) => streams
            .iter()
            .filter_map(|stream| match stream {
                Value::Array(pair) => pair.get(1),
                _ => None,
            })
            .flat_map(entries)
            .collect(),
        Value::Map(streams) => streams.iter().flat_map(|(_, list)| entries(list)).collect(),
        _ => Vec::new(),
    }
}

/// `[[id, [field, value, …]], …]`: the first value is the event, whatever its field is called.
fn entries(value: &Value) -> Vec<Event> {
    let Value::Array(list) = value else { return Vec::new() };
    let entry = |entry: &Value| {
        let Value::Array(pair) = entry else { return None };
        let Value::Array(fields) = pair.get(1)? else { return None };
        Some(Event { id: text(pair.first()?)?, data: text(fields.get(1)?)? })
    };
    list.iter().filter_map(entry).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

/// The frame of every event that is replayed, to all who listen to its channel.
pub(super) fn replay(events: &[Event], listeners: &Listeners) {
    for event in events {
        deliver(event, listeners);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn answers_of_redis_are_read() {
        let entry = Value::Array(vec![bulk("1-0"), Value::Array(vec![bulk("data"), bulk("{}")])]);
        let odd = Value::Array(vec![bulk("1-1"), Value::Array(vec![])]);
        let list = Value::Array(vec![entry, odd]);
        let read = Value::Array(vec![Value::Array(vec![bulk("full"), list])]);
        assert_eq!(of_streams(&read), [Event { id: "1-0".into(), data: "{}".into() }]);
        assert!(of_streams(&Value::Nil).is_empty());
    }

    #[tokio::test]
    async fn events_reach_those_who_listen_to_their_channel() {
        let listeners = Listeners::default();
        let listener = listeners.add("a");
        deliver(&Event { id: "1-0".into(), data: r#"{"channel_id": "b"}"#.into() }, &listeners);
        deliver(&Event { id: "1-1".into(), data: "no JSON".into() }, &listeners);
        deliver(
            &Event { id: "1-2".into(), data: r#"{"channel_id": "a", "x": "\u00fc"}"#.into() },
            &listeners,
        );
        let wanted: Arc<str> = r#"{"id":"1-2","channel_id":"a","x":"ü"}"#.into();
        assert_eq!(listener.next().await, super::super::Next::Event(wanted));
    }
}
