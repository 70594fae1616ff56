//! `alembic_version`, and who may change the schema.

use infra::db::{DbError, Dialect, Executor, Sql};

/// The revisions that a database is at.
pub async fn current(db: &dyn Executor) -> Result<Vec<String>, DbError> {
    let rows = db.query(Sql::new("SELECT version_num FROM alembic_version ORDER BY version_num")).await?;
    rows.iter().map(|row| row.at(0)).collect()
}

/// A revision is applied: it takes the place of those that it stands on.
pub async fn advance(db: &dyn Executor, down: &[&str], id: &str) -> Result<(), DbError> {
    let mut sql = Sql::new("DELETE FROM alembic_version WHERE version_num IN ");
    sql.push_list(down.iter().copied());
    db.execute(sql).await?;
    let there = db.first(Sql::new("SELECT 1 FROM alembic_version WHERE version_num = ?").bind(id)).await?;
    if there.is_none() {
        db.execute(Sql::new("INSERT INTO alembic_version (version_num) VALUES (?)").bind(id)).await?;
    }
    Ok(())
}

/// What changes of the schema lock on PostgreSQL: `liteset` as a number.
const LOCK: i64 = 0x006c_6974_6573_6574;

/// How long MySQL waits for another process.
const WAIT: i64 = 600;

/// Nobody else changes the schema until this transaction ends (on MySQL: until [`unlock`]). SQLite has one writer
/// anyway.
pub async fn lock(tx: &dyn Executor) -> Result<(), DbError> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => {
            // who serves requests holds its locks for moments; who does not let go must be stopped first
            tx.execute(Sql::new("SET LOCAL lock_timeout = '60s'")).await?;
            tx.query(Sql::new("SELECT pg_advisory_xact_lock(?)").bind(LOCK)).await.map(drop)
        }
        Dialect::Mysql => {
            let lock = Sql::new("SELECT GET_LOCK(CONCAT('liteset upgrade ', LEFT(SHA1(DATABASE()), 40)), ?)");
            let had =
                tx.first(lock.bind(WAIT)).await?.map(|row| row.at::<Option<i64>>(0)).transpose()?.flatten();
            let others =
                || DbError::Unavailable("another process changes the schema and does not end".into());
            if had == Some(1) { Ok(()) } else { Err(others()) }
        }
    }
}

/// Lets others change the schema, where the end of the transaction does not.
pub async fn unlock(tx: &dyn Executor) -> Result<(), DbError> {
    match tx.dialect() {
        Dialect::Sqlite | Dialect::Postgres => Ok(()),
        Dialect::Mysql => {
            let unlock = "SELECT RELEASE_LOCK(CONCAT('liteset upgrade ', LEFT(SHA1(DATABASE()), 40)))";
            tx.query(Sql::new(unlock)).await.map(drop)
        }
    }
}

/// Can a schema be changed in a transaction?
pub fn is_transactional(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => true,
        Dialect::Mysql => false,
    }
}
