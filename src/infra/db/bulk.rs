//! Transactions for whole tables: one that reads a single moment, one that fills them.

use super::{Db, DbError, Dialect, Executor, Pool, Sql, Tx, TxConn, noted};

impl Db {
    /// A transaction that reads one moment of all tables and holds no writer up.
    pub async fn begin_snapshot(&self) -> Result<Tx, DbError> {
        let work = async {
            match &self.pool {
                Pool::Sqlite(p) => p.begin_with("BEGIN").await.map(TxConn::Sqlite),
                Pool::Postgres(p) => p
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await
                    .map(TxConn::Postgres),
                Pool::Mysql(p) => p.begin_with(&MYSQL_SNAPSHOT, false).await.map(TxConn::Mysql),
            }
        };
        let conn = noted(self.dialect().statement("BEGIN"), work, |_| None).await?;
        let tx = Tx { conn, statements: self.statements.clone() };
        // the moment is that of the first statement
        match self.dialect() {
            Dialect::Sqlite => tx.query(Sql::new("SELECT count(*) FROM sqlite_master")).await?,
            Dialect::Postgres | Dialect::Mysql => tx.query(Sql::new("SELECT 1")).await?,
        };
        Ok(tx)
    }

    /// A transaction that fills tables: no row has to come after the rows that it refers to. Where the database cannot
    /// wait with its checks, [`Tx::defer_references`] says which ones wait, once the tables are there.
    pub async fn begin_load(&self) -> Result<Tx, DbError> {
        let work = async {
            match &self.pool {
                // Superset never asked SQLite to look: what refers to nothing may be in any installation
                Pool::Sqlite(p) => p.begin_unchecked().await.map(TxConn::Sqlite),
                Pool::Postgres(p) => p.begin_with("BEGIN").await.map(TxConn::Postgres),
                Pool::Mysql(p) => p.begin_with(&MYSQL_LOAD, true).await.map(TxConn::Mysql),
            }
        };
        let conn = noted(self.dialect().statement("BEGIN"), work, |_| None).await?;
        Ok(Tx { conn, statements: self.statements.clone() })
    }
}

const MYSQL_SNAPSHOT: [&str; 2] = [
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
];

/// Nothing is checked while rows arrive, and a key of zero is one.
const MYSQL_LOAD: [&str; 3] = [
    "SET SESSION foreign_key_checks = 0",
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
    "START TRANSACTION",
];

/// All references, which are looked at one by one.
const MYSQL_ALL: &str = "SELECT k.table_name AS table_name, k.column_name AS column_name, \
     k.referenced_table_name AS target, k.referenced_column_name AS key_name \
     FROM information_schema.key_column_usage k WHERE k.table_schema = DATABASE() \
     AND k.referenced_table_name IS NOT NULL";

/// References inside a table: [`super::catalog::tables`] puts all others in order.
const POSTGRES_INSIDE: &str = "SELECT c.relname AS table_name, k.conname AS name FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     WHERE k.contype = 'f' AND k.conrelid = k.confrelid AND NOT k.condeferrable";

/// References whose check waits, to be put back by [`Tx::check_references`].
#[derive(Debug)]
#[must_use]
pub struct Deferred(Vec<(String, String)>);

impl Tx {
    /// References of a table to itself are checked later.
    pub async fn defer_references(&self) -> Result<Deferred, DbError> {
        let mut deferred = Vec::new();
        if self.dialect() == Dialect::Postgres {
            for row in self.query(Sql::new(POSTGRES_INSIDE)).await? {
                deferred.push((row.get("table_name")?, row.get("name")?));
            }
        }
        self.alter(&deferred, "DEFERRABLE INITIALLY DEFERRED").await?;
        Ok(Deferred(deferred))
    }

    /// Checks them now and puts everything back as it was.
    pub async fn check_references(&self, deferred: Deferred) -> Result<(), DbError> {
        if !deferred.0.is_empty() {
            self.execute(Sql::new("SET CONSTRAINTS ALL IMMEDIATE")).await?;
        }
        if self.dialect() == Dialect::Mysql {
            return self.look_for_strays().await;
        }
        self.alter(&deferred.0, "NOT DEFERRABLE").await
    }

    /// MySQL does not look back at what came while it did not check.
    async fn look_for_strays(&self) -> Result<(), DbError> {
        let quoted = |name: &str| self.dialect().quoted(name);
        for row in self.query(Sql::new(MYSQL_ALL)).await? {
            let text = |column: &str| row.get::<String>(column);
            let (table, column, target) = (text("table_name")?, text("column_name")?, text("target")?);
            let (from, at, to, key) =
                (quoted(&table), quoted(&column), quoted(&target), quoted(&text("key_name")?));
            let sql = format!(
                "SELECT 1 FROM {from} c LEFT JOIN {to} p ON p.{key} = c.{at} \
                 WHERE c.{at} IS NOT NULL AND p.{key} IS NULL LIMIT 1"
            );
            if self.exec().first(Sql::new(sql)).await?.is_some() {
                let sentence = format!("{table}.{column} refers to a row of {target} that is not there");
                return Err(DbError::Integrity(sentence));
            }
        }
        Ok(())
    }

    async fn alter(&self, references: &[(String, String)], how: &str) -> Result<(), DbError> {
        let quoted = |name: &str| self.dialect().quoted(name);
        for (table, name) in references {
            let sql = format!("ALTER TABLE {} ALTER CONSTRAINT {} {how}", quoted(table), quoted(name));
            self.execute(Sql::new(sql)).await?;
        }
        Ok(())
    }

    /// Removes all rows of tables, which stand in the order of [`super::catalog::tables`].
    pub async fn clear(&self, tables: &[&str]) -> Result<(), DbError> {
        let names: Vec<String> = tables.iter().rev().map(|t| self.dialect().quoted(t)).collect();
        match self.dialect() {
            // TRUNCATE would commit on MySQL
            Dialect::Sqlite | Dialect::Mysql => {
                for name in &names {
                    self.execute(Sql::new(format!("DELETE FROM {name}"))).await?;
                }
            }
            // row by row each would be looked for in every table that may refer to it
            Dialect::Postgres if !names.is_empty() => {
                self.execute(Sql::new(format!("TRUNCATE {}", names.join(", ")))).await?;
            }
            Dialect::Postgres => {}
        }
        Ok(())
    }

    /// The next row that a table numbers itself comes after those that are there.
    pub async fn number_after(&self, table: &str) -> Result<(), DbError> {
        match self.dialect() {
            // the next number is always more than the highest
            Dialect::Sqlite | Dialect::Mysql => Ok(()),
            Dialect::Postgres => {
                // Flask-AppBuilder's tables have sequences that belong to no column
                let find = Sql::new(
                    "SELECT coalesce(pg_get_serial_sequence(quote_ident(c.table_name), 'id'), \
                     to_regclass(quote_ident(c.table_name || '_id_seq'))::text) AS name \
                     FROM information_schema.columns c WHERE c.table_schema = current_schema() \
                     AND c.column_name = 'id' AND c.data_type IN ('integer', 'bigint') AND c.table_name = ?",
                );
                let Some(row) = self.exec().first(find.bind(table)).await? else { return Ok(()) };
                let Some(sequence) = row.get::<Option<String>>("name")? else { return Ok(()) };
                let highest = format!("SELECT max(id) AS id FROM {}", self.dialect().quoted(table));
                let highest = self.exec().first(Sql::new(highest)).await?;
                let highest = highest.map(|row| row.get::<Option<i64>>("id")).transpose()?.flatten();
                let set = Sql::new("SELECT setval(CAST(CAST(? AS text) AS regclass), CAST(? AS bigint), ")
                    .bind(sequence)
                    .bind(highest.unwrap_or(1));
                let mut set = set;
                set.push(if highest.is_some() { "true)" } else { "false)" });
                self.query(set).await.map(drop)
            }
        }
    }
}
