//! Files of this machine that are data sources although `PREVENT_UNSAFE_DB_CONNECTIONS` holds: those below one folder,
//! which the operator fills.

use std::path::Path;

use infra::{
    config::Config,
    engine_specs::{spec, url::Url},
};

use crate::state::local_files::folder;

/// A connection string whose file lies in the folder.
pub(super) fn may_be_opened(config: &Config, url: &Url) -> bool {
    let facts = &spec(url.backend(), url.driver()).connection;
    let known = url.driver().is_none_or(|driver| facts.python_drivers.iter().any(|name| name == driver));
    let plain = url.host.is_none() && url.username.is_none() && url.port.is_none();
    let options = url.query.iter().all(|(key, _)| key == "check_same_thread");
    let path = Path::new(url.database.as_deref().unwrap_or_default());
    facts.offered_files
        && known
        && plain
        && options
        && folder(config).is_some_and(|folder| lies_in(path, &folder))
}

/// A file that is there, has this one name, and lies below the folder wherever links lead. A second name (a hard link)
/// may be that of a file from elsewhere.
fn lies_in(path: &Path, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    if !path.is_absolute() {
        return false;
    }
    let Ok(real) = std::fs::canonicalize(path) else { return false };
    let is_own = std::fs::metadata(&real).is_ok_and(|meta| meta.is_file() && meta.nlink() == 1);
    is_own && real.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_folder() {
        let root = std::env::temp_dir().join(format!("liteset-local-files-{}", std::process::id()));
        let folder = root.join("files");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        let (inside, outside) = (folder.join("deep/a.db"), root.join("b.db"));
        for file in [&inside, &outside] {
            std::fs::write(file, b"").unwrap();
        }
        let real = std::fs::canonicalize(&folder).unwrap();
        assert!(lies_in(&inside, &real));
        assert!(lies_in(&folder.join("deep/../deep/a.db"), &real));
        std::os::unix::fs::symlink(&inside, folder.join("inside.db")).unwrap();
        assert!(lies_in(&folder.join("inside.db"), &real), "a link that stays inside");
        std::os::unix::fs::symlink(&outside, folder.join("link.db")).unwrap();
        std::os::unix::fs::symlink(&root, folder.join("up")).unwrap();
        std::fs::hard_link(&outside, folder.join("hard.db")).unwrap();
        for wrong in ["link.db", "up/b.db", "hard.db", "../b.db", "deep", "none.db", "a.db/../../b.db"] {
            assert!(!lies_in(&folder.join(wrong), &real), "{wrong}");
        }
        assert!(!lies_in(Path::new("deep/a.db"), &real));
        assert!(!lies_in(Path::new("file:/etc/passwd"), &real));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
