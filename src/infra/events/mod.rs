//! Events of asynchronous queries (`superset.async_events`): streams that are appended to, read from an id on, and
//! listened to.
//!
//! A channel belongs to one session of a browser. Events of all channels are kept in this process, or in Redis where
//! other processes (liteset, Superset, Superset's own WebSocket server) read and write them, too.

mod id;
mod listeners;
mod memory;
mod redis_streams;
mod settings;

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::Result;
use listeners::Listeners;

pub use id::{EventId, NoId};
pub use listeners::{Listener, Next};
pub use settings::Settings;

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// A JSON object.
    pub data: String,
}

enum Place {
    Memory(memory::Streams),
    Redis(Arc<redis_streams::Streams>),
}

/// The events of all channels.
pub struct Events {
    place: Place,
    listeners: Listeners,
    /// The task that hands out what is written to Redis, once somebody listens.
    following: OnceCell<Following>,
}

/// A task that ends with the events.
struct Following(tokio::task::JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Events {
    /// Streams as configured; nothing is sent yet.
    pub fn new(settings: Settings) -> Self {
        let limits = (settings.limit, settings.limit_all);
        let place = match settings.place {
            settings::Place::Memory => Place::Memory(memory::Streams::new(limits.0, limits.1)),
            settings::Place::Redis(server) => {
                let settings::Server { address, certificates } = *server;
                let streams = redis_streams::Streams::new(address, certificates, settings.prefix, limits);
                Place::Redis(Arc::new(streams))
            }
        };
        Self { place, listeners: Listeners::default(), following: OnceCell::new() }
    }

    /// Whether everybody who may read the events is in this process.
    pub fn is_of_this_process(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }

    /// Appends an event, a JSON object, to a channel.
    pub async fn publish(&self, channel: &str, data: &str) -> Result<()> {
        match &self.place {
            Place::Memory(streams) => {
                streams.publish(channel, data, &self.listeners);
                Ok(())
            }
            Place::Redis(streams) => streams.publish(channel, data).await,
        }
    }

    /// Events of a channel from `start` on, a bound in Redis's form; an error where it is none.
    pub async fn range(&self, channel: &str, start: &str, count: usize) -> Result<Vec<Event>> {
        match &self.place {
            Place::Memory(streams) => streams.range(channel, start, count),
            Place::Redis(streams) => streams.range(channel, (start, "+"), Some(count)).await,
        }
    }

    /// A queue that gets the channel's events from now on.
    pub async fn listen(&self, channel: &str) -> Listener {
        let listener = self.listeners.add(channel);
        if let Place::Redis(streams) = &self.place {
            let follow = || async {
                let (begun, is_begun) = tokio::sync::oneshot::channel();
                let (streams, listeners) = (streams.clone(), self.listeners.clone());
                let begin = move || {
                    let _ = begun.send(());
                };
                let task = tokio::spawn(async move { streams.follow(&listeners, begin).await });
                let _ = is_begun.await;
                Following(task)
            };
            self.following.get_or_init(follow).await;
        }
        listener
    }

    /// Sends what a channel has kept from `start` on to all who listen to it, as Superset's WebSocket server does when
    /// one of them comes back.
    pub async fn replay(&self, channel: &str, start: &str) -> Result<()> {
        match &self.place {
            Place::Memory(streams) => streams.replay(channel, start, &self.listeners),
            Place::Redis(streams) => {
                // what comes after it is on its way already
                let end = streams.last_delivered();
                let events = streams.range(channel, (start, &end), None).await?;
                redis_streams::replay(&events, &self.listeners);
                Ok(())
            }
        }
    }

    /// Somebody asked for a channel's events, or for something that will be told there.
    pub fn note_use(&self, channel: &str) {
        self.listeners.note_use(channel);
    }

    /// How long nobody of this process has listened to a channel or asked for it; nothing while somebody listens.
    pub fn left(&self, channel: &str) -> Option<Duration> {
        self.listeners.left(channel)
    }

    /// Clients that listen.
    pub fn listeners(&self) -> usize {
        self.listeners.count()
    }

    /// Clients that listen to a channel.
    pub fn listeners_of(&self, channel: &str) -> usize {
        self.listeners.count_of(channel)
    }

    /// Ends all who listen: the process stops.
    pub fn stop(&self) {
        self.listeners.stop();
    }
}

/// An event as clients get it: its members behind its id. Nothing when it is no JSON object.
fn frame(id: &str, data: &str) -> Option<Arc<str>> {
    let members: Map<String, Value> = serde_json::from_str(data).ok()?;
    let mut all = Map::with_capacity(members.len() + 1);
    all.insert("id".to_owned(), id.into());
    all.extend(members);
    Some(Value::Object(all).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_comes_back_gets_what_was_missed_once() {
        let events = Events::new(Settings::in_memory());
        for n in 0..3 {
            events.publish("a", &format!(r#"{{"n": {n}}}"#)).await.unwrap();
        }
        let missed = events.range("a", "-", 100).await.unwrap();
        let listener = events.listen("a").await;
        events.replay("a", &format!("({}", missed[0].id)).await.unwrap();
        events.publish("a", r#"{"n": 3}"#).await.unwrap();
        for n in 1..4 {
            let Next::Event(frame) = listener.next().await else { panic!("ended") };
            assert!(frame.ends_with(&format!(r#""n":{n}}}"#)), "{frame}");
        }
        assert!(events.replay("a", "abc").await.is_err());
        assert!(events.is_of_this_process() && events.left("a").is_none());
    }
}
