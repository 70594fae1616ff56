//! What a foreign SQLite connection may not do: reach other files, load code, change its own protection.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

/// A file's identity, whatever path leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The identity of an existing file.
    #[cfg(unix)]
    pub fn read(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let meta = std::fs::metadata(path).ok()?;
        Some(Self { device: meta.dev(), inode: meta.ino() })
    }
}

/// The metadata database, which no connection may reach, by whatever path; nor the files that SQLite keeps beside it.
#[derive(Debug, Clone)]
pub struct Metadata(PathBuf);

impl Metadata {
    /// The file of the metadata database.
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// True for the file, its links, and its journals, even those that do not exist yet.
    pub fn covers(&self, path: &Path) -> bool {
        let (Some(name), dir) = (self.0.file_name().and_then(|n| n.to_str()), parent(&self.0)) else {
            return false;
        };
        let id = FileId::read(path);
        ["", "-wal", "-shm", "-journal"].iter().any(|suffix| {
            let name = format!("{name}{suffix}");
            let same_file = id.is_some() && FileId::read(&dir.join(&name)) == id;
            let same_name = path.file_name().is_some_and(|n| n == name.as_str());
            same_file || same_name && FileId::read(&parent(path)) == FileId::read(&dir)
        })
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Pragmas that only tell.
const READING: &[&str] = &[
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "database_list",
    "collation_list",
    "function_list",
    "compile_options",
    "encoding",
    "user_version",
    "schema_version",
];

/// Installs the authorizer.
pub(super) fn protect(connection: &Connection) -> rusqlite::Result<()> {
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Authorization::Deny,
        AuthAction::Function { function_name } if function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Deny
        }
        AuthAction::Pragma { pragma_name, .. }
            if !READING.iter().any(|p| pragma_name.eq_ignore_ascii_case(p)) =>
        {
            Authorization::Deny
        }
        // ATTACH of an expression, whose file SQLite does not know yet, and whatever comes after this version
        AuthAction::Unknown { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }))?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_file_is_reached_however_it_is_named() {
        let connection = Connection::open_in_memory().unwrap();
        protect(&connection).unwrap();
        for sql in [
            "ATTACH 'x.db' AS s",
            "ATTACH ('x' || '.db') AS s",
            "ATTACH (SELECT 'x.db') AS s",
            "ATTACH 5 AS s",
            "ATTACH NULL AS s",
            "ATTACH '' AS s",
            "ATTACH ('file:' || 'x.db?mode=ro') AS ('s' || '1')",
            "DETACH main",
            "DETACH ('ma' || 'in')",
            "VACUUM INTO 'x.db'",
            "VACUUM INTO ('x' || '.db')",
            "SELECT load_extension('x')",
        ] {
            assert!(connection.execute_batch(sql).is_err(), "{sql}");
        }
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT a FROM t").unwrap();
    }
}
