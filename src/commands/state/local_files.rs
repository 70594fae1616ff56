//! The folder whose files may be data sources.

use std::path::PathBuf;

use infra::{config::Config, db::DbUri};

/// The key that names the folder; a first start of an own data directory makes `files` there.
pub const KEY: &str = "LOCAL_FILES_FOLDER";

/// The folder, without detours; none where none is named, where it is not there, and where it holds the metadata
/// database.
pub fn folder(config: &Config) -> Option<PathBuf> {
    let named = config.str(KEY);
    let real = std::fs::canonicalize(Some(named).filter(|n| !n.is_empty())?).ok()?;
    let holds = match config.str("SQLALCHEMY_DATABASE_URI").parse() {
        Ok(DbUri::Sqlite { path }) => std::fs::canonicalize(path).is_ok_and(|path| path.starts_with(&real)),
        _ => false,
    };
    (real.is_dir() && !holds).then_some(real)
}
