//! What SQL may call and read, wherever people write it: in a chart, in a virtual dataset, in SQL Lab, in an alert.
//! What a template adds is judged with the text that it was rendered into.
//!
//! Superset 6.0.0 asks for `DISALLOWED_SQL_FUNCTIONS` in SQL Lab alone; what may not be run there must not be had
//! elsewhere.
//! `DISALLOWED_SQL_TABLES` is a key of its next release.

use infra::error::ErrorType;
use std::collections::BTreeSet;

use infra::{
    config::Config,
    sql::{Effect, Script, TableName},
};

/// Where the SQL stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Expressions and conditions of a chart, its columns and metrics.
    Chart,
    /// The query of a virtual dataset: its author was asked for the right to read what it reads.
    Dataset,
    /// SQL Lab. Whether it may write is asked apart.
    SqlLab,
    /// The query of an alert.
    Alert,
}

/// Who is to see the rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader {
    /// May read single tables only.
    pub by_table: bool,
    /// Row-level rules are in force on some table of the database.
    pub has_rules: bool,
}

/// What may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Functions that are called, or all that the configuration names if it is one of those.
    Functions(Vec<String>),
    /// Tables that are read.
    Tables(Vec<String>),
    /// A function or table that shows rows under no table's name.
    Unchecked(String),
}

impl Refused {
    /// The sentence of SQL Lab (`SupersetDisallowedSQLFunctionException`): Python's set, in no order.
    pub fn message(&self) -> String {
        let set = |names: &[String]| {
            let shown: Vec<_> = names.iter().map(|name| ::query::python::repr_str(name)).collect();
            format!("{{{}}}", shown.join(", "))
        };
        match self {
            Self::Functions(names) => {
                format!("SQL statement contains disallowed function(s): {}", set(names))
            }
            Self::Tables(names) => format!("SQL statement contains disallowed table(s): {}", set(names)),
            Self::Unchecked(name) => format!("The function {name} cannot be checked for access."),
        }
    }

    /// Its SIP-40 type.
    pub fn error_type(&self) -> ErrorType {
        match self {
            Self::Functions(_) | Self::Tables(_) => ErrorType::SyntaxError,
            Self::Unchecked(_) => ErrorType::QuerySecurityAccessError,
        }
    }
}

/// Whether a call of this effect is refused.
pub fn refuses(effect: Effect, place: Place, reader: Reader) -> bool {
    let unchecked = reader.by_table || reader.has_rules;
    match (effect, place) {
        // SQL Lab asks whether the database allows DML
        (Effect::Acts, Place::SqlLab) => reader.by_table,
        (Effect::Waits, Place::SqlLab) => false,
        (Effect::Acts | Effect::Waits | Effect::ReachesOut, _) => true,
        (Effect::TellsSetting, Place::SqlLab) => reader.by_table,
        (Effect::TellsSetting, _) => true,
        (Effect::IsOpaque, Place::Chart) => true,
        (Effect::IsOpaque, Place::Dataset) | (Effect::LooksUp, Place::Chart | Place::Dataset) => {
            reader.has_rules
        }
        (Effect::IsOpaque | Effect::LooksUp, Place::SqlLab | Place::Alert) => unchecked,
    }
}

/// Refuses what the configuration names: functions and other ways to what they tell, and tables. `schema` is that of
/// names without one.
pub fn check_listed(
    config: &Config,
    engine: &str,
    script: &Script,
    schema: Option<&str>,
) -> Result<(), Refused> {
    let functions = listed(config, "DISALLOWED_SQL_FUNCTIONS", engine);
    if !functions.is_empty() && script.calls_any(&functions) {
        return Err(Refused::Functions(functions.into_iter().map(str::to_owned).collect()));
    }
    let tables = listed(config, "DISALLOWED_SQL_TABLES", engine);
    if tables.is_empty() {
        return Ok(());
    }
    let read = script.tables();
    let may_name = |entry: &&str| script.may_name(entry.rsplit('.').next().unwrap_or(entry));
    let found = tables
        .into_iter()
        .filter(|entry| read.iter().any(|table| is_listed(table, entry, schema)) || may_name(entry));
    let found: BTreeSet<_> = found.collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Refused::Tables(found.into_iter().map(str::to_owned).collect()))
}

/// Refuses calls that do more than to compute.
pub fn check_effects(script: &Script, place: Place, reader: Reader) -> Result<(), Refused> {
    let effects = script.effects();
    let refused = |(name, effect): &(String, Effect)| refuses(*effect, place, reader).then(|| name.clone());
    let own = |effect: Effect| !matches!(effect, Effect::IsOpaque | Effect::LooksUp);
    let names: Vec<_> = effects.iter().filter(|(_, effect)| own(*effect)).filter_map(refused).collect();
    if !names.is_empty() {
        return Err(Refused::Functions(names));
    }
    if let Some(name) = effects.iter().find_map(refused) {
        return Err(Refused::Unchecked(name));
    }
    if reader.has_rules
        && let Some(table) = script.opaque_table()
    {
        return Err(Refused::Tables(vec![table.table]));
    }
    Ok(())
}

/// Whether rules of a reader decide about a script at all, so that they have to be looked up.
pub fn needs_rules(script: &Script) -> bool {
    let undecided = |effect| matches!(effect, Effect::IsOpaque | Effect::LooksUp);
    script.effects().into_iter().any(|(_, effect)| undecided(effect)) || script.opaque_table().is_some()
}

/// The names that a key has for an engine. A product has one list, by whatever driver it is reached.
fn listed<'a>(config: &'a Config, key: &str, engine: &str) -> Vec<&'a str> {
    let lists = config.get(key);
    let product = infra::engine_specs::spec(engine, None).product();
    let list = lists.get(engine).or_else(|| lists.get(product)).and_then(|list| list.as_array());
    list.into_iter().flatten().filter_map(|name| name.as_str()).collect()
}

/// Whether an entry, `table` or `schema.table`, means a table; letters are compared without case.
fn is_listed(table: &TableName, entry: &str, schema: Option<&str>) -> bool {
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    match entry.rsplit_once('.') {
        None => same(&table.table, entry),
        Some((of, name)) => {
            let own = table.schema.as_deref().filter(|own| !own.is_empty()).or(schema);
            same(&table.table, name) && own.is_some_and(|own| same(own, of))
        }
    }
}

#[cfg(test)]
mod tests {
    use infra::sql::parse;

    use super::*;

    fn listed_in(engine: &str, sql: &str) -> Result<(), Refused> {
        check_listed(&Config::with(Default::default()), engine, &parse(sql, engine).unwrap(), Some("public"))
    }

    #[test]
    fn catalogues_of_the_system_are_refused_by_default() {
        for (engine, sql) in [
            ("postgresql", "SELECT * FROM pg_shadow"),
            ("postgresql", "SELECT * FROM PG_CATALOG.\"pg_authid\""),
            ("postgresql", "SELECT 1 FROM t WHERE EXISTS (SELECT * FROM pg_stat_activity)"),
            ("postgresql", "WITH a AS (SELECT * FROM pg_roles) SELECT * FROM a"),
            ("postgresql", "(SELECT * FROM pg_settings)"),
            ("postgresql", "SELECT * FROM pg_user AS u, t"),
            ("mysql", "SELECT * FROM `mysql`.`user`"),
            ("mariadb", "SELECT * FROM performance_schema.threads"),
            ("mssql", "SELECT * FROM sys.sql_logins"),
            ("mssql", "SELECT * FROM master.sys.server_principals"),
        ] {
            assert!(matches!(listed_in(engine, sql), Err(Refused::Tables(_))), "{sql}");
        }
        for (engine, sql) in [
            ("postgresql", "WITH pg_shadow AS (SELECT 1 AS a) SELECT * FROM pg_shadow"),
            ("postgresql", "SELECT pg_shadow FROM t"),
            ("postgresql", "SELECT * FROM pg_class"),
            ("mysql", "SELECT * FROM user"),
            ("mssql", "SELECT * FROM dbo.configurations"),
        ] {
            assert_eq!(listed_in(engine, sql), Ok(()), "{sql}");
        }
        let script = parse("SELECT * FROM user", "mysql").unwrap();
        assert!(check_listed(&Config::with(Default::default()), "mysql", &script, Some("mysql")).is_err());
    }

    #[test]
    fn a_product_has_one_list_by_whatever_driver() {
        assert!(listed_in("clickhousedb", "SELECT currentUser()").is_err());
        assert!(listed_in("mariadb", "SELECT load_file('x')").is_err());
        assert!(listed_in("mariadb", "SELECT user FROM accounts").is_ok());
    }

    #[test]
    fn the_place_decides() {
        let nobody = Reader::default();
        let by_table = Reader { by_table: true, ..nobody };
        let ruled = Reader { has_rules: true, ..nobody };
        let check = |sql: &str, place, reader| {
            check_effects(&parse(sql, "postgresql").unwrap(), place, reader)
                .map_err(|refused| refused.message())
        };
        let opaque = "SELECT * FROM crosstab('SELECT 1') AS c(a int)";
        assert!(check(opaque, Place::Chart, nobody).is_err());
        assert!(check(opaque, Place::Dataset, by_table).is_ok());
        assert!(check(opaque, Place::Dataset, ruled).is_err());
        assert!(check(opaque, Place::SqlLab, nobody).is_ok());
        assert!(check(opaque, Place::SqlLab, ruled).is_err());
        assert_eq!(
            check(opaque, Place::SqlLab, by_table),
            Err("The function crosstab cannot be checked for access.".to_owned())
        );
        assert_eq!(
            check("SELECT Pg_Stat_File('x'), pg_ls_waldir()", Place::SqlLab, nobody),
            Err("SQL statement contains disallowed function(s): {'pg_ls_waldir', 'pg_stat_file'}".to_owned())
        );
        assert!(check("SELECT pg_reload_conf()", Place::Alert, nobody).is_err());
        assert!(check("SELECT most_common_vals FROM pg_stats", Place::SqlLab, ruled).is_err());
        assert!(check("SELECT most_common_vals FROM pg_stats", Place::SqlLab, nobody).is_ok());
        for place in [Place::Chart, Place::Dataset, Place::SqlLab, Place::Alert] {
            assert!(check("SELECT date_trunc('day', now()), pg_typeof(a) FROM t", place, ruled).is_ok());
        }
    }
}
