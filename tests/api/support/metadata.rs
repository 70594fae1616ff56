//! The tables of a metadata database, read and broken behind the server's back.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{MysqlDatabase, command, mysql_uri, postgres, postgres_uri, run_to_end};

/// Where a server keeps what it knows.
pub enum Metadata {
    /// A file.
    Sqlite(PathBuf),
    /// A database of the test server.
    Postgres(Box<PostgresDatabase>),
    /// The same of MySQL.
    Mysql(Box<MysqlDatabase>),
}

/// A database of the test's own on the test server; it ends with the test.
pub struct PostgresDatabase {
    server: String,
    name: String,
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

/// A connection that lives as long as its client.
fn connect(runtime: &tokio::runtime::Runtime, uri: &str) -> tokio_postgres::Client {
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(uri, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    })
}

impl PostgresDatabase {
    /// An empty one; `word` tells the databases of a test program apart.
    pub fn create(server: &str, word: &str) -> Self {
        let name = format!("liteset_test_{}_{word}", std::process::id());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        postgres::execute(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        postgres::execute(server, &format!("CREATE DATABASE {name}"));
        let client = connect(&runtime, &Self::beside(server, &name));
        Self { server: server.to_owned(), name, runtime, client }
    }

    fn beside(server: &str, name: &str) -> String {
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{name}")
    }

    /// Its URI.
    pub fn uri(&self) -> String {
        Self::beside(&self.server, &self.name)
    }

    /// Runs statements; the first column of the rows.
    fn texts(&self, sql: &str) -> Vec<String> {
        use tokio_postgres::SimpleQueryMessage::Row;
        let answer = self.runtime.block_on(self.client.simple_query(sql));
        let answer = answer.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        let rows = answer.iter().filter_map(|message| if let Row(row) = message { row.get(0) } else { None });
        rows.map(str::to_owned).collect()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            postgres::execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

impl Metadata {
    /// An empty database of the test server, if there is one.
    pub fn on_postgres(word: &str) -> Option<Self> {
        Some(Self::Postgres(Box::new(PostgresDatabase::create(&postgres_uri()?, word))))
    }

    /// The same on MySQL.
    pub fn on_mysql(word: &str) -> Option<Self> {
        Some(Self::Mysql(Box::new(MysqlDatabase::create(&mysql_uri()?, word))))
    }

    /// The URI of its database.
    pub fn uri(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:///{}", path.display()),
            Self::Postgres(database) => database.uri(),
            Self::Mysql(database) => database.uri(),
        }
    }

    /// The schema, the roles and the administrator, by the commands with Superset's names; then the command line of
    /// the binary on it.
    pub fn prepared(&self, home: &Path) -> impl Fn(&[&str]) -> Command + use<> {
        let liteset = self.liteset(home);
        let admin = ["fab", "create-admin", "--username", "admin", "--email", "a@example.org"];
        // as a first start calls them
        let names = ["--firstname", "Superset", "--lastname", "Admin", "--password", super::PASSWORD];
        let admin = [&admin[..], &names].concat();
        for arguments in [&["db", "upgrade"][..], &["init"], &admin, &["init"]] {
            let out = run_to_end(&mut liteset(arguments));
            assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        }
        liteset
    }

    /// The command line of the binary on it.
    pub fn liteset(&self, home: &Path) -> impl Fn(&[&str]) -> Command + use<> {
        let (uri, home) = (self.uri(), home.to_owned());
        move |arguments: &[&str]| {
            let mut command = command(&home);
            command.env("LITESET_SQLALCHEMY_DATABASE_URI", &uri);
            command.env("SUPERSET_SECRET_KEY", "0123456789abcdefghijklmnop").args(arguments);
            command
        }
    }

    fn file(path: &Path) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(path).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        db
    }

    /// The first column of the rows of a query, which is text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let db = Self::file(path);
                let mut statement = db.prepare(sql).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(database) => database.texts(sql),
            Self::Mysql(database) => database.texts(sql),
        }
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => Self::file(path).execute_batch(sql).unwrap(),
            Self::Postgres(database) => drop(database.texts(sql)),
            Self::Mysql(database) => database.run(sql),
        }
    }

    /// Every row of a table as text, without what a log-in itself changes.
    pub fn rows(&self, table: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let db = Self::file(path);
                let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let names: Vec<_> = statement.column_names().into_iter().map(str::to_owned).collect();
                let columns: Vec<_> = (0..names.len()).filter(|i| !names[*i].contains("login")).collect();
                let rows = statement.query_map([], |row| {
                    let value = |i: &usize| row.get(*i).map(|v: rusqlite::types::Value| format!("{v:?}"));
                    Ok(columns.iter().map(value).collect::<Result<Vec<_>, _>>()?.join("|"))
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(database) => database.texts(&format!(
                "SELECT (to_jsonb(t) - ARRAY['last_login', 'login_count', 'fail_login_count'])::text \
                 FROM {table} t ORDER BY 1"
            )),
            Self::Mysql(database) => database.rows(table),
        }
    }

    /// Whatever writes to a table fails from now on.
    pub fn break_table(&self, table: &str, event: &str) {
        self.run(&match self {
            Self::Sqlite(_) => format!(
                "CREATE TRIGGER broken BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'injected fault'); END"
            ),
            Self::Postgres(_) => format!(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'injected fault'; END $$; \
                 CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
            ),
            Self::Mysql(_) => format!(
                "CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW \
                 SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'injected fault'"
            ),
        });
    }

    /// Ends what [`Self::break_table`] began.
    pub fn mend(&self) {
        self.run(match self {
            Self::Sqlite(_) | Self::Mysql(_) => "DROP TRIGGER broken",
            Self::Postgres(_) => "DROP FUNCTION broken CASCADE",
        });
    }
}
