//! Who listens in this process: a bounded queue for each client, and when somebody last asked for a channel.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Events that may wait for one client; as many as a channel keeps, and some that come meanwhile.
const MAX_WAITING: usize = 2_048;
/// Bytes of them.
const MAX_BYTES: usize = 4 << 20;
/// Channels whose last use is remembered although nobody listens, before the oldest are forgotten.
const REMEMBERED: usize = 20_000;
/// After this time nobody asks any more when a channel was last used.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// What a client gets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// An event as JSON: `{"id": …, "channel_id": …, …}`.
    Event(Arc<str>),
    /// It does not keep up: what waits for it is more than its queue holds.
    Slow,
    /// The server stops.
    Stopped,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<str>>,
    bytes: usize,
    end: Option<Next>,
}

#[derive(Debug, Default)]
struct Client {
    queue: Mutex<Queue>,
    /// Something waits. There is one who takes it.
    filled: Notify,
    /// More came than it holds.
    overflowed: Notify,
}

impl Client {
    fn push(&self, frame: &Arc<str>) {
        let mut queue = self.queue.lock();
        if queue.end.is_some() {
            return;
        }
        if queue.waiting.len() >= MAX_WAITING || queue.bytes + frame.len() > MAX_BYTES {
            drop(queue);
            return self.end(Next::Slow);
        }
        queue.bytes += frame.len();
        queue.waiting.push_back(frame.clone());
        drop(queue);
        self.filled.notify_one();
    }

    fn end(&self, how: Next) {
        let mut queue = self.queue.lock();
        if how == Next::Slow {
            queue.waiting = VecDeque::new();
            queue.bytes = 0;
            self.overflowed.notify_one();
        }
        queue.end.get_or_insert(how);
        drop(queue);
        self.filled.notify_one();
    }
}

#[derive(Debug)]
struct Channel {
    clients: Vec<Arc<Client>>,
    /// When somebody last asked for its events or stopped to listen.
    seen: Instant,
}

#[derive(Debug, Default)]
struct State {
    channels: HashMap<String, Channel>,
    clients: usize,
    stopped: bool,
}

/// The clients of this process, by channel.
#[derive(Debug, Clone, Default)]
pub struct Listeners(Arc<Mutex<State>>);

impl Listeners {
    /// A queue for a new client of a channel.
    pub(super) fn add(&self, channel: &str) -> Listener {
        let client = Arc::<Client>::default();
        let mut state = self.0.lock();
        if state.stopped {
            client.end(Next::Stopped);
        }
        state.clients += 1;
        state.channel(channel).clients.push(client.clone());
        Listener { listeners: self.clone(), channel: channel.to_owned(), client }
    }

    /// Hands an event to every client of a channel.
    pub(super) fn deliver(&self, channel: &str, frame: &Arc<str>) {
        let state = self.0.lock();
        for client in state.channels.get(channel).iter().flat_map(|channel| &channel.clients) {
            client.push(frame);
        }
    }

    /// Somebody asked for the events of a channel, or caused one.
    pub(super) fn note_use(&self, channel: &str) {
        self.0.lock().channel(channel).seen = Instant::now();
    }

    /// How long nobody has listened to a channel or asked for its events; nothing while somebody listens.
    pub(super) fn left(&self, channel: &str) -> Option<Duration> {
        let state = self.0.lock();
        match state.channels.get(channel) {
            Some(channel) if !channel.clients.is_empty() => None,
            Some(channel) => Some(channel.seen.elapsed()),
            None => Some(FORGOTTEN),
        }
    }

    /// Clients of all channels.
    pub(super) fn count(&self) -> usize {
        self.0.lock().clients
    }

    /// Clients of one channel.
    pub(super) fn count_of(&self, channel: &str) -> usize {
        self.0.lock().channels.get(channel).map_or(0, |channel| channel.clients.len())
    }

    /// Ends all, and whoever comes later.
    pub(super) fn stop(&self) {
        let mut state = self.0.lock();
        state.stopped = true;
        for client in state.channels.values().flat_map(|channel| &channel.clients) {
            client.end(Next::Stopped);
        }
    }

    fn remove(&self, channel: &str, client: &Arc<Client>) {
        let mut state = self.0.lock();
        state.clients = state.clients.saturating_sub(1);
        if let Some(known) = state.channels.get_mut(channel) {
            known.clients.retain(|other| !Arc::ptr_eq(other, client));
            known.clients.shrink_to_fit();
            known.seen = Instant::now();
        }
    }
}

impl State {
    fn channel(&mut self, name: &str) -> &mut Channel {
        if self.channels.len() >= REMEMBERED && !self.channels.contains_key(name) {
            let limit = if self.channels.len() >= 2 * REMEMBERED { Duration::ZERO } else { FORGOTTEN };
            self.channels.retain(|_, channel| !channel.clients.is_empty() || channel.seen.elapsed() < limit);
        }
        let new = || Channel { clients: Vec::new(), seen: Instant::now() };
        self.channels.entry(name.to_owned()).or_insert_with(new)
    }
}

/// The queue of one client; it is gone when this is dropped.
#[derive(Debug)]
pub struct Listener {
    listeners: Listeners,
    channel: String,
    client: Arc<Client>,
}

impl Listener {
    /// What comes next; waits for it. One task at a time.
    pub async fn next(&self) -> Next {
        loop {
            let filled = self.client.filled.notified();
            {
                let mut queue = self.client.queue.lock();
                if let Some(frame) = queue.waiting.pop_front() {
                    queue.bytes -= frame.len();
                    if queue.waiting.is_empty() {
                        queue.waiting = VecDeque::new();
                    }
                    return Next::Event(frame);
                }
                if let Some(end) = &queue.end {
                    return end.clone();
                }
            }
            filled.await;
        }
    }

    /// Waits until the queue is more than full: whoever writes to a client that reads nothing learns it here.
    pub async fn overflowed(&self) {
        loop {
            let overflowed = self.client.overflowed.notified();
            if self.client.queue.lock().end == Some(Next::Slow) {
                return;
            }
            overflowed.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.listeners.remove(&self.channel, &self.client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Arc<str> {
        Arc::from(text)
    }

    #[tokio::test]
    async fn clients_of_a_channel_get_its_events_in_order() {
        let listeners = Listeners::default();
        let (one, two, other) = (listeners.add("a"), listeners.add("a"), listeners.add("b"));
        for text in ["1", "2"] {
            listeners.deliver("a", &frame(text));
        }
        for client in [&one, &two] {
            assert_eq!(client.next().await, Next::Event(frame("1")));
            assert_eq!(client.next().await, Next::Event(frame("2")));
        }
        let nothing = tokio::time::timeout(Duration::from_millis(20), other.next()).await;
        assert!(nothing.is_err());
        assert_eq!((listeners.count(), listeners.count_of("a")), (3, 2));
        drop((one, two, other));
        assert_eq!(listeners.count(), 0);
    }

    #[tokio::test]
    async fn a_client_that_does_not_keep_up_ends_with_a_bounded_queue() {
        let listeners = Listeners::default();
        let (slow, quick) = (listeners.add("a"), listeners.add("a"));
        let event = frame("x");
        for _ in 0..MAX_WAITING {
            listeners.deliver("a", &event);
            assert_eq!(quick.next().await, Next::Event(event.clone()));
        }
        assert!(slow.client.queue.lock().end.is_none());
        listeners.deliver("a", &event);
        slow.overflowed().await;
        assert_eq!(slow.next().await, Next::Slow);
        assert_eq!(slow.client.queue.lock().waiting.len(), 0);
        assert_eq!(quick.next().await, Next::Event(event));

        let large = listeners.add("b");
        listeners.deliver("b", &frame(&"x".repeat(MAX_BYTES)));
        listeners.deliver("b", &frame("x"));
        large.overflowed().await;
        assert_eq!(large.next().await, Next::Slow);
    }

    #[tokio::test]
    async fn stopping_ends_those_who_are_there_and_those_who_come() {
        let listeners = Listeners::default();
        let there = listeners.add("a");
        listeners.deliver("a", &frame("last"));
        listeners.stop();
        assert_eq!(there.next().await, Next::Event(frame("last")));
        assert_eq!(there.next().await, Next::Stopped);
        assert_eq!(listeners.add("a").next().await, Next::Stopped);
    }

    #[tokio::test]
    async fn a_channel_is_left_when_its_last_client_goes() {
        let listeners = Listeners::default();
        assert_eq!(listeners.left("a"), Some(FORGOTTEN));
        let client = listeners.add("a");
        assert_eq!(listeners.left("a"), None);
        drop(client);
        assert!(listeners.left("a").is_some_and(|left| left < Duration::from_secs(60)));
        for n in 0..3 * REMEMBERED {
            listeners.note_use(&n.to_string());
        }
        assert!(listeners.0.lock().channels.len() <= 2 * REMEMBERED, "forgotten ones make room");
    }
}
