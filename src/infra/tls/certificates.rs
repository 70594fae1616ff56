//! The files of the certificate: taken over when they are renewed, and kept as they were when the new ones are broken.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Utc;
use parking_lot::Mutex;

use super::{Identity, Resolver, identity::is_for_everybody};

/// How often the files are looked at.
const TICK: Duration = Duration::from_secs(2);
/// A certificate that ends sooner is named in the log, once a day.
const SOON: i64 = 14;
const DAY: Duration = Duration::from_secs(86_400);

/// The certificate in force, and where it is from.
#[derive(Debug)]
pub struct Certificates {
    resolver: Arc<Resolver>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    certificate: PathBuf,
    key: PathBuf,
    /// What the files were when they were read, whether they were taken over or not.
    read: Marks,
    identity: Identity,
}

/// What a file is known by without its content.
type Mark = Option<(u64, u64, u64, i64, i64)>;
type Marks = (Mark, Mark);

/// What became of files that were read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is the certificate that was in force already.
    Same,
    /// Another one is shown from now on, with these names and this end.
    Taken(String),
}

fn mark(path: &Path) -> Mark {
    let known = fs::metadata(path).ok()?;
    Some((known.dev(), known.ino(), known.len(), known.mtime(), known.mtime_nsec()))
}

fn marks(certificate: &Path, key: &Path) -> Marks {
    (mark(certificate), mark(key))
}

impl Certificates {
    /// Reads the files; an error names the file and what to do.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let read = marks(certificate, key);
        let identity = Identity::read(certificate, key)?;
        let resolver = Arc::new(Resolver::default());
        resolver.show(identity.certified.clone());
        if is_for_everybody(key) {
            tracing::warn!(file = %key.display(), "TLS_KEY: everybody on this machine can read the key: chmod 600");
        }
        let words = identity.facts.words();
        tracing::info!(certificate = words, file = %certificate.display(), "certificate");
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { resolver, state: Mutex::new(State { certificate, key, read, identity }) })
    }

    /// What shows it to connections.
    pub fn resolver(&self) -> Arc<Resolver> {
        self.resolver.clone()
    }

    /// Reads files, also others than before; what is broken changes nothing.
    pub fn read(&self, certificate: &Path, key: &Path) -> Result<Change, String> {
        let marks = marks(certificate, key);
        let read = Identity::read(certificate, key);
        let mut state = self.state.lock();
        state.read = marks;
        let identity = read?;
        certificate.clone_into(&mut state.certificate);
        key.clone_into(&mut state.key);
        if identity.certified.cert == state.identity.certified.cert {
            return Ok(Change::Same);
        }
        self.resolver.show(identity.certified.clone());
        let words = identity.facts.words();
        state.identity = identity;
        Ok(Change::Taken(words))
    }

    /// Looks at the files as long as the task runs.
    pub async fn watch(self: Arc<Self>) {
        let (mut seen, mut since_told) = (self.state.lock().read, DAY);
        loop {
            if since_told >= DAY {
                since_told = Duration::ZERO;
                self.tell_of_the_end();
            }
            tokio::time::sleep(TICK).await;
            since_told += TICK;
            let own = self.clone();
            let looked = tokio::task::spawn_blocking(move || own.look(seen)).await;
            seen = looked.unwrap_or(seen);
        }
    }

    /// Who renews writes one file after the other: only what was the same at two looks is read.
    fn look(&self, before: Marks) -> Marks {
        let (certificate, key, read) = {
            let state = self.state.lock();
            (state.certificate.clone(), state.key.clone(), state.read)
        };
        let now = marks(&certificate, &key);
        if now == before && now != read {
            match self.read(&certificate, &key) {
                Ok(Change::Same) => {}
                Ok(Change::Taken(certificate)) => {
                    tracing::info!(certificate, "a renewed certificate was taken over");
                }
                Err(error) => {
                    tracing::error!(error, "a renewed certificate is not taken over; the old one stays")
                }
            }
        }
        now
    }

    fn tell_of_the_end(&self) {
        let state = self.state.lock();
        let days = state.identity.facts.left(Utc::now()).num_days();
        let (file, ends) = (state.certificate.display(), state.identity.facts.ends);
        if state.identity.facts.left(Utc::now()).num_seconds() <= 0 {
            tracing::error!(%file, %ends, "the certificate has ended: browsers refuse it");
        } else if days < SOON {
            tracing::warn!(%file, days, "the certificate ends soon");
        }
    }
}
