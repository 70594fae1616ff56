//! What a driver does. Only what all of them need has no default here.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{
    EngineError, QueryOptions, Session, Source, Statements,
    catalog::{ColumnDescription, ForeignKey, Index, Key},
    column::ResultSet,
    engine::Files,
};

/// What questions of our own may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Prepares a driver for a source; nothing is opened yet.
pub(super) type Open = fn(&Source, &Files) -> Result<Box<dyn Driver>, EngineError>;

/// Where the pieces of a result go.
pub(super) type Out = mpsc::Sender<Result<ResultSet, EngineError>>;

/// One database by one protocol.
#[async_trait]
pub(super) trait Driver: Inspect {
    /// Python's exception class of a failed connection.
    fn connect_class(&self) -> &'static str;

    /// Executes one statement. Dropping the future cancels it in the database.
    async fn query(&self, sql: &str, options: &QueryOptions) -> Result<ResultSet, EngineError>;

    /// Proves that the database answers.
    async fn ping(&self) -> Result<(), EngineError> {
        let options = QueryOptions { timeout: TIMEOUT, ..QueryOptions::default() };
        self.query("SELECT 1", &options).await.map(drop)
    }

    /// Executes statements without results one after the other, in one transaction where the engine has them.
    async fn execute_all(&self, mut statements: Statements) -> Result<(), EngineError> {
        let options = QueryOptions { allow_write: true, ..QueryOptions::default() };
        while let Some(sql) = statements.next().await {
            self.query(&sql?, &options).await?;
        }
        Ok(())
    }

    /// Opens a session; none where every statement stands alone.
    async fn session(&self, _options: &QueryOptions) -> Result<Option<Box<dyn Session>>, EngineError> {
        Ok(None)
    }

    /// Executes one statement and sends its rows as they arrive, about `cells` values at a time; there is always a
    /// first piece, for the names of the columns. An error is sent by whoever calls. Ends early when nobody reads.
    async fn batches(
        &self,
        sql: &str,
        options: &QueryOptions,
        _cells: usize,
        out: &Out,
    ) -> Result<(), EngineError> {
        let found = self.query(sql, options).await?;
        // nobody listens any more
        let _ = out.send(Ok(found)).await;
        Ok(())
    }

    /// Bytes that a statement would read, from a service that tells it without executing anything; none from others.
    async fn bytes_to_read(&self, _sql: &str, _options: &QueryOptions) -> Result<Option<u64>, EngineError> {
        Ok(None)
    }

    /// Ends a statement that another connection runs, by the number that was noted when it began; false where it was
    /// not found, or cannot be ended so.
    async fn cancel(&self, _number: &str) -> Result<bool, EngineError> {
        Ok(false)
    }

    /// Where a text breaks the engine's grammar, by line, and how; the text is not executed. Engines that cannot tell
    /// find nothing wrong.
    async fn syntax_error(&self, _sql: &str) -> Result<Option<(usize, String)>, EngineError> {
        Ok(None)
    }
}

/// What a database tells about its tables.
#[async_trait]
pub(super) trait Inspect: Send + Sync {
    /// The schema of unqualified names.
    async fn default_schema(&self) -> Result<Option<String>, EngineError>;

    /// The schemas in which unqualified names are looked for, in their order.
    async fn search_path(&self) -> Result<Vec<String>, EngineError> {
        Ok(self.default_schema().await?.into_iter().collect())
    }

    /// Names of the catalogs; none where the engine has no catalogs.
    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    /// Names of the schemas.
    async fn schemas(&self) -> Result<Vec<String>, EngineError>;

    /// Names of the tables of a schema.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError>;

    /// Names of the views of a schema; none where they are among the tables.
    async fn views(&self, _schema: &str) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    /// Columns of a table or view in their order; none when there is no such table.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError>;

    /// Primary key of a table.
    async fn primary_key(&self, _schema: &str, _table: &str) -> Result<Key, EngineError> {
        Ok(Key::default())
    }

    /// Foreign keys of a table.
    async fn foreign_keys(&self, _schema: &str, _table: &str) -> Result<Vec<ForeignKey>, EngineError> {
        Ok(Vec::new())
    }

    /// Unique constraints of a table.
    async fn unique_constraints(&self, _schema: &str, _table: &str) -> Result<Vec<Key>, EngineError> {
        Ok(Vec::new())
    }

    /// Indexes of a table without that of its primary key.
    async fn indexes(&self, _schema: &str, _table: &str) -> Result<Vec<Index>, EngineError> {
        Ok(Vec::new())
    }

    /// Comment of a table.
    async fn table_comment(&self, _schema: &str, _table: &str) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// The column by whose time a table is cut into partitions, where the engine has such tables.
    async fn time_partition(&self, _schema: &str, _table: &str) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Names of functions for completion; none where the database is not asked for them.
    async fn function_names(&self) -> Result<Option<Vec<String>>, EngineError> {
        Ok(None)
    }
}
