//! One analytical database, whatever driver speaks to it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    EngineError, EngineSpec, QueryOptions,
    catalog::{ColumnDescription, ForeignKey, Index, Key},
    column::ResultSet,
    mysql, postgres,
    source::Source,
    sqlite,
};
use crate::db::{DbUri, UriError};

/// Connections to one file at a time.
const POOL_SIZE: usize = 8;

/// Connections to a server at a time: it works for each of them at once, and the statement of one may take long.
const SERVER_POOL_SIZE: usize = 50;

/// An analytical database; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) driver: Driver,
    spec: &'static EngineSpec,
    /// Python's exception class of a failed connection.
    connect_class: &'static str,
}

/// Statements that are made one at a time.
pub type Statements = Box<dyn Iterator<Item = String> + Send>;

/// The drivers; all have the same methods.
#[derive(Clone)]
pub(super) enum Driver {
    Mysql(Arc<mysql::Database>),
    Postgres(Arc<postgres::Database>),
    Sqlite(sqlite::Database),
}

macro_rules! each {
    ($self:ident, $d:ident => $call:expr) => {
        match &$self.driver {
            Driver::Mysql($d) => $call.await,
            Driver::Postgres($d) => $call.await,
            Driver::Sqlite($d) => $call.await,
        }
    };
}

/// Engines that liteset has a driver for, with the Python drivers' names that stand for it in connection strings; the
/// first is proposed.
pub const DRIVERS: &[(&str, &[&str])] = &[
    ("cockroachdb", &["psycopg2"]),
    ("mariadb", &["mysqldb", "pymysql"]),
    ("mysql", &["mysqldb", "pymysql"]),
    ("oceanbase", &["oceanbase"]),
    ("postgresql", &["psycopg2"]),
    ("pydoris", &["pydoris"]),
    ("redshift", &["psycopg2"]),
    ("risingwave", &["psycopg2"]),
    ("singlestoredb", &["singlestoredb"]),
    ("sqlite", &["pysqlite"]),
    ("starrocks", &["starrocks"]),
];

impl Engine {
    /// A database of a source; no connection is made yet. `metadata` is a file that is never opened.
    pub(super) fn connect(source: &Source, metadata: Option<&Path>) -> Result<Self, EngineError> {
        let spec = source.spec();
        let (driver, connect_class) = match spec.engine.as_str() {
            "sqlite" => (Driver::Sqlite(sqlite_file(source, metadata)), "sqlite3.OperationalError"),
            "mysql" | "mariadb" | "starrocks" | "pydoris" | "oceanbase" | "singlestoredb" => (
                Driver::Mysql(Arc::new(mysql::Database::new(source, SERVER_POOL_SIZE))),
                mysql::connect_class(source),
            ),
            "postgresql" | "cockroachdb" | "redshift" | "risingwave" => {
                (postgres_server(source)?, "psycopg2.OperationalError")
            }
            _ => return Err(EngineError::NoDriver { class: spec.class.clone(), name: spec.name.clone() }),
        };
        Ok(Self { driver, spec, connect_class })
    }

    /// What is known about the engine.
    pub fn spec(&self) -> &'static EngineSpec {
        self.spec
    }

    /// A failure as SQLAlchemy prints it: the driver's class, its words and a link.
    pub fn failure_text(&self, error: &EngineError) -> String {
        match error {
            EngineError::Connect(message) => {
                format!(
                    "({}) {message}\n(Background on this error at: https://sqlalche.me/e/14/e3q8)",
                    self.connect_class
                )
            }
            EngineError::Statement { class, message } => {
                format!("({class}) {message}\n(Background on this error at: https://sqlalche.me/e/14/e3q8)")
            }
            other => other.to_string(),
        }
    }

    /// Proves that the database answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        each!(self, d => d.ping())
    }

    /// Executes one statement. Dropping the future cancels it in the database.
    pub async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        each!(self, d => d.query(sql, options))
    }

    /// Executes statements without results one after the other in one transaction, as far as the engine has them.
    pub async fn execute_all(&self, statements: Statements) -> Result<(), EngineError> {
        each!(self, d => d.execute_all(statements))
    }

    /// Where a text breaks the engine's grammar, by line, and how; the text is not executed. Engines that cannot tell
    /// find nothing wrong.
    pub async fn syntax_error(&self, sql: &str) -> Result<Option<(usize, String)>, EngineError> {
        match &self.driver {
            Driver::Postgres(d) => d.syntax_error(sql).await,
            _ => Ok(None),
        }
    }

    /// The schema of unqualified names.
    pub async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        each!(self, d => d.default_schema())
    }

    /// Names of the catalogs; none where the engine has no catalogs.
    pub async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        each!(self, d => d.catalogs())
    }

    /// Names of the schemas.
    pub async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        each!(self, d => d.schemas())
    }

    /// Names of the schemas of a catalog; of the only one where the engine has no catalogs.
    pub async fn schemas_of(&self, _catalog: Option<&str>) -> Result<Vec<String>, EngineError> {
        self.schemas().await
    }

    /// Names of the tables of a schema.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        each!(self, d => d.tables(schema))
    }

    /// Names of the views of a schema.
    pub async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        each!(self, d => d.views(schema))
    }

    /// Columns of a table or view; none when there is no such table.
    pub async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        each!(self, d => d.columns(schema, table))
    }

    /// Primary key of a table.
    pub async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        each!(self, d => d.primary_key(schema, table))
    }

    /// Foreign keys of a table.
    pub async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        each!(self, d => d.foreign_keys(schema, table))
    }

    /// Unique constraints of a table.
    pub async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        each!(self, d => d.unique_constraints(schema, table))
    }

    /// Indexes of a table.
    pub async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        each!(self, d => d.indexes(schema, table))
    }

    /// Comment of a table.
    pub async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        each!(self, d => d.table_comment(schema, table))
    }
}

fn sqlite_file(source: &Source, metadata: Option<&Path>) -> sqlite::Database {
    let metadata = metadata.map(sqlite::Metadata::new);
    let path = source.url.database.as_deref().unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return sqlite::Database::new(None, metadata, POOL_SIZE);
    }
    let path = path.strip_prefix("file:").unwrap_or(path);
    sqlite::Database::new(Some(PathBuf::from(path)), metadata, POOL_SIZE)
}

/// Options of libpq that matter here; those that name files of this machine do not.
const LIBPQ: &[&str] = &["sslmode", "connect_timeout", "options", "application_name", "sslrootcert"];

fn postgres_server(source: &Source) -> Result<Driver, EngineError> {
    let mut url = source.url.clone();
    url.drivername = "postgresql".to_owned();
    for key in LIBPQ {
        if let Some(value) = source.option(key) {
            url.set_option(key, value);
        }
    }
    let uri = |e: &UriError| EngineError::Uri(e.to_string());
    match url.encoded().parse::<DbUri>() {
        Ok(DbUri::Postgres(target)) => {
            Ok(Driver::Postgres(Arc::new(postgres::Database::new(*target, SERVER_POOL_SIZE)?)))
        }
        Ok(DbUri::Sqlite { .. }) => Err(EngineError::Uri("not a PostgreSQL URI".into())),
        Err(e) => Err(uri(&e)),
    }
}
