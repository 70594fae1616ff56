//! The schema on MySQL, where no transaction holds statements that make tables: whoever is cut short leaves tables
//! without a revision, and the next one begins anew.

use super::{DbError, Executor, Sql, Tx, migrate};

/// How long one process waits while another makes the schema.
const WAIT: i64 = 120;

/// The name of the lock: of the server, so that it names the database.
const LOCK: &str = "CONCAT('liteset ', LEFT(SHA1(DATABASE()), 40))";

/// Whether the tables are what a creation that was cut short has left: tables of ours, no revision, no row in any.
pub(super) async fn is_unfinished(db: &dyn Executor, tables: &[String]) -> Result<bool, DbError> {
    let ours = migrate::table_names();
    if !tables.iter().all(|name| ours.contains(&name.as_str())) {
        return Ok(false);
    }
    for table in tables {
        if db.first(Sql::new(format!("SELECT 1 FROM \"{table}\" LIMIT 1"))).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the schema, one process at a time; a second one finds it made. Afterwards a transaction is open again.
pub(super) async fn create_in(tx: &Tx, baseline: &'static str) -> Result<(), DbError> {
    let lock = Sql::new(format!("SELECT GET_LOCK({LOCK}, ?)")).bind(WAIT);
    let had = tx.exec().first(lock).await?.map(|row| row.at::<Option<i64>>(0)).transpose()?.flatten();
    if had != Some(1) {
        return Err(DbError::Unavailable(
            "another process makes the schema and does not come to an end".into(),
        ));
    }
    let made = make(tx, baseline).await;
    tx.query(Sql::new(format!("SELECT RELEASE_LOCK({LOCK})"))).await?;
    made?;
    tx.batch("START TRANSACTION").await
}

async fn make(tx: &Tx, baseline: &'static str) -> Result<(), DbError> {
    let set = tx.exec().first(Sql::new("SELECT @@character_set_database, @@foreign_key_checks")).await?;
    let Some(set) = set else { return Err(DbError::Query("the server tells nothing of itself".into())) };
    let (characters, checks): (String, bool) = (set.at(0)?, set.at(1)?);
    if characters != "utf8mb4" {
        return Err(DbError::Query(format!(
            "the database keeps texts as {characters}, which cannot hold every character: \
             run ALTER DATABASE … CHARACTER SET utf8mb4 on it first"
        )));
    }
    let left = migrate::tables(tx).await?;
    if !is_unfinished(tx, &left).await? {
        return Ok(());
    }
    tx.execute(Sql::new("SET SESSION foreign_key_checks = 0")).await?;
    for table in left {
        tx.execute(Sql::new(format!("DROP TABLE \"{table}\""))).await?;
    }
    tx.batch(baseline).await?;
    if checks {
        tx.execute(Sql::new("SET SESSION foreign_key_checks = 1")).await?;
    }
    Ok(())
}
