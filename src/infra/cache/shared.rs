//! Entries in files that Superset reads, too (`cachelib.file:FileSystemCache`), within a bound of bytes.
//!
//! A file is named by the MD5 of its key and begins with the second of its expiry. Values are for their owners to
//! write as Superset reads them.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::store::{ByteStore, Put};
use crate::{Error, Result, crypto::md5_hex, db::BoxFuture};

/// Where cachelib counts its files.
const COUNT: &str = "__wz_cache_count";
/// Ending of what is not finished.
const UNFINISHED: &str = "__wz_cache";

/// A folder of entries.
pub struct SharedFiles {
    folder: PathBuf,
    most: u64,
}

fn now() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn expired(until: u32) -> bool {
    until != 0 && until <= now()
}

impl SharedFiles {
    /// A folder, made when it is needed; the oldest entries go when they take more than `most` bytes.
    pub fn new(folder: &Path, most: u64) -> Self {
        Self { folder: folder.to_owned(), most }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(md5_hex(key))
    }
}

fn write(folder: &Path, path: &Path, put: &Put, most: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    make_room(folder, most.saturating_sub(put.bytes.len() as u64))?;
    let unfinished = path.with_extension(format!("{}.{UNFINISHED}", uuid::Uuid::new_v4().simple()));
    let lifetime = put.lifetime.map(|l| u32::try_from(l.as_secs().max(1)).unwrap_or(u32::MAX));
    let until = lifetime.map_or(0, |seconds| now().saturating_add(seconds));
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

/// Removes the oldest files until all together take no more than `most` bytes.
fn make_room(folder: &Path, most: u64) -> std::io::Result<()> {
    let count = md5_hex(COUNT);
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder)?.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() && entry.file_name() != count.as_str() {
            files.push((about.modified().unwrap_or(UNIX_EPOCH), about.len(), entry.path()));
        }
    }
    let mut taken: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    if taken <= most {
        return Ok(());
    }
    files.sort();
    for (_, bytes, path) in files {
        if taken <= most {
            break;
        }
        let _ = std::fs::remove_file(path);
        taken -= bytes;
    }
    Ok(())
}

impl ByteStore for SharedFiles {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            match tokio::fs::read(self.path(key)).await {
                Ok(file) => Ok(file
                    .split_first_chunk::<4>()
                    .filter(|(until, _)| !expired(u32::from_le_bytes(**until)))
                    .map(|(_, value)| value.to_vec())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::internal(error)),
            }
        })
    }

    fn put(&self, value: Put) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (folder, path, most) = (self.folder.clone(), self.path(&value.key), self.most);
            let written = tokio::task::spawn_blocking(move || write(&folder, &path, &value, most)).await;
            written.map_err(Error::internal)?.map_err(|error| {
                tracing::warn!(%error, "the folder of a cache cannot be written");
                Error::internal(error)
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            match tokio::fs::remove_file(self.path(key)).await {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn put(key: &str, bytes: usize, lifetime: Option<u64>) -> Put {
        let lifetime = lifetime.map(Duration::from_secs);
        Put { key: key.to_owned(), bytes: vec![7; bytes], lifetime, author: None }
    }

    #[tokio::test]
    async fn the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = SharedFiles::new(folder.path(), 250);
        for key in ["a", "b", "c"] {
            store.put(put(key, 96, Some(60))).await.unwrap();
            // times of files are not finer on some disks
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let kept = [store.get("a").await, store.get("b").await, store.get("c").await];
        assert_eq!(kept.map(|k| k.unwrap().map(|v| v.len())), [None, Some(96), Some(96)]);
        assert!(store.remove("b").await.unwrap() && !store.remove("b").await.unwrap());
    }

    #[tokio::test]
    async fn files_are_as_cachelib_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = SharedFiles::new(folder.path(), 1 << 20);
        store.put(put("abc", 3, None)).await.unwrap();
        let file = std::fs::read(folder.path().join("900150983cd24fb0d6963f7d28e17f72")).unwrap();
        assert_eq!(file, [0, 0, 0, 0, 7, 7, 7]);
        let past = [&(now() - 5).to_le_bytes()[..], b"old"].concat();
        std::fs::write(folder.path().join("900150983cd24fb0d6963f7d28e17f72"), past).unwrap();
        assert_eq!(store.get("abc").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let store = SharedFiles::new(&file, 1 << 20);
        assert!(store.put(put("a", 1, None)).await.is_err());
    }
}
