//! The databases that are in use, each with its own connections.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

use super::{
    EngineError,
    engine::{Engine, Files},
    source::Source,
};

/// Databases to keep connections for; the least recently used go first.
const MAX_DATABASES: usize = 64;

/// All databases in use, by their number and source.
pub struct Engines {
    open: Mutex<HashMap<i64, Opened>>,
    clock: AtomicU64,
    files: Files,
}

/// The pools of one database: several when people are impersonated or catalogs chosen.
struct Opened {
    /// Which version of its row they were opened for.
    version: String,
    /// By the source's key, with the time of the last use.
    pools: HashMap<String, (u64, Engine)>,
}

impl Engines {
    /// No database yet; `metadata` is the file that must never be opened.
    pub fn new(metadata: Option<&Path>) -> Self {
        let files = Files { metadata: metadata.map(Path::to_path_buf), ..Files::default() };
        Self { open: Mutex::default(), clock: 0.into(), files }
    }

    /// Offers directories whose files are tables for DuckDB; none without this.
    #[must_use]
    pub fn offering(mut self, directories: Vec<PathBuf>) -> Self {
        self.files.directories = directories;
        self
    }

    /// A database of a source. When `version` is not the one that the database's connections were made for, those
    /// are closed: the row was changed, here or by another process.
    pub fn open(&self, id: i64, version: &str, source: &Source) -> Result<Engine, EngineError> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let key = source.key();
        let mut open = self.open.lock();
        if let Some(known) = open.get_mut(&id)
            && known.version == version
            && let Some((used, engine)) = known.pools.get_mut(&key)
        {
            *used = now;
            return Ok(engine.clone().with_oauth2_redirect(source.oauth2_redirect.as_ref()));
        }
        let engine = self.make(source)?.with_oauth2_redirect(None);
        if open.values().map(|o| o.pools.len()).sum::<usize>() >= MAX_DATABASES {
            forget_oldest(&mut open);
        }
        let known =
            open.entry(id).or_insert_with(|| Opened { version: version.to_owned(), pools: HashMap::new() });
        if known.version != version {
            known.pools.clear();
            version.clone_into(&mut known.version);
        }
        known.pools.insert(key, (now, engine.clone()));
        Ok(engine.with_oauth2_redirect(source.oauth2_redirect.as_ref()))
    }

    /// Closes the connections to a database: its row was changed or deleted.
    pub fn close(&self, id: i64) {
        self.open.lock().remove(&id);
    }

    /// A database that is not kept, for testing a connection.
    pub fn make(&self, source: &Source) -> Result<Engine, EngineError> {
        source.check()?;
        Ok(Engine::connect(source, &self.files)?.with_oauth2_redirect(source.oauth2_redirect.as_ref()))
    }
}

fn forget_oldest(open: &mut HashMap<i64, Opened>) {
    let all =
        open.iter().flat_map(|(id, o)| o.pools.iter().map(move |(key, (used, _))| (*used, *id, key.clone())));
    let Some((_, id, key)) = all.min_by_key(|(used, ..)| *used) else { return };
    if let Some(opened) = open.get_mut(&id) {
        opened.pools.remove(&key);
        if opened.pools.is_empty() {
            open.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_specs::url::Url;

    fn source(uri: &str) -> Source {
        Source { url: Url::parse(uri).unwrap(), ..Source::default() }
    }

    fn pools(engines: &Engines) -> usize {
        engines.open.lock().values().map(|o| o.pools.len()).sum()
    }

    #[tokio::test]
    async fn a_changed_row_closes_its_connections() {
        let engines = Engines::new(None);
        engines.open(1, "a", &source("sqlite://")).unwrap();
        engines.open(1, "a", &source("sqlite:////tmp/x.db")).unwrap();
        engines.open(2, "a", &source("sqlite://")).unwrap();
        assert_eq!(pools(&engines), 3);
        engines.open(1, "b", &source("sqlite://")).unwrap();
        assert_eq!(pools(&engines), 2);
        engines.close(1);
        assert_eq!(pools(&engines), 1);
        for id in 10..200 {
            engines.open(id, "a", &source("sqlite://")).unwrap();
        }
        assert_eq!(pools(&engines), MAX_DATABASES);
    }
}
