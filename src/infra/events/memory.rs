//! Streams of events in this process, bounded as the original's are in Redis, and in bytes besides.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

use super::{Event, frame, id, id::EventId, listeners::Listeners};

/// Bytes of all events together.
const MAX_BYTES: usize = 32 << 20;
/// Events of all channels, however many the configuration allows.
const MAX_EVENTS: usize = 200_000;
/// What an event takes besides its text.
const OVERHEAD: usize = 256;

/// Streams by channel.
#[derive(Debug)]
pub(super) struct Streams {
    state: Mutex<State>,
    /// Events of one channel (`GLOBAL_ASYNC_QUERIES_REDIS_STREAM_LIMIT`).
    limit: usize,
    /// Events of all (`GLOBAL_ASYNC_QUERIES_REDIS_STREAM_LIMIT_FIREHOSE`).
    limit_all: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    channels: HashMap<Arc<str>, VecDeque<(EventId, Arc<str>)>>,
    /// Whose event came when, the oldest first.
    order: VecDeque<(EventId, Arc<str>)>,
    last: EventId,
    bytes: usize,
}

impl Streams {
    pub(super) fn new(limit: usize, limit_all: usize) -> Self {
        Self {
            state: Mutex::default(),
            limit: limit.max(1),
            limit_all: limit_all.clamp(1, MAX_EVENTS),
            max_bytes: MAX_BYTES,
        }
    }

    /// Adds an event and hands it to those who listen, in one step: nobody misses it, nobody gets it twice.
    pub(super) fn publish(&self, channel: &str, data: &str, listeners: &Listeners) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let mut state = self.state.lock();
        let id = state.add(channel, data, now, self);
        if let Some(frame) = frame(&id.to_string(), data) {
            listeners.deliver(channel, &frame);
        }
    }

    /// Events of a channel from a bound on, at most `count`.
    pub(super) fn range(&self, channel: &str, start: &str, count: usize) -> crate::Result<Vec<Event>> {
        let start = id::start(start).map_err(crate::Error::internal)?;
        Ok(self.state.lock().range(channel, start, count))
    }

    /// Events of a channel from a bound on to all who listen.
    pub(super) fn replay(&self, channel: &str, start: &str, listeners: &Listeners) -> crate::Result<()> {
        let start = id::start(start).map_err(crate::Error::internal)?;
        let state = self.state.lock();
        for event in state.range(channel, start, usize::MAX) {
            if let Some(frame) = frame(&event.id, &event.data) {
                listeners.deliver(channel, &frame);
            }
        }
        Ok(())
    }
}

impl State {
    fn add(&mut self, channel: &str, data: &str, now_ms: u64, bounds: &Streams) -> EventId {
        let id = self.last.next(now_ms);
        self.last = id;
        let name = match self.channels.get_key_value(channel) {
            Some((name, _)) => name.clone(),
            None => Arc::from(channel),
        };
        let events = self.channels.entry(name.clone()).or_default();
        events.push_back((id, Arc::from(data)));
        self.bytes += data.len() + OVERHEAD;
        if events.len() > bounds.limit
            && let Some((_, old)) = events.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(old.len() + OVERHEAD);
        }
        self.order.push_back((id, name));
        while self.order.len() > bounds.limit_all || self.bytes > bounds.max_bytes {
            let Some((oldest, channel)) = self.order.pop_front() else { break };
            self.forget(oldest, &channel);
        }
        id
    }

    /// The oldest event of all is the oldest of its channel, unless the channel has dropped it already.
    fn forget(&mut self, id: EventId, channel: &Arc<str>) {
        let Some(events) = self.channels.get_mut(channel) else { return };
        if events.front().is_some_and(|(first, _)| *first == id)
            && let Some((_, data)) = events.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(data.len() + OVERHEAD);
        }
        if events.is_empty() {
            self.channels.remove(channel);
        }
    }

    fn range(&self, channel: &str, start: EventId, count: usize) -> Vec<Event> {
        let Some(events) = self.channels.get(channel) else { return Vec::new() };
        let from = events.partition_point(|(id, _)| *id < start);
        let found = events.range(from..).take(count);
        found.map(|(id, data)| Event { id: id.to_string(), data: data.to_string() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(streams: &Streams, channel: &str, start: &str) -> Vec<String> {
        streams.range(channel, start, 100).unwrap().into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn a_channel_keeps_so_many_and_all_keep_so_many() {
        let (streams, listeners) = (Streams::new(2, 3), Listeners::default());
        for text in ["1", "2", "3"] {
            streams.publish("a", text, &listeners);
        }
        assert_eq!(data(&streams, "a", "-"), ["2", "3"]);
        for text in ["4", "5"] {
            streams.publish("b", text, &listeners);
        }
        assert_eq!(data(&streams, "b", "-"), ["4", "5"]);
        assert_eq!(data(&streams, "a", "-"), ["3"], "the oldest of all made room");
        assert!(streams.range("a", "abc", 1).is_err());
        let state = streams.state.lock();
        assert_eq!((state.bytes, state.order.len()), (3 * (1 + OVERHEAD), 3));
    }

    #[test]
    fn bytes_are_bounded() {
        let listeners = Listeners::default();
        let streams = Streams { max_bytes: 10_000, ..Streams::new(1000, 1_000_000) };
        for n in 0..1000 {
            streams.publish(&format!("channel {n}"), &"x".repeat(100), &listeners);
        }
        let state = streams.state.lock();
        assert!(state.bytes <= 10_000 && state.channels.len() <= 10_000 / 356, "{}", state.bytes);
    }

    #[test]
    fn ranges_begin_at_their_bound() {
        let (streams, listeners) = (Streams::new(10, 10), Listeners::default());
        for text in ["1", "2", "3"] {
            streams.publish("a", text, &listeners);
        }
        let ids: Vec<String> = streams.range("a", "-", 2).unwrap().into_iter().map(|e| e.id).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(data(&streams, "a", &ids[1]), ["2", "3"]);
        assert_eq!(data(&streams, "a", &format!("({}", ids[1])), ["3"]);
        assert_eq!(data(&streams, "a", "9999999999999-0").len(), 0);
        assert_eq!(data(&streams, "nobody", "-").len(), 0);
    }
}
