//! What is known about an engine without connecting to it (`superset.db_engine_specs`), as data.

use crate::error::ErrorType;
use std::sync::LazyLock;

use chrono::NaiveDateTime;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::facts::{Connection, CostEstimate, Grammar, SqlFacts};
use super::grains;
use crate::engine_specs::url::Url;

/// Generic type of a column (`superset.utils.core:GenericDataType`); the number is the wire form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenericType {
    /// Numbers.
    Numeric = 0,
    /// Text and everything unknown.
    String = 1,
    /// Dates and times.
    Temporal = 2,
    /// Booleans.
    Boolean = 3,
}

/// How a row limit is imposed on foreign SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitMethod {
    /// Rewrite or append `LIMIT`.
    #[default]
    ForceLimit,
    /// Wrap the statement in a sub-select.
    WrapSql,
    /// Fetch only so many rows.
    FetchMany,
}

/// How row-level security enters foreign SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RlsMethod {
    /// Replace each table by a filtered sub-select.
    #[default]
    AsSubquery,
    /// Add predicates to `WHERE`.
    AsPredicate,
}

/// Flags of an engine; the defaults are those of `BaseEngineSpec`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields bear the names of BaseEngineSpec's attributes")]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub struct Capabilities {
    pub allows_joins: bool,
    pub allows_subqueries: bool,
    pub allows_alias_in_select: bool,
    pub allows_alias_in_orderby: bool,
    pub allows_sql_comments: bool,
    pub allows_escaped_colons: bool,
    pub allows_alias_to_source_column: bool,
    pub allows_hidden_orderby_agg: bool,
    pub allows_hidden_cc_in_orderby: bool,
    pub allows_cte_in_subquery: bool,
    pub time_groupby_inline: bool,
    pub supports_multivalues_insert: bool,
    pub use_equality_for_boolean_filters: bool,
    pub force_column_alias_quotes: bool,
    pub arraysize: u32,
    pub max_column_name_length: Option<usize>,
    pub try_remove_schema_from_table_name: bool,
    pub run_multiple_statements_as_one: bool,
    pub supports_file_upload: bool,
    pub supports_dynamic_schema: bool,
    pub supports_catalog: bool,
    pub supports_dynamic_catalog: bool,
    pub supports_cross_catalog_queries: bool,
    pub supports_oauth2: bool,
    pub disable_ssh_tunneling: bool,
    pub has_query_id_before_execute: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            allows_joins: true,
            allows_subqueries: true,
            allows_alias_in_select: true,
            allows_alias_in_orderby: true,
            allows_sql_comments: true,
            allows_escaped_colons: true,
            allows_alias_to_source_column: true,
            allows_hidden_orderby_agg: true,
            allows_hidden_cc_in_orderby: false,
            allows_cte_in_subquery: true,
            time_groupby_inline: false,
            supports_multivalues_insert: false,
            use_equality_for_boolean_filters: false,
            force_column_alias_quotes: false,
            arraysize: 0,
            max_column_name_length: None,
            try_remove_schema_from_table_name: true,
            run_multiple_statements_as_one: false,
            supports_file_upload: true,
            supports_dynamic_schema: false,
            supports_catalog: false,
            supports_dynamic_catalog: false,
            supports_cross_catalog_queries: false,
            supports_oauth2: false,
            disable_ssh_tunneling: false,
            has_query_id_before_execute: true,
        }
    }
}

/// A time grain that an engine offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeGrain<'a> {
    /// Label for people.
    pub name: &'static str,
    /// SQL template with `{col}`.
    pub function: &'a str,
    /// ISO 8601 duration, the grain's identity.
    pub duration: &'a str,
}

/// The type of a column as far as the engine tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnType<'a> {
    /// SQLAlchemy's type name (`VARCHAR`, `TIMESTAMP`, …).
    pub sqla: &'a str,
    /// Generic type.
    pub generic: GenericType,
}

/// An engine (`BaseEngineSpec` and its subclasses).
#[derive(Debug)]
pub struct EngineSpec {
    /// Name of the original's class (`PostgresEngineSpec`), part of messages.
    pub class: String,
    /// Name for people (`PostgreSQL`).
    pub name: String,
    /// First part of the connection string (`postgresql`).
    pub engine: String,
    /// Other first parts.
    pub aliases: Vec<String>,
    /// Drivers that this spec is only for; empty when for all.
    pub drivers: Vec<String>,
    /// Driver that is proposed.
    pub default_driver: Option<String>,
    /// Example of a connection string.
    pub uri_placeholder: String,
    /// The grammar that statements are read by.
    pub dialect: Grammar,
    /// Quotes around identifiers.
    pub quotes: (char, char),
    /// How row limits are imposed.
    pub limit_method: LimitMethod,
    /// How row-level security is imposed.
    pub rls_method: RlsMethod,
    /// Flags.
    pub caps: Capabilities,
    /// How a connection is named, made and offered.
    pub connection: Connection,
    /// How statements are written, and what is told of them and of tables.
    pub sql: SqlFacts,
    /// JSONPath of what is secret in `encrypted_extra`.
    pub sensitive_fields: Vec<String>,
    /// Options of the connection string that demand encryption.
    pub encryption_parameters: Vec<(String, String)>,
    /// Options of the connection string that are refused.
    pub forbidden_query: Vec<String>,
    /// JSON schema of the connection's parameters, for engines that have a form.
    pub parameters_schema: Option<Value>,
    /// Names of functions for autocompletion, where they are known beforehand.
    pub functions: Vec<String>,
    pub(super) grains: Vec<(String, String)>,
    date_trunc_functions: Vec<(String, String)>,
    epoch: Option<String>,
    epoch_ms: Option<String>,
    types: Vec<(Regex, String, GenericType)>,
    literals: Vec<(String, String)>,
    /// Known errors of the driver.
    pub(crate) errors: Vec<CustomError>,
}

/// A driver's message that is translated for people.
#[derive(Debug)]
pub(crate) struct CustomError {
    pub pattern: Regex,
    pub message: String,
    pub error_type: ErrorType,
    pub invalid: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    class: String,
    name: String,
    engine: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    drivers: Vec<String>,
    default_driver: Option<String>,
    uri_placeholder: String,
    dialect: Grammar,
    quote: Option<char>,
    #[serde(default)]
    limit_method: LimitMethod,
    #[serde(default)]
    rls_method: RlsMethod,
    sensitive_fields: Option<Vec<String>>,
    #[serde(default)]
    encryption_parameters: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    forbidden_query: Vec<String>,
    epoch: Option<String>,
    epoch_ms: Option<String>,
    parameters_schema: Option<String>,
    #[serde(default)]
    literals: Vec<(String, String)>,
    #[serde(default)]
    types: Vec<(String, String, String)>,
    #[serde(default)]
    grains: Vec<(String, String)>,
    #[serde(default)]
    date_trunc_functions: Vec<(String, String)>,
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    capabilities: Capabilities,
    #[serde(default)]
    connection: Connection,
    #[serde(default)]
    sql: SqlFacts,
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorEntry {
    pattern: String,
    message: String,
    #[serde(rename = "type")]
    error_type: ErrorType,
    #[serde(default)]
    invalid: Vec<String>,
}

/// `BaseEngineSpec._default_column_type_mappings`.
const BASE_TYPES: &[(&str, &str, GenericType)] = {
    use GenericType::{Boolean, Numeric, String, Temporal};
    &[
        ("^string", "VARCHAR", String),
        ("^n((var)?char|text)", "TEXT", String),
        ("^(var)?char", "VARCHAR", String),
        ("^(tiny|medium|long)?text", "VARCHAR", String),
        ("^smallint", "SMALLINT", Numeric),
        ("^int(eger)?", "INTEGER", Numeric),
        ("^bigint", "BIGINT", Numeric),
        ("^long", "FLOAT", Numeric),
        ("^decimal", "NUMERIC", Numeric),
        ("^numeric", "NUMERIC", Numeric),
        ("^float", "FLOAT", Numeric),
        ("^double", "FLOAT", Numeric),
        ("^real", "REAL", Numeric),
        ("^smallserial", "SMALLINT", Numeric),
        ("^serial", "INTEGER", Numeric),
        ("^bigserial", "BIGINT", Numeric),
        ("^money", "NUMERIC", Numeric),
        ("^timestamp", "TIMESTAMP", Temporal),
        ("^datetime", "DATETIME", Temporal),
        ("^date", "DATE", Temporal),
        ("^time", "TIME", Temporal),
        ("^interval", "DATETIME", Temporal),
        ("^bool(ean)?", "BOOLEAN", Boolean),
    ]
};

static BASE_TYPE_PATTERNS: LazyLock<Vec<(Regex, &str, GenericType)>> = LazyLock::new(|| {
    BASE_TYPES.iter().filter_map(|(p, sqla, generic)| Some((pattern(p)?, *sqla, *generic))).collect()
});

fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).case_insensitive(true).build().ok()
}

impl EngineSpec {
    /// Reads one of the files in `specs/`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: SpecFile = toml::from_str(text).map_err(|e| e.to_string())?;
        let at = |e: &dyn std::fmt::Display| format!("{}: {e}", file.name);
        let mut types = Vec::with_capacity(file.types.len());
        for (p, sqla, generic) in &file.types {
            let generic = match generic.as_str() {
                "NUMERIC" => GenericType::Numeric,
                "TEMPORAL" => GenericType::Temporal,
                "BOOLEAN" => GenericType::Boolean,
                _ => GenericType::String,
            };
            types.push((pattern(p).ok_or_else(|| at(p))?, sqla.clone(), generic));
        }
        let mut errors = Vec::with_capacity(file.errors.len());
        for e in file.errors {
            errors.push(CustomError {
                pattern: Regex::new(&e.pattern).map_err(|e| at(&e))?,
                message: e.message,
                error_type: e.error_type,
                invalid: e.invalid,
            });
        }
        let parameters_schema = match &file.parameters_schema {
            Some(text) => Some(serde_json::from_str(text).map_err(|e| at(&e))?),
            None => None,
        };
        let quotes = match file.quote {
            Some('[') => ('[', ']'),
            Some(q) => (q, q),
            None => ('"', '"'),
        };
        Ok(Self {
            quotes,
            types,
            errors,
            parameters_schema,
            class: file.class,
            name: file.name,
            engine: file.engine,
            aliases: file.aliases,
            drivers: file.drivers,
            default_driver: file.default_driver,
            uri_placeholder: file.uri_placeholder,
            dialect: file.dialect,
            limit_method: file.limit_method,
            rls_method: file.rls_method,
            caps: file.capabilities,
            connection: file.connection,
            sql: file.sql,
            sensitive_fields: file.sensitive_fields.unwrap_or_else(|| vec!["$.*".to_owned()]),
            encryption_parameters: file.encryption_parameters.into_iter().collect(),
            forbidden_query: file.forbidden_query,
            functions: file.functions,
            grains: file.grains,
            date_trunc_functions: file.date_trunc_functions,
            epoch: file.epoch,
            epoch_ms: file.epoch_ms,
            literals: file.literals,
        })
    }

    /// What stands for an engine that nobody described.
    pub(crate) fn base() -> Self {
        let file = r#"class = "BaseEngineSpec"
name = ""
engine = "base"
uri_placeholder = "engine+driver://user:password@host:port/dbname[?key=value&key=value...]"
dialect = ""
"#;
        Self::parse(file).unwrap_or_else(|_| unreachable!("a constant text"))
    }

    /// Name of the driver that SQLAlchemy would load for a connection string that names none.
    pub fn dialect_driver(&self) -> &str {
        self.connection.dialect_driver.as_deref().or(self.default_driver.as_deref()).unwrap_or_default()
    }

    /// The name that lists of refused functions and tables may have for it besides its own: a product has one list, by
    /// whatever driver it is reached.
    pub fn product(&self) -> &str {
        self.sql.product.as_deref().unwrap_or(&self.engine)
    }

    /// How the cost of a statement is asked for, given a database's `extra` (`get_allow_cost_estimate`).
    pub fn cost_estimate(&self, extra: &Map<String, Value>) -> CostEstimate {
        let Some(since) = self.sql.cost_estimate_since else { return self.sql.cost_estimate };
        let version = extra.get("version").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        let version = version.unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
        let is = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if is >= since { self.sql.cost_estimate } else { CostEstimate::Unable }
    }

    /// The dialect of SQLAlchemy that a connection string with such a driver would load, where that reads files of the
    /// server's machine (`check_sqlalchemy_uri`).
    pub fn unsafe_dialect(&self, url: &Url) -> Option<String> {
        let named = &self.connection.unsafe_dialects;
        let found = named.get(url.driver().unwrap_or_default()).or_else(|| named.get("*"))?;
        Some(if found.is_empty() { url.drivername.clone() } else { found.clone() })
    }

    /// The type of a column by the database's own name for it; `None` for types that no pattern matches.
    pub fn column_type(&self, native: &str) -> Option<ColumnType<'_>> {
        if let Some((_, sqla, generic)) = self.types.iter().find(|(p, _, _)| matches_start(p, native)) {
            return Some(ColumnType { sqla, generic: *generic });
        }
        let (_, sqla, generic) = BASE_TYPE_PATTERNS.iter().find(|(p, _, _)| matches_start(p, native))?;
        Some(ColumnType { sqla, generic: *generic })
    }

    /// Generic type of a column; `None` for types that no pattern matches.
    pub fn generic_type(&self, native: &str) -> Option<GenericType> {
        self.column_type(native).map(|t| t.generic)
    }

    /// The grains with a label, in the order in which Superset lists them.
    pub fn time_grains(&self) -> Vec<TimeGrain<'_>> {
        self.grains
            .iter()
            .filter_map(|(duration, function)| {
                Some(TimeGrain { name: grains::name(duration)?, function, duration })
            })
            .collect()
    }

    /// SQL template of a grain (`{col}`; BigQuery and Elasticsearch also `{func}` and `{type}`); `""` is no grain.
    pub fn grain(&self, duration: &str) -> Option<&str> {
        self.grains.iter().find(|(d, _)| d == duration).map(|(_, f)| f.as_str())
    }

    /// The truncating function of engines where it depends on the column's type.
    pub fn date_trunc_function(&self, native_type: &str) -> Option<&str> {
        let (_, f) = self.date_trunc_functions.iter().find(|(t, _)| t.eq_ignore_ascii_case(native_type))?;
        Some(f)
    }

    /// SQL template that turns seconds since 1970 into a timestamp.
    pub fn epoch_to_dttm(&self) -> Option<&str> {
        self.epoch.as_deref()
    }

    /// SQL template that turns milliseconds since 1970 into a timestamp.
    pub fn epoch_ms_to_dttm(&self) -> Option<&str> {
        self.epoch_ms.as_deref()
    }

    /// The literal of a timestamp for a column of a type (`convert_dttm`); `None` where the engine has no form of its
    /// own.
    pub fn time_literal(&self, native_type: &str, t: NaiveDateTime) -> Option<String> {
        let find =
            |name: &str| self.literals.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, f)| f);
        let template = find(native_type).or_else(|| find(self.column_type(native_type)?.sqla))?;
        if template.is_empty() {
            return None;
        }
        let micros = t.and_utc().timestamp_subsec_micros();
        // Python's isoformat() without timespec leaves out a fraction of zero
        let unless_zero = |text: String| if micros == 0 { String::new() } else { text };
        let ms = format!(".{:03}", micros / 1000);
        let us = format!(".{micros:06}");
        let us4 = format!(".{:04}", micros / 100);
        Some(
            template
                .replace("{date}", &t.format("%Y-%m-%d").to_string())
                .replace("{time}", &t.format("%H:%M:%S").to_string())
                .replace("{us4?}", &unless_zero(us4))
                .replace("{us?}", &unless_zero(us.clone()))
                .replace("{ms?}", &unless_zero(ms.clone()))
                .replace("{us}", &us)
                .replace("{ms}", &ms),
        )
    }
}

/// Python's `re.match`: only at the start.
fn matches_start(pattern: &Regex, text: &str) -> bool {
    pattern.find(text).is_some_and(|m| m.start() == 0)
}
