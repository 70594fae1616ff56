//! A server on any metadata database, with a database, a dataset, a chart and a dashboard of the test's own.

use serde_json::{Value, json};

use super::{Client, Metadata, Server, command, scratch, template};

/// The server, its tables, and the ids of what it has.
pub struct Installation {
    // dropped in this order: the server before its database
    pub server: Server,
    pub metadata: Metadata,
    pub database: i64,
    pub dataset: i64,
    pub chart: i64,
    pub dashboard: i64,
}

const SETTINGS: [(&str, &str); 4] = [
    ("LITESET_RATELIMIT_ENABLED", "false"),
    ("LITESET_PREVENT_UNSAFE_DB_CONNECTIONS", "false"),
    ("SUPERSET_FEATURE_TAGGING_SYSTEM", "true"),
    ("SUPERSET_FEATURE_ALERT_REPORTS", "true"),
];

impl Installation {
    /// On a file.
    pub fn on_sqlite(name: &str) -> Self {
        let home = scratch(name);
        let data = home.join("data");
        template::copy_to(&data, false);
        let metadata = data.join("superset.db");
        if let Some((server, metadata)) = Server::original(&home, &metadata) {
            return Self::fill(server, Metadata::Sqlite(metadata));
        }
        let mut run = command(&home);
        run.args(["run", "--no-examples", "--home", data.to_str().unwrap()]).envs(SETTINGS);
        Self::fill(Server::start_with(&mut run, home), Metadata::Sqlite(metadata))
    }

    /// On a database of the test server, if there is one.
    pub fn on_postgres(name: &str) -> Option<Self> {
        Self::on_postgres_with(name, &[])
    }

    /// The same with settings in the environment.
    pub fn on_postgres_with(name: &str, settings: &[(&str, &str)]) -> Option<Self> {
        Some(Self::on_server(Metadata::on_postgres(&name.replace('-', "_"))?, name, settings))
    }

    /// The same on MySQL.
    pub fn on_mysql(name: &str) -> Option<Self> {
        Some(Self::on_server(Metadata::on_mysql(&name.replace('-', "_"))?, name, &[]))
    }

    /// A test on a file and, where there is a server, on PostgreSQL and on MySQL.
    pub fn on_all(name: &str, test: impl Fn(&Self)) {
        test(&Self::on_sqlite(name));
        if std::env::var_os("LITESET_TEST_ORIGINAL").is_some() {
            return;
        }
        for on in [Self::on_postgres(name), Self::on_mysql(name)].into_iter().flatten() {
            test(&on);
        }
    }

    fn on_server(metadata: Metadata, name: &str, settings: &[(&str, &str)]) -> Self {
        let home = scratch(name);
        let mut run = metadata.prepared(&home)(&["run"]);
        let server = Server::start_with(run.envs(SETTINGS).envs(settings.iter().copied()), home);
        Self::fill(server, metadata)
    }

    fn fill(server: Server, metadata: Metadata) -> Self {
        let mut admin = server.admin();
        let file = server.home.join("data.db");
        let data = rusqlite::Connection::open(&file).unwrap();
        data.execute_batch("CREATE TABLE t (a)").unwrap();
        let uri = format!("sqlite:///{}", file.display());
        let database = make(&mut admin, "database", &json!({"database_name": "own", "sqlalchemy_uri": uri}));
        let dataset = make(&mut admin, "dataset", &json!({"database": database, "table_name": "t"}));
        let chart = json!({"slice_name": "own", "datasource_id": dataset, "datasource_type": "table"});
        let chart = make(&mut admin, "chart", &chart);
        let dashboard = make(&mut admin, "dashboard", &json!({"dashboard_title": "own"}));
        let answer = admin.put(&format!("/api/v1/chart/{chart}"), &json!({"dashboards": [dashboard]}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self { server, metadata, database, dataset, chart, dashboard }
    }
}

/// Makes an object; its id.
pub fn make(client: &mut Client, resource: &str, body: &Value) -> i64 {
    let answer = client.post(&format!("/api/v1/{resource}/"), body);
    assert_eq!(answer.status, 201, "{resource}: {}", answer.text());
    answer.json()["id"].as_i64().unwrap()
}
