//! What distinguishes one engine from another, as the files in `specs/` tell it: nothing else in this program compares
//! names of engines.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Dialect;

/// The grammar that statements are read by (sqlglot's name in `superset.sql.parse:SQLGLOT_DIALECTS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they bear the names of sqlglot's dialects")]
pub enum Grammar {
    /// None of its own: a tolerant one.
    #[default]
    #[serde(rename = "")]
    Generic,
    Bigquery,
    Clickhouse,
    Databricks,
    Doris,
    Dremio,
    Drill,
    Druid,
    Duckdb,
    Firebolt,
    Hive,
    Mysql,
    Oracle,
    Pinot,
    Postgres,
    Presto,
    Redshift,
    Risingwave,
    Singlestore,
    Snowflake,
    Sqlite,
    Starrocks,
    Teradata,
    Trino,
    Tsql,
}

/// The form of a connection's parameters, where the engine has one (`parameters_schema`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Form {
    /// Host, port, user and so on (`BasicParametersMixin`).
    #[default]
    Basic,
    /// The same, where the database may be left out (`ClickHouseConnectEngineSpec`).
    Clickhouse,
    /// A file and a token (`DuckDBParametersMixin`).
    Duckdb,
    /// An account with a role and a warehouse (`SnowflakeEngineSpec`).
    Snowflake,
    /// A document of credentials, which is kept among the secrets (`BigQueryParametersSchema`).
    Bigquery,
}

/// Where a connection string names its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CatalogPlace {
    /// Before the first slash of the database's name; another one cannot be chosen.
    #[default]
    Fixed,
    /// There as well, and another one can stand in its place.
    FirstPart,
    /// A catalog is a database of its own.
    Database,
    /// The option `catalog`.
    Option,
    /// In the place of the host; another one leaves out the schema behind it.
    Host,
}

/// How a connection is named, made and offered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// The driver that speaks to it, one of `DRIVERS`; none where nobody has written one.
    pub protocol: Option<String>,
    /// Names of Python's drivers that stand for it in connection strings.
    pub python_drivers: Vec<String>,
    /// The driver that SQLAlchemy loads when none is named; without it, the one that is proposed.
    pub dialect_driver: Option<String>,
    /// The port where none is named (`superset.utils.ssh_tunnel:get_default_port`).
    pub default_port: Option<u32>,
    /// The form of its parameters.
    pub form: Form,
    /// What is filled in is only checked when it is stored (`BYPASS_VALIDATION_ENGINES`).
    pub form_unchecked: bool,
    /// First part of the strings that the form makes, where it is another engine's.
    pub form_engine: Option<String>,
    /// The driver's argument that names whom it acts for; without it the login itself is theirs (`impersonate_user`).
    pub impersonation_argument: Option<String>,
    /// The driver's argument that names the program which asks (`get_extra_params`, `USER_AGENT_FUNC`).
    pub agent_argument: Option<String>,
    /// Of `encrypted_extra` only the way to authenticate counts (`update_params_from_encrypted_extra`).
    pub secret_is_auth: bool,
    /// Parameters of SQLAlchemy's `create_engine` that the driver reads, public or secret.
    pub engine_arguments: Vec<String>,
    /// Where the catalog is named.
    pub catalog: CatalogPlace,
    /// SQLAlchemy's names of dialects that read files of the server's machine, by driver; `""` where none is named,
    /// `"*"` for all others. Without a name it is the connection string's
    /// (`superset.security.analytics_db_safety:BLOCKLIST`).
    pub unsafe_dialects: BTreeMap<String, String>,
    /// The feature flag that lets those dialects pass.
    pub safe_with_flag: Option<String>,
    /// A connection string names a file, which may be one of those that the operator offers (`LOCAL_FILES_FOLDER`).
    pub offered_files: bool,
    /// The server knows transactions that only read.
    pub read_only_transactions: bool,
}

/// Names of columns' types as the Python driver gives them to its cursor (`BaseEngineSpec.get_datatype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CursorTypes {
    /// The server's, in capitals.
    #[default]
    Capitals,
    /// The server's.
    Native,
    /// Those of psycopg2, which has none for some types.
    Psycopg2,
    /// Numbers and objects in the place of names.
    Nameless,
}

/// How the cost of a statement is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CostEstimate {
    /// Not at all.
    #[default]
    Unable,
    /// `EXPLAIN`: the first line has the costs.
    Explain,
    /// `EXPLAIN (TYPE IO, FORMAT JSON)`.
    ExplainIo,
    /// A request of its own, which needs the engine's driver.
    DryRun,
}

/// Whose inspector of SQLAlchemy describes tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Inspector {
    /// Types are printed as they are compiled.
    #[default]
    Compiled,
    /// MySQL's: `str()` of most types leaves out their lengths.
    Mysql,
    /// PostgreSQL's: a missing time zone is named.
    Postgres,
    /// Presto's and Trino's: what SQLAlchemy has no type for prints as its null type.
    Presto,
    /// Snowflake's: names of small letters stand for those of big letters, and are these in datasets
    /// (`requires_name_normalize`); a table that is not there has no name in the error.
    Snowflake,
    /// SQLite's: a table that is not there has no columns, and is no error.
    Sqlite,
    /// Athena's: types have SQLAlchemy's names in print; there are no primary keys at all.
    Athena,
    /// BigQuery's: types have SQLAlchemy's names in print and the service's when they are compiled, without lengths.
    Bigquery,
}

/// How a statement is ended that another process runs (`cancel_query`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cancel {
    /// It cannot be.
    #[default]
    Unable,
    /// The server is told the number that was noted when the statement began.
    ByNumber,
    /// Whoever runs it looks into the query's row and gives up (`has_implicit_cancel`).
    Implicit,
}

/// What engines do to labels that they would not take, or would not give back, as they are (`_mutate_label`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Labels {
    /// Nothing.
    #[default]
    Same,
    /// Small letters.
    Lower,
    /// A digest behind it.
    Digest,
    /// No quotes.
    Unquoted,
    /// No dots.
    Undotted,
    /// Letters, digits and low lines only.
    Words,
}

/// What a table tells beyond its columns: its partitions, and the text of a view (`get_extra_table_metadata`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TableExtra {
    /// Nothing.
    #[default]
    Nothing,
    /// Partitions, and what `SHOW CREATE VIEW` answers.
    ShowCreateView,
    /// Partitions, and `view_definition` of the information schema.
    ViewDefinition,
    /// The column that a table is cut by, and its newest partition (`BigQueryEngineSpec`).
    TimePartition,
}

/// How statements are written, and what is told of them and of tables.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SqlFacts {
    /// SQLAlchemy's dialect that statements of charts are written in, a section of `dialects.toml`.
    pub compiler: Dialect,
    /// A schema may be more than one name with dots between.
    pub dotted_schemas: bool,
    /// Nobody knows to which letters names without quotes are folded.
    pub folding_unknown: bool,
    /// ORDER BY never has a label in the place of an expression (SQLAlchemy's `supports_simple_order_by_label`).
    pub orders_by_expression: bool,
    /// What the query of a virtual dataset is called where a CTE is not allowed in a sub-query (`cte_alias`).
    pub cte_alias: Option<String>,
    /// What becomes of labels.
    pub labels: Labels,
    /// What too long a label's digest begins with.
    pub digest_prefix: String,
    /// Names of types of results.
    pub cursor_types: CursorTypes,
    /// How costs are estimated.
    pub cost_estimate: CostEstimate,
    /// Since which version, as `extra.version` names it.
    pub cost_estimate_since: Option<(u32, u32)>,
    /// Whose inspector.
    pub inspector: Inspector,
    /// How statements are ended.
    pub cancel: Cancel,
    /// What tables tell.
    pub table_extra: TableExtra,
    /// Names that the macros for partitions have in templates (`PrestoTemplateProcessor`, `HiveTemplateProcessor`).
    pub partition_macros: Vec<String>,
    /// The engine whose lists of refused functions and tables hold here as well.
    pub product: Option<String>,
}
