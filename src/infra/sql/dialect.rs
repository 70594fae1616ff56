//! Which parser dialect an engine speaks, and how texts of it are printed.

use sqlparser::dialect as parser;

use super::sqlite_dialect::Sqlite;
use crate::engine_specs::{EngineSpec, facts::Grammar, spec};

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
    /// Hive, Spark and Databricks.
    Hive,
    Other,
}

impl Family {
    /// Whether it reads as MySQL does.
    pub fn is_mysql(self) -> bool {
        matches!(self, Self::Mysql | Self::Doris)
    }
}

/// When two spellings are surely one name to an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaseFolding {
    /// Without quotes they are folded to lower letters.
    FoldedToLower,
    /// Without quotes they are folded to upper letters.
    FoldedToUpper,
    /// Never told apart by their case.
    Alike,
    /// Always told apart, or only by settings of the server.
    Exact,
    /// Not known: the same letters in the same quotes.
    Unknown,
}

impl CaseFolding {
    fn for_engine(spec: &EngineSpec, family: Family) -> Self {
        match family {
            _ if spec.sql.folding_unknown => Self::Unknown,
            Family::Postgres => Self::FoldedToLower,
            Family::Oracle => Self::FoldedToUpper,
            Family::Sqlite | Family::DuckDb | Family::Presto | Family::Bigquery => Self::Alike,
            Family::Mysql | Family::Doris | Family::ClickHouse | Family::Mssql => Self::Exact,
            Family::Other if spec.dialect == Grammar::Snowflake => Self::FoldedToUpper,
            Family::Other | Family::Hive => Self::Alike,
            Family::Generic => Self::Unknown,
        }
    }
}

/// The dialect of an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlDialect {
    pub family: Family,
    pub case_folding: CaseFolding,
    pub parser: &'static (dyn parser::Dialect + Sync),
}

/// The dialect of an engine by its Superset name; unknown engines get a tolerant one.
pub(super) fn dialect(engine: &str) -> SqlDialect {
    let spec = spec(engine, None);
    let (family, parser): (_, &'static (dyn parser::Dialect + Sync)) = match spec.dialect {
        Grammar::Sqlite => (Family::Sqlite, &Sqlite),
        Grammar::Postgres | Grammar::Risingwave => (Family::Postgres, &parser::PostgreSqlDialect {}),
        Grammar::Redshift => (Family::Postgres, &parser::RedshiftSqlDialect {}),
        Grammar::Mysql | Grammar::Singlestore => (Family::Mysql, &parser::MySqlDialect {}),
        Grammar::Doris | Grammar::Starrocks => (Family::Doris, &parser::MySqlDialect {}),
        Grammar::Tsql => (Family::Mssql, &parser::MsSqlDialect {}),
        Grammar::Oracle => (Family::Oracle, &parser::OracleDialect {}),
        Grammar::Bigquery => (Family::Bigquery, &parser::BigQueryDialect {}),
        Grammar::Snowflake => (Family::Other, &parser::SnowflakeDialect {}),
        Grammar::Duckdb => (Family::DuckDb, &parser::DuckDbDialect {}),
        Grammar::Presto | Grammar::Trino => (Family::Presto, &parser::GenericDialect {}),
        Grammar::Clickhouse => (Family::ClickHouse, &parser::ClickHouseDialect {}),
        Grammar::Hive => (Family::Hive, &parser::HiveDialect {}),
        Grammar::Databricks => (Family::Hive, &parser::DatabricksDialect {}),
        Grammar::Teradata => (Family::Other, &parser::TeradataDialect {}),
        Grammar::Dremio
        | Grammar::Drill
        | Grammar::Druid
        | Grammar::Firebolt
        | Grammar::Generic
        | Grammar::Pinot => (Family::Generic, &parser::GenericDialect {}),
    };
    SqlDialect { family, case_folding: CaseFolding::for_engine(spec, family), parser }
}
