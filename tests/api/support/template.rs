//! A first start is done once for each build of the binary; the installations of the tests are copies of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::UNIX_EPOCH,
};

use super::{Server, command};

/// What a first start writes; all of it is optional here, because one without examples has no `examples.db`.
const FILES: [&str; 4] = ["secrets.toml", "liteset.toml", "superset.db", "examples.db"];

/// Settings that a first start writes into the database: who gives one must really start first.
const WRITTEN: [&str; 3] =
    ["LITESET_AUTH_ROLE_ADMIN", "LITESET_AUTH_ROLE_PUBLIC", "LITESET_PUBLIC_ROLE_LIKE"];

/// Whether a copy is as good as a first start with these settings.
pub fn may_be_copied(settings: &[(&str, &str)]) -> bool {
    settings.iter().all(|(name, _)| !WRITTEN.contains(name))
}

/// Makes `data` what a first start would have made of it.
pub fn copy_to(data: &Path, examples: bool) {
    static WITH: OnceLock<PathBuf> = OnceLock::new();
    static WITHOUT: OnceLock<PathBuf> = OnceLock::new();
    let template = if examples { &WITH } else { &WITHOUT }.get_or_init(|| kept(examples));
    fs::create_dir_all(data).unwrap();
    fs::set_permissions(data, fs::metadata(template).unwrap().permissions()).unwrap();
    for file in FILES.iter().filter(|file| template.join(file).exists()) {
        fs::copy(template.join(file), data.join(file)).unwrap();
    }
    let db = rusqlite::Connection::open(data.join("superset.db")).unwrap();
    // where the first start has put the data of the examples
    let (there, here) = (uri(&template.join("examples.db")), uri(&data.join("examples.db")));
    let moved =
        db.execute("UPDATE dbs SET sqlalchemy_uri = ?2 WHERE sqlalchemy_uri = ?1", [there, here]).unwrap();
    assert_eq!(moved, usize::from(examples), "the examples have another address");
}

fn uri(file: &Path) -> String {
    format!("sqlite:///{}?check_same_thread=false", file.display())
}

/// The template of this build: kept beside the test program for the next run, made when the binary is newer.
fn kept(examples: bool) -> PathBuf {
    let built = fs::metadata(env!("CARGO_BIN_EXE_liteset")).unwrap().modified().unwrap();
    let built = built.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let kind = if examples { "examples" } else { "empty" };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let kept = folder.join(format!("first-start-{kind}-{built}"));
    if !kept.join("superset.db").exists() {
        for old in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if old.file_name().to_string_lossy().starts_with(&format!("first-start-{kind}-")) {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        make(&kept, examples);
    }
    kept
}

fn make(kept: &Path, examples: bool) {
    let home = super::scratch("template");
    let mut first = command(&home);
    // ids begin where the examples end
    first.args(["run", "--no-uploads", "--home", kept.to_str().unwrap()]);
    if !examples {
        first.arg("--no-examples");
    }
    drop(Server::start_with(&mut first, home));
    // the server was killed: what its log holds goes into the file, which then is whole
    let db = rusqlite::Connection::open(kept.join("superset.db")).unwrap();
    let left: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "the template is in use");
}
