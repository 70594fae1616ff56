//! The files of an export as a ZIP file.

use std::{fs::File, path::Path};

use infra::{Error, Result, clock, spool::Spool, zip_file::ZipWrite};

use super::{AssetKind, Sink, Timestamp, export, export_assets};
use crate::Caller;

/// A finished bundle.
#[derive(Debug)]
pub struct Bundle {
    /// `<resource>_export_<timestamp>.zip`.
    pub filename: String,
    /// Its bytes.
    pub content: Spool,
}

/// `<resource>_export_<timestamp>`: the root folder in a bundle, and its name.
pub fn bundle_name(resource: &str) -> String {
    format!("{resource}_export_{}", clock::now().format("%Y%m%dT%H%M%S"))
}

/// Writes files under a root folder into a ZIP file.
pub struct ZipSink {
    zip: ZipWrite,
    root: String,
}

impl ZipSink {
    /// Begins in an empty file.
    pub fn new(file: File, root: String) -> Self {
        Self { zip: ZipWrite::new(file), root }
    }
    /// Completes the file.
    pub fn finish(self) -> Result<File> {
        self.zip.finish().map_err(Error::internal)
    }
}

impl Sink for ZipSink {
    fn file(&mut self, name: &str, content: &str) -> Result<()> {
        self.zip.add(&format!("{}/{name}", self.root), content.as_bytes()).map_err(Error::internal)
    }
}

impl Bundle {
    /// Exports objects of a resource; the file lies in a folder for temporary ones until the last who holds it is gone.
    pub async fn export(caller: &Caller, kind: AssetKind, ids: &[i64], folder: &Path) -> Result<Self> {
        let (mut sink, filename) = Self::begin(kind.resource(), folder)?;
        export(caller, kind, ids, &mut sink).await?;
        Self::end(sink, filename)
    }

    /// Exports everything that the caller sees.
    pub async fn of_assets(caller: &Caller, folder: &Path) -> Result<Self> {
        let (mut sink, filename) = Self::begin("assets", folder)?;
        export_assets(caller, Timestamp::Now, &mut sink).await?;
        Self::end(sink, filename)
    }

    fn begin(resource: &str, folder: &Path) -> Result<(ZipSink, String)> {
        let root = bundle_name(resource);
        let file = Spool::file(folder).map_err(Error::internal)?;
        Ok((ZipSink::new(file, root.clone()), format!("{root}.zip")))
    }

    fn end(sink: ZipSink, filename: String) -> Result<Self> {
        let content = Spool::from_file(sink.finish()?).map_err(Error::internal)?;
        Ok(Self { filename, content })
    }
}
