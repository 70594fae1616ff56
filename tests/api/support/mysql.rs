//! Databases of the tests' own on the test server of MySQL or MariaDB, over the client that is tested.

use infra::db::{Db, Executor as _, Row, Sql};
use tokio::runtime::{Builder, Runtime};

use super::server::skip;

/// The test server of MySQL, or `None` with a line that says so.
pub fn mysql_uri() -> Option<String> {
    let uri = std::env::var("LITESET_TEST_MYSQL").ok();
    if uri.is_none() {
        skip("LITESET_TEST_MYSQL is not set");
    }
    uri
}

/// A database of the test's own on the test server; it ends with the test.
pub struct MysqlDatabase {
    server: String,
    name: String,
    runtime: Runtime,
    db: Db,
}

fn connect(runtime: &Runtime, uri: &str) -> Db {
    runtime.block_on(Db::connect(&uri.parse().unwrap(), 2)).unwrap()
}

/// Statements as text: not all can be prepared.
fn run(runtime: &Runtime, db: &Db, sql: &str) {
    let text: &'static str = Box::leak(sql.to_owned().into_boxed_str());
    let done = runtime.block_on(async {
        let tx = db.begin().await?;
        tx.batch(text).await?;
        tx.commit().await
    });
    done.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

impl MysqlDatabase {
    /// An empty one; `word` tells the databases of a test program apart.
    pub fn create(server: &str, word: &str) -> Self {
        let name = format!("liteset_test_{}_{word}", std::process::id());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let make = format!("DROP DATABASE IF EXISTS {name};\nCREATE DATABASE {name} CHARACTER SET utf8mb4");
        run(&runtime, &connect(&runtime, server), &make);
        let db = connect(&runtime, &Self::beside(server, &name));
        Self { server: server.to_owned(), name, runtime, db }
    }

    fn beside(server: &str, name: &str) -> String {
        let (server, database) = server.rsplit_once('/').unwrap();
        let options = database.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
        format!("{server}/{name}{options}")
    }

    /// Its URI.
    pub fn uri(&self) -> String {
        Self::beside(&self.server, &self.name)
    }

    fn query(&self, sql: &str) -> Vec<Row> {
        self.runtime.block_on(self.db.query(Sql::new(sql))).unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// The first column of the rows of a query. It may cast to `TEXT`, for which MySQL has another name.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.query(&sql.replace(" AS TEXT)", " AS CHAR)")).iter().map(|row| row.at(0).unwrap()).collect()
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        run(&self.runtime, &self.db, sql);
    }

    /// Every row of a table as text, without what a log-in itself changes.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let text = |row: &Row| -> Vec<String> {
            let columns = row.columns().iter().zip(row.values());
            columns
                .filter(|(name, _)| !name.contains("login"))
                .map(|(_, value)| format!("{value:?}"))
                .collect()
        };
        let mut rows: Vec<_> =
            self.query(&format!("SELECT * FROM {table}")).iter().map(|r| text(r).join("|")).collect();
        rows.sort_unstable();
        rows
    }
}

impl Drop for MysqlDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            run(&self.runtime, &self.db, &format!("DROP DATABASE {}", self.name));
        }
    }
}
