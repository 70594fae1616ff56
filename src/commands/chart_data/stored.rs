//! Data of a chart by the query that was saved with it (`ChartDataRestApi.get_data`).

use std::sync::Arc;

use daos::chart::ChartKey;
use infra::{Error, Result, compute::run_blocking};
use query::query_object::ResultType;
use serde_json::{Value, json};

use super::run::{Prepared, prepare_stored as prepare_body};
use crate::{Caller, Services, access::guest, chart::find, query_run::ChartData};

/// How the data are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// `json`, `csv` or `xlsx`.
    pub format: &'a str,
    /// `full`, `post_processed`, …
    pub result_type: &'a str,
    /// The text of `force`, as it came.
    pub force: Option<&'a str>,
    /// The query string of the request, which templates may read.
    pub args: &'a [(String, String)],
}

/// The data of a chart that lists show to the caller.
pub async fn stored(caller: &Caller, chart_id: i64, ask: &Stored<'_>) -> Result<ChartData> {
    let (prepared, params) = prepare_stored(caller, chart_id, ask).await?;
    answered(&caller.app, prepared, Some(params)).await
}

/// The request for the data of a chart that lists show to the caller, and the chart's form data.
pub async fn prepare_stored(caller: &Caller, chart_id: i64, ask: &Stored<'_>) -> Result<(Prepared, Value)> {
    let chart = find::listed(caller, &ChartKey::Id(chart_id)).await?.ok_or_else(Error::not_found)?;
    guest::raise_for_stored(caller, chart.id).await?;
    let saved = chart.query_context.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let Some(Value::Object(mut body)) = saved else {
        return Err(Error::bad_request("Chart has no query context saved. Please save the chart again."));
    };
    body.insert("result_format".into(), json!(ask.format));
    body.insert("result_type".into(), json!(ask.result_type));
    body.insert("force".into(), json!(ask.force));
    let params = chart.params.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let prepared = prepare_body(caller, &Value::Object(body), ask.args).await?;
    guest::raise_for_result_types(caller, prepared.context())?;
    Ok((prepared, params.unwrap_or_else(|| json!({}))))
}

/// Runs a request; type `post_processed` gives the table as the browser would show it. `form_data` takes the place of
/// the request's own.
pub async fn answered(
    app: &Arc<Services>,
    prepared: Prepared,
    form_data: Option<Value>,
) -> Result<ChartData> {
    let mut data = prepared.run().await?;
    if form_data.is_some() {
        data.form_data = form_data;
    }
    if data.result_type == ResultType::PostProcessed {
        let app = app.clone();
        let work = move || data.process(&app.config).map(|()| data);
        data = run_blocking(work).await?.map_err(query::QueryError::into_answer)?;
    }
    Ok(data)
}
