//! PostgreSQL (`superset.db_engine_specs.postgres` over psycopg2): a pool of its own per database.

mod binary;
mod error;
mod introspect;
mod pool;
mod session;
mod text;

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool::managed::Object;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_postgres::{
    Client, SimpleQueryMessage, Statement,
    error::{ErrorPosition, SqlState},
};

use super::{
    QueryOptions, SERVER_POOL_SIZE, Session, Source, Statements,
    builder::ColumnBuilder,
    column::{ColumnInfo, ResultSet},
    connections::{Connections, discard},
    driver::{Driver, Out},
    engine::Files,
    error::EngineError,
};
use crate::{
    compute,
    db::DbUri,
    pg::{Connector, Target},
};
use binary::{Kind, Raw};
use pool::Manager;

/// How long a connection may take to be made.
const WAIT: Duration = Duration::from_secs(30);

/// Options of libpq that matter here; those that name files of this machine do not.
const LIBPQ: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "options",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Prepares the connections to a server.
pub(super) fn open(source: &Source, _: &Files) -> Result<Box<dyn Driver>, EngineError> {
    let mut url = source.url.clone();
    url.drivername = "postgresql".to_owned();
    for key in LIBPQ {
        if let Some(value) = source.option(key) {
            url.set_option(key, value);
        }
    }
    match url.encoded().parse::<DbUri>() {
        Ok(DbUri::Postgres(target)) => Ok(Box::new(Database::new(*target, SERVER_POOL_SIZE)?)),
        Ok(DbUri::Sqlite { .. } | DbUri::Mysql(_)) => Err(EngineError::Uri("not a PostgreSQL URI".into())),
        Err(e) => Err(EngineError::Uri(e.to_string())),
    }
}

/// A database on a server.
pub(super) struct Database {
    config: tokio_postgres::Config,
    /// How cancel requests reach the server.
    cancel: Arc<Connector>,
    connections: Connections<Manager>,
}

#[async_trait]
impl Driver for Database {
    fn connect_class(&self) -> &'static str {
        "psycopg2.OperationalError"
    }

    async fn ping(&self) -> Result<(), EngineError> {
        let options = QueryOptions { timeout: WAIT, ..QueryOptions::default() };
        let mut lease = self.client(options.max_bytes).await?;
        let answer = async {
            let asked = lease.get()?.simple_query("SELECT 1").await;
            asked.map_err(|e| error::statement_error(&e, "SELECT 1"))
        };
        in_time(&options, answer).await?;
        lease.done = true;
        Ok(())
    }

    async fn execute_all(&self, mut statements: Statements) -> Result<(), EngineError> {
        let mut lease = self.client(QueryOptions::default().max_bytes).await?;
        let client = lease.get()?;
        let one =
            async |sql: &str| client.batch_execute(sql).await.map_err(|e| error::statement_error(&e, sql));
        one("BEGIN").await?;
        let mut result = Ok(());
        while let Some(sql) = statements.next().await {
            result = match sql {
                Ok(sql) => one(&sql).await,
                Err(error) => Err(error),
            };
            if result.is_err() {
                break;
            }
        }
        let end = one(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        lease.done = end.is_ok();
        result.and(end)
    }

    /// Has the server read the text without executing it.
    async fn syntax_error(&self, sql: &str) -> Result<Option<(usize, String)>, EngineError> {
        let options = QueryOptions::default();
        let mut lease = self.client(options.max_bytes).await?;
        let prepared = in_time(&options, async { Ok(lease.get()?.prepare(sql).await) }).await?;
        lease.done = true;
        let Err(error) = prepared else { return Ok(None) };
        let Some(db) = error.as_db_error() else { return Err(error::statement_error(&error, sql)) };
        // several statements cannot be prepared at once: then the grammar of all of them was read
        if *db.code() != SqlState::SYNTAX_ERROR || db.message().starts_with("cannot insert multiple commands")
        {
            return Ok(None);
        }
        let at = match db.position() {
            Some(ErrorPosition::Original(at)) => *at as usize,
            _ => 0,
        };
        let line = sql.chars().take(at).filter(|c| *c == '\n').count() + 1;
        Ok(Some((line, db.message().to_owned())))
    }

    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
        let mut lease = self.client(options.max_bytes).await?;
        let result = in_time(options, run(lease.get()?, sql, options)).await;
        let result = lease.judged(result);
        // A timeout or a result that was abandoned half-way leaves rows in flight: the lease cancels it.
        lease.done = !matches!(result, Err(EngineError::Timeout(_) | EngineError::TooLarge(_)));
        result
    }

    /// `PostgresEngineSpec.cancel_query`.
    async fn cancel(&self, number: &str) -> Result<bool, EngineError> {
        let Ok(pid) = number.parse::<i64>() else { return Ok(false) };
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid}");
        Ok(self.query(&sql, &QueryOptions::default()).await?.row_count() > 0)
    }

    async fn session(&self, options: &QueryOptions) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(Some(Box::new(self.begin(options).await?)))
    }

    async fn batches(
        &self,
        sql: &str,
        options: &QueryOptions,
        cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        self.send(sql, options, cells, out).await
    }
}

impl Database {
    /// Prepares the pool; connections are made when they are needed.
    pub fn new(target: Target, pool_size: usize) -> Result<Self, EngineError> {
        let connector = Connector::new(&target.verify).map_err(|e| EngineError::Connect(e.to_string()))?;
        let (cancel, config) = (Arc::new(connector), target.config);
        let manager = Manager { connector: cancel.clone(), config: config.clone() };
        Ok(Self { config, cancel, connections: Connections::new(manager, pool_size)? })
    }

    /// A connection whose rows have at most so many bytes.
    async fn client(&self, max_bytes: usize) -> Result<Lease, EngineError> {
        let client = self.connections.get().await?;
        client.bound.set(max_bytes);
        let server = (self.cancel.clone(), self.config.clone());
        Ok(Lease { client: Some(client), server, done: false })
    }
}

/// Waits a little longer than the server should: one that hangs does not keep its own time.
async fn in_time<T>(
    options: &QueryOptions,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let done = tokio::time::timeout(options.timeout + Duration::from_secs(2), work).await;
    done.unwrap_or(Err(EngineError::Timeout(options.timeout)))
}

/// A connection on loan: one that is given up in the middle of a statement is cancelled on the server and closed.
struct Lease {
    client: Option<Object<Manager>>,
    /// Where a cancel request goes.
    server: (Arc<Connector>, tokio_postgres::Config),
    done: bool,
}

impl Lease {
    fn get(&self) -> Result<&Client, EngineError> {
        self.client.as_ref().map(|c| &c.client).ok_or_else(|| EngineError::Connect("no connection".into()))
    }
}

impl Lease {
    /// A connection that ended with a message above its bound had a result that is too large.
    fn judged<T>(&self, result: Result<T, EngineError>) -> Result<T, EngineError> {
        let exceeded = self.client.as_ref().and_then(|c| c.bound.exceeded());
        match (result, exceeded) {
            (Err(_), Some(most)) => Err(EngineError::TooLarge(most >> 20)),
            (result, _) => result,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (Some(object), Ok(runtime)) = (self.client.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let client = discard(object);
        let (connector, config) = self.server.clone();
        runtime.spawn(async move {
            if let Err(error) = connector.cancel(client.client.cancel_token(), &config).await {
                tracing::warn!(%error, "statement could not be cancelled");
            }
        });
    }
}

/// Opens a transaction with the limits and the schema of the options.
fn begin(options: &QueryOptions) -> String {
    let mut begin = String::from(if options.allow_write { "BEGIN;" } else { "BEGIN READ ONLY;" });
    begin.push_str(&format!("SET LOCAL statement_timeout = {}", options.timeout.as_millis()));
    if let Some(schema) = &options.schema {
        begin.push_str(&format!(";SET LOCAL search_path = \"{}\"", schema.replace('"', "\"\"")));
    }
    begin
}

async fn run(client: &Client, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError> {
    let begin = begin(options);
    // Both are sent at once: the server answers them in order.
    let (begun, prepared) = tokio::join!(client.batch_execute(&begin), client.prepare(sql));
    let result = match begun.and(prepared) {
        Ok(statement) => fetch(client, sql, &statement, options).await,
        Err(e) => Err(failure(&e, sql, options)),
    };
    if matches!(result, Err(EngineError::TooLarge(_))) {
        return result;
    }
    let end = if result.is_ok() && options.allow_write { "COMMIT" } else { "ROLLBACK" };
    match client.batch_execute(end).await {
        Err(e) if result.is_ok() => Err(failure(&e, sql, options)),
        _ => result,
    }
}

fn failure(e: &tokio_postgres::Error, sql: &str, options: &QueryOptions) -> EngineError {
    match error::statement_error(e, sql) {
        EngineError::Statement { message, .. }
            if message.starts_with("canceling statement due to statement timeout") =>
        {
            EngineError::Timeout(options.timeout)
        }
        other => other,
    }
}

async fn fetch(
    client: &Client,
    sql: &str,
    statement: &Statement,
    options: &QueryOptions,
) -> Result<ResultSet, EngineError> {
    let columns = columns_of(statement);
    let kinds: Option<Vec<Kind>> = statement.columns().iter().map(|c| Kind::from_type(c.type_())).collect();
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|_| ColumnBuilder::new()).collect();
    let mut size = Size::new(options, columns.len());
    match kinds {
        Some(kinds) => {
            let none: [&str; 0] = [];
            let stream = client.query_raw(statement, none).await.map_err(|e| failure(&e, sql, options))?;
            let mut stream = pin!(stream);
            while let Some(row) = stream.try_next().await.map_err(|e| failure(&e, sql, options))? {
                if size.add(push_binary(&row, &kinds, &mut builders))? {
                    break;
                }
            }
        }
        None => {
            let stream = client.simple_query_raw(sql).await.map_err(|e| failure(&e, sql, options))?;
            let mut stream = pin!(stream);
            while let Some(message) = stream.next().await {
                let SimpleQueryMessage::Row(row) = message.map_err(|e| failure(&e, sql, options))? else {
                    continue;
                };
                if size.add(push_text(&row, statement, &mut builders))? {
                    break;
                }
            }
        }
    }
    Ok(ResultSet { columns, data: builders.into_iter().map(ColumnBuilder::finish).collect() })
}

fn columns_of(statement: &Statement) -> Vec<ColumnInfo> {
    let info = statement.columns().iter();
    info.map(|c| ColumnInfo { name: c.name().to_owned(), sql_type: c.type_().name().to_owned() }).collect()
}

/// Adds a row to the columns; returns its size.
fn push_binary(row: &tokio_postgres::Row, kinds: &[Kind], builders: &mut [ColumnBuilder]) -> usize {
    let mut bytes = 0;
    for (i, (kind, out)) in kinds.iter().zip(builders).enumerate() {
        match row.try_get::<_, Option<Raw<'_>>>(i) {
            Ok(Some(Raw(raw))) => {
                bytes += raw.len();
                if kind.push(raw, out).is_none() {
                    out.null();
                }
            }
            _ => out.null(),
        }
    }
    bytes
}

/// The same for rows that came as text.
fn push_text(
    row: &tokio_postgres::SimpleQueryRow,
    statement: &Statement,
    builders: &mut [ColumnBuilder],
) -> usize {
    let mut bytes = 0;
    for (i, (column, out)) in statement.columns().iter().zip(builders).enumerate() {
        match row.try_get(i).ok().flatten() {
            Some(text) => {
                bytes += text.len();
                text::push(column.type_(), text, out);
            }
            None => out.null(),
        }
    }
    bytes
}

/// Counts rows and bytes against the limits.
pub(super) struct Size {
    rows: usize,
    max_rows: usize,
    bytes: usize,
    max_bytes: usize,
    per_row: usize,
    memory: Option<Arc<compute::Lease>>,
    /// Bytes that the lease does not know of yet.
    uncharged: usize,
}

/// Bytes that are charged at a time.
const CHARGED: usize = 64 << 10;

impl Size {
    pub fn new(options: &QueryOptions, columns: usize) -> Self {
        let max_rows = options.max_rows.unwrap_or(usize::MAX);
        Self {
            rows: 0,
            max_rows,
            bytes: 0,
            max_bytes: options.max_bytes,
            per_row: columns * 16,
            memory: options.memory.clone(),
            uncharged: 0,
        }
    }

    /// Counts a row; true when no more rows are wanted.
    pub fn add(&mut self, bytes: usize) -> Result<bool, EngineError> {
        self.rows += 1;
        self.bytes += bytes + self.per_row;
        if self.bytes > self.max_bytes {
            return Err(EngineError::TooLarge(self.max_bytes >> 20));
        }
        self.uncharged += bytes + self.per_row;
        if self.uncharged >= CHARGED
            && let Some(memory) = &self.memory
        {
            memory.charge(std::mem::take(&mut self.uncharged)).map_err(EngineError::NoMemory)?;
        }
        Ok(self.rows >= self.max_rows)
    }
}
