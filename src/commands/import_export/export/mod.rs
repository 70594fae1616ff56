//! Exports: each object as a file, then what it refers to; the first file of a name wins.

mod bundle;
mod chart;
mod dashboard;
mod database;
mod dataset;
mod plain;
mod unversioned;

pub use bundle::{Bundle, ZipSink, bundle_name};
pub use unversioned::{ExportOptions, export_datasources};

use std::collections::{HashMap, HashSet};

use chrono::Utc;
use daos::{
    Record, Selection,
    base::{self, Query},
    rows,
    table::Table,
};
use infra::{
    Error, Result,
    db::{Executor, Sql},
    yaml::{Map, Yaml, dump},
};

use super::{
    document::{VERSION, put},
    kind::AssetKind,
};
use crate::Caller;

/// Objects whose rows are held at a time.
const CHUNK: usize = 100;
/// Dashboards are larger, and what they refer to is held with them.
const DASHBOARDS: usize = 25;
/// Keys of one statement.
const KEYS: usize = 5_000;

/// Where the files of a bundle go, one after the other.
pub trait Sink: Send + Sync {
    /// Takes a file.
    fn file(&mut self, name: &str, content: &str) -> Result<()>;
}

/// Whether `metadata.yaml` says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamp {
    /// As bundles do.
    Now,
    /// Folders under version control change only with their objects.
    Omitted,
}

/// Exports objects of a resource with everything that they refer to.
///
/// Fails with 404 unless the caller sees each of them, and with 500 where something that they refer to is hidden.
pub async fn export(caller: &Caller, kind: AssetKind, ids: &[i64], sink: &mut dyn Sink) -> Result<()> {
    let mut export = Export::new(caller, sink);
    let found = export.visible(kind, ids).await?;
    if found.len() != ids.len() {
        return Err(Error::not_found());
    }
    export.metadata(kind.model(), Timestamp::Now)?;
    export.objects(kind, &found, true).await
}

/// Exports everything that the caller sees: databases, datasets, charts, dashboards, own saved queries.
pub async fn export_assets(caller: &Caller, timestamp: Timestamp, sink: &mut dyn Sink) -> Result<()> {
    let mut export = Export::new(caller, sink);
    // the original's bundles have only the first of several saved queries, databases or themes of one name
    export.keeps_all = timestamp == Timestamp::Omitted;
    export.metadata("assets", timestamp)?;
    for kind in [
        AssetKind::Database,
        AssetKind::Dataset,
        AssetKind::Chart,
        AssetKind::Dashboard,
        AssetKind::SavedQuery,
    ] {
        let ids = export.all(kind).await?;
        export.objects(kind, &ids, false).await?;
    }
    Ok(())
}

/// Keys of everything of a resource that the caller sees, in order.
pub async fn all_ids(caller: &Caller, kind: AssetKind) -> Result<Vec<i64>> {
    let condition = kind.visible(caller, caller.app.db.dialect());
    Ok(rows::all_where(caller.app.db.exec(), (kind.table().name, "x"), condition).await?)
}

/// An export under way.
struct Export<'a> {
    caller: &'a Caller,
    db: &'a dyn Executor,
    sink: &'a mut dyn Sink,
    seen: HashSet<String>,
    /// Charts and datasets whose files were handed on: they are not read again.
    exported: HashSet<(AssetKind, i64)>,
    /// Tags are exported too.
    tags: bool,
    /// Objects of one name have files of their own.
    keeps_all: bool,
}

/// Something that an object refers to is hidden from the caller: the original fails where it does not expect that.
fn fatal() -> Error {
    Error::message(500, "Fatal error")
}

impl<'a> Export<'a> {
    fn new(caller: &'a Caller, sink: &'a mut dyn Sink) -> Self {
        let tags = caller.app.config.flag("TAGGING_SYSTEM");
        let (seen, exported) = Default::default();
        Self { caller, db: caller.app.db.exec(), sink, seen, exported, tags, keeps_all: false }
    }

    fn metadata(&mut self, model: &str, timestamp: Timestamp) -> Result<()> {
        let mut map = Map::new();
        put(&mut map, "version", VERSION);
        put(&mut map, "type", model);
        if timestamp == Timestamp::Now {
            put(&mut map, "timestamp", Utc::now().format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string());
        }
        self.file("metadata.yaml", map)
    }

    fn is_seen(&self, name: &str) -> bool {
        self.seen.contains(name)
    }

    /// Hands a file on, unless one of its name was there.
    fn file(&mut self, name: &str, content: Map) -> Result<()> {
        if self.seen.insert(name.to_owned()) {
            return self.sink.file(name, &dump(&Yaml::Map(content)));
        }
        let uuid = content.get("uuid").and_then(Yaml::as_str).and_then(|u| u.get(..8));
        if let Some(uuid) = uuid.filter(|_| self.keeps_all) {
            let name = format!("{}_{uuid}.yaml", name.trim_end_matches(".yaml"));
            self.seen.insert(name.clone());
            return self.sink.file(&name, &dump(&Yaml::Map(content)));
        }
        Ok(())
    }

    /// Those of `ids` that the caller sees, as the database finds them (`BaseDAO.find_by_ids` names no order).
    async fn visible(&self, kind: AssetKind, ids: &[i64]) -> Result<Vec<i64>> {
        let mut found = Vec::with_capacity(ids.len());
        for keys in ids.chunks(KEYS) {
            let condition = kind.visible(self.caller, self.db.dialect());
            found.extend(rows::existing_as_found(self.db, kind.table().name, keys, condition).await?);
        }
        let mut seen = HashSet::new();
        found.retain(|id| seen.insert(*id));
        Ok(found)
    }

    /// Those of `ids`, all of which the caller must see.
    async fn all_visible(&self, kind: AssetKind, ids: &[i64]) -> Result<Vec<i64>> {
        let found = self.visible(kind, ids).await?;
        if found.len() == ids.len() { Ok(found) } else { Err(fatal()) }
    }

    async fn all(&self, kind: AssetKind) -> Result<Vec<i64>> {
        all_ids(self.caller, kind).await
    }

    async fn objects(&mut self, kind: AssetKind, ids: &[i64], related: bool) -> Result<()> {
        let size = if kind == AssetKind::Dashboard { DASHBOARDS } else { CHUNK };
        for chunk in ids.chunks(size) {
            match kind {
                AssetKind::Chart => self.charts(chunk, related, related).await?,
                AssetKind::Dashboard => self.dashboards(chunk, related).await?,
                AssetKind::Dataset => self.datasets(chunk, related).await?,
                AssetKind::Database => self.databases(chunk, related).await?,
                AssetKind::SavedQuery => self.saved_queries(chunk, related).await?,
                AssetKind::Theme => self.themes(chunk).await?,
            }
        }
        Ok(())
    }

    /// The rows of some keys in the order of the keys.
    async fn rows(&self, table: &'static Table, columns: &[&str], ids: &[i64]) -> Result<Vec<Record>> {
        let selection = Selection::with_paths(table, columns.iter().copied().chain(["uuid"]));
        let mut rows = self.fetch(&selection, base::has_key(table, ids)).await?;
        let place: HashMap<i64, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        rows.sort_by_key(|row| place.get(&id_of(row)).copied());
        Ok(rows)
    }

    async fn fetch(&self, selection: &Selection, condition: Sql) -> Result<Vec<Record>> {
        Ok(base::fetch(self.db, selection, &Query::filter(condition)).await?)
    }
}

fn id_of(record: &Record) -> i64 {
    record.get("id").unwrap_or_default()
}

/// Values without repetitions, in order.
fn distinct(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
