//! What a query would cost (`QueryEstimationCommand`).

use std::{sync::Arc, time::Duration};

use daos::database;
use infra::{
    Result,
    engines::{EngineError, QueryOptions, column::Scalar},
    sql,
};
use serde_json::{Map, Value, json};

use super::{access, error::sip40, render};
use crate::{Principal, Services, access::lists, database::describe, databases};

/// What is to be estimated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the payload")]
pub struct Ask {
    pub database_id: i64,
    pub sql: String,
    pub template_params: Map<String, Value>,
    pub catalog: Option<String>,
    pub schema: Option<String>,
}

/// One entry for each statement. Unlike the original, only whoever may execute the SQL may have it estimated.
pub async fn estimate(app: &Arc<Services>, user: &Arc<Principal>, ask: &Ask) -> Result<Vec<Value>> {
    let found = database::find_where(app.db.exec(), ask.database_id, lists::databases(user, "d")).await?;
    let missing = || sip40(404, "RESULTS_BACKEND_ERROR", "The database could not be found");
    let database = found.ok_or_else(missing)?;
    let place =
        access::Place { database: &database, schema: ask.schema.as_deref(), catalog: ask.catalog.as_deref() };
    access::raise_for_query(app, user, &place, &ask.sql, &ask.template_params).await?;
    let spec = describe::engine(&database);
    let text = if ask.template_params.is_empty() {
        ask.sql.clone()
    } else {
        let rendered = render::render(app, user, spec, &ask.sql, &ask.template_params).await;
        rendered.map_err(render::Broken::into_error)?
    };
    let plain = |text: &str| sip40(500, "GENERIC_BACKEND_ERROR", text);
    let (explain, read): (_, fn(&str) -> Option<Value>) = match spec.engine.as_str() {
        "postgresql" | "redshift" | "cockroachdb" => ("EXPLAIN", |line| Some(cost(line))),
        "trino" => ("EXPLAIN (TYPE IO, FORMAT JSON)", cost_of_io),
        "presto" if presto_estimates(&database.extra_json()) => {
            ("EXPLAIN (TYPE IO, FORMAT JSON)", cost_of_io)
        }
        _ => return Err(plain("Database does not support cost estimation")),
    };
    let script = sql::parse(&text, &spec.engine)?;
    let seconds = app.config.int("SQLLAB_QUERY_COST_ESTIMATE_TIMEOUT").unwrap_or(10).clamp(1, 3600);
    let options = QueryOptions {
        schema: ask.schema.clone().filter(|s| !s.is_empty()),
        timeout: Duration::from_secs(seconds.unsigned_abs()),
        ..databases::limits(app)
    };
    let engine = databases::engine_as(app, user, &database, ask.catalog.as_deref()).await?;
    let mut costs = Vec::new();
    for statement in script.statements() {
        let plan = engine.query(&format!("{explain} {}", statement.format()), &options).await;
        let plan = plan.map_err(|e| match e {
            EngineError::Timeout(_) => sip40(
                500,
                "SQLLAB_TIMEOUT_ERROR",
                format!(
                    "The query estimation was killed after {seconds} seconds. It might be too complex, or the database \
                     might be under heavy load."
                ),
            ),
            e => e.into_answer(|e| sip40(500, "GENERIC_BACKEND_ERROR", e.to_string())),
        })?;
        let first = plan.data.first().map(|column| column.get(0));
        costs.push(match first {
            Some(Scalar::Text(line)) => {
                read(&line).ok_or_else(|| plain("The plan is not what it should be"))?
            }
            _ => json!({}),
        });
    }
    Ok(costs)
}

/// The costs in the first line of a plan, as Python prints floats.
fn cost(line: &str) -> Value {
    let numbers = line.split_once("cost=").and_then(|(_, rest)| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (start_up, total) = rest.get(..end)?.split_once("..")?;
        Some((start_up.parse::<f64>().ok()?, total.parse::<f64>().ok()?))
    });
    let shown = query::frame::python::float_repr;
    match numbers {
        Some((start_up, total)) => json!({"Start-up cost": shown(start_up), "Total cost": shown(total)}),
        None => json!({}),
    }
}

/// `extra.version`, which says since when Presto estimates (`PrestoEngineSpec.get_allow_cost_estimate`).
fn presto_estimates(extra: &Map<String, Value>) -> bool {
    let version = extra.get("version").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let version = version.unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) >= (0, 319)
}

/// What a plan says that a statement will read and take (`PrestoBaseEngineSpec.query_cost_formatter`).
fn cost_of_io(plan: &str) -> Option<Value> {
    let plan: Value = serde_json::from_str(plan).ok()?;
    let shown = [
        ("outputRowCount", "Output count", " rows"),
        ("outputSizeInBytes", "Output size", "B"),
        ("cpuCost", "CPU cost", ""),
        ("maxMemory", "Max memory", "B"),
        ("networkCost", "Network cost", ""),
    ];
    let estimate = plan.as_object()?.get("estimate");
    let of = |key: &str| estimate.and_then(|e| e.get(key));
    let cost = shown.iter().filter_map(|(key, label, suffix)| {
        Some(((*label).to_owned(), json!(humanized(of(key)?, suffix).trim())))
    });
    Some(Value::Object(cost.collect()))
}

/// Thousands by their letters; what is no number is shown as it is, as the server's `NaN`.
fn humanized(value: &Value, suffix: &str) -> String {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let number = value.as_f64().or_else(|| value.as_str()?.parse::<i64>().ok().map(|n| n as f64));
    let Some(mut number) = number.map(f64::trunc) else { return text() };
    let (mut letters, mut letter) = (["K", "M", "G", "T", "P", "E", "Z", "Y"].into_iter(), "");
    while number > 1000.0
        && let Some(next) = letters.next()
    {
        letter = next;
        number = (number / 1000.0).floor();
    }
    format!("{number:.0} {letter}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_of_a_plan() {
        let plan = "Seq Scan on t  (cost=0.00..1583.50 rows=75100 width=4)";
        assert_eq!(cost(plan), json!({"Start-up cost": "0.0", "Total cost": "1583.5"}));
        assert_eq!(cost("no plan"), json!({}));
    }

    /// Compared with `PrestoBaseEngineSpec.query_cost_formatter` of 6.0.0.
    #[test]
    fn costs_of_reading() {
        let plan = r#"{"inputTableColumnInfos": [], "estimate": {"outputRowCount": 8.73265878E8, "networkCost": "NaN",
                       "outputSizeInBytes": 3.41425774958E11, "cpuCost": 1000.9, "maxMemory": 0.0}}"#;
        let want = json!({"Output count": "873 M rows", "Output size": "341 GB", "CPU cost": "1000", "Max memory": "0 B", "Network cost": "NaN"});
        assert_eq!(cost_of_io(plan), Some(want));
        assert_eq!(cost_of_io("{}"), Some(json!({})));
        assert_eq!((cost_of_io("no plan"), cost_of_io("[]")), (None, None));
    }

    #[test]
    fn versions_that_estimate() {
        let of = |version: Value| presto_estimates(&Map::from_iter([("version".to_owned(), version)]));
        assert!(of(json!("0.319")) && of(json!("0.320.1")) && of(json!("1")) && !of(json!("0.318")));
        assert!(!of(Value::Null) && !presto_estimates(&Map::new()));
    }
}
