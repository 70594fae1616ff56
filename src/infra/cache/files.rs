//! Entries as files of a folder (`cachelib.file:FileSystemCache`).
//!
//! The files are liteset's own: Superset keeps pickles there, which are code and are not read. Their names have an
//! ending of their own, so that neither program finds the entries of the other.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::store::{ByteStore, Put};
use crate::{Error, Result, crypto::md5_hex, db::BoxFuture};

/// Files from which on those that have expired are looked for (`threshold` of cachelib).
const THRESHOLD: usize = 500;
const ENDING: &str = "liteset";

/// A folder of entries.
pub struct Files {
    folder: PathBuf,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Second of expiry, 0 for never, and the value.
fn parts(file: &[u8]) -> Option<(u64, &[u8])> {
    let (head, value) = file.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*head), value))
}

fn expired(until: u64) -> bool {
    until != 0 && until <= now()
}

impl Files {
    /// A folder, made when it is needed.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The name tells nothing of the key: a key cannot leave the folder.
    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}.{ENDING}", md5_hex(key)))
    }
}

fn write(folder: &Path, path: &Path, put: &Put) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    sweep(folder)?;
    let unfinished = path.with_extension(format!("{}-{}", std::process::id(), uuid::Uuid::new_v4()));
    let until = put.lifetime.map_or(0, |l| now().saturating_add(l.as_secs().max(1)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(&until.to_le_bytes())?;
        file.write_all(&put.bytes)
    });
    written.and_then(|()| std::fs::rename(&unfinished, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&unfinished);
    })
}

/// Removes what has expired once there are many files.
fn sweep(folder: &Path) -> std::io::Result<()> {
    let ours = |path: &PathBuf| path.extension().is_some_and(|e| e == ENDING);
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).filter(ours).collect();
    if files.len() < THRESHOLD {
        return Ok(());
    }
    for file in files {
        let mut head = [0; 8];
        let read = std::fs::File::open(&file).and_then(|mut f| std::io::Read::read_exact(&mut f, &mut head));
        if read.is_ok() && expired(u64::from_le_bytes(head)) {
            let _ = std::fs::remove_file(file);
        }
    }
    Ok(())
}

impl ByteStore for Files {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            let path = self.path(key);
            match tokio::fs::read(&path).await {
                Ok(file) => Ok(parts(&file).filter(|(until, _)| !expired(*until)).map(|(_, v)| v.to_vec())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::internal(error)),
            }
        })
    }

    fn put(&self, value: Put) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (folder, path) = (self.folder.clone(), self.path(&value.key));
            let written = tokio::task::spawn_blocking(move || write(&folder, &path, &value)).await;
            written.map_err(Error::internal)?.map_err(|error| {
                tracing::warn!(%error, "the folder of a cache cannot be written");
                Error::internal(error)
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move { Ok(tokio::fs::remove_file(self.path(key)).await.is_ok()) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn entries_outlive_the_process_but_not_their_time() {
        let folder = std::env::temp_dir().join(format!("liteset-files-{}", std::process::id()));
        let put = |key: &str, seconds| Put {
            key: key.to_owned(),
            bytes: b"value".to_vec(),
            lifetime: Some(Duration::from_secs(seconds)),
            author: None,
        };
        let files = Files::new(&folder);
        assert_eq!(files.get("../a").await.unwrap(), None);
        files.put(put("../a", 60)).await.unwrap();
        files.put(put("b", 1)).await.unwrap();
        assert_eq!(Files::new(&folder).get("../a").await.unwrap().as_deref(), Some(&b"value"[..]));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert_eq!(files.get("b").await.unwrap(), None);
        // what somebody else has put there is nothing
        std::fs::write(files.path("c"), b"\x80\x04").unwrap();
        assert_eq!(files.get("c").await.unwrap(), None);
        assert!(files.remove("../a").await.unwrap());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
