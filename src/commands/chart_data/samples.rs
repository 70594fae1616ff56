//! Pages of raw rows of a dataset (`superset.views.datasource.utils:get_samples`).

use infra::{Error, Result};
use query::{
    QueryError,
    encode::json::write_scalar,
    query_object::{self},
};
use serde_json::{Map, Value, json};

use super::{Check, prepare_loaded};
use crate::query_run::{Answer, LoadedDataset};
use crate::{Caller, access::guest};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SamplesRequest {
    /// `tables.id`.
    pub dataset_id: i64,
    /// Do not read the cache.
    pub force: bool,
    /// Counted from 1.
    pub page: i64,
    /// Rows of a page.
    pub per_page: Option<i64>,
    /// Filters and time range.
    pub payload: Map<String, Value>,
    /// The dashboard through which the dataset may be reached.
    pub dashboard_id: Option<i64>,
}

/// One page; the answer carries `page`, `per_page` and `total_count`.
pub async fn samples(caller: &Caller, request: &SamplesRequest) -> Result<Answer> {
    let missing = || Error::Legacy { status: 404, error: "Datasource does not exist".to_owned() };
    let dataset = LoadedDataset::find(caller, request.dataset_id).await?.ok_or_else(missing)?;
    let check = match caller.guest() {
        None => Check::Dataset,
        Some(_) => {
            let dashboard = request.dashboard_id;
            guest::raise_for_detail(caller, &dataset.row, &dataset.description, dashboard, &request.payload)
                .await?;
            Check::Nothing
        }
    };
    let mut payload = request.payload.clone();
    name_columns(&mut payload, &dataset);
    let most = caller.app.config.int("SAMPLES_ROW_LIMIT").unwrap_or(1000);
    let limit = request.per_page.filter(|n| (0..=most).contains(n)).unwrap_or(most);
    let offset = (request.page.saturating_sub(1)).saturating_mul(limit).max(0);

    let mut count = payload.clone();
    let count_star = json!([{"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "COUNT(*)"}]);
    count.insert("metrics".into(), count_star);
    payload.insert("row_limit".into(), json!(limit));
    payload.insert("row_offset".into(), json!(offset));

    let total = first(caller, (&dataset, check), request, count, "full").await?;
    if let Some(error) = total.error() {
        return Err(failed(error));
    }
    let mut page = first(caller, (&dataset, check), request, payload, "drill_detail").await?;
    if let Some(error) = page.error() {
        return Err(failed(error));
    }
    let total_count = match &total {
        Answer::Rows(rows) => {
            let mut out = Vec::new();
            let cell = rows.run.frame.columns.first().map(|c| c.data.get(0));
            write_scalar(&mut out, &cell.ok_or_else(|| failed(""))?);
            serde_json::from_slice(&out).unwrap_or(Value::Null)
        }
        Answer::Plain(_) => Value::Null,
    };
    if let Answer::Rows(rows) = &mut page {
        rows.extra = vec![
            ("page", json!(request.page)),
            ("per_page", json!(request.per_page)),
            ("total_count", total_count),
        ];
    }
    Ok(page)
}

fn failed(error: &str) -> Error {
    let text = if error.is_empty() { "Samples for dataset could not be retrieved." } else { error };
    Error::Legacy { status: 400, error: text.to_owned() }
}

async fn first(
    caller: &Caller,
    (dataset, check): (&LoadedDataset, Check),
    request: &SamplesRequest,
    query: Map<String, Value>,
    result_type: &str,
) -> Result<Answer> {
    let body = json!({
        "datasource": {"id": request.dataset_id, "type": "table"},
        "queries": [query],
        "result_type": result_type,
        "force": request.force,
        "form_data": request.dashboard_id.map(|id| json!({"dashboardId": id})),
    });
    let body = query_object::schema::load(&body).map_err(QueryError::into_answer)?;
    let prepared = prepare_loaded(caller, body, dataset.clone(), check).await?;
    let mut data = prepared.run_all().await?;
    if data.queries.is_empty() { Err(failed("")) } else { Ok(data.queries.swap_remove(0)) }
}

/// Filters may name columns as people see them.
fn name_columns(payload: &mut Map<String, Value>, dataset: &LoadedDataset) {
    let columns = &dataset.description.columns;
    for filter in payload.get_mut("filters").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(col) = filter.get_mut("col") else { continue };
        if let Some(named) =
            col.as_str().and_then(|c| columns.iter().find(|o| o.verbose_name.as_deref() == Some(c)))
        {
            *col = json!(named.column_name);
        }
    }
}
