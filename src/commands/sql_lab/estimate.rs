//! What a query would cost (`QueryEstimationCommand`).

use crate::connect;
use infra::error::ErrorType;
use std::time::Duration;

use daos::database;
use infra::{
    Result,
    engine_specs::facts::CostEstimate,
    engines::{EngineError, QueryOptions, column::Scalar},
};
use serde_json::{Map, Value, json};

use super::{
    error::sip40,
    script::{check_calls, rules_of},
};
use crate::query_run::{query_access, query_template, unread};
use crate::{Caller, access::lists, connect::describe, state::functions};

/// What is to be estimated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the payload")]
pub struct EstimateRequest {
    pub database_id: i64,
    pub sql: String,
    pub template_params: Map<String, Value>,
    pub catalog: Option<String>,
    pub schema: Option<String>,
}

/// One entry for each statement. Unlike the original, only whoever may execute the SQL may have it estimated.
pub async fn estimate(caller: &Caller, request: &EstimateRequest) -> Result<Vec<Value>> {
    let found =
        database::find_where(caller.app.db.exec(), request.database_id, lists::databases(&caller.user, "d"))
            .await?;
    let missing = || sip40(404, ErrorType::ResultsBackendError, "The database could not be found");
    let database = found.ok_or_else(missing)?;
    let place = query_access::Place {
        database: &database,
        schema: request.schema.as_deref(),
        catalog: request.catalog.as_deref(),
    };
    let spec = describe::engine(&database);
    let has_params = !request.template_params.is_empty();
    let mut text = request.sql.clone();
    if has_params || !caller.user.can_access_database(&database) {
        let rendered = query_template::render(caller, spec, &request.sql, &request.template_params).await;
        let rendered = rendered.map_err(query_template::TemplateError::into_error)?;
        query_access::raise_for_query(caller, &place, &rendered).await?;
        // without parameters the original estimates the SQL as it was sent
        if has_params {
            text = rendered;
        }
    }
    let plain = |text: &str| sip40(500, ErrorType::GenericBackendError, text);
    let (explain, read): (_, fn(&str) -> Option<Value>) = match spec.cost_estimate(&database.extra_json()) {
        CostEstimate::Explain => ("EXPLAIN", |line| Some(cost(line))),
        CostEstimate::ExplainIo => ("EXPLAIN (TYPE IO, FORMAT JSON)", cost_of_io),
        CostEstimate::DryRun => ("", cost_of_bytes),
        CostEstimate::Unable => {
            return Err(plain("Database does not support cost estimation"));
        }
    };
    let mut script = unread::read(caller, &place, &text).await??;
    let judged = check_calls(caller, &database, request.schema.as_deref(), &script).await?;
    judged.map_err(|refused| sip40(500, refused.error_type(), refused.message()))?;
    // estimates of hidden rows tell of them
    let rules = rules_of(caller, &place, &script).await?;
    script.apply_rls(&rules)?;
    let seconds = caller.app.config.int("SQLLAB_QUERY_COST_ESTIMATE_TIMEOUT").unwrap_or(10).clamp(1, 3600);
    let options = QueryOptions {
        schema: request.schema.clone().filter(|s| !s.is_empty()),
        timeout: Duration::from_secs(seconds.unsigned_abs()),
        ..connect::limits(&caller.app)
    };
    let engine = connect::engine_as(caller, &database, request.catalog.as_deref()).await?;
    let mut costs = Vec::new();
    for statement in script.statements() {
        let plan = if explain.is_empty() {
            engine
                .bytes_to_read(&statement.format(), &options)
                .await
                .map(|bytes| bytes.map(|n| n.to_string()))
        } else {
            let plan = engine.query(&format!("{explain} {}", statement.format()), &options).await;
            plan.map(|plan| match plan.data.first().map(|column| column.get(0)) {
                Some(Scalar::Text(line)) => Some(line.into_string()),
                _ => None,
            })
        };
        let plan = plan.map_err(|e| match e {
            EngineError::Timeout(_) => sip40(
                500,
                ErrorType::SqllabTimeoutError,
                format!(
                    "The query estimation was killed after {seconds} seconds. It might be too complex, or the database \
                     might be under heavy load."
                ),
            ),
            e => e.into_answer(|e| sip40(500, ErrorType::GenericBackendError, e.to_string())),
        })?;
        costs.push(match plan {
            Some(line) => read(&line).ok_or_else(|| plain("The plan is not what it should be"))?,
            None => json!({}),
        });
    }
    match functions::format_costs(&caller.app.config, &spec.engine, &costs) {
        Some(formatted) => formatted,
        None => Ok(costs),
    }
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

/// What a statement would read (`BigQueryEngineSpec.custom_estimate_statement_cost`).
fn cost_of_bytes(bytes: &str) -> Option<Value> {
    let bytes: u64 = bytes.parse().ok()?;
    let (unit, divisor) = match bytes {
        ..0x400 => return Some(json!({"B Processed": bytes.to_string()})),
        0x400..0x10_0000 => ("KB", 1024.0),
        0x10_0000..0x4000_0000 => ("MB", 1024.0 * 1024.0),
        _ => ("GB", 1024.0 * 1024.0 * 1024.0),
    };
    // Python's `round(x, 2)`
    let rounded: f64 = format!("{:.2}", bytes as f64 / divisor).parse().ok()?;
    let key = format!("{unit} Processed");
    Some(Value::Object(Map::from_iter([(key, query::frame::python::float_repr(rounded).into())])))
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
    fn costs_of_bytes() {
        for (bytes, cost) in [
            ("0", json!({"B Processed": "0"})),
            ("1023", json!({"B Processed": "1023"})),
            ("1536", json!({"KB Processed": "1.5"})),
            ("1048576", json!({"MB Processed": "1.0"})),
            ("5368709120000", json!({"GB Processed": "5000.0"})),
        ] {
            assert_eq!(cost_of_bytes(bytes), Some(cost));
        }
    }

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
        let want = json!({"Output count": "873 M rows", "Output size": "341 GB", "CPU cost": "1000",
            "Max memory": "0 B", "Network cost": "NaN"});
        assert_eq!(cost_of_io(plan), Some(want));
        assert_eq!(cost_of_io("{}"), Some(json!({})));
        assert_eq!((cost_of_io("no plan"), cost_of_io("[]")), (None, None));
    }
}
