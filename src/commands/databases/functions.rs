//! Functions that the configuration forbids.

use infra::{config::Config, sql::Script};

/// The names that `DISALLOWED_SQL_FUNCTIONS` has for an engine, if the script calls one of them.
pub fn disallowed<'a>(config: &'a Config, engine: &str, script: &Script) -> Option<Vec<&'a str>> {
    let listed = config.get("DISALLOWED_SQL_FUNCTIONS").get(engine)?.as_array()?;
    let names: Vec<&str> = listed.iter().filter_map(|name| name.as_str()).collect();
    (!names.is_empty() && script.calls_any(&names)).then_some(names)
}
