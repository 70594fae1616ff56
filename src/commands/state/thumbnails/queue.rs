//! Pictures that are to be taken: none twice.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

use super::ThumbnailRequest;
use crate::state::jobs::JobKind;

/// Pictures that wait; who asks for more is told the same and asks again.
const MOST_WAITING: usize = 2_000;

/// A picture to be taken.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its key in the cache.
    pub key: String,
    /// What is wanted.
    pub request: ThumbnailRequest,
    /// How it is counted.
    pub job: JobKind,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Task>,
    /// Keys of those that wait, and of those that are being taken.
    queued: HashSet<String>,
    taken: HashSet<String>,
    workers: usize,
}

/// The pictures of this process.
#[derive(Default)]
pub struct Queue(Mutex<State>);

impl Queue {
    /// How many wait, and how many are being taken.
    pub fn lengths(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.taken.len())
    }

    /// Whether a picture would be queued now: one that is being taken only if it is to be taken anew.
    pub fn takes(&self, key: &str, force: bool) -> bool {
        let state = self.0.lock();
        let known = state.queued.contains(key) || state.taken.contains(key) && !force;
        !known && state.waiting.len() < MOST_WAITING
    }

    /// Queues a picture, unless it is queued; true when another worker is to begin, of whom there are `most`.
    pub fn add(&self, task: Task, most: usize) -> bool {
        let mut state = self.0.lock();
        if state.waiting.len() >= MOST_WAITING || !state.queued.insert(task.key.clone()) {
            return false;
        }
        state.waiting.push_back(task);
        let begins = state.workers < most;
        state.workers += usize::from(begins);
        begins
    }

    /// The next picture; without one the worker who asks is gone.
    pub fn next(&self) -> Option<Task> {
        let mut state = self.0.lock();
        // a picture of which an older one is just being taken waits for it
        let free = state.waiting.iter().position(|task| !state.taken.contains(&task.key));
        let Some(task) = free.and_then(|at| state.waiting.remove(at)) else {
            state.workers = state.workers.saturating_sub(1);
            return None;
        };
        state.queued.remove(&task.key);
        state.taken.insert(task.key.clone());
        Some(task)
    }

    /// A picture was taken, or not.
    pub fn done(&self, key: &str) {
        self.0.lock().taken.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(key: &str) -> Task {
        Task { key: key.to_owned(), request: ThumbnailRequest::default(), job: JobKind::Thumbnail }
    }

    #[test]
    fn no_picture_is_taken_twice_at_the_same_time() {
        let queue = Queue::default();
        assert!(queue.add(task("a"), 1));
        assert!(!queue.add(task("a"), 1) && !queue.add(task("b"), 1), "one worker");
        assert_eq!(queue.lengths(), (2, 0));
        let first = queue.next().unwrap();
        assert_eq!((first.key.as_str(), queue.lengths()), ("a", (1, 1)));
        assert!(!queue.takes("a", false) && queue.takes("a", true) && !queue.takes("b", true));
        queue.add(task("a"), 1);
        assert_eq!(queue.next().unwrap().key, "b", "a is being taken");
        assert!(queue.next().is_none());
        queue.done("a");
        // its worker comes back for it
        assert_eq!(queue.next().unwrap().key, "a");
        assert!(queue.next().is_none() && queue.takes("b", true));
        queue.done("b");
        assert!(queue.takes("b", false));
        assert!(queue.add(task("c"), 1), "a new worker");
    }

    #[test]
    fn the_queue_has_a_bound() {
        let queue = Queue::default();
        for n in 0..MOST_WAITING + 10 {
            queue.add(task(&n.to_string()), 1);
        }
        assert_eq!(queue.lengths(), (MOST_WAITING, 0));
        assert!(!queue.takes("another", true));
    }
}
