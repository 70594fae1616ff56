//! `liteset backup` and `liteset restore`.

use std::{
    fs::{File, TryLockError},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use commands::backup::{self, Manifest, Options};
use infra::db::{Db, DbUri, SchemaState, migrate};
use serde_json::json;

use super::{Common, ask, block_on, progress::Line};
use crate::app::{self, StartError};

/// Options of `backup`.
#[derive(Debug, clap::Args)]
pub struct Backup {
    #[command(flatten)]
    common: Common,
    /// The file; it must not be there.
    file: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    overwrite: bool,
    /// Put SECRET_KEY into it: whoever has the file can then read the passwords of all databases.
    #[arg(long)]
    with_secret_key: bool,
    /// Say what was written as JSON.
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Writes the file and reads it back.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        if self.file.exists() && !self.overwrite {
            return Err(format!(
                "{} is there already: name another file, or add --overwrite",
                self.file.display()
            )
            .into());
        }
        let key = self.with_secret_key.then(|| loaded.config.str("SECRET_KEY").to_owned());
        let began = Instant::now();
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let mut line = Line::new();
            let written = backup::write(&db, &self.file, key, &mut shown(&mut line)).await?;
            drop(line);
            tell(self.json, &self.file, &written.manifest, written.bytes, began, "written to")
        })
    }
}

/// Options of `restore`.
#[derive(Debug, clap::Args)]
pub struct Restore {
    #[command(flatten)]
    common: Common,
    /// The file.
    file: PathBuf,
    /// Remove everything that is in the metadata database first.
    #[arg(long)]
    replace: bool,
    /// Only read the file and compare its checksums.
    #[arg(long)]
    check: bool,
    /// Write the SECRET_KEY that is in the backup to a new file.
    #[arg(long)]
    secret_key_file: Option<PathBuf>,
    /// Say what was done as JSON.
    #[arg(long)]
    json: bool,
}

impl Restore {
    /// Fills the metadata database, or leaves it as it is.
    pub fn run(self) -> Result<(), StartError> {
        let began = Instant::now();
        let mut line = Line::new();
        let bytes = std::fs::metadata(&self.file).map(|m| m.len()).unwrap_or_default();
        if self.check {
            let found = backup::check(&self.file, &mut shown(&mut line))?;
            drop(line);
            return tell(self.json, &self.file, &found.manifest, bytes, began, "whole in");
        }
        let loaded = self.common.load()?;
        let uri: DbUri = loaded.config.str("SQLALCHEMY_DATABASE_URI").parse()?;
        let replace = self.replace;
        let manifest = block_on(async {
            let state = migrate::inspect(&uri).await?;
            if state == SchemaState::Head && is_served(&uri) {
                tracing::warn!("a server runs on this metadata database: start it anew afterwards");
            }
            let db = Db::connect(&uri, 2).await?;
            let options = Options { replace };
            let restored = backup::restore(&db, &state, &self.file, options, &mut shown(&mut line)).await?;
            if let Some(refusal) = commands::secret_key::refusal(&db, &loaded.config).await? {
                tracing::warn!("{refusal}");
            }
            Ok(restored.manifest)
        })?;
        drop(line);
        if let Some(path) = &self.secret_key_file {
            write_key(path, &manifest)?;
        }
        tell(self.json, &self.file, &manifest, bytes, began, "restored from")
    }
}

fn shown(line: &mut Line) -> impl FnMut(&str, &str, u64, u64) + Send + '_ {
    move |verb, table, rows, all| line.show(|| format!("{table}: {rows} of {all} rows {verb}"))
}

fn tell(
    json: bool,
    file: &Path,
    manifest: &Manifest,
    bytes: u64,
    began: Instant,
    how: &str,
) -> Result<(), StartError> {
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let (tables, seconds) = (manifest.tables.len(), began.elapsed().as_secs_f64());
    if json {
        let report = json!({
            "file": file, "bytes": bytes, "tables": tables, "rows": rows, "created": manifest.created,
            "revision": manifest.revision, "dialect": manifest.dialect, "left_out": manifest.left_out,
            "secret_key": manifest.secret_key.is_some(), "seconds": (seconds * 1000.0).round() / 1000.0,
        });
        return ask::say(&format!("{report}\n"));
    }
    if !manifest.left_out.is_empty() {
        tracing::warn!(
            tables = manifest.left_out.join(", "),
            "tables that are not Superset's are not in the backup"
        );
    }
    ask::say(&format!(
        "{rows} rows of {tables} tables {how} {} ({bytes} bytes, {seconds:.1} s)\n",
        file.display()
    ))
}

/// A server holds the lock of a SQLite file.
fn is_served(uri: &DbUri) -> bool {
    let DbUri::Sqlite { path } = uri else { return false };
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    File::open(lock).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn write_key(path: &Path, manifest: &Manifest) -> Result<(), StartError> {
    let key = manifest
        .secret_key
        .as_deref()
        .ok_or("the backup was made without --with-secret-key: it has no key")?;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(writeln!(file, "{key}")?)
}
