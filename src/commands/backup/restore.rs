//! Filling a metadata database from a backup: in one transaction, checked before it ends.

use std::path::Path;

use daos::whole_tables::{self, Checksum, ColumnKind, Precision, TableInfo, Values};
use infra::{
    Error, Result,
    db::{Db, Dialect, Executor, SchemaState, Tx, migrate},
};

use super::{
    Manifest, Progress, check,
    read::{Archive, Rows, open},
    write::of,
};

/// How a database is filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What is there is removed.
    pub replace: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was in the file.
    pub manifest: Manifest,
    /// Rows that are there now.
    pub rows: u64,
}

/// Rows that are inserted at once; fewer of large ones.
const ROWS: usize = 200;

/// Fills the database, or leaves it as it is. `state` is what [`migrate::inspect`] found in it.
pub async fn restore(
    db: &Db,
    state: &SchemaState,
    path: &Path,
    options: Options,
    progress: Progress<'_>,
) -> Result<Restored> {
    // all of it before anything is touched
    let manifest = check(path, progress)?.manifest;
    if manifest.revision != migrate::HEAD {
        let (found, head) = (&manifest.revision, migrate::HEAD);
        let text = format!("it is of schema {found}, and this liteset restores {head} (Superset 6.0.0)");
        return Err(of(path, &text));
    }
    let (mut archive, again, _) = open(path)?;
    if again != manifest {
        return Err(of(path, &"the file was changed meanwhile"));
    }
    let filled = fill_all(db, state, (&mut archive, &manifest), path, options, progress).await;
    if filled.is_err() && *state == SchemaState::Empty && db.dialect() == Dialect::Mysql {
        // MySQL keeps tables that a transaction made: without them it is empty again
        if let Err(error) = migrate::remove(db).await {
            tracing::warn!(%error, "the tables that were made for the restore are still there, without rows");
        }
    }
    Ok(Restored { rows: filled?, manifest })
}

/// Everything in one transaction; the number of rows.
async fn fill_all(
    db: &Db,
    state: &SchemaState,
    (archive, manifest): (&mut Archive, &Manifest),
    path: &Path,
    options: Options,
    progress: Progress<'_>,
) -> Result<u64> {
    let tx = db.begin_load().await?;
    match state {
        SchemaState::Empty => migrate::create_in(&tx).await?,
        SchemaState::Head => {
            if !options.replace && !is_empty(&tx).await? {
                return Err(Error::unprocessable(
                    "the metadata database is not empty. It was not touched; with --replace everything in it is \
                     removed first",
                ));
            }
        }
        other => return Err(Error::unprocessable(other.refusal().unwrap_or_default())),
    }
    let tables = whole_tables::of_superset(tx.exec()).await?;
    if let Some(unknown) = manifest.tables.iter().find(|t| !tables.iter().any(|own| own.name == t.name)) {
        return Err(of(path, &format!("there is no table {} to restore it into", unknown.name)));
    }
    tx.clear(&tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>()).await?;
    let deferred = tx.defer_references().await?;
    let mut rows = 0;
    for table in &tables {
        rows += fill(&tx, path, archive, (manifest, table), progress).await?;
    }
    tx.check_references(deferred).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Columns of charts that Superset no longer reads. Only PostgreSQL still has them: elsewhere they are left out.
const LOST: [&str; 2] = ["table_id", "druid_datasource_id"];

/// Nothing but the schema, and its revision.
async fn is_empty(tx: &Tx) -> Result<bool> {
    for table in whole_tables::of_superset(tx.exec()).await? {
        if table.name != "alembic_version" && whole_tables::count(tx.exec(), &table.name).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fills a table and reads it back; its number of rows.
async fn fill(
    tx: &Tx,
    path: &Path,
    archive: &mut Archive,
    (manifest, table): (&Manifest, &TableInfo),
    progress: Progress<'_>,
) -> Result<u64> {
    let Some(source) = manifest.tables.iter().find(|t| t.name == table.name) else { return Ok(0) };
    let (mut columns, mut kinds, mut kept): (Vec<&str>, Vec<ColumnKind>, Vec<bool>) = Default::default();
    for name in &source.columns {
        let column = table.columns.iter().find(|column| column.name == *name);
        kept.push(column.is_some());
        match column {
            Some(column) => {
                columns.push(name);
                kinds.push(column.kind);
            }
            None if table.name == "slices" && LOST.contains(&name.as_str()) => {}
            None => return Err(of(path, &format!("there is no column {}.{name}", table.name))),
        }
    }
    let precision = precision(tx.dialect());
    let (mut wanted, mut done) = (Checksum::default(), 0);
    let mut reader = Rows::of(path, archive, source)?;
    loop {
        let (mut page, mut bytes): (Vec<Values>, usize) = Default::default();
        while page.len() < ROWS
            && bytes < whole_tables::BYTES
            && let Some(mut row) = reader.next()?
        {
            bytes += reader.length();
            let mut kept = kept.iter();
            row.retain(|_| kept.next() == Some(&true));
            wanted.add(&kinds, &row, precision);
            page.push(row);
        }
        if page.is_empty() {
            break;
        }
        done += page.len() as u64;
        whole_tables::insert(tx.exec(), &table.name, &columns, page).await?;
        progress("restored", &table.name, done, source.rows);
    }
    tx.number_after(&table.name).await?;
    // in the order of the file's columns, as the rows were counted
    let mut in_order = table.clone();
    in_order.columns = columns
        .iter()
        .filter_map(|name| table.columns.iter().find(|column| column.name == *name).cloned())
        .collect();
    let found = whole_tables::checksum(tx.exec(), &in_order, precision).await?;
    if found != wanted {
        let name = &table.name;
        let text = format!("{name}: what was restored is not what the backup has; nothing was changed");
        return Err(Error::internal(text));
    }
    Ok(done)
}

fn precision(dialect: Dialect) -> Precision {
    if dialect.keeps_fractions() { Precision::Micros } else { Precision::Seconds }
}
