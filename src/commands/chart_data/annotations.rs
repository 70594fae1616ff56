//! Annotation layers of a query (`get_annotation_data`): stored annotations, and rows of other charts.

use daos::{
    annotation,
    chart::{self, Chart, ChartKey},
};
use futures_util::future::BoxFuture;
use query::{QueryError, query_object::QueryObject};
use serde_json::{Map, Value, json};

use super::run;
use crate::query_run::{Answer, SqlContext, payload::epoch_ms};
use crate::{access::lists, chart::form_data::form_data, explore_json::Explored};

/// The data of all layers, by name.
pub async fn load(sql: &SqlContext, query: &QueryObject, force: bool) -> Result<Value, QueryError> {
    let text =
        |layer: &Value, key: &str| layer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut data = Map::new();
    let of_source = |sources: &'static [&'static str]| {
        query.annotation_layers.iter().filter(move |l| sources.contains(&text(l, "sourceType").as_str()))
    };
    let native: Vec<&Value> = of_source(&["NATIVE"]).collect();
    let ids: Vec<i64> = native.iter().filter_map(|l| l.get("value")?.as_i64()).collect();
    let stored = annotation::of_layers(sql.caller.app.db.exec(), &ids).await.map_err(infra::Error::from)?;
    for layer in native {
        let id = layer.get("value").and_then(Value::as_i64).unwrap_or_default();
        let Some(annotations) = stored.get(&id) else {
            return Err(QueryError::generic(id.to_string()));
        };
        let record = |a: &annotation::Annotation| {
            json!({
                "start_dttm": epoch_ms(a.start_dttm),
                "end_dttm": epoch_ms(a.end_dttm),
                "short_descr": a.short_descr,
                "long_descr": a.long_descr,
                "json_metadata": a.json_metadata,
            })
        };
        let columns = ["start_dttm", "end_dttm", "short_descr", "long_descr", "json_metadata"];
        let records: Vec<Value> = annotations.iter().map(record).collect();
        data.insert(text(layer, "name"), json!({"columns": columns, "records": records}));
    }
    for layer in of_source(&["line", "table"]) {
        let rows = of_chart(sql, layer, force).await?;
        data.insert(text(layer, "name"), rows);
    }
    Ok(Value::Object(data))
}

/// Rows of another chart. Boxed, because that chart may have annotations of its own.
fn of_chart<'a>(
    sql: &'a SqlContext,
    layer: &'a Value,
    force: bool,
) -> BoxFuture<'a, Result<Value, QueryError>> {
    Box::pin(async move {
        let name = layer.get("name").and_then(Value::as_str).unwrap_or_default();
        let id = layer.get("value").and_then(Value::as_i64).unwrap_or_default();
        let missing = || {
            QueryError::validation(format!(
                "Chart with ID {id} (referenced by\n                    annotation layer '{name}') was not \
                 found.\n                    Please verify that the chart exists and is accessible."
            ))
        };
        // what the caller may not see does not exist
        let condition = lists::charts(&sql.caller.user, "s");
        let found = chart::find_where(sql.caller.app.db.exec(), &ChartKey::Id(id), condition).await;
        let chart = found.map_err(infra::Error::from)?.ok_or_else(missing)?;
        let overrides = layer.get("overrides").and_then(Value::as_object).cloned().unwrap_or_default();
        if chart.viz_type.as_deref().is_some_and(query::legacy_viz::is_known) {
            return of_legacy_chart(sql, &chart, overrides, force).await;
        }
        let stored = chart.query_context.as_deref().unwrap_or_default();
        let Ok(mut body) = serde_json::from_str::<Value>(stored) else {
            return Err(QueryError::validation(format!(
                "The query context for chart ID {id} (referenced\n                        by annotation layer \
                 '{name}') was not found.\n                        Please ensure the chart is properly configured \
                 and has a valid\n                        query context."
            )));
        };
        if let Some(map) = body.as_object_mut() {
            map.insert("result_format".into(), json!("json"));
            map.insert("result_type".into(), json!("full"));
            // a chart whose layers are charts would ask for itself without end
            for query in map.get_mut("queries").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(query) = query.as_object_mut() {
                    query.insert("annotation_layers".into(), json!([]));
                }
            }
        }
        let mut prepared = run::prepare_stored(&sql.caller, &body, &[]).await.map_err(as_query_error)?;
        let set = |key: &str| overrides.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        prepared.context_mut().force = force;
        for query in &mut prepared.context_mut().queries {
            if let Some(grain) = set("time_grain_sqla") {
                query.extras.time_grain_sqla = Some(grain.to_owned());
            }
            if let Some(range) = set("time_range") {
                let (from, to) =
                    sql.clock.resolve(Some(range), None, &query::query_object::Extras::default())?;
                query.from_dttm = from;
                query.to_dttm = to;
            }
        }
        let answer = prepared.run().await.map_err(as_query_error)?;
        let mut records = Value::Null;
        if let Some(Answer::Rows(rows)) = answer.queries.first() {
            let mut out = Vec::new();
            query::encode::json::write_records(&mut out, &rows.run.frame)?;
            records = serde_json::from_slice(&out).unwrap_or(Value::Null);
        }
        Ok(json!({"records": records}))
    })
}

/// The payload of a visualisation of old, shaped as it shows it.
async fn of_legacy_chart(
    sql: &SqlContext,
    chart: &Chart,
    overrides: Map<String, Value>,
    force: bool,
) -> Result<Value, QueryError> {
    let mut form_data = form_data(chart);
    form_data.extend(overrides);
    let explored = Explored::open(&sql.caller, form_data, None, force).await.map_err(as_query_error)?;
    let mut payload = explored.payload().await.map_err(as_query_error)?;
    // the original looks the member up, which a failed query does not have
    payload.body.get_mut("data").map(Value::take).ok_or_else(|| QueryError::validation("'data'"))
}

/// A failure of the other chart is a failure of this query.
fn as_query_error(error: infra::Error) -> QueryError {
    match error {
        infra::Error::Message { message, .. } => {
            QueryError::validation(message.as_str().map_or_else(|| message.to_string(), str::to_owned))
        }
        infra::Error::Sip40 { errors, .. } => {
            QueryError::validation(errors.first().map_or(String::new(), |e| e.message.clone()))
        }
        infra::Error::Legacy { error, .. } => QueryError::validation(error),
        other => QueryError::Answer(other),
    }
}
