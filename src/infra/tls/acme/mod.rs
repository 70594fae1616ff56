//! A certificate that an authority gives and renews (ACME, RFC 8555). Names are proved on the port of https itself
//! (TLS-ALPN-01, RFC 8737): no other port has to be open.

mod account;
mod ask;
mod order;
mod stored;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{Facts, Identity, Resolver};
pub use crate::config::tls::Acme;

/// The first wait after a failure; each is three times as long as the one before. Authorities count failures: five an
/// hour are allowed by the best known one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(12 * 3_600);
/// The wall clock may jump: nothing is waited for longer without looking at it.
const LOOK: Duration = Duration::from_secs(600);
/// A whole order.
const AT_MOST: Duration = Duration::from_secs(300);

/// Keeps a certificate of an authority.
#[derive(Debug)]
pub struct Authority {
    settings: Acme,
    folder: PathBuf,
    resolver: Arc<Resolver>,
    /// What stands in the certificate that is shown, and where it was asked for.
    held: Option<Facts>,
}

/// Where account and certificate are kept.
pub fn folder(home: &Path) -> PathBuf {
    home.join("acme")
}

/// The certificate that is kept, if there is one.
pub fn kept(home: &Path, settings: &Acme) -> Option<Result<Identity, String>> {
    stored::certificate(&folder(home), settings)
}

impl Authority {
    /// Begins with the certificate that an earlier start has got. Nobody is asked yet, nothing is made.
    pub fn open(settings: Acme, home: &Path) -> Self {
        let folder = folder(home);
        let resolver = Arc::new(Resolver::default());
        let held = match stored::certificate(&folder, &settings) {
            Some(Ok(identity)) => {
                resolver.show(identity.certified);
                tracing::info!(certificate = identity.facts.words(), "certificate of an authority");
                Some(identity.facts)
            }
            Some(Err(error)) => {
                tracing::warn!(
                    error,
                    "the certificate of an authority cannot be read: another one is asked for"
                );
                None
            }
            None => None,
        };
        Self { settings, folder, resolver, held }
    }

    /// What shows it to connections.
    pub fn resolver(&self) -> Arc<Resolver> {
        self.resolver.clone()
    }

    /// Asks for a certificate, and for another one before its end, as long as the task runs.
    pub async fn keep(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            while let Some(left) = self.time_left(Utc::now()) {
                tokio::time::sleep(left.min(LOOK)).await;
            }
            let names = self.settings.domains.join(", ");
            tracing::info!(names, authority = self.settings.directory, "asking for a certificate");
            let asked =
                tokio::time::timeout(AT_MOST, order::order(&self.settings, &self.folder, &self.resolver));
            let asked = asked.await.unwrap_or_else(|_| Err("no answer in five minutes".to_owned()));
            self.resolver.forget_proofs();
            match asked {
                Ok(identity) => {
                    tracing::info!(certificate = identity.facts.words(), "a certificate was given");
                    self.resolver.show(identity.certified);
                    self.held = Some(identity.facts);
                    wait = FIRST_WAIT;
                    // one that is due at once is not asked for without a pause
                    tokio::time::sleep(FIRST_WAIT).await;
                }
                Err(error) => {
                    let (seconds, has_one) = (wait.as_secs(), self.resolver.has_one());
                    tracing::error!(
                        error,
                        names,
                        next_try_in_seconds = seconds,
                        has_one,
                        "no certificate was given"
                    );
                    tokio::time::sleep(wait).await;
                    wait = (wait * 3).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// How long the one that is held is good enough: until a third of its time is left. None: it is due, or there is
    /// none for all names.
    fn time_left(&self, now: DateTime<Utc>) -> Option<Duration> {
        let facts = self.held.as_ref()?;
        let is_for_all = self.settings.domains.iter().all(|name| facts.covers(name));
        let left = facts.left(now) - (facts.ends - facts.begins) / 3;
        left.to_std().ok().filter(|left| is_for_all && !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_before_its_end_it_is_asked_for_again() {
        let settings = Acme {
            domains: vec!["a.example".into(), "b.example".into()],
            contact: None,
            directory: "https://ca.example/directory".into(),
            root: None,
        };
        let begins = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = |days: i64| begins + chrono::TimeDelta::days(days);
        let names = |names: &[&str]| Facts {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            begins,
            ends: day(90),
            is_self_signed: false,
        };
        let home = tempfile::tempdir().unwrap();
        let mut authority = Authority::open(settings, home.path());
        let is_due = |authority: &Authority, days: i64| authority.time_left(day(days)).is_none();
        assert!(is_due(&authority, 0), "there is none");
        authority.held = Some(names(&["a.example", "b.example"]));
        let due = [0, 59, 60, 61, 200].map(|days| is_due(&authority, days));
        assert_eq!(due, [false, false, true, true, true]);
        authority.held = Some(names(&["a.example"]));
        assert!(is_due(&authority, 0), "a name is new");
        assert!(!folder(home.path()).exists(), "nothing is made before somebody is asked");
    }
}
