//! MySQL and MariaDB: our own client behind a deadpool, every statement prepared.
//!
//! A session reads names in double quotes and joins texts with `||`, so that statements are written once for all
//! backends, and sees what others have committed (`READ COMMITTED`), as on PostgreSQL. An insert that is queried
//! answers with the key that the server drew.

mod error;
mod statements;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use tokio::sync::Mutex;

use super::{BoxFuture, DbError, PoolOptions, Row, Sql, Value};
use crate::mysql::{Answer, Cell, Entered, Failure, PING, Param, QUERY, Target, Wire, ask, enter, in_time};
use crate::telemetry::{self, Database};
use statements::Statements;

/// Connections that were idle longer are asked whether they still live.
const FRESH: Duration = Duration::from_secs(5);

/// Bytes of an answer's packet; the largest value of the schema is far below.
const LARGEST_PACKET: usize = 256 << 20;

#[derive(Clone)]
pub(super) struct Pool(managed::Pool<Manager>);

struct Manager {
    target: Arc<Target>,
    options: PoolOptions,
}

struct Connection {
    wire: Wire,
    statements: Statements,
    /// Bytes of a packet that the server takes.
    packet: usize,
    used: Instant,
    /// A statement is under way; who was given up in its middle is of no use any more.
    busy: bool,
    /// The session is no longer as it was made.
    changed: bool,
}

type Lease = Object<Manager>;

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = DbError;

    async fn create(&self) -> Result<Connection, DbError> {
        // a type of its own, as looking a name up lies deep in types
        let work: BoxFuture<'_, _> = Box::pin(open(&self.target));
        in_time(self.target.patience * 2, work).await.map_err(|e| error::of_connecting(e, &self.target))
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<DbError> {
        let dead = || RecycleError::message("the connection is gone");
        let is_old = self.options.max_age.is_some_and(|most| metrics.age() > most);
        if connection.busy || connection.changed || is_old {
            return Err(dead());
        }
        if self.options.ping || connection.used.elapsed() > FRESH {
            in_time(self.target.patience, ask(&mut connection.wire, PING, "")).await.map_err(|_| dead())?;
        }
        Ok(())
    }
}

async fn open(target: &Target) -> Result<Connection, Failure> {
    let Entered { mut wire, version, .. } = enter(target).await?;
    wire.limit = LARGEST_PACKET;
    // MariaDB cuts fractions of seconds by itself
    let cut = if version.contains("MariaDB") { "" } else { ",TIME_TRUNCATE_FRACTIONAL" };
    let mode = format!(
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,\
         PIPES_AS_CONCAT{cut}', SESSION autocommit = 1"
    );
    ask(&mut wire, QUERY, &mode).await?;
    ask(&mut wire, QUERY, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    let statements = Statements::default();
    let (packet, used) = (usize::MAX, Instant::now());
    let mut connection = Connection { wire, statements, packet, used, busy: false, changed: false };
    let mut packet = None;
    connection
        .run(&Sql::new("SELECT @@max_allowed_packet"), |cells| packet = cells.into_iter().next())
        .await?;
    if let Some(Value::Int(bytes)) = packet {
        connection.packet = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    Ok(connection)
}

impl Connection {
    /// Executes a statement; `each` gets the values of every row.
    async fn run(&mut self, sql: &Sql, mut each: impl FnMut(Vec<Value>)) -> Result<Answer, Failure> {
        let params: Vec<Param<'_>> = sql.params.iter().map(param).collect();
        let size = sql.text.len() + params.iter().map(|p| p.size() + 16).sum::<usize>();
        if size > self.packet {
            let sentence = format!("{size} bytes are more than the server takes (max_allowed_packet)");
            return Err(Failure::Server(1153, sentence));
        }
        self.busy = true;
        let result = self.statements.execute(&mut self.wire, &sql.text, &params, |row| {
            each(row.into_iter().map(value).collect());
        });
        let result = result.await;
        self.settle(result)
    }

    /// Executes text without values.
    async fn command(&mut self, text: &str) -> Result<(), Failure> {
        self.busy = true;
        let result = ask(&mut self.wire, QUERY, text).await;
        self.settle(result)
    }

    async fn commands(&mut self, texts: &[&str]) -> Result<(), Failure> {
        for text in texts {
            self.command(text).await?;
        }
        Ok(())
    }

    /// A statement that has ended, well or with a sentence of the server, leaves the connection in order.
    fn settle<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        self.busy = match &result {
            Ok(_) => false,
            Err(Failure::Server(code, _)) => error::ends_connection(*code),
            Err(_) => true,
        };
        self.used = Instant::now();
        result
    }

    async fn query(&mut self, sql: &Sql) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        match self.run(sql, |values| rows.push(values)).await? {
            Answer::Rows(columns) => {
                let columns: Arc<[String]> = columns.into_iter().map(|column| column.name).collect();
                Ok(rows.into_iter().map(|values| Row { columns: columns.clone(), values }).collect())
            }
            Answer::Done { key, .. } => {
                let key = i64::try_from(key).unwrap_or_default();
                Ok(vec![Row { columns: Arc::from(["id".to_owned()]), values: vec![Value::Int(key)] }])
            }
        }
    }

    async fn execute(&mut self, sql: &Sql) -> Result<u64, Failure> {
        let mut rows = 0;
        Ok(match self.run(sql, |_| rows += 1).await? {
            Answer::Rows(_) => rows,
            Answer::Done { affected, .. } => affected,
        })
    }
}

fn param(value: &Value) -> Param<'_> {
    match value {
        Value::Null => Param::Null,
        Value::Bool(b) => Param::Int(i64::from(*b)),
        Value::Int(i) => Param::Int(*i),
        Value::Float(f) => Param::Float(*f),
        Value::Text(t) => Param::Text(t),
        Value::Bytes(b) => Param::Bytes(b),
        Value::DateTime(t) => Param::DateTime(*t),
        Value::Uuid(u) => Param::Bytes(u.as_bytes()),
    }
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(i) => Value::Int(i),
        Cell::Float(f) => Value::Float(f),
        Cell::Text(t) => Value::Text(t),
        Cell::Bytes(b) => Value::Bytes(b.to_vec()),
        Cell::DateTime(t) => Value::DateTime(t),
    }
}

impl Pool {
    pub async fn open(target: &Target, options: PoolOptions) -> Result<Self, DbError> {
        let manager = Manager { target: Arc::new(target.clone()), options };
        let pool = managed::Pool::builder(manager)
            .max_size(options.size.max(2))
            .wait_timeout(options.wait)
            .runtime(deadpool::Runtime::Tokio1)
            .build();
        let pool = Self(pool.map_err(|e| DbError::Unavailable(e.to_string()))?);
        drop(pool.get().await?);
        Ok(pool)
    }

    async fn get(&self) -> Result<Lease, DbError> {
        // boxed, as making a connection lies deep on the stack
        let work: BoxFuture<'_, _> = Box::pin(self.0.get());
        telemetry::connection(Database::Metadata, work).await.map_err(|e| match e {
            PoolError::Backend(e) => e,
            other => DbError::Unavailable(other.to_string()),
        })
    }

    /// After a connection was found dead: its like, made before the server went, are not tried one by one.
    async fn get_new(&self) -> Result<Lease, DbError> {
        self.0.retain(|_, _| false);
        self.get().await
    }

    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        let found = self.get().await?.query(&sql).await;
        match found {
            // a read may be tried again: the server may have ended the connection long ago
            Err(Failure::Io(_)) if sql.text.starts_with("SELECT") => self.get_new().await?.query(&sql).await,
            other => other,
        }
        .map_err(error::of_statement)
    }

    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        self.get().await?.execute(&sql).await.map_err(error::of_statement)
    }

    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.begin_with(&["START TRANSACTION"], false).await
    }

    /// Begins by statements of its own; a session that is another one from then on ends with the transaction.
    pub async fn begin_with(&self, statements: &[&str], changes_session: bool) -> Result<Tx, DbError> {
        // who gives up meanwhile leaves a connection that is busy, which the pool throws away
        let mut lease = self.get().await?;
        let mut begun = lease.commands(statements).await;
        if matches!(begun, Err(Failure::Io(_))) {
            drop(lease);
            lease = self.get_new().await?;
            begun = lease.commands(statements).await;
        }
        lease.changed |= changes_session;
        begun.map_err(error::of_statement)?;
        Ok(Tx(Mutex::new(Open { lease: Some(lease), undone: false })))
    }
}

pub(super) struct Tx(Mutex<Open>);

struct Open {
    lease: Option<Lease>,
    /// The server has rolled back, and would take each further statement for a transaction of its own.
    undone: bool,
}

impl Open {
    fn lease(&mut self) -> Result<&mut Lease, DbError> {
        if self.undone {
            return Err(DbError::Query("the transaction was rolled back".into()));
        }
        self.lease.as_mut().ok_or_else(|| DbError::Query("transaction is over".into()))
    }

    fn note<T>(&mut self, result: Result<T, Failure>) -> Result<T, DbError> {
        self.undone |= matches!(&result, Err(Failure::Server(code, _)) if error::undoes_transaction(*code));
        result.map_err(error::of_statement)
    }
}

impl Tx {
    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        let mut open = self.0.lock().await;
        let found = open.lease()?.query(&sql).await;
        open.note(found)
    }

    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        let mut open = self.0.lock().await;
        let changed = open.lease()?.execute(&sql).await;
        open.note(changed)
    }

    /// One statement after the other: a text of several is refused by the server.
    pub async fn batch(&self, text: &'static str) -> Result<(), DbError> {
        let mut open = self.0.lock().await;
        for statement in error::each_statement(text) {
            let done = open.lease()?.command(statement).await;
            open.note(done)?;
        }
        Ok(())
    }

    pub async fn commit(mut self) -> Result<(), DbError> {
        let open = self.0.get_mut();
        let done = open.lease()?.command("COMMIT").await;
        open.note(done)?;
        open.lease = None;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(mut lease) = self.0.get_mut().lease.take() else { return };
        if lease.busy {
            return; // the pool throws it away, and the server rolls back when the connection ends
        }
        // The connection goes back to the pool only after the rollback.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if lease.command("ROLLBACK").await.is_err() {
                    lease.busy = true;
                }
            });
        } else {
            lease.busy = true;
        }
    }
}

#[cfg(test)]
mod tests;
