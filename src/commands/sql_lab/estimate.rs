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
    if !matches!(spec.engine.as_str(), "postgresql" | "redshift" | "cockroachdb") {
        return Err(sip40(500, "GENERIC_BACKEND_ERROR", "Database does not support cost estimation"));
    }
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
        let plan = engine.query(&format!("EXPLAIN {}", statement.format()), &options).await;
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
            Some(Scalar::Text(line)) => cost(&line),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_of_a_plan() {
        let plan = "Seq Scan on t  (cost=0.00..1583.50 rows=75100 width=4)";
        assert_eq!(cost(plan), json!({"Start-up cost": "0.0", "Total cost": "1583.5"}));
        assert_eq!(cost("no plan"), json!({}));
    }
}
