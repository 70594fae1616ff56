//! Datasets: virtual ones, put straight into the metadata database of a server, and what a chart shows of a table.

use serde_json::{Value, json};

use super::{Client, Server};

/// Where the data of a dataset are.
pub enum Source<'a> {
    /// The example content of the first start.
    Examples,
    /// Another database, by its URI.
    Uri(&'a str),
}

impl Server {
    /// Adds a virtual dataset with one column `v`; returns its id.
    pub fn add_virtual(&self, name: &str, source: &Source<'_>, sql: &str, sql_type: &str) -> i64 {
        let db = rusqlite::Connection::open(self.home.join("data/superset.db")).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let database: i64 = match source {
            Source::Examples => db.query_row("SELECT min(id) FROM dbs", [], |row| row.get(0)).unwrap(),
            Source::Uri(uri) => {
                db.execute(
                    "INSERT INTO dbs (created_on, changed_on, database_name, sqlalchemy_uri) \
                     SELECT '2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000', 'other', ?1 \
                     WHERE NOT EXISTS (SELECT 1 FROM dbs WHERE database_name = 'other')",
                    [uri],
                )
                .unwrap();
                db.query_row("SELECT id FROM dbs WHERE database_name = 'other'", [], |row| row.get(0))
                    .unwrap()
            }
        };
        let now = "2020-01-01 00:00:00.000000";
        db.execute(
            "INSERT INTO tables (created_on, changed_on, table_name, database_id, sql) VALUES (?1, ?1, ?2, ?3, ?4)",
            rusqlite::params![now, name, database, sql],
        )
        .unwrap();
        let id = db.last_insert_rowid();
        db.execute(
            "INSERT INTO table_columns (created_on, changed_on, table_id, column_name, type, is_dttm, groupby, \
             filterable, is_active) VALUES (?1, ?1, ?2, 'v', ?3, 0, 1, 1, 1)",
            rusqlite::params![now, id, sql_type],
        )
        .unwrap();
        id
    }
}

/// A question for the column `v`.
pub fn ask(dataset: i64, format: &str) -> Value {
    json!({
        "datasource": {"id": dataset, "type": "table"}, "result_format": format, "result_type": "full",
        "queries": [{"columns": ["v"], "row_limit": 100}],
    })
}

/// The sums of `n` by `name` of a table, through a dataset made for it; its id and the first row.
pub fn sum_by_name(admin: &mut Client, table: &Value) -> (Value, Value) {
    let made = admin.post("/api/v1/dataset/", table);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].clone();
    let ask = json!({
        "datasource": {"id": id, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["name"], "row_limit": 10, "metrics": [
            {"expressionType": "SIMPLE", "column": {"column_name": "n"}, "aggregate": "SUM", "label": "SUM(n)"}]}],
    });
    let chart = admin.post("/api/v1/chart/data", &ask);
    assert_eq!(chart.status, 200, "{}", chart.text());
    (id, chart.json()["result"][0]["data"][0].clone())
}
