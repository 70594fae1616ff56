//! Which parser dialect an engine speaks, and how texts of it are printed.

use sqlparser::dialect as parser;

use super::sqlite_dialect::Sqlite;

/// Families that differ in printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Generic,
    Sqlite,
    Postgres,
    Mysql,
    /// StarRocks and Doris: MySQL with types of their own.
    Doris,
    Mssql,
    Oracle,
    Bigquery,
    /// Names of functions and types are told apart by their case.
    ClickHouse,
    /// Presto and Trino.
    Presto,
    DuckDb,
    Other,
}

impl Family {
    /// Whether it reads as MySQL does.
    pub fn is_mysql(self) -> bool {
        matches!(self, Self::Mysql | Self::Doris)
    }
}

/// The dialect of an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlDialect {
    pub family: Family,
    pub parser: &'static (dyn parser::Dialect + Sync),
}

/// The dialect of an engine by its Superset name; unknown engines get a tolerant one.
pub(super) fn dialect(engine: &str) -> SqlDialect {
    let (family, parser): (_, &'static (dyn parser::Dialect + Sync)) = match engine {
        "sqlite" | "gsheets" | "shillelagh" | "superset" => (Family::Sqlite, &Sqlite),
        "postgresql" | "postgres" | "cockroachdb" | "hana" | "netezza" | "parseable" | "risingwave"
        | "vertica" => (Family::Postgres, &parser::PostgreSqlDialect {}),
        "redshift" => (Family::Postgres, &parser::RedshiftSqlDialect {}),
        "mysql" | "mariadb" | "oceanbase" | "singlestoredb" | "couchbase" => {
            (Family::Mysql, &parser::MySqlDialect {})
        }
        "pydoris" | "starrocks" => (Family::Doris, &parser::MySqlDialect {}),
        "mssql" => (Family::Mssql, &parser::MsSqlDialect {}),
        "oracle" => (Family::Oracle, &parser::OracleDialect {}),
        "bigquery" => (Family::Bigquery, &parser::BigQueryDialect {}),
        "snowflake" => (Family::Other, &parser::SnowflakeDialect {}),
        "duckdb" | "motherduck" => (Family::DuckDb, &parser::DuckDbDialect {}),
        "presto" | "trino" | "awsathena" => (Family::Presto, &parser::GenericDialect {}),
        "clickhouse" | "clickhousedb" | "yql" => (Family::ClickHouse, &parser::ClickHouseDialect {}),
        "hive" | "ascend" | "impala" => (Family::Other, &parser::HiveDialect {}),
        "databricks" | "spark" => (Family::Other, &parser::DatabricksDialect {}),
        "teradatasql" => (Family::Other, &parser::TeradataDialect {}),
        _ => (Family::Generic, &parser::GenericDialect {}),
    };
    SqlDialect { family, parser }
}
