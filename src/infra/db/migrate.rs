//! The schema of the metadata database: is it Superset 6.0.0's, and how to make it.
//!
//! A database at the head of 6.0.0 is used as it is, anything else is refused and left untouched (a SQLite file is
//! looked at through a read-only connection, before the pool could change it). An older one is upgraded only by
//! `liteset db upgrade` (`commands::upgrade`).

use super::{
    Db, DbError, DbUri, Dialect, Executor, Sql, Tx, mysql_schema,
    revisions::{self, Position},
};

/// Alembic's revision of Superset 6.0.0.
pub const HEAD: &str = "c233f5365c9e";

const SQLITE: &str = include_str!("../../../migrations/sqlite/0001_baseline.sql");
const POSTGRES: &str = include_str!("../../../migrations/postgres/0001_baseline.sql");
const MYSQL: &str = include_str!("../../../migrations/mysql/0001_baseline.sql");

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Nothing, or no such file.
    Empty,
    /// The schema of Superset 6.0.0.
    Head,
    /// A Superset of another version, by its revisions.
    Revision(Vec<String>),
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
            Self::Revision(found) => Some(match revisions::locate(found) {
                Position::Head => return None,
                Position::Below { release, .. } => format!(
                    "the metadata database is of {release} (alembic revision {}), liteset needs {HEAD} \
                     (Superset 6.0.0). It was not touched. `liteset db upgrade --plan` says what an upgrade would \
                     do; then run `liteset db upgrade` and `liteset init`",
                    found.join(", ")
                ),
                Position::TooOld(revision) => format!(
                    "the metadata database is at alembic revision {revision}, which is older than Superset 4.1; \
                     liteset needs {HEAD} (Superset 6.0.0). It was not touched. Bring it to Superset 4.1 or newer \
                     with Superset's own `superset db upgrade` first"
                ),
                Position::Unknown(revision) => format!(
                    "the metadata database is at alembic revision {revision}, which is not known here; liteset \
                     needs {HEAD} (Superset 6.0.0). It was not touched. If a newer Superset has upgraded it, \
                     restore the backup from before that"
                ),
            }),
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
        DbUri::Postgres(_) | DbUri::Mysql(_) => state_of(&Db::connect(uri, 2).await?).await,
    }
}

fn inspect_sqlite(path: &std::path::Path) -> Result<SchemaState, DbError> {
    if !path.exists() {
        return Ok(SchemaState::Empty);
    }
    let unavailable = |e: rusqlite::Error| DbError::Unavailable(format!("{}: {e}", path.display()));
    let c = open_to_look(path).map_err(unavailable)?;
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

/// Opens a file for reading only, except where a process was killed in the middle of a transaction: what it has written
/// must be taken back before anybody can read.
fn open_to_look(path: &std::path::Path) -> rusqlite::Result<rusqlite::Connection> {
    use rusqlite::{Connection, ErrorCode, OpenFlags};
    let open = |flags| Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let c = open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match c.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())) {
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            open(OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        _ => Ok(c),
    }
}

async fn state_of(db: &Db) -> Result<SchemaState, DbError> {
    let tables = tables(db.exec()).await?;
    if tables.is_empty() {
        return Ok(SchemaState::Empty);
    }
    if !tables.iter().any(|name| name == "alembic_version") {
        return Ok(SchemaState::Foreign);
    }
    if db.dialect() == Dialect::Mysql && mysql_schema::is_unfinished(db.exec(), &tables).await? {
        return Ok(SchemaState::Empty);
    }
    let rows = db.query(Sql::new("SELECT version_num FROM alembic_version")).await?;
    Ok(judge(rows.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?))
}

pub(super) async fn tables(db: &dyn Executor) -> Result<Vec<String>, DbError> {
    let schema = match db.dialect() {
        Dialect::Mysql => "database()",
        Dialect::Sqlite | Dialect::Postgres => "current_schema()",
    };
    let sql = format!("SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}");
    db.query(Sql::new(sql)).await?.iter().map(|row| row.at(0)).collect()
}

fn judge(revisions: Vec<String>) -> SchemaState {
    match &revisions[..] {
        [one] if one == HEAD => SchemaState::Head,
        many => SchemaState::Revision(many.to_vec()),
    }
}

/// The schema at the head as SQL.
pub fn baseline(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
    }
}

/// Names of the tables of Superset 6.0.0, `alembic_version` among them.
pub fn table_names() -> Vec<&'static str> {
    let names = SQLITE.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
    names.filter_map(|rest| rest.split(' ').next()).map(|name| name.trim_matches('"')).collect()
}

/// Columns that Superset 6.0.0 has everywhere, as `table.column`, and that are not among those that are there.
pub fn missing_columns(there: &[super::catalog::TableInfo]) -> Result<Vec<String>, DbError> {
    let wrong = |e: rusqlite::Error| DbError::Query(e.to_string());
    let c = rusqlite::Connection::open_in_memory().map_err(wrong)?;
    c.execute_batch(SQLITE).map_err(wrong)?;
    let sql =
        "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'";
    let mut statement = c.prepare(sql).map_err(wrong)?;
    let wanted = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).map_err(wrong)?;
    let mut missing = Vec::new();
    for pair in wanted {
        let (table, column): (String, String) = pair.map_err(wrong)?;
        let has =
            |t: &super::catalog::TableInfo| t.name == table && t.columns.iter().any(|c| c.name == column);
        // MySQL lost them on the way, with every installation
        let lost = table == "slices" && matches!(column.as_str(), "table_id" | "druid_datasource_id");
        if !lost && !there.iter().any(has) {
            missing.push(format!("{table}.{column}"));
        }
    }
    Ok(missing)
}

/// Makes the schema of Superset 6.0.0 in an empty database: in one transaction, or, where each statement stands for
/// itself (MySQL), so that another attempt begins anew.
pub async fn create(db: &Db) -> Result<(), DbError> {
    let tx = db.begin().await?;
    create_in(&tx).await?;
    tx.commit().await
}

/// The same in a transaction that is open; on MySQL what it did before is committed, and the schema with it.
pub async fn create_in(tx: &Tx) -> Result<(), DbError> {
    match tx.dialect() {
        Dialect::Sqlite | Dialect::Postgres => tx.batch(baseline(tx.dialect())).await,
        Dialect::Mysql => mysql_schema::create_in(tx, MYSQL).await,
    }
}

/// Removes every table of the schema, where MySQL keeps what was begun in vain.
pub async fn remove(db: &Db) -> Result<(), DbError> {
    let tx = db.begin_load().await?;
    for name in table_names() {
        tx.execute(Sql::new(format!("DROP TABLE IF EXISTS {}", tx.dialect().quoted(name)))).await?;
    }
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
        assert_eq!(table_names().len(), 52);
        assert!(table_names().contains(&"ab_user"));
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
        assert_eq!(state, SchemaState::Revision(vec!["abc".into()]));
        assert!(state.refusal().unwrap().contains("abc"));
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let (path, uri) = scratch("foreign");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert_eq!(inspect(&uri).await.unwrap(), SchemaState::Foreign);
    }
}
