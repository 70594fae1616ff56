//! One analytical database, whatever driver speaks to it.

use std::{path::PathBuf, sync::Arc};

use super::{
    DRIVERS, EngineError, QueryOptions,
    catalog::{ColumnDescription, ForeignKey, Index, Key},
    column::ResultSet,
    driver::{Driver, Open},
    oauth2_redirect::OAuth2Redirect,
    source::Source,
    statement_log,
    statements::Statements,
    tunnel::Tunnel,
};
use crate::engine_specs::EngineSpec;
use crate::statement_log::noted;

/// An analytical database; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    driver: Arc<dyn Driver>,
    spec: &'static EngineSpec,
    tunnel: Option<Arc<Tunnel>>,
    /// What the caller is answered when the server wants a personal token.
    oauth2_redirect: Option<OAuth2Redirect>,
}

/// Which files of this machine databases may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// The metadata database, which is never opened.
    pub metadata: Option<PathBuf>,
    /// Directories whose files DuckDB may read as tables, where a connection asks for it.
    pub directories: Vec<PathBuf>,
}

/// The driver of an engine, where this binary has it.
fn driver_of(spec: &EngineSpec) -> Option<Open> {
    let protocol = spec.connection.protocol.as_deref()?;
    DRIVERS.iter().find(|(name, _)| *name == protocol).map(|(_, open)| *open)
}

/// Names of Python's drivers that stand for an engine in connection strings; none where there is no driver here.
pub fn python_drivers(spec: &EngineSpec) -> &[String] {
    if driver_of(spec).is_some() { &spec.connection.python_drivers } else { &[] }
}

impl Engine {
    /// A database of a source; no connection is made yet.
    pub(super) fn connect(source: &Source, files: &Files) -> Result<Self, EngineError> {
        let spec = source.spec();
        let (through, tunnel) = through_tunnel(source)?;
        let Some(open) = driver_of(spec) else {
            let (class, name) = (spec.class.clone(), spec.name.clone());
            return Err(EngineError::NoDriver { class, name, advice: advice(spec) });
        };
        let driver = open(through.as_ref().unwrap_or(source), files)?;
        Ok(Self { driver: driver.into(), spec, tunnel: tunnel.map(Arc::new), oauth2_redirect: None })
    }

    /// The same database for a caller with an authorization of their own.
    #[must_use]
    pub(super) fn with_oauth2_redirect(mut self, redirect: Option<&OAuth2Redirect>) -> Self {
        self.oauth2_redirect = redirect.cloned();
        self
    }

    /// A failure, or the redirect in the place of a refused login.
    pub(super) fn or_redirect(&self, error: EngineError) -> EngineError {
        match &self.oauth2_redirect {
            Some(redirect) => redirect.instead_of(error),
            None => error,
        }
    }

    /// The driver, once the gateway in front of the server was entered, where there is one.
    pub(super) async fn driver(&self) -> Result<&dyn Driver, EngineError> {
        if let Some(tunnel) = &self.tunnel {
            tunnel.ready().await?;
        }
        Ok(self.driver.as_ref())
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
                    self.driver.connect_class()
                )
            }
            EngineError::Statement { class, message } => {
                let link = match class.rsplit('.').next() {
                    Some("DatabaseError") => "4xp6",
                    Some("ProgrammingError") => "f405",
                    _ => "e3q8",
                };
                format!("({class}) {message}\n(Background on this error at: https://sqlalche.me/e/14/{link})")
            }
            other => other.to_string(),
        }
    }

    /// Proves that the database answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.driver().await?.ping().await.map_err(|e| self.or_redirect(e))
    }

    /// Executes one statement. Dropping the future cancels it in the database.
    pub async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        let statement = statement_log::begin(&self.spec.engine, sql);
        let work = async { self.driver().await?.query(sql, options).await };
        let done = noted(statement, work, |found| Some(found.row_count())).await;
        done.map_err(|e| self.or_redirect(e))
    }

    /// Executes statements without results one after the other in one transaction, as far as the engine has them.
    pub async fn execute_all(&self, statements: Statements) -> Result<(), EngineError> {
        let statement = statement_log::begin(&self.spec.engine, "BEGIN; several statements; COMMIT");
        let work = async { self.driver().await?.execute_all(statements).await };
        noted(statement, work, |()| None).await.map_err(|e| self.or_redirect(e))
    }

    /// Bytes that a statement would read, from a service that tells it without executing anything; none from others.
    pub async fn bytes_to_read(&self, sql: &str, options: &QueryOptions) -> Result<Option<u64>, EngineError> {
        self.driver().await?.bytes_to_read(sql, options).await.map_err(|e| self.or_redirect(e))
    }

    /// Where a text breaks the engine's grammar, by line, and how; the text is not executed. Engines that cannot tell
    /// find nothing wrong.
    pub async fn syntax_error(&self, sql: &str) -> Result<Option<(usize, String)>, EngineError> {
        self.driver().await?.syntax_error(sql).await.map_err(|e| self.or_redirect(e))
    }

    /// Ends a statement that another connection runs, by the number that was noted when it began; false where it was
    /// not found, or the engine has no such numbers.
    pub async fn cancel(&self, number: &str) -> Result<bool, EngineError> {
        self.driver().await?.cancel(number).await.map_err(|e| self.or_redirect(e))
    }

    /// The schema of unqualified names.
    pub async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        self.driver().await?.default_schema().await.map_err(|e| self.or_redirect(e))
    }

    /// The schemas in which unqualified names are looked for, in their order.
    pub async fn search_path(&self) -> Result<Vec<String>, EngineError> {
        self.driver().await?.search_path().await.map_err(|e| self.or_redirect(e))
    }

    /// Names of the catalogs; none where the engine has no catalogs.
    pub async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        self.driver().await?.catalogs().await.map_err(|e| self.or_redirect(e))
    }

    /// Names of the schemas.
    pub async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        self.driver().await?.schemas().await.map_err(|e| self.or_redirect(e))
    }

    /// Names of the schemas of a catalog; of the only one where the engine has no catalogs.
    pub async fn schemas_of(&self, _catalog: Option<&str>) -> Result<Vec<String>, EngineError> {
        self.schemas().await
    }

    /// Names of the tables of a schema.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.driver().await?.tables(schema).await.map_err(|e| self.or_redirect(e))
    }

    /// Names of the views of a schema.
    pub async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.driver().await?.views(schema).await.map_err(|e| self.or_redirect(e))
    }

    /// Columns of a table or view; none when there is no such table.
    pub async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        self.driver().await?.columns(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Primary key of a table.
    pub async fn primary_key(&self, schema: &str, table: &str) -> Result<Key, EngineError> {
        self.driver().await?.primary_key(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Foreign keys of a table.
    pub async fn foreign_keys(&self, schema: &str, table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        self.driver().await?.foreign_keys(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Unique constraints of a table.
    pub async fn unique_constraints(&self, schema: &str, table: &str) -> Result<Vec<Key>, EngineError> {
        self.driver().await?.unique_constraints(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Indexes of a table.
    pub async fn indexes(&self, schema: &str, table: &str) -> Result<Vec<Index>, EngineError> {
        self.driver().await?.indexes(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Comment of a table.
    pub async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        self.driver().await?.table_comment(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// The column by whose time a table is cut into partitions.
    pub async fn time_partition(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        self.driver().await?.time_partition(schema, table).await.map_err(|e| self.or_redirect(e))
    }

    /// Names of functions for completion: what the database says, or what is known of the engine.
    pub async fn function_names(&self) -> Result<Vec<String>, EngineError> {
        let asked = self.driver().await?.function_names().await.map_err(|e| self.or_redirect(e))?;
        Ok(asked.unwrap_or_else(|| self.spec.functions.clone()))
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
fn advice(spec: &EngineSpec) -> &'static str {
    // the only driver that a binary may lack
    if spec.connection.protocol.is_some() {
        return "This binary was built without the cargo feature \"duckdb\"; the released ones have it.";
    }
    "Use another engine that reads the same data, or keep this database in Superset."
}
