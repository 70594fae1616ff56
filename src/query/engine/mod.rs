//! What differs between analytical databases when SQL is written for them, as data
//! (`superset.db_engine_specs`: grains, type map, capability flags, date literals, quoting).

mod dialect;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, NaiveDateTime};
use indexmap::IndexMap;
use md5::{Digest, Md5};
use regex::Regex;
use serde::Deserialize;

pub use dialect::Dialect;

use crate::error::{QueryError, Result};

/// Kind of values as charts see it (`GenericDataType`); the numbers are the `coltypes` of an answer.
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

/// A native type resolved by the engine's type map (`ColumnSpec`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name of the SQLAlchemy type (`TIMESTAMP`, `VARCHAR`…).
    pub sqla_type: String,
    /// Kind of values.
    pub generic: GenericType,
}

/// Capabilities that change the text of a query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "independent capabilities, named as in Superset")]
pub struct EngineFlags {
    /// JOIN is understood.
    pub allows_joins: bool,
    /// A sub-query may stand in FROM.
    pub allows_subqueries: bool,
    /// `expression AS label` is understood.
    pub allows_alias_in_select: bool,
    /// ORDER BY may name a label.
    pub allows_alias_in_orderby: bool,
    /// A label equal to a source column does not hide the column in ORDER BY.
    pub allows_alias_to_source_column: bool,
    /// ORDER BY may hold an aggregate that is not selected.
    pub allows_hidden_orderby_agg: bool,
    /// ORDER BY names the labels of selected calculated columns.
    pub allows_hidden_cc_in_orderby: bool,
    /// WITH may stand inside a sub-query.
    pub allows_cte_in_subquery: bool,
    /// The time filter of the series limit is left to the grouping.
    pub time_groupby_inline: bool,
    /// `x = true` instead of `x IS true`.
    pub use_equality_for_boolean_filters: bool,
    /// Labels are always quoted.
    pub force_column_alias_quotes: bool,
    /// `catalog.schema.table` is understood.
    pub supports_cross_catalog_queries: bool,
    /// Comments are understood.
    pub allows_sql_comments: bool,
    /// Longest label.
    pub max_column_name_length: Option<usize>,
}

impl Default for EngineFlags {
    fn default() -> Self {
        Self {
            allows_joins: true,
            allows_subqueries: true,
            allows_alias_in_select: true,
            allows_alias_in_orderby: true,
            allows_alias_to_source_column: true,
            allows_hidden_orderby_agg: true,
            allows_hidden_cc_in_orderby: false,
            allows_cte_in_subquery: true,
            time_groupby_inline: false,
            use_equality_for_boolean_filters: false,
            force_column_alias_quotes: false,
            supports_cross_catalog_queries: false,
            allows_sql_comments: true,
            max_column_name_length: None,
        }
    }
}

/// How row-level predicates enter a query (`RLSMethod`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum RlsMethod {
    /// The table becomes `(SELECT * FROM table WHERE predicate) AS table`.
    #[default]
    #[serde(rename = "AS_SUBQUERY")]
    AsSubquery,
    /// The predicate joins the WHERE clause.
    #[serde(rename = "AS_PREDICATE")]
    AsPredicate,
}

/// An engine as the SQL builder sees it.
#[derive(Debug)]
pub struct EngineSpec {
    /// `engine`: the name in URIs and messages (`postgresql`, `sqlite`…).
    pub engine: String,
    /// Name for people.
    pub engine_name: String,
    /// Other names of the engine.
    pub aliases: Vec<String>,
    /// Quoting, literals, LIMIT.
    pub dialect: Dialect,
    /// Capabilities.
    pub flags: EngineFlags,
    /// How row-level predicates are put into queries.
    pub rls_method: RlsMethod,
    /// Grain → expression over `{col}`.
    pub grains: IndexMap<String, String>,
    types: Vec<(Regex, ColumnSpec)>,
    date_literals: BTreeMap<String, String>,
    epoch_to_dttm: Option<String>,
    epoch_ms_to_dttm: Option<String>,
    date_trunc_functions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct SpecFile {
    grain_labels: IndexMap<String, String>,
    base_types: Vec<(String, String, String)>,
    engines: BTreeMap<String, SpecEntry>,
}

#[derive(Deserialize)]
struct SpecEntry {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    dialect: String,
    #[serde(default)]
    flags: EngineFlags,
    #[serde(default)]
    rls_method: RlsMethod,
    #[serde(default)]
    types: Vec<(String, String, String)>,
    #[serde(default)]
    dttm: BTreeMap<String, String>,
    #[serde(default)]
    grains: IndexMap<String, String>,
    epoch_to_dttm: Option<String>,
    epoch_ms_to_dttm: Option<String>,
    #[serde(default)]
    date_trunc_functions: BTreeMap<String, String>,
}

struct Registry {
    grain_labels: IndexMap<String, String>,
    engines: BTreeMap<String, Arc<EngineSpec>>,
    fallback: Arc<EngineSpec>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(load_registry);

fn load_registry() -> Registry {
    let empty =
        || SpecFile { grain_labels: IndexMap::new(), base_types: Vec::new(), engines: BTreeMap::new() };
    // The file is part of the binary; a test proves that it parses.
    let file: SpecFile = serde_json::from_str(include_str!("specs.json")).unwrap_or_else(|_| empty());
    let base: Vec<_> = file.base_types.iter().filter_map(type_rule).collect();
    let blank = SpecEntry {
        name: "Other".into(),
        aliases: Vec::new(),
        dialect: "default".into(),
        flags: EngineFlags::default(),
        rls_method: RlsMethod::default(),
        types: Vec::new(),
        dttm: BTreeMap::new(),
        grains: IndexMap::new(),
        epoch_to_dttm: None,
        epoch_ms_to_dttm: None,
        date_trunc_functions: BTreeMap::new(),
    };
    let fallback = Arc::new(spec("base", blank, &base));
    let engines = file
        .engines
        .into_iter()
        .map(|(engine, entry)| {
            let spec = Arc::new(spec(&engine, entry, &base));
            (engine, spec)
        })
        .collect();
    Registry { grain_labels: file.grain_labels, engines, fallback }
}

fn spec(engine: &str, entry: SpecEntry, base: &[(Regex, ColumnSpec)]) -> EngineSpec {
    let own = entry.types.iter().filter_map(type_rule);
    EngineSpec {
        engine: engine.to_owned(),
        engine_name: entry.name,
        aliases: entry.aliases,
        dialect: Dialect::named(&entry.dialect),
        flags: entry.flags,
        rls_method: entry.rls_method,
        grains: entry.grains,
        types: own.chain(base.iter().cloned()).collect(),
        date_literals: entry.dttm,
        epoch_to_dttm: entry.epoch_to_dttm,
        epoch_ms_to_dttm: entry.epoch_ms_to_dttm,
        date_trunc_functions: entry.date_trunc_functions,
    }
}

fn type_rule((pattern, sqla_type, generic): &(String, String, String)) -> Option<(Regex, ColumnSpec)> {
    let generic = match generic.as_str() {
        "NUMERIC" => GenericType::Numeric,
        "TEMPORAL" => GenericType::Temporal,
        "BOOLEAN" => GenericType::Boolean,
        _ => GenericType::String,
    };
    // Python's `match` starts at the beginning even without `^`.
    let regex = Regex::new(&format!("(?i)^(?:{pattern})")).ok()?;
    Some((regex, ColumnSpec { sqla_type: sqla_type.clone(), generic }))
}

impl EngineSpec {
    /// The engine of that name or alias; unknown ones get the standard behaviour.
    pub fn named(engine: &str) -> Arc<Self> {
        let registry = &*REGISTRY;
        registry
            .engines
            .get(engine)
            .or_else(|| {
                registry.engines.values().find(|spec| spec.aliases.iter().any(|alias| alias == engine))
            })
            .unwrap_or(&registry.fallback)
            .clone()
    }

    /// Names of the grains that requests may name, with their labels (`builtin_time_grains`).
    pub fn builtin_grains() -> &'static IndexMap<String, String> {
        &REGISTRY.grain_labels
    }

    /// Resolves a native type; `None` for an unknown one.
    pub fn column_spec(&self, native_type: Option<&str>) -> Option<&ColumnSpec> {
        let native_type = native_type.filter(|text| !text.is_empty())?;
        self.types.iter().find(|(regex, _)| regex.is_match(native_type)).map(|(_, spec)| spec)
    }

    /// A date and time as a literal of that native type (`convert_dttm`); `None` when the engine has no form for it.
    pub fn date_literal(&self, native_type: &str, dttm: NaiveDateTime) -> Option<String> {
        let template = self.date_literals.get(&native_type.to_uppercase()).or_else(|| {
            let spec = self.column_spec(Some(native_type))?;
            self.date_literals.get(&spec.sqla_type)
        })?;
        let epoch_ms = dttm.and_utc().timestamp_millis();
        let forms = [
            ("{iso_us}", dttm.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()),
            ("{space_us}", dttm.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
            ("{iso_ms}", dttm.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()),
            ("{space_ms}", dttm.format("%Y-%m-%d %H:%M:%S%.3f").to_string()),
            ("{iso_s}", dttm.format("%Y-%m-%dT%H:%M:%S").to_string()),
            ("{space_s}", dttm.format("%Y-%m-%d %H:%M:%S").to_string()),
            ("{time_us}", dttm.format("%H:%M:%S%.6f").to_string()),
            ("{time_s}", dttm.format("%H:%M:%S").to_string()),
            ("{date}", dttm.format("%Y-%m-%d").to_string()),
            ("{date_compact}", dttm.format("%Y%m%d").to_string()),
            ("{epoch_ms}", epoch_ms.to_string()),
            ("{epoch_s}", epoch_ms.div_euclid(1000).to_string()),
        ];
        Some(forms.iter().fold(template.clone(), |text, (name, value)| text.replace(name, value)))
    }

    /// The moment of an epoch in milliseconds, as filters on temporal columns send it.
    pub fn epoch_literal(&self, native_type: &str, epoch_ms: f64) -> Option<String> {
        #[expect(clippy::cast_possible_truncation, reason = "out of range becomes no date, below")]
        let micros = (epoch_ms * 1000.0).round() as i64;
        self.date_literal(native_type, DateTime::from_timestamp_micros(micros)?.naive_utc())
    }

    /// The expression over `{col}` of a grain and of an epoch format (`get_timestamp_expr`).
    pub fn timestamp_template(
        &self,
        sqla_type: Option<&str>,
        python_date_format: Option<&str>,
        grain: Option<&str>,
    ) -> Result<String> {
        let mut template = match grain.filter(|grain| !grain.is_empty()) {
            None => "{col}".to_owned(),
            Some(grain) => self.grains.get(grain).cloned().ok_or_else(|| {
                QueryError::generic(format!("No grain spec for {grain} for database {}", self.engine))
            })?,
        };
        if let Some((type_, function)) =
            sqla_type.and_then(|name| Some((name, self.date_trunc_functions.get(name)?)))
        {
            template = template.replace("{func}", function).replace("{type}", type_);
        }
        let epoch = match python_date_format {
            Some("epoch_s") => self.epoch_to_dttm.clone(),
            Some("epoch_ms") => self
                .epoch_ms_to_dttm
                .clone()
                .or_else(|| self.epoch_to_dttm.as_ref().map(|text| text.replace("{col}", "({col}/1000)"))),
            _ => return Ok(template),
        };
        // Superset raises NotImplementedError without a text here.
        let epoch = epoch.ok_or_else(|| QueryError::generic(""))?;
        Ok(template.replace("{col}", &epoch))
    }

    /// A label that the engine accepts (`make_label_compatible`): too long ones become a digest.
    pub fn compatible_label(&self, label: &str) -> String {
        let label = self.mutate_label(label);
        let Some(max) = self.flags.max_column_name_length.filter(|max| label.chars().count() > *max) else {
            return label;
        };
        hex(&Md5::digest(label.as_bytes())).chars().take(max).collect()
    }

    fn mutate_label(&self, label: &str) -> String {
        match self.engine.as_str() {
            // Names that engine reserves for itself get a digest behind them.
            "bigquery" => {
                let mut mutated: String =
                    label.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
                if mutated.starts_with(|c: char| c.is_ascii_digit()) {
                    mutated.insert(0, '_');
                }
                if mutated != label {
                    let digest = hex(&Md5::digest(label.as_bytes()));
                    mutated.push('_');
                    mutated.extend(digest.chars().take(5));
                }
                mutated
            }
            _ => label.to_owned(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_known() {
        let registry = load_registry();
        assert!(registry.engines.len() > 50);
        assert_eq!(EngineSpec::named("postgres").engine, "postgresql");
        assert_eq!(EngineSpec::named("nothing").engine, "base");
        assert_eq!(EngineSpec::builtin_grains().len(), 19);
    }

    #[test]
    fn date_literals_follow_the_column_type() {
        let dttm = chrono::NaiveDate::from_ymd_opt(2004, 2, 29).unwrap().and_hms_opt(1, 2, 3).unwrap();
        let pg = EngineSpec::named("postgresql");
        assert_eq!(
            pg.date_literal("TIMESTAMP WITHOUT TIME ZONE", dttm).unwrap(),
            "TO_TIMESTAMP('2004-02-29 01:02:03.000000', 'YYYY-MM-DD HH24:MI:SS.US')"
        );
        assert_eq!(pg.date_literal("DATE", dttm).unwrap(), "TO_DATE('2004-02-29', 'YYYY-MM-DD')");
        let lite = EngineSpec::named("sqlite");
        assert_eq!(lite.date_literal("DATETIME", dttm).unwrap(), "'2004-02-29 01:02:03'");
        assert_eq!(lite.date_literal("VARCHAR(20)", dttm).unwrap(), "'2004-02-29 01:02:03'");
        assert_eq!(lite.date_literal("DATE", dttm), None);
        assert_eq!(lite.date_literal("INTEGER", dttm), None);
    }

    #[test]
    fn grains_and_epochs_make_templates() {
        let lite = EngineSpec::named("sqlite");
        assert_eq!(
            lite.timestamp_template(None, Some("epoch_ms"), Some("P1Y")).unwrap(),
            "DATETIME(datetime(({col}/1000), 'unixepoch'), 'start of year')"
        );
        let error = lite.timestamp_template(None, None, Some("P4M")).unwrap_err();
        assert_eq!(error.to_string(), "No grain spec for P4M for database sqlite");
    }

    #[test]
    fn long_labels_become_digests() {
        let pg = EngineSpec::named("postgresql");
        assert_eq!(pg.compatible_label(&"x".repeat(63)), "x".repeat(63));
        assert_eq!(pg.compatible_label(&"x".repeat(64)).len(), 32);
    }
}
