//! How often passwords may be tried, and the line in the log that says who tried.
//!
//! Failures are counted per address *and* account: whoever guesses shuts out neither the others behind their address
//! nor the same user elsewhere. An address that fails on account after account has a share of its own, which does not
//! count against users who have logged in from there. With `RATELIMIT_ENABLED` every try of an address counts besides,
//! as in the original (`AUTH_RATE_LIMIT`).

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
    sync::OnceLock,
};

use infra::{config::Config, telemetry};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::rate_limit::Limiter;
use crate::{Answer, Cx, error_pages};

/// Failures of an address on one account, besides `AUTH_RATE_LIMIT`: a password cannot be guessed in a day.
const PER_ACCOUNT: &str = "10 per minute";
/// Failures of an address on accounts that have never logged in from there.
const PER_ADDRESS: &str = "100 per minute";
/// Pairs remembered to have logged in.
const MOST_KNOWN: usize = 10_000;
/// Characters of a name that count and are logged; longer ones are in no database.
const MOST_NAME: usize = 320;

/// One for the form and the API together.
pub struct LoginLimit {
    limits: OnceLock<Option<Limits>>,
    /// Tries under way; fewer than may fail in one window, so that right passwords sent at once do not shut each
    /// other out. The rest wait their turn.
    gate: Semaphore,
}

/// Where a try comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// The form: `AUTH_RATE_LIMIT` is its limit.
    Form,
    /// The API, which that limit does not mean; ours hold.
    Program,
}

struct Limits {
    tries: Option<Limiter>,
    /// `AUTH_RATE_LIMIT`.
    given: Option<Limiter>,
    account: Option<Limiter>,
    addresses: Option<Limiter>,
    known: Mutex<HashSet<String>>,
}

impl Default for LoginLimit {
    fn default() -> Self {
        Self { limits: OnceLock::new(), gate: Semaphore::new(4) }
    }
}

impl Limits {
    /// None where `AUTH_RATE_LIMITED` is off.
    fn from_config(config: &Config) -> Option<Self> {
        if !config.bool("AUTH_RATE_LIMITED") {
            return None;
        }
        let given = || Limiter::parse(config.str("AUTH_RATE_LIMIT"));
        Some(Self {
            tries: config.bool("RATELIMIT_ENABLED").then(given).flatten(),
            given: given(),
            account: Limiter::parse(PER_ACCOUNT),
            addresses: Limiter::parse(PER_ADDRESS),
            known: Mutex::default(),
        })
    }

    fn pairs(&self, from: Counted) -> impl Iterator<Item = &Limiter> {
        self.given.iter().filter(move |_| from == Counted::Form).chain(&self.account)
    }

    fn is_known(&self, pair: &str) -> bool {
        self.known.lock().contains(pair)
    }

    /// The limit that has no room, if there is one; counted in all where it is `counted`.
    fn refusal(&self, who: &Who, from: Counted, counted: bool) -> Option<String> {
        let full = |limiter: &Limiter, key: &str| {
            let free = if counted { limiter.hit(key) } else { limiter.has_room(key) };
            (!free).then(|| limiter.describe())
        };
        let pair = self.pairs(from).find_map(|limiter| full(limiter, &who.pair));
        pair.or_else(|| {
            let limiter = self.addresses.as_ref().filter(|_| !self.is_known(&who.pair))?;
            full(limiter, &who.address)
        })
    }
}

/// Whose try it is.
struct Who {
    address: String,
    account: String,
    pair: String,
}

impl Who {
    fn new(address: &str, name: &str) -> Self {
        let account: String = name.trim().chars().take(MOST_NAME).collect();
        let address = network(address);
        let pair = format!("{address}\0{}", account.to_lowercase());
        Self { address, account, pair }
    }
}

/// The address; of version 6 the part that one customer gets.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        _ => address.to_owned(),
    }
}

/// A try under way. Who leaves before it is settled has failed: nobody gets past the limit by hanging up.
pub struct Attempt<'a> {
    limits: Option<&'a Limits>,
    from: Counted,
    who: Who,
    remote: String,
    _turn: Option<SemaphorePermit<'a>>,
}

impl LoginLimit {
    /// To be asked before a password is looked at, and held until that is done; the error is the answer for who has had
    /// their share. Tries under way count too, so that nobody gets past it by asking many times at once.
    pub async fn admit(&self, cx: &Cx, name: &str) -> Result<Attempt<'_>, Answer> {
        self.admit_as(cx, name, Counted::Form).await
    }

    /// The same for the API's log-in, which is not under `AUTH_RATE_LIMIT`.
    pub async fn admit_program(&self, cx: &Cx, name: &str) -> Result<Attempt<'_>, Answer> {
        self.admit_as(cx, name, Counted::Program).await
    }

    async fn admit_as(&self, cx: &Cx, name: &str, from: Counted) -> Result<Attempt<'_>, Answer> {
        let limits = self.limits.get_or_init(|| Limits::from_config(&cx.caller.app.config)).as_ref();
        let (remote, who) = (cx.req.remote_addr.clone(), Who::new(&cx.req.remote_addr, name));
        let refuse = |limit: &str| {
            telemetry::log_in("refused");
            let (address, account) = (printable(&remote), printable(&who.account));
            tracing::warn!(%address, %account, limit, "a log-in is refused: too many tries");
            error_pages::abort_with(&cx.req, 429, limit)
        };
        if let Some(tries) = limits.and_then(|l| l.tries.as_ref()).filter(|_| from == Counted::Form)
            && !tries.hit(&who.address)
        {
            return Err(refuse(&tries.describe()));
        }
        // who has had their share does not take a turn from others
        if let Some(limit) = limits.and_then(|l| l.refusal(&who, from, false)) {
            return Err(refuse(&limit));
        }
        let turn = self.gate.acquire().await.ok();
        if let Some(limit) = limits.and_then(|l| l.refusal(&who, from, true)) {
            return Err(refuse(&limit));
        }
        Ok(Attempt { limits, from, who, remote, _turn: turn })
    }
}

impl Attempt<'_> {
    /// The password was right.
    pub fn succeeded(self) {
        telemetry::log_in("success");
        self.take_back();
        if let Some(limits) = self.limits {
            let mut known = limits.known.lock();
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(self.who.pair);
        }
    }

    /// It was not.
    pub fn failed(self) {
        telemetry::log_in("failure");
        tracing::warn!(address = %printable(&self.remote), account = %printable(&self.who.account), "a log-in failed");
    }

    /// There was nothing to look at.
    pub fn empty(self) {
        self.take_back();
    }

    fn take_back(&self) {
        let Some(limits) = self.limits else { return };
        for limiter in limits.pairs(self.from) {
            limiter.take_back(&self.who.pair);
        }
        if let Some(limiter) = limits.addresses.as_ref().filter(|_| !limits.is_known(&self.who.pair)) {
            limiter.take_back(&self.who.address);
        }
    }
}

/// A text of a stranger for the log: nothing in it acts on a terminal or begins a line.
fn printable(text: &str) -> String {
    text.escape_debug().collect()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn limits() -> Limits {
        let keys = [("AUTH_RATE_LIMITED", json!(true)), ("AUTH_RATE_LIMIT", json!("5 per second"))];
        let keys: IndexMap<_, _> = keys.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        Limits::from_config(&Config::with(keys)).unwrap()
    }

    #[test]
    fn who_guesses_shuts_out_nobody_else() {
        let limits = limits();
        let guesser = Who::new("10.0.0.1", "Ada ");
        let refused = (0..20).filter(|_| limits.refusal(&guesser, Counted::Form, true).is_some()).count();
        assert_eq!(refused, 15);
        assert!(
            limits.refusal(&Who::new("10.0.0.1", "ADA"), Counted::Form, true).is_some(),
            "letters and spaces are no other account"
        );
        assert!(
            limits.refusal(&Who::new("10.0.0.2", "ada"), Counted::Form, true).is_none(),
            "the same user elsewhere"
        );
        assert!(
            limits.refusal(&Who::new("10.0.0.1", "bob"), Counted::Form, true).is_none(),
            "somebody else behind the address"
        );
    }

    #[test]
    fn programs_are_not_under_the_limit_of_the_form() {
        let limits = limits();
        let refused = |from| {
            (0..20).filter(|_| limits.refusal(&Who::new("10.0.0.1", "a"), from, true).is_some()).count()
        };
        assert_eq!(refused(Counted::Program), 10);
    }

    #[test]
    fn an_address_has_a_share_over_all_accounts() {
        let limits = limits();
        limits.known.lock().insert(Who::new("10.0.0.1", "bob").pair);
        for n in 0..100 {
            assert!(
                limits.refusal(&Who::new("10.0.0.1", &format!("user{n}")), Counted::Form, true).is_none(),
                "{n}"
            );
        }
        let again = limits.refusal(&Who::new("10.0.0.1", "user100"), Counted::Form, true);
        assert_eq!(again.as_deref(), Some("100 per 1 minute"));
        assert!(
            limits.refusal(&Who::new("10.0.0.1", "bob"), Counted::Form, true).is_none(),
            "who has logged in from there"
        );
        assert!(limits.refusal(&Who::new("10.0.0.2", "carl"), Counted::Form, true).is_none());
    }

    #[test]
    fn a_customer_of_version_six_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
        assert_eq!(network("10.0.0.1"), "10.0.0.1");
    }

    /// T34.
    #[test]
    fn names_of_strangers_are_harmless_in_the_log() {
        assert_eq!(
            printable("a\r\n{\"level\":\"INFO\"}\u{1b}[31m\u{202e}é"),
            "a\\r\\n{\\\"level\\\":\\\"INFO\\\"}\\u{1b}[31m\\u{202e}é"
        );
    }
}
