//! The databases that are in use, each with its own connections.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use super::{
    catalog::{ColumnDescription, ForeignKey, Index, Key},
    column::ResultSet,
    error::EngineError,
    postgres, registry,
    spec::EngineSpec,
    sqlite,
};
use crate::db::{DbUri, UriError};

/// Limits and surroundings of a statement.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Schema of unqualified names.
    pub schema: Option<String>,
    /// Rows after which no more are read.
    pub max_rows: Option<usize>,
    /// Bytes of values above which the statement fails.
    pub max_bytes: usize,
    /// Time above which the statement is cancelled.
    pub timeout: Duration,
    /// The statement may change data; otherwise the database itself refuses.
    pub allow_write: bool,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            schema: None,
            max_rows: None,
            max_bytes: 512 << 20,
            timeout: Duration::from_secs(60),
            allow_write: false,
        }
    }
}

/// Connections to keep per database.
const POOL_SIZE: usize = 8;

/// Databases to keep connections for; the least recently opened go first.
const MAX_DATABASES: usize = 64;

/// All databases in use, by connection string.
pub struct Engines {
    open: Mutex<HashMap<String, (u64, Engine)>>,
    clock: std::sync::atomic::AtomicU64,
    forbidden: Option<PathBuf>,
}

/// An analytical database; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) driver: Driver,
    spec: &'static EngineSpec,
}

#[derive(Clone)]
pub(super) enum Driver {
    Postgres(Arc<postgres::Database>),
    Sqlite(sqlite::Database),
}

impl Engines {
    /// No database yet; `metadata` is the file that must never be opened.
    pub fn new(metadata: Option<&Path>) -> Self {
        Self { open: Mutex::default(), clock: 0.into(), forbidden: metadata.map(Path::to_path_buf) }
    }

    /// The database of a SQLAlchemy connection string with its password.
    pub fn open(&self, uri: &str) -> Result<Engine, EngineError> {
        let now = self.clock.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut open = self.open.lock();
        if let Some((used, engine)) = open.get_mut(uri) {
            *used = now;
            return Ok(engine.clone());
        }
        let engine = self.make(uri)?;
        if open.len() >= MAX_DATABASES
            && let Some(oldest) = open.iter().min_by_key(|(_, (used, _))| *used).map(|(k, _)| k.clone())
        {
            open.remove(&oldest);
        }
        open.insert(uri.to_owned(), (now, engine.clone()));
        Ok(engine)
    }

    /// A database that is not kept, for testing a connection.
    pub fn make(&self, uri: &str) -> Result<Engine, EngineError> {
        let spec = registry::spec_for_uri(uri);
        let driver = match spec.engine.as_str() {
            "sqlite" => Driver::Sqlite(self.sqlite(uri)?),
            "postgresql" => match uri.parse::<DbUri>() {
                Ok(DbUri::Postgres(target)) => {
                    Driver::Postgres(Arc::new(postgres::Database::new(*target, POOL_SIZE)?))
                }
                Ok(DbUri::Sqlite { .. }) => return Err(EngineError::Uri("not a PostgreSQL URI".into())),
                Err(e) => return Err(uri_error(&e)),
            },
            _ => return Err(EngineError::NoDriver(spec.name.clone())),
        };
        Ok(Engine { driver, spec })
    }

    fn sqlite(&self, uri: &str) -> Result<sqlite::Database, EngineError> {
        let forbidden = self.forbidden.as_deref().and_then(sqlite::FileId::of);
        let (_, rest) = uri.split_once("://").ok_or_else(|| uri_error(&UriError::Malformed))?;
        let body = rest.split('?').next().unwrap_or(rest);
        let path = body.strip_prefix('/').unwrap_or(body);
        if path.is_empty() || path == ":memory:" {
            return Ok(sqlite::Database::new(None, forbidden, POOL_SIZE));
        }
        let path = path.strip_prefix("file:").unwrap_or(path);
        Ok(sqlite::Database::new(Some(PathBuf::from(path)), forbidden, POOL_SIZE))
    }
}

fn uri_error(e: &UriError) -> EngineError {
    EngineError::Uri(e.to_string())
}

impl Engine {
    /// What is known about the engine.
    pub fn spec(&self) -> &'static EngineSpec {
        self.spec
    }

    /// Proves that the database answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.ping().await,
            Driver::Sqlite(d) => d.ping().await,
        }
    }

    /// Executes one statement. Dropping the future cancels it in the database.
    pub async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.query(sql, options).await,
            Driver::Sqlite(d) => d.query(sql, options).await,
        }
    }

    /// The schema of unqualified names.
    pub async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.default_schema().await,
            Driver::Sqlite(_) => Ok(Some("main".to_owned())),
        }
    }

    /// Names of the catalogs; none where the engine has no catalogs.
    pub async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.catalogs().await,
            Driver::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// Names of the schemas.
    pub async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.schemas().await,
            Driver::Sqlite(d) => d.schemas().await,
        }
    }

    /// Names of the tables of a schema.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.tables(schema).await,
            Driver::Sqlite(d) => d.tables(schema).await,
        }
    }

    /// Names of the views of a schema.
    pub async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.views(schema).await,
            Driver::Sqlite(d) => d.views(schema).await,
        }
    }

    /// Columns of a table or view; none when there is no such table.
    pub async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.columns(schema, table).await,
            Driver::Sqlite(d) => d.columns(schema, table).await,
        }
    }

    /// Primary key of a table.
    pub async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.primary_key(schema, table).await,
            Driver::Sqlite(d) => d.primary_key(schema, table).await,
        }
    }

    /// Foreign keys of a table.
    pub async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.foreign_keys(schema, table).await,
            Driver::Sqlite(d) => d.foreign_keys(schema, table).await,
        }
    }

    /// Unique constraints of a table.
    pub async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.unique_constraints(schema, table).await,
            Driver::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// Indexes of a table.
    pub async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.indexes(schema, table).await,
            Driver::Sqlite(d) => d.indexes(schema, table).await,
        }
    }

    /// Comment of a table.
    pub async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.table_comment(schema, table).await,
            Driver::Sqlite(_) => Ok(None),
        }
    }
}
