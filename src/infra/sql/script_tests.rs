//! Statements compared with what Superset's parser tells of them (`tests/golden/sql/engines/scripts.json`): their
//! number, their tables, whether they write, and the text with a limit. Where a person sees a difference, `ours` stands
//! beside: our text, `!` for a refusal, or `writes` for what counts as writing.

use serde_json::Value;

/// What must hold: whatever the original sees we see, or refuse the statement.
fn unsafe_differences(case: &Value) -> Vec<String> {
    let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or_default();
    let (engine, sql) = (text("engine"), text("sql"));
    let Ok(script) = super::parse(sql, engine) else { return Vec::new() };
    let mut found = Vec::new();
    if case.get("writes").and_then(Value::as_bool) == Some(true) && !script.has_mutation() {
        found.push(format!("{engine} passes for reading: {sql}"));
    }
    let ours: Vec<String> = script.tables().iter().map(|t| t.table.to_lowercase()).collect();
    let nameless = ours.iter().any(String::is_empty);
    for table in case.get("tables").and_then(Value::as_array).into_iter().flatten() {
        let table = table.as_str().unwrap_or_default().to_lowercase();
        let last = table.rsplit('.').next().unwrap_or_default();
        let is_cte = sql.starts_with(&format!("WITH {last} AS"));
        let is_known = is_cte || ours.iter().any(|o| o == last || *o == table);
        // functions that only take their arguments apart are no tables to us
        if !(nameless || is_known || table.is_empty() && takes_apart(sql)) {
            found.push(format!("{engine} does not see {table}: {sql} ({ours:?})"));
        }
    }
    found
}

fn takes_apart(sql: &str) -> bool {
    ["json_each(", "generate_series(", "JSON_TABLE(", "numbers("].iter().any(|name| sql.contains(name))
}

/// What a person sees: the number of statements, the limit, the text.
fn visible_differences(case: &Value) -> Option<String> {
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    let (engine, sql) = (text("engine")?, text("sql")?);
    let wanted = text("ours").or_else(|| text("text"));
    let mut script = match super::parse(sql, engine) {
        Ok(script) => script,
        Err(error) => {
            let refused = case.get("error").is_some() || text("ours") == Some("!");
            return (!refused).then(|| format!("{engine} refuses {sql}: {error}"));
        }
    };
    let count = case.get("count").and_then(Value::as_u64)?;
    if script.statements().len() as u64 != count {
        return Some(format!("{engine} {} statements, not {count}: {sql}", script.statements().len()));
    }
    if script.has_mutation() {
        let said = case.get("writes").and_then(Value::as_bool) == Some(true);
        return (!said && text("ours") != Some("writes"))
            .then(|| format!("{engine} writes to us only: {sql}"));
    }
    let own = script.statements().last().and_then(super::Statement::limit_value);
    if own != case.get("own").and_then(Value::as_u64) && text("ours").is_none() {
        return Some(format!("{engine} has the limit {own:?}: {sql}"));
    }
    script.statements_mut().iter_mut().for_each(|statement| statement.set_limit(1001));
    let got = script.format();
    (wanted? != got).then(|| format!("{engine} {sql}\n  expected {wanted:?}\n  got      {got:?}"))
}

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/sql/engines/scripts.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn no_table_and_no_write_of_the_original_is_missed() {
    let cases = cases();
    assert!(cases.len() > 1000, "{} cases only", cases.len());
    let found: Vec<_> = cases.iter().flat_map(unsafe_differences).collect();
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
}

#[test]
fn visible_differences_are_known() {
    let found: Vec<_> = cases().iter().filter_map(visible_differences).collect();
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
}
