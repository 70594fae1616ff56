//! Superset's verbs for files without version: `legacy-export-datasources`, `legacy-import-dashboards`,
//! `legacy-import-datasources`. `legacy-export-dashboards` and `legacy-export-datasource-schema`, which fail in
//! Superset 6.0.0, are not there: `export-dashboards` does what the first was for.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use commands::{
    Caller, Principal,
    import_export::{
        AssetKind,
        export::{ExportOptions, export_datasources},
        import::{contents::Contents, import_unversioned},
    },
};

use super::{
    Common,
    assets::{application, caller},
    block_on,
};
use crate::app::StartError;

/// Options of `legacy-export-datasources`.
#[derive(Debug, clap::Args)]
pub struct ExportDatasources {
    #[command(flatten)]
    common: Common,
    /// Specify the file to export to.
    #[arg(long, short = 'f')]
    datasource_file: Option<PathBuf>,
    /// Print YAML to stdout.
    #[arg(long = "print_stdout", short)]
    print_stdout: bool,
    /// Include parent back references.
    #[arg(long, short)]
    back_references: bool,
    /// Include fields containing defaults.
    #[arg(long, short = 'd')]
    include_defaults: bool,
}

impl ExportDatasources {
    /// Writes the file, or the text.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let app = application(loaded.config).await?;
            let caller = Caller::new(&app, Principal::default());
            let options =
                ExportOptions { back_references: self.back_references, defaults: self.include_defaults };
            let text = export_datasources(&caller, options).await?;
            if self.print_stdout || self.datasource_file.is_none() {
                std::io::stdout().write_all(text.as_bytes())?;
            }
            if let Some(path) = &self.datasource_file {
                fs::write(path, text)?;
            }
            Ok(())
        })
    }
}

/// Options of `legacy-import-dashboards`.
#[derive(Debug, clap::Args)]
pub struct ImportDashboards {
    #[command(flatten)]
    common: Common,
    /// Path to a single JSON file or path containing multiple JSON files to import (*.json).
    #[arg(long, short)]
    path: PathBuf,
    /// Recursively search the path for json files.
    #[arg(long, short)]
    recursive: bool,
    /// Specify the user name to assign dashboards to.
    #[arg(long, short, default_value = "admin")]
    username: String,
}

impl ImportDashboards {
    /// Imports the files, all or none.
    pub fn run(self) -> Result<(), StartError> {
        let files = found(&self.path, self.recursive, &["json"])?;
        import(&self.common, AssetKind::Dashboard, files, &self.username, (false, false))
    }
}

/// Options of `legacy-import-datasources`.
#[derive(Debug, clap::Args)]
pub struct ImportDatasources {
    #[command(flatten)]
    common: Common,
    /// Path to a single YAML file or path containing multiple YAML files to import (*.yaml or *.yml).
    #[arg(long, short)]
    path: PathBuf,
    /// Comma separated list of element types to synchronize: "metrics,columns" deletes those that the file does not
    /// have.
    #[arg(long, short, default_value = "")]
    sync: String,
    /// Recursively search the path for yaml files.
    #[arg(long, short)]
    recursive: bool,
}

impl ImportDatasources {
    /// Imports the files, all or none.
    pub fn run(self) -> Result<(), StartError> {
        let files = found(&self.path, self.recursive, &["yaml", "yml"])?;
        let has = |what: &str| self.sync.split(',').any(|part| part == what);
        import(&self.common, AssetKind::Dataset, files, "admin", (has("columns"), has("metrics")))
    }
}

/// A file, or those of a folder, by name. What is not there is nothing to import.
fn found(path: &Path, recursive: bool, extensions: &[&str]) -> Result<Vec<(String, Vec<u8>)>, StartError> {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if path.is_file() {
        return Ok(vec![(name(path), fs::read(path)?)]);
    }
    let mut files = Vec::new();
    let mut queue = vec![path.to_owned()];
    while let Some(folder) = queue.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() && recursive {
                queue.push(path);
            } else if path.is_file() && extensions.contains(&extension) {
                files.push((name(&path), fs::read(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn import(
    common: &Common,
    kind: AssetKind,
    files: Vec<(String, Vec<u8>)>,
    username: &str,
    sync: (bool, bool),
) -> Result<(), StartError> {
    let loaded = common.load()?;
    block_on(async {
        let app = application(loaded.config).await?;
        let caller = caller(&app, username).await?;
        Box::pin(import_unversioned(&caller, kind, &Contents::of_files(files), sync)).await?;
        Ok(())
    })
}
