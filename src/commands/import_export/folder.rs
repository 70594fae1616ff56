//! Assets as a folder for version control, and folders of examples (`superset.examples.utils`,
//! `superset.commands.importers.v1.examples`).

use std::{
    collections::{BTreeSet, HashMap},
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

/// Who is told how far work has come: what was done to how many files, and of how many if that is known.
pub type Progress<'a> = &'a mut (dyn FnMut(&'static str, usize, Option<usize>) + Send + Sync);

/// Writes every asset that the caller sees as a file of a folder; files that are right are not touched.
pub async fn export_folder(caller: &Caller, folder: &Path, progress: Progress<'_>) -> Result<Written> {
    let known: BTreeSet<String> = files(folder)?.into_iter().map(|(name, _)| name).collect();
    let (written, kept) = (Written::default(), BTreeSet::new());
    let mut sink = Folder { root: folder.to_owned(), written, kept, progress };
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

struct Folder<'a> {
    root: PathBuf,
    written: Written,
    kept: BTreeSet<String>,
    progress: Progress<'a>,
}

impl Sink for Folder<'_> {
    fn file(&mut self, name: &str, content: &str) -> Result<()> {
        // an empty part of a path is none on a disk
        let name = name.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let path = self.root.join(&name);
        self.kept.insert(name.clone());
        (self.progress)("exported", self.kept.len(), None);
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
    let files = files(folder)?.into_iter().filter(|(name, _)| name != METADATA);
    let text = fs::read_to_string(folder.join(METADATA)).unwrap_or_else(|_| "{}".into());
    let mut metadata = match load(&text) {
        Ok(Yaml::Map(map)) => map,
        _ => Map::new(),
    };
    metadata.shift_remove("type");
    if let Some(model) = model {
        metadata.insert("type".into(), model.into());
    }
    Ok(Contents::of_folder(files, dump(&Yaml::Map(metadata))))
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

/// The resource and the UUID of a file.
fn key_of(name: &str, document: &Yaml) -> Option<FileKey> {
    let folder = name.split('/').next()?.to_owned();
    Some((folder, document.get("uuid")?.as_str()?.to_ascii_lowercase()))
}

/// Compares a folder with what is there; nothing is written. No more than two documents are held at a time.
pub async fn plan(caller: &Caller, folder: &Path, progress: Progress<'_>) -> Result<Plan> {
    let mut compared = Compared { files: Vec::new(), of: HashMap::new(), named: HashMap::new(), progress };
    let mut plan = Plan::default();
    for (name, path) in files(folder)? {
        let known = OWNED.iter().any(|kind| name.split('/').next() == Some(kind.folder()));
        if !known {
            continue;
        }
        (compared.progress)("read", compared.files.len(), None);
        let text = fs::read_to_string(&path).map_err(Error::internal)?;
        match load(&text).ok().and_then(|document| key_of(&name, &document)) {
            Some(key) => compared.add(name, path, key),
            None => plan.unreadable.push(name),
        }
    }
    export_assets(caller, Timestamp::Omitted, &mut compared).await?;
    for file in compared.files {
        match file.is_same {
            None => plan.new.push(file.name),
            Some(false) => plan.changed.push(file.name),
            Some(true) => plan.unchanged += 1,
        }
    }
    Ok(plan)
}

type FileKey = (String, String);

/// A file of the folder.
struct Known {
    name: String,
    path: PathBuf,
    key: FileKey,
    /// It says what the installation says; none while no object has its key.
    is_same: Option<bool>,
}

/// The folder, compared with what an export hands on.
struct Compared<'a> {
    files: Vec<Known>,
    of: HashMap<FileKey, Vec<usize>>,
    named: HashMap<String, usize>,
    progress: Progress<'a>,
}

impl Compared<'_> {
    fn add(&mut self, name: String, path: PathBuf, key: FileKey) {
        let at = self.files.len();
        self.of.entry(key.clone()).or_default().push(at);
        self.named.insert(name.clone(), at);
        self.files.push(Known { name, path, key, is_same: None });
    }
}

impl Sink for Compared<'_> {
    fn file(&mut self, name: &str, content: &str) -> Result<()> {
        // the file of an unchanged object has its name and its bytes: then neither is parsed
        let same = self.named.get(name).copied().filter(|at| {
            let path = self.files.get(*at).map(|file| &file.path);
            path.and_then(|path| fs::read(path).ok()).is_some_and(|bytes| bytes == content.as_bytes())
        });
        let known = same.and_then(|at| self.files.get(at)).map(|file| file.key.clone());
        let mut document = None;
        let key = match known {
            Some(key) => Some(key),
            None => key_of(name, document.insert(load(content).map_err(Error::internal)?)),
        };
        for at in key.and_then(|key| self.of.get(&key)).into_iter().flatten() {
            let Some(file) = self.files.get_mut(*at) else { continue };
            if same == Some(*at) {
                file.is_same = Some(true);
                continue;
            }
            let text = fs::read_to_string(&file.path).map_err(Error::internal)?;
            if document.is_none() {
                document = Some(load(content).map_err(Error::internal)?);
            }
            file.is_same = Some(load(&text).ok() == document);
        }
        (self.progress)("compared", self.files.len(), None);
        Ok(())
    }
}
