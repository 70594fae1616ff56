//! One analytical database, whatever driver speaks to it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[cfg(feature = "duckdb")]
use super::duckdb;
use super::{
    EngineError, EngineSpec, QueryOptions,
    catalog::{ColumnDescription, ForeignKey, Index, Key},
    clickhouse,
    column::ResultSet,
    dance::Dance,
    mssql, mysql, postgres,
    source::Source,
    sqlite,
    statements::Statements,
    trino::{self, Flavour},
    tunnel::Tunnel,
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
    tunnel: Option<Arc<Tunnel>>,
    /// What whoever asks is told when the server wants a token of theirs.
    dance: Option<Dance>,
}

/// Which files of this machine databases may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// The metadata database, which is never opened.
    pub metadata: Option<PathBuf>,
    /// Directories whose files DuckDB may read as tables, where a connection asks for it.
    pub directories: Vec<PathBuf>,
}

/// The drivers; all have the same methods.
#[derive(Clone)]
pub(super) enum Driver {
    ClickHouse(Arc<clickhouse::Database>),
    #[cfg(feature = "duckdb")]
    Duckdb(duckdb::Database),
    Mssql(Arc<mssql::Database>),
    Mysql(Arc<mysql::Database>),
    Postgres(Arc<postgres::Database>),
    Sqlite(sqlite::Database),
    Trino(Arc<trino::Database>),
}

macro_rules! each {
    ($self:ident, $d:ident => $call:expr) => {{
        $self.reach().await?;
        match &$self.driver {
            Driver::ClickHouse($d) => $call.await,
            #[cfg(feature = "duckdb")]
            Driver::Duckdb($d) => $call.await,
            Driver::Mssql($d) => $call.await,
            Driver::Mysql($d) => $call.await,
            Driver::Postgres($d) => $call.await,
            Driver::Sqlite($d) => $call.await,
            Driver::Trino($d) => $call.await.map_err(|error| $self.invited(error)),
        }
    }};
}

/// Engines that liteset has a driver for, with the Python drivers' names that stand for it in connection strings; the
/// first is proposed.
pub const DRIVERS: &[(&str, &[&str])] = &[
    ("clickhouse", &["http", "native"]),
    ("clickhousedb", &["connect"]),
    ("cockroachdb", &["psycopg2"]),
    #[cfg(feature = "duckdb")]
    ("duckdb", &["duckdb_engine"]),
    ("mariadb", &["mysqldb", "pymysql"]),
    ("mssql", &["pymssql", "pyodbc"]),
    ("mysql", &["mysqldb", "pymysql"]),
    ("oceanbase", &["oceanbase"]),
    ("postgresql", &["psycopg2"]),
    ("presto", &["rest"]),
    ("pydoris", &["pydoris"]),
    ("redshift", &["psycopg2"]),
    ("risingwave", &["psycopg2"]),
    ("singlestoredb", &["singlestoredb"]),
    ("sqlite", &["pysqlite"]),
    ("starrocks", &["starrocks"]),
    ("trino", &["rest"]),
];

impl Engine {
    /// A database of a source; no connection is made yet.
    pub(super) fn connect(source: &Source, files: &Files) -> Result<Self, EngineError> {
        let metadata = files.metadata.as_deref();
        let spec = source.spec();
        let (through, tunnel) = through_tunnel(source)?;
        let source = through.as_ref().unwrap_or(source);
        let (driver, connect_class) = match spec.engine.as_str() {
            "clickhouse" | "clickhousedb" => (
                Driver::ClickHouse(Arc::new(clickhouse::Database::new(source, SERVER_POOL_SIZE)?)),
                clickhouse::connect_class(source),
            ),
            "sqlite" => (Driver::Sqlite(sqlite_file(source, metadata)), "sqlite3.OperationalError"),
            "trino" => trino_server(source, Flavour::Trino)?,
            "presto" => trino_server(source, Flavour::Presto)?,
            "mysql" | "mariadb" | "starrocks" | "pydoris" | "oceanbase" | "singlestoredb" => (
                Driver::Mysql(Arc::new(mysql::Database::new(source, SERVER_POOL_SIZE))),
                mysql::connect_class(source),
            ),
            "mssql" => (
                Driver::Mssql(Arc::new(mssql::Database::new(source, SERVER_POOL_SIZE))),
                mssql::CONNECT_CLASS,
            ),
            "postgresql" | "cockroachdb" | "redshift" | "risingwave" => {
                (postgres_server(source)?, "psycopg2.OperationalError")
            }
            #[cfg(feature = "duckdb")]
            "duckdb" => (
                Driver::Duckdb(duckdb::Database::new(source, metadata, &files.directories, POOL_SIZE)?),
                duckdb::CONNECT_CLASS,
            ),
            engine => {
                let (class, name) = (spec.class.clone(), spec.name.clone());
                return Err(EngineError::NoDriver { class, name, advice: advice(engine) });
            }
        };
        Ok(Self { driver, spec, connect_class, tunnel: tunnel.map(Arc::new), dance: None })
    }

    /// The same database for somebody with a dance of their own.
    #[must_use]
    pub(super) fn dancing(mut self, dance: Option<&Dance>) -> Self {
        self.dance = dance.cloned();
        self
    }

    /// A refusal as whoever asks is told it.
    pub(super) fn invited(&self, error: EngineError) -> EngineError {
        match &self.dance {
            Some(dance) => dance.instead_of(error),
            None => error,
        }
    }

    /// Enters the gateway in front of the server, where there is one.
    pub(super) async fn reach(&self) -> Result<(), EngineError> {
        match &self.tunnel {
            Some(tunnel) => tunnel.ready().await,
            None => Ok(()),
        }
    }

    /// What is known about the engine.
    pub fn spec(&self) -> &'static EngineSpec {
        self.spec
    }

    /// A failure as SQLAlchemy prints it: the driver's class, its words and a link.
    pub fn failure_text(&self, error: &EngineError) -> String {
        match error {
            EngineError::Connect(message) | EngineError::Unauthorized(message) => {
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
        self.reach().await?;
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

    /// Ends a statement that another connection runs, by the number that its progress told; false where the engine
    /// has no such numbers.
    pub async fn cancel(&self, query_id: &str) -> Result<bool, EngineError> {
        self.reach().await?;
        match &self.driver {
            Driver::Trino(d) => d.cancel(query_id).await.map(|()| true).map_err(|e| self.invited(e)),
            _ => Ok(false),
        }
    }

    /// Names of functions for completion, of engines that are asked for them.
    pub async fn function_names(&self) -> Result<Vec<String>, EngineError> {
        self.reach().await?;
        match &self.driver {
            Driver::ClickHouse(d) => d.function_names().await,
            Driver::Trino(d) => d.function_names().await.map_err(|e| self.invited(e)),
            _ => Ok(self.spec.functions.clone()),
        }
    }

    /// Comment of a table.
    pub async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        each!(self, d => d.table_comment(schema, table))
    }
}

/// The source with the tunnel's port in the place of its host and port (`SSHManager.build_sqla_url`).
fn through_tunnel(source: &Source) -> Result<(Option<Source>, Option<Tunnel>), EngineError> {
    let Some(gateway) = &source.tunnel else { return Ok((None, None)) };
    let host = source.url.host.as_deref().unwrap_or("localhost");
    let port = source.port().and_then(|p| u16::try_from(p).ok());
    let missing = "A database port is required when connecting via SSH Tunnel.";
    let port = port.ok_or_else(|| EngineError::Uri(missing.to_owned()))?;
    let tunnel = Tunnel::open(gateway.clone(), host, port)?;
    let mut through = source.clone();
    through.url.host = Some("127.0.0.1".to_owned());
    through.url.port = Some(u32::from(tunnel.port()));
    Ok((Some(through), Some(tunnel)))
}

/// What to do about an engine that there is no driver for.
fn advice(engine: &str) -> &'static str {
    if engine == "duckdb" {
        return "This binary was built without the cargo feature \"duckdb\"; the released ones have it.";
    }
    "Use another engine that reads the same data, or keep this database in Superset."
}

fn trino_server(source: &Source, flavour: Flavour) -> Result<(Driver, &'static str), EngineError> {
    let database = trino::Database::new(source, flavour, SERVER_POOL_SIZE)?;
    Ok((Driver::Trino(Arc::new(database)), flavour.connect_class()))
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
