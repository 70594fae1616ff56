//! `liteset db copy`: an installation moves to another database, of another kind or of the same.
//!
//! All tables are read at one moment and written in one transaction; what the target then holds is read back and
//! compared, table by table, before it is kept. Tables are made first, foreign keys after the rows: the order of rows
//! does not matter, and each reference is looked at once.

mod error;
mod tables;
mod target;

use daos::{
    upgrade::{ddl, shape},
    whole_tables::{self, Checksum, Pages, Precision},
};
use infra::db::{Db, DbUri, Dialect, Executor, Tx, baseline::Kind};

pub use error::CopyError;
use error::{Result, refused};
use tables::Mapping;
pub use target::Target;

/// Rows that are named when there are more of a kind.
const SHOWN: usize = 20;

/// What was copied.
#[derive(Debug, Default)]
pub struct Copied {
    /// Tables and their rows.
    pub tables: Vec<(String, u64)>,
    /// Tables that are not Superset's and were left out.
    pub left_out: Vec<String>,
}

impl Copied {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// Who hears of each table: what was done, its name, and its rows so far.
pub type Progress<'a> = &'a mut (dyn FnMut(&str, &str, u64) + Send);

/// Copies the installation of a database at the head into an empty one.
pub async fn copy(from: &Db, to: &DbUri, progress: Progress<'_>) -> Result<Copied> {
    let target = Target::prepare(to).await?;
    match fill(from, target.db(), progress).await {
        Ok(copied) => {
            target.keep().await?;
            Ok(copied)
        }
        Err(error) => {
            target.discard().await;
            Err(error)
        }
    }
}

async fn fill(from: &Db, to: &Db, progress: Progress<'_>) -> Result<Copied> {
    let source = from.begin_snapshot().await?;
    let dangling = shape::dangling(source.exec()).await?;
    if !dangling.is_empty() {
        let more = dangling.len().saturating_sub(SHOWN);
        let shown = dangling.into_iter().take(SHOWN).collect::<Vec<_>>().join("\n");
        return Err(refused(format!(
            "rows refer to others that are not there, which other databases do not take; repair or delete them \
             first:\n{shown}{}",
            if more > 0 { format!("\nand {more} more") } else { String::new() }
        )));
    }
    let tx = to.begin_load().await?;
    // what an attempt that was cut short has left where tables are made outside of transactions
    for left in whole_tables::of_superset(tx.exec()).await? {
        ddl::drop_table(tx.exec(), &left.name).await?;
    }
    let schema = infra::db::baseline::statements(to.dialect());
    target::run(&tx, &schema, &[Kind::Prelude, Kind::Table]).await?;
    target::begin_rows(&tx).await?;
    let deferred = tx.defer_references().await?;
    let on_mysql = [from.dialect(), to.dialect()].contains(&Dialect::Mysql);
    let precision = if on_mysql { Precision::Seconds } else { Precision::Micros };
    let there = whole_tables::of_superset(tx.exec()).await?;
    let mut copied = Copied { left_out: whole_tables::of_others(source.exec()).await?, ..Copied::default() };
    let mut sums = Vec::new();
    for table in whole_tables::of_superset(source.exec()).await? {
        if table.name == "alembic_version" {
            continue;
        }
        let Some(into) = there.iter().find(|t| t.name == table.name) else {
            return Err(refused(format!("the target has no table {}", table.name)));
        };
        let mapping = Mapping::of(&table, into, source.exec(), precision).await?;
        let mut sum = Checksum::default();
        let mut pages = Pages::of(source.exec(), &table);
        while let Some(rows) = pages.next().await? {
            let rows: Vec<_> = rows.into_iter().map(|row| mapping.row(row)).collect();
            rows.iter().for_each(|row| sum.add(mapping.kinds(), row, precision));
            whole_tables::insert(tx.exec(), &table.name, &mapping.columns(), rows).await?;
            progress("copied", &table.name, sum.rows());
        }
        tx.number_after(&table.name).await?;
        copied.tables.push((table.name.clone(), sum.rows()));
        sums.push((into, mapping, sum));
    }
    target::run(&tx, &schema, &[Kind::ForeignKey, Kind::Row]).await?;
    tx.check_references(deferred).await?;
    verify(&tx, &sums, precision, progress).await?;
    tx.commit().await?;
    Ok(copied)
}

/// Reads back what was written.
async fn verify(
    tx: &Tx,
    sums: &[(&whole_tables::TableInfo, Mapping, Checksum)],
    precision: Precision,
    progress: Progress<'_>,
) -> Result<()> {
    for (table, mapping, written) in sums {
        let read = whole_tables::checksum(tx.exec(), &mapping.only_copied(table), precision).await?;
        progress("compared", &table.name, read.rows());
        if read != *written {
            return Err(refused(format!(
                "table {} reads back as {read}, and not as {written} as it was read there",
                table.name
            )));
        }
    }
    Ok(())
}
