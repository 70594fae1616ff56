//! Where an installation is copied to: an empty database. A SQLite file gets its name when it is complete.

use std::path::PathBuf;

use daos::{upgrade::ddl, whole_tables};
use infra::db::{
    Db, DbUri, Dialect, Executor, Sql, Tx,
    baseline::{Kind, Statement},
    migrate::{self, SchemaState},
};

use super::error::{Result, refused};

/// A database that is about to be filled.
pub struct Target {
    db: Db,
    /// A file under its preliminary name, and the name that it gets.
    file: Option<(PathBuf, PathBuf)>,
}

impl Target {
    /// Makes sure that there is nothing yet.
    pub async fn prepare(uri: &DbUri) -> Result<Self> {
        if migrate::inspect(uri).await? != SchemaState::Empty {
            return Err(refused("the target is not empty: name a new file, or a database without tables"));
        }
        let DbUri::Sqlite { path } = uri else {
            return Ok(Self { db: Db::connect_for_schema(uri).await?, file: None });
        };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        match std::fs::remove_file(&unfinished) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        let db = Db::connect_for_schema(&DbUri::Sqlite { path: unfinished.clone() }).await?;
        Ok(Self { db, file: Some((unfinished, path.clone())) })
    }

    /// Its connections.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// It is complete.
    pub async fn keep(self) -> Result<()> {
        drop(self.db);
        let Some((unfinished, path)) = self.file else { return Ok(()) };
        std::fs::File::open(&unfinished)?.sync_all()?;
        Ok(std::fs::rename(unfinished, path)?)
    }

    /// Nothing shall be left of it. The transaction has been taken back already; tables may be left where it did not
    /// hold them, and are taken for nothing if they cannot be dropped either.
    pub async fn discard(self) {
        if self.file.is_none() {
            let _ = self.empty().await;
        }
        drop(self.db);
        if let Some((unfinished, _)) = self.file {
            let _ = std::fs::remove_file(unfinished);
        }
    }
}

impl Target {
    async fn empty(&self) -> Result<()> {
        let tx = self.db.begin_load().await?;
        for table in whole_tables::of_superset(tx.exec()).await? {
            ddl::drop_table(tx.exec(), &table.name).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// A transaction for the rows, where making tables has ended the one that was open.
pub(super) async fn begin_rows(tx: &Tx) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite | Dialect::Postgres => Ok(()),
        Dialect::Mysql => Ok(tx.batch("START TRANSACTION").await?),
    }
}

/// Runs those statements of the schema that are of some kinds.
pub(super) async fn run(tx: &Tx, schema: &[Statement], kinds: &[Kind]) -> Result<()> {
    for statement in schema.iter().filter(|statement| kinds.contains(&statement.kind)) {
        tx.execute(Sql::new(statement.text)).await?;
    }
    Ok(())
}
