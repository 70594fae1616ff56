//! Reading a backup: the manifest, and tables row by row.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use daos::whole_tables::Values;
use infra::Result;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{FORMAT, MANIFEST, Manifest, Progress, Table, VERSION, hex, value, write::of};

/// A manifest is a description of some fifty tables.
const LARGEST_MANIFEST: u64 = 16 << 20;

/// A backup that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is in it.
    pub manifest: Manifest,
    /// Bytes of the file.
    pub bytes: u64,
}

pub(super) type Archive = ZipArchive<BufReader<File>>;

/// Opens a backup and reads its manifest.
pub(super) fn open(path: &Path) -> Result<(Archive, Manifest, u64)> {
    let file = File::open(path).map_err(|e| of(path, &e))?;
    let bytes = file.metadata().map_err(|e| of(path, &e))?.len();
    let broken =
        |why: &dyn std::fmt::Display| of(path, &format!("no backup of liteset, or a broken one: {why}"));
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| broken(&e))?;
    let mut text = Vec::new();
    let member = archive.by_name(MANIFEST).map_err(|e| broken(&e))?;
    member.take(LARGEST_MANIFEST).read_to_end(&mut text).map_err(|e| broken(&e))?;
    // the number is read first: what comes after it is for whoever knows it
    let plain: Json = serde_json::from_slice(&text).map_err(|e| broken(&e))?;
    if plain.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(broken(&"its manifest is of something else"));
    }
    match plain.get("version").and_then(Json::as_u64) {
        Some(version) if version <= VERSION.into() => {}
        Some(version) => {
            let text = format!(
                "it is of format {version}, and this liteset reads up to {VERSION}: take a newer one"
            );
            return Err(of(path, &text));
        }
        None => return Err(broken(&"its manifest has no version")),
    }
    let manifest = serde_json::from_value(plain).map_err(|e| broken(&e))?;
    Ok((archive, manifest, bytes))
}

/// Reads all of a backup; fails when anything in it is not what the manifest says.
pub fn check(path: &Path, progress: Progress<'_>) -> Result<Found> {
    let (mut archive, manifest, bytes) = open(path)?;
    for table in &manifest.tables {
        let mut rows = Rows::of(path, &mut archive, table)?;
        while rows.next()?.is_some() {
            if rows.count % 1000 == 0 {
                progress("checked", &table.name, rows.count, table.rows);
            }
        }
    }
    Ok(Found { manifest, bytes })
}

/// The rows of a table.
pub(super) struct Rows<'a> {
    path: &'a Path,
    table: &'a Table,
    member: BufReader<zip::read::ZipFile<'a, BufReader<File>>>,
    digest: Sha256,
    line: Vec<u8>,
    count: u64,
    over: bool,
}

impl<'a> Rows<'a> {
    pub fn of(path: &'a Path, archive: &'a mut Archive, table: &'a Table) -> Result<Self> {
        let member = archive.by_name(&table.member());
        let member = member.map_err(|e| of(path, &format!("the table {} is not in it: {e}", table.name)))?;
        let member = BufReader::with_capacity(1 << 18, member);
        Ok(Self { path, table, member, digest: Sha256::new(), line: Vec::new(), count: 0, over: false })
    }

    /// Bytes of the last row in the file.
    pub fn length(&self) -> usize {
        self.line.len()
    }

    /// The next row. After the last one the checksum is compared.
    pub fn next(&mut self) -> Result<Option<Values>> {
        if self.over {
            return Ok(None);
        }
        let broken = |why: String| of(self.path, &format!("the table {} is broken: {why}", self.table.name));
        self.line.clear();
        let read = self.member.read_until(b'\n', &mut self.line).map_err(|e| broken(e.to_string()))?;
        if read == 0 {
            self.over = true;
            let digest = std::mem::take(&mut self.digest);
            if self.count != self.table.rows || hex(&digest.finalize()) != self.table.sha256 {
                return Err(broken("its checksum is another".to_owned()));
            }
            return Ok(None);
        }
        self.digest.update(&self.line);
        self.count += 1;
        let line = self.count;
        let row: Vec<Json> =
            serde_json::from_slice(&self.line).map_err(|e| broken(format!("row {line}: {e}")))?;
        if row.len() != self.table.columns.len() {
            return Err(broken(format!("row {line} has {} values", row.len())));
        }
        let values = row.into_iter().map(value::from_json).collect::<Option<Values>>();
        values.map(Some).ok_or_else(|| broken(format!("row {line} has a value that is none")))
    }
}
