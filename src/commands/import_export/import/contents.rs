//! The files of a bundle: a ZIP file that is read entry by entry, files of a folder, or files that are held.

use std::{
    fs,
    io::{Read, Seek},
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use infra::{
    Error, Result,
    config::Config,
    zip_file::{Bounds, ZipError, ZipRead, entries_of},
};
use parking_lot::Mutex;

use super::failure::{exception, no_valid_files};

/// `metadata.yaml`.
pub const METADATA: &str = "metadata.yaml";

trait Seekable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Seekable for T {}

enum Source {
    Zip(Box<Mutex<ZipRead<Box<dyn Seekable>>>>),
    Files(Vec<Held>),
}

/// A file outside of a ZIP file.
enum Held {
    Bytes(Vec<u8>),
    At(PathBuf),
}

/// The files of a bundle under their names without the root folder.
pub struct Contents {
    /// Place in the source by name.
    names: IndexMap<String, usize>,
    source: Source,
}

impl Contents {
    /// A ZIP file within the configured bounds (`get_contents_from_bundle`).
    ///
    /// Fails with 400 when nothing in it is a configuration.
    pub fn of_zip(config: &Config, reader: impl Read + Seek + Send + 'static) -> Result<Self> {
        let zip = ZipRead::open(Box::new(reader) as Box<dyn Seekable>, bounds(config)).map_err(zip_error)?;
        let mut names = IndexMap::new();
        for (i, name) in zip.names().iter().enumerate() {
            if is_config(name) {
                names.insert(without_root(name), i);
            }
        }
        if names.is_empty() {
            return Err(no_valid_files());
        }
        Ok(Self { names, source: Source::Zip(Box::new(Mutex::new(zip))) })
    }

    /// Files that are held.
    pub fn of_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self::of(files.into_iter().map(|(name, bytes)| (name, Held::Bytes(bytes))))
    }

    /// Files of a folder, each read when it is asked for, with the text of `metadata.yaml`.
    pub fn of_folder(files: impl IntoIterator<Item = (String, PathBuf)>, metadata: String) -> Self {
        let metadata = (METADATA.to_owned(), Held::Bytes(metadata.into_bytes()));
        Self::of(files.into_iter().map(|(name, path)| (name, Held::At(path))).chain([metadata]))
    }

    fn of(files: impl Iterator<Item = (String, Held)>) -> Self {
        let (names, held): (Vec<String>, Vec<Held>) = files.unzip();
        let names = names.into_iter().enumerate().map(|(i, name)| (name, i)).collect();
        Self { names, source: Source::Files(held) }
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// True when a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The text of a file; empty when it is not there.
    pub fn text(&self, name: &str) -> Result<String> {
        let Some(at) = self.names.get(name) else { return Ok(String::new()) };
        let bytes = match &self.source {
            Source::Zip(zip) => zip.lock().read(*at).map_err(zip_error)?,
            Source::Files(files) => match files.get(*at) {
                Some(Held::Bytes(bytes)) => bytes.clone(),
                Some(Held::At(path)) => fs::read(path).map_err(Error::internal)?,
                None => Vec::new(),
            },
        };
        String::from_utf8(bytes).map_err(|e| exception(undecodable(e.as_bytes(), e.utf8_error())))
    }
}

/// True when the end of a reader says that it is a ZIP file.
pub fn is_zip(mut reader: impl Read + Seek) -> bool {
    entries_of(&mut reader).is_some()
}

fn bounds(config: &Config) -> Bounds {
    let size = config.int("ZIPPED_FILE_MAX_SIZE").and_then(|n| u64::try_from(n).ok());
    let ratio = config.get("ZIP_FILE_MAX_COMPRESS_RATIO").as_f64();
    Bounds { size: size.unwrap_or(100 << 20), ratio: ratio.unwrap_or(200.0) }
}

fn zip_error(error: ZipError) -> Error {
    exception(error.to_string())
}

/// Python's words for bytes that are no text.
fn undecodable(bytes: &[u8], error: std::str::Utf8Error) -> String {
    let at = error.valid_up_to();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let reason = match error.error_len() {
        None => "unexpected end of data",
        Some(_) if matches!(byte, 0xc2..=0xf4) => "invalid continuation byte",
        Some(_) => "invalid start byte",
    };
    format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}")
}

/// Components of a path as Python's `PurePosixPath` has them: none is empty or a point.
fn parts(path: &str) -> Vec<&str> {
    let root = path.starts_with('/').then_some("/");
    root.into_iter().chain(path.split('/').filter(|part| !part.is_empty() && *part != ".")).collect()
}

/// `is_valid_config`: YAML files, but none that systems leave behind.
fn is_config(path: &str) -> bool {
    let Some(name) = parts(path).pop() else { return false };
    let extension = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    !name.starts_with(['.', '_']) && matches!(extension.to_ascii_lowercase().as_str(), "yaml" | "yml")
}

/// `remove_root`: the first component goes.
fn without_root(path: &str) -> String {
    match parts(path).get(1..) {
        Some([]) | None => ".".to_owned(),
        Some(rest) => rest.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_root() {
        for (path, want) in [
            ("b/charts/x.yaml", "charts/x.yaml"),
            ("b//charts/./x.yaml", "charts/x.yaml"),
            ("metadata.yaml", "."),
            ("/b/x.yaml", "b/x.yaml"),
            ("b/../x.yaml", "../x.yaml"),
            ("b\\x.yaml", "."),
        ] {
            assert_eq!(without_root(path), want, "{path}");
        }
        for (path, want) in [
            ("a/x.YML", true),
            ("a/.x.yaml", false),
            ("a/_x.yaml", false),
            ("a/x.json", false),
            ("a/yaml", false),
        ] {
            assert_eq!(is_config(path), want, "{path}");
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        let text = |bytes: &[u8]| undecodable(bytes, std::str::from_utf8(bytes).unwrap_err());
        assert_eq!(text(b"\xfe"), "'utf-8' codec can't decode byte 0xfe in position 0: invalid start byte");
        assert_eq!(
            text(b"a\xc3("),
            "'utf-8' codec can't decode byte 0xc3 in position 1: invalid continuation byte"
        );
        assert_eq!(
            text(b"a\xc3"),
            "'utf-8' codec can't decode byte 0xc3 in position 1: unexpected end of data"
        );
    }
}
