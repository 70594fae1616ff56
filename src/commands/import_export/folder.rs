//! Assets as a folder for version control, and folders of examples (`superset.examples.utils`,
//! `superset.commands.importers.v1.examples`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use infra::{
    Error, Result,
    yaml::{Map, Yaml, dump, load},
};

use super::{
    AssetKind,
    export::{Sink, Timestamp, export_assets},
    import::contents::{Contents, METADATA},
};
use crate::Caller;

/// Folders that an export owns: what is no more leaves them.
const OWNED: &[AssetKind] =
    &[AssetKind::Chart, AssetKind::Dashboard, AssetKind::Dataset, AssetKind::Database, AssetKind::SavedQuery];

/// What has happened to the files of a folder.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Written {
    /// Files that were not there.
    pub added: Vec<String>,
    /// Files with another content than before.
    pub changed: Vec<String>,
    /// Files of objects that are no more.
    pub removed: Vec<String>,
    /// Files that are as they were.
    pub unchanged: usize,
}

/// Writes every asset that the caller sees as a file of a folder; files that are right are not touched.
pub async fn export_folder(caller: &Caller, folder: &Path) -> Result<Written> {
    let known: BTreeSet<String> = files(folder)?.into_iter().map(|(name, _)| name).collect();
    let mut sink = Folder { root: folder.to_owned(), written: Written::default(), kept: BTreeSet::new() };
    export_assets(caller, Timestamp::Omitted, &mut sink).await?;
    for name in known.difference(&sink.kept) {
        let owned = OWNED.iter().any(|kind| name.starts_with(&format!("{}/", kind.folder())));
        if owned {
            fs::remove_file(folder.join(name)).map_err(Error::internal)?;
            sink.written.removed.push(name.clone());
        }
    }
    Ok(sink.written)
}

struct Folder {
    root: PathBuf,
    written: Written,
    kept: BTreeSet<String>,
}

impl Sink for Folder {
    fn file(&mut self, name: &str, content: &str) -> Result<()> {
        // an empty part of a path is none on a disk
        let name = name.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let path = self.root.join(&name);
        self.kept.insert(name.clone());
        match fs::read(&path) {
            Ok(old) if old == content.as_bytes() => {
                self.written.unchanged += 1;
                return Ok(());
            }
            Ok(_) => self.written.changed.push(name),
            Err(_) => self.written.added.push(name),
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::internal)?;
        }
        // whole or not at all
        let part = path.with_extension("yaml.part");
        fs::write(&part, content).map_err(Error::internal)?;
        fs::rename(&part, &path).map_err(Error::internal)
    }
}

/// The YAML files of a folder with their content, in order; links are not followed.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut queue = vec![folder.to_owned()];
    while let Some(path) = queue.pop() {
        let Ok(entries) = fs::read_dir(&path) else { continue };
        for entry in entries {
            let entry = entry.map_err(Error::internal)?;
            let kind = entry.file_type().map_err(Error::internal)?;
            let path = entry.path();
            let extension =
                path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
            if kind.is_dir() {
                queue.push(path);
            } else if kind.is_file() && matches!(extension.as_str(), "yaml" | "yml") {
                let name = path.strip_prefix(folder).unwrap_or(&path);
                let name: Vec<&str> = name.iter().filter_map(|part| part.to_str()).collect();
                found.push((name.join("/"), path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The files of a folder as a bundle; their metadata say `model`, or nothing, whatever they said before.
pub fn contents(folder: &Path, model: Option<&str>) -> Result<Contents> {
    let mut bundle = Vec::new();
    for (name, path) in files(folder)? {
        if name != METADATA {
            bundle.push((name, fs::read(&path).map_err(Error::internal)?));
        }
    }
    let text = fs::read_to_string(folder.join(METADATA)).unwrap_or_else(|_| "{}".into());
    let mut metadata = match load(&text) {
        Ok(Yaml::Map(map)) => map,
        _ => Map::new(),
    };
    metadata.shift_remove("type");
    if let Some(model) = model {
        metadata.insert("type".into(), model.into());
    }
    bundle.push((METADATA.to_owned(), dump(&Yaml::Map(metadata)).into_bytes()));
    Ok(Contents::of_files(bundle))
}

/// What an import of a folder would do to the installation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Files of objects that are not there.
    pub new: Vec<String>,
    /// Files that say something else than the installation.
    pub changed: Vec<String>,
    /// Files that say the same.
    pub unchanged: usize,
    /// Files that cannot be read.
    pub unreadable: Vec<String>,
}

struct Documents(BTreeMap<(String, String), Yaml>);

impl Sink for Documents {
    fn file(&mut self, name: &str, content: &str) -> Result<()> {
        let document = load(content).map_err(Error::internal)?;
        if let Some(key) = key_of(name, &document) {
            self.0.insert(key, document);
        }
        Ok(())
    }
}

/// The resource and the UUID of a file.
fn key_of(name: &str, document: &Yaml) -> Option<(String, String)> {
    let folder = name.split('/').next()?.to_owned();
    Some((folder, document.get("uuid")?.as_str()?.to_ascii_lowercase()))
}

/// Compares a folder with what is there; nothing is written.
pub async fn plan(caller: &Caller, folder: &Path) -> Result<Plan> {
    let mut there = Documents(BTreeMap::new());
    export_assets(caller, Timestamp::Omitted, &mut there).await?;
    let mut plan = Plan::default();
    for (name, path) in files(folder)? {
        let known = OWNED.iter().any(|kind| name.split('/').next() == Some(kind.folder()));
        if !known {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Error::internal)?;
        let Some((key, document)) = load(&text).ok().and_then(|d| Some((key_of(&name, &d)?, d))) else {
            plan.unreadable.push(name);
            continue;
        };
        match there.0.get(&key) {
            None => plan.new.push(name),
            Some(stored) if *stored == document => plan.unchanged += 1,
            Some(_) => plan.changed.push(name),
        }
    }
    Ok(plan)
}
