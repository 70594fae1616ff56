//! Limits per address (`flask_limiter`): fixed windows of one second, in memory.
//!
//! Superset switches its limiter on only when `SUPERSET_ENV` is `production`. Here failed logins are always counted
//! (`super::login_limit`): passwords cannot be guessed fast, and nobody who knows one is held up.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Addresses remembered at a time; past it, the oldest windows are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Events per window and address.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    window: Duration,
    seen: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Limiter {
    /// A limiter from `"5 per second"`, `"100 per 10 minutes"`, `"5/second"`; none when the text is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase().replace("per", "/");
        let (limit, window) = text.split_once('/')?;
        let mut words: Vec<&str> = window.split_whitespace().collect();
        let unit = words.pop()?;
        let times: u64 = words.first().map_or(Some(1), |n| n.parse().ok())?;
        let seconds = match unit.trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            "day" => 86_400,
            _ => return None,
        };
        let window = Duration::from_secs(times.checked_mul(seconds)?);
        Some(Self { limit: limit.trim().parse().ok()?, window, seen: Mutex::default() })
    }

    /// Counts an event; false when the address has had its share of this window.
    pub fn hit(&self, address: &str) -> bool {
        let now = Instant::now();
        let mut seen = self.seen.lock();
        if seen.len() >= MAX_ADDRESSES && !seen.contains_key(address) {
            seen.retain(|_, (start, _)| now.duration_since(*start) < self.window);
            let oldest = seen.iter().min_by_key(|(_, (start, _))| *start).map(|(key, _)| key.clone());
            if let (true, Some(oldest)) = (seen.len() >= MAX_ADDRESSES, oldest) {
                seen.remove(&oldest);
            }
        }
        let entry = seen.entry(address.to_owned()).or_insert((now, 0));
        if now.duration_since(entry.0) >= self.window {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= self.limit
    }

    /// Whether an event would be within the share.
    pub fn has_room(&self, address: &str) -> bool {
        let seen = self.seen.lock();
        seen.get(address).is_none_or(|(start, count)| start.elapsed() >= self.window || *count < self.limit)
    }

    /// The limit in words, as the original answers it: `5 per 1 second`.
    pub fn describe(&self) -> String {
        let (n, unit) = match self.window.as_secs() {
            s if s % 86_400 == 0 => (s / 86_400, "day"),
            s if s % 3600 == 0 => (s / 3600, "hour"),
            s if s % 60 == 0 => (s / 60, "minute"),
            s => (s, "second"),
        };
        format!("{} per {n} {unit}", self.limit)
    }

    /// Takes an event back.
    pub fn take_back(&self, address: &str) {
        if let Some((_, count)) = self.seen.lock().get_mut(address) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_per_address() {
        let limiter = Limiter::parse("2 per 10 minutes").unwrap();
        assert!(limiter.hit("a") && limiter.hit("a") && !limiter.hit("a") && limiter.hit("b"));
        limiter.take_back("a");
        limiter.take_back("a");
        assert!(limiter.hit("a") && !limiter.hit("a"));
        for i in 0..MAX_ADDRESSES + 5 {
            limiter.hit(&i.to_string());
        }
        assert!(limiter.seen.lock().len() <= MAX_ADDRESSES);
    }

    #[test]
    fn texts() {
        assert_eq!(Limiter::parse("5 per second").map(|l| (l.limit, l.window.as_secs())), Some((5, 1)));
        assert_eq!(Limiter::parse("50/minute").map(|l| (l.limit, l.window.as_secs())), Some((50, 60)));
        assert_eq!(Limiter::parse("5/second").unwrap().describe(), "5 per 1 second");
        assert!(Limiter::parse("often").is_none() && Limiter::parse("x per second").is_none());
    }
}
