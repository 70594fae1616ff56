//! Writing a backup: one moment of all tables, under another name until it was read back.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use daos::whole_tables::{self, Pages};
use infra::{
    Error, Result,
    db::{Db, Executor, migrate},
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{FORMAT, MANIFEST, Manifest, Progress, Table, VERSION, check, hex, member, value};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What is in it.
    pub manifest: Manifest,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes all tables of Superset to a new file. The file appears under its name when all of it was read back and is
/// what was written; until then, and when something fails, nothing lies there.
pub async fn write(
    db: &Db,
    path: &Path,
    secret_key: Option<String>,
    progress: Progress<'_>,
) -> Result<Written> {
    let part = beside(path);
    let done = write_part(db, &part, secret_key, progress).await;
    let done = done.and_then(|manifest| {
        let found = check(&part, progress)?;
        if found.manifest != manifest {
            return Err(Error::internal(
                "the file does not hold what was written: the disk cannot be trusted",
            ));
        }
        std::fs::rename(&part, path).map_err(|e| of(path, &e))?;
        // that the name is there survives a loss of power, too
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(Written { manifest, bytes: found.bytes })
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

pub(super) fn of(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::unprocessable(format!("{}: {error}", path.display()))
}

async fn write_part(
    db: &Db,
    path: &Path,
    secret_key: Option<String>,
    progress: Progress<'_>,
) -> Result<Manifest> {
    let file = File::options().write(true).create_new(true).open(path).map_err(|e| of(path, &e))?;
    let failed = |error: io::Error| of(path, &error);
    let tx = db.begin_snapshot().await?;
    let exec = tx.exec();
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 18, file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(2))
        .large_file(true)
        .unix_permissions(0o600);
    let mut tables = Vec::new();
    for table in whole_tables::of_superset(exec).await? {
        let all = whole_tables::count(exec, &table.name).await?;
        zip.start_file(member(&table.name), options).map_err(|e| of(path, &e))?;
        let (mut digest, mut rows) = (Sha256::new(), 0_u64);
        let mut pages = Pages::of(exec, &table);
        let mut text = Vec::new();
        while let Some(page) = pages.next().await? {
            text.clear();
            rows += page.len() as u64;
            for row in page {
                let row = Json::Array(row.into_iter().map(value::to_json).collect());
                serde_json::to_writer(&mut text, &row).map_err(Error::internal)?;
                text.push(b'\n');
            }
            digest.update(&text);
            zip.write_all(&text).map_err(failed)?;
            progress("written", &table.name, rows, all);
        }
        let columns = table.columns.into_iter().map(|column| column.name).collect();
        tables.push(Table { name: table.name, columns, rows, sha256: hex(&digest.finalize()) });
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        liteset: env!("CARGO_PKG_VERSION").to_owned(),
        revision: migrate::HEAD.to_owned(),
        dialect: db.dialect().name().to_owned(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        tables,
        left_out: whole_tables::of_others(exec).await?,
        secret_key,
    };
    zip.start_file(MANIFEST, options).map_err(|e| of(path, &e))?;
    zip.write_all(&serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?).map_err(failed)?;
    let file = zip.finish().map_err(|e| of(path, &e))?.into_inner().map_err(|e| of(path, &e.error()))?;
    file.sync_all().map_err(failed)?;
    Ok(manifest)
}
