//! The schema of the metadata database: is it Superset 6.0.0's, and how to make it.
//!
//! liteset never migrates: a database at the head of 6.0.0 is used as it is, anything else is refused and left
//! untouched (a SQLite file is looked at through a read-only connection, before the pool could change it).

use super::{Db, DbError, DbUri, Dialect, Executor, Sql};

/// Alembic's revision of Superset 6.0.0.
pub const HEAD: &str = "c233f5365c9e";

const SQLITE: &str = include_str!("../../../migrations/sqlite/0001_baseline.sql");
const POSTGRES: &str = include_str!("../../../migrations/postgres/0001_baseline.sql");

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Nothing, or no such file.
    Empty,
    /// The schema of Superset 6.0.0.
    Head,
    /// A Superset of another version, by its revision.
    Revision(String),
    /// Tables of something else.
    Foreign,
}

impl SchemaState {
    /// The sentence for an operator whose database cannot be used; `None` when it can.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Head => None,
            Self::Empty => Some(
                "the metadata database is empty: run `liteset db upgrade` and `liteset init` to create it"
                    .into(),
            ),
            Self::Revision(found) => Some(format!(
                "the metadata database is at alembic revision {found}, liteset needs {HEAD} (Superset 6.0.0). \
                 It was not touched. If it is older, run `superset db upgrade` of Superset 6.0.0 on it; if it is \
                 newer, restore the backup from before the upgrade"
            )),
            Self::Foreign => Some(
                "the database has tables but no alembic_version: it is not a Superset metadata database. \
                 It was not touched"
                    .into(),
            ),
        }
    }
}

/// Looks at a database without changing it.
pub async fn inspect(uri: &DbUri) -> Result<SchemaState, DbError> {
    match uri {
        DbUri::Sqlite { path } => {
            let path = path.clone();
            let looked = tokio::task::spawn_blocking(move || inspect_sqlite(&path)).await;
            looked.map_err(|e| DbError::Unavailable(e.to_string()))?
        }
        DbUri::Postgres(_) => state_of(&Db::connect(uri, 2).await?).await,
    }
}

fn inspect_sqlite(path: &std::path::Path) -> Result<SchemaState, DbError> {
    use rusqlite::OpenFlags;
    if !path.exists() {
        return Ok(SchemaState::Empty);
    }
    let unavailable = |e: rusqlite::Error| DbError::Unavailable(format!("{}: {e}", path.display()));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let c = rusqlite::Connection::open_with_flags(path, flags).map_err(unavailable)?;
    let count = |sql: &str| c.query_row(sql, [], |r| r.get::<_, i64>(0)).map_err(unavailable);
    if count("SELECT count(*) FROM sqlite_master WHERE type = 'table'")? == 0 {
        return Ok(SchemaState::Empty);
    }
    if count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")? == 0 {
        return Ok(SchemaState::Foreign);
    }
    let mut statement = c.prepare("SELECT version_num FROM alembic_version").map_err(unavailable)?;
    let found = statement.query_map([], |r| r.get::<_, String>(0)).map_err(unavailable)?;
    Ok(judge(found.collect::<Result<Vec<_>, _>>().map_err(unavailable)?))
}

async fn state_of(db: &Db) -> Result<SchemaState, DbError> {
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables = db.query(Sql::new(tables)).await?;
    if tables.is_empty() {
        return Ok(SchemaState::Empty);
    }
    if !tables.iter().any(|t| t.at::<String>(0).is_ok_and(|n| n == "alembic_version")) {
        return Ok(SchemaState::Foreign);
    }
    let rows = db.query(Sql::new("SELECT version_num FROM alembic_version")).await?;
    Ok(judge(rows.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?))
}

fn judge(revisions: Vec<String>) -> SchemaState {
    match &revisions[..] {
        [one] if one == HEAD => SchemaState::Head,
        [] => SchemaState::Revision("(none)".into()),
        many => SchemaState::Revision(many.join(", ")),
    }
}

/// Makes the schema of Superset 6.0.0 in an empty database, in one transaction.
pub async fn create(db: &Db) -> Result<(), DbError> {
    let tx = db.begin().await?;
    tx.batch(match db.dialect() {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    })
    .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> (std::path::PathBuf, DbUri) {
        let path = std::env::temp_dir().join(format!("liteset-migrate-{name}-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        (path.clone(), DbUri::Sqlite { path })
    }

    #[tokio::test]
    async fn an_empty_database_gets_the_schema_of_the_head() {
        let (_, uri) = scratch("create");
        assert_eq!(inspect(&uri).await.unwrap(), SchemaState::Empty);
        let db = Db::connect(&uri, 2).await.unwrap();
        create(&db).await.unwrap();
        assert_eq!(inspect(&uri).await.unwrap(), SchemaState::Head);
        assert_eq!(SchemaState::Head.refusal(), None);
        let tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table'";
        let n: i64 = db.query(Sql::new(tables)).await.unwrap()[0].at(0).unwrap();
        assert_eq!(n, 52);
    }

    #[tokio::test]
    async fn other_databases_are_refused_and_left_untouched() {
        let (path, uri) = scratch("other");
        let c = rusqlite::Connection::open(&path).unwrap();
        c.execute_batch(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('abc')",
        )
        .unwrap();
        drop(c);
        let before = std::fs::read(&path).unwrap();
        let state = inspect(&uri).await.unwrap();
        assert_eq!(state, SchemaState::Revision("abc".into()));
        assert!(state.refusal().unwrap().contains("abc"));
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let (path, uri) = scratch("foreign");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert_eq!(inspect(&uri).await.unwrap(), SchemaState::Foreign);
    }
}
