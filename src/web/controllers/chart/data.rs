//! Data of charts (`superset.charts.data.api:ChartDataRestApi`).

use std::sync::Arc;

use bytes::Bytes;
use commands::{
    access::guest,
    async_query,
    chart_data::{Prepared, Stored, WarmUp, answered, file, prepare, prepare_stored, prepare_with},
    query_run::ChartData,
};
use infra::{
    Error,
    compute::Lease,
    error::{ErrorType, SupersetError},
};
use query::query_object::{ResultFormat, ResultType};
use serde_json::{Map, Value, json};

use crate::controllers::{async_event::unauthorized, parse::failure_for};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    error::Failure,
    guards::async_token,
    routes::{Access, Rule, rule},
    schemas::validate::{json_body, load_or_400},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    const READ: Access = Access::Protect("can_read", "Chart");
    vec![
        rule(&["POST"], "/api/v1/chart/data", READ, post_data)
            .csrf_exempt()
            .endpoint("ChartDataRestApi.data"),
        rule(&["GET"], "/api/v1/chart/data/<cache_key>", READ, data_from_cache)
            .endpoint("ChartDataRestApi.data_from_cache")
            .computes(),
        rule(&["GET"], "/api/v1/chart/<int:pk>/data/", READ, get_data)
            .endpoint("ChartDataRestApi.data")
            .computes(),
        rule(
            &["PUT"],
            "/api/v1/chart/warm_up_cache",
            Access::Protect("can_warm_up_cache", "Chart"),
            warm_up_chart,
        )
        .endpoint("ChartRestApi.warm_up_cache"),
        rule(
            &["PUT"],
            "/api/v1/dataset/warm_up_cache",
            Access::Protect("can_warm_up_cache", "Dataset"),
            warm_up_dataset,
        )
        .endpoint("DatasetRestApi.warm_up_cache"),
        rule(
            &["GET"],
            "/superset/warm_up_cache/",
            Access::PageApi("can_warm_up_cache", "Superset"),
            warm_up_of_old,
        )
        .endpoint("Superset.warm_up_cache")
        .computes(),
        rule(&["POST"], "/api/v1/query/", Access::PageApi("can_query", "Api"), legacy_query)
            .endpoint("Api.query"),
    ]
}

/// The body of a request, from JSON or from the form of a download.
async fn post_data(cx: Cx) -> Handled {
    let body = if cx.req.is_json() {
        match serde_json::from_slice::<Value>(&cx.req.body) {
            Ok(Value::Null) => None,
            Ok(body) => Some(body),
            Err(_) => return Err(bad_request()),
        }
    } else {
        cx.req.field("form_data").filter(|t| !t.is_empty()).and_then(|t| serde_json::from_str(t).ok())
    };
    let Some(body) = body else { return Err(Error::bad_request("Request is not JSON").into()) };
    let prepared = prepared(&cx, &body).await?;
    if is_async(&cx, &prepared) { in_background(&cx, prepared).await } else { answer(&cx, prepared).await }
}

/// Whether a request is answered with a job where the cache has no answer (`superset.charts.data.api`): data as JSON.
fn is_async(cx: &Cx, prepared: &Prepared) -> bool {
    let context = prepared.context();
    cx.caller.app.config.flag("GLOBAL_ASYNC_QUERIES")
        && context.result_format == ResultFormat::Json
        && context.result_type == ResultType::Full
}

/// The answer that the cache has, else a job (`ChartDataRestApi._run_async`). What is forced past the cache is answered
/// at once, too.
async fn in_background(cx: &Cx, prepared: Prepared) -> Handled {
    let found = Box::pin(prepared.run_from_cache()).await.map_err(|error| {
        let Failure(error) = failure_for(cx, error);
        Failure(match error {
            // nothing catches it there
            Error::Message { status: 400, message: Value::String(text) } => {
                let error = SupersetError::new(ErrorType::GenericCommandError, text).level("warning");
                Error::sip40(400, error)
            }
            other => other,
        })
    })?;
    if let Some(data) = found {
        return respond(cx, Arc::new(data)).await;
    }
    let channel = async_token::channel(cx).ok_or_else(unauthorized)?;
    let job = async_query::chart_data(&cx.caller, &channel, prepared)?;
    Ok(Answer::fab(202, &job))
}

/// Fills the cache of a chart.
async fn warm_up_chart(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let fields = load_or_400(WARM_UP_CHART, &body)?;
    let chart_id = fields.get("chart_id").and_then(Value::as_i64).unwrap_or_default();
    let result = warm_up(&fields).chart(&cx.caller, chart_id).await?;
    Ok(Answer::json(200, &json!({ "result": result })))
}

/// Fills the cache of all charts of a dataset.
async fn warm_up_dataset(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let fields = load_or_400(WARM_UP_DATASET, &body)?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let result = warm_up(&fields).dataset(&cx.caller, text("db_name"), text("table_name")).await?;
    Ok(Answer::json(200, &json!({ "result": result })))
}

/// Fills the cache of a chart or of all charts of a table, named in the query string.
async fn warm_up_of_old(cx: Cx) -> Handled {
    let arg = |name: &str| cx.req.arg(name).filter(|text| !text.is_empty());
    let legacy = |status, error: String| Failure(Error::Legacy { status, error });
    let warm_up = WarmUp {
        dashboard_id: arg("dashboard_id").and_then(|id| id.trim().parse().ok()),
        extra_filters: arg("extra_filters").map(str::to_owned),
    };
    let mut outcomes = match (arg("slice_id"), arg("table_name"), arg("db_name")) {
        (Some(id), ..) => {
            let missing = || legacy(404, format!("Chart {id} not found"));
            let number: i64 = id.trim().parse().map_err(|_| missing())?;
            warm_up.chart(&cx.caller, number).await.map_err(|e| match e {
                Error::Message { status: 404, .. } => missing(),
                other => Failure(other),
            })?
        }
        (None, Some(table), Some(database)) => {
            let outcomes = warm_up.table(&cx.caller, table).await?;
            if outcomes.is_null() {
                return Err(legacy(404, format!("Table {table} wasn't found in the database {database}")));
            }
            outcomes
        }
        _ => {
            let text = "Malformed request. slice_id or table_name and db_name arguments are expected";
            return Err(legacy(400, text.to_owned()));
        }
    };
    for chart in outcomes.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let id = chart.shift_remove("chart_id").unwrap_or_default();
        chart.shift_insert(0, "slice_id".to_owned(), id);
    }
    Ok(Answer::json(200, &outcomes))
}

const DASHBOARD_ID: Field = Field::new("dashboard_id", FieldKind::Integer);
const EXTRA_FILTERS: Field = Field::new("extra_filters", FieldKind::String);

const WARM_UP_CHART: &[Field] =
    &[Field::new("chart_id", FieldKind::Integer).required(), DASHBOARD_ID, EXTRA_FILTERS];

const WARM_UP_DATASET: &[Field] = &[
    Field::new("db_name", FieldKind::String).required(),
    Field::new("table_name", FieldKind::String).required(),
    DASHBOARD_ID,
    EXTRA_FILTERS,
];

fn warm_up(fields: &Map<String, Value>) -> WarmUp {
    WarmUp {
        dashboard_id: fields.get("dashboard_id").and_then(Value::as_i64),
        extra_filters: fields.get("extra_filters").and_then(Value::as_str).map(str::to_owned),
    }
}

/// Werkzeug's refusal of a body that is no JSON.
fn bad_request() -> Failure {
    let text = crate::error::BAD_REQUEST;
    Failure(Error::sip40(400, SupersetError::new(ErrorType::GenericBackendError, text)))
}

/// The stored question of a chart.
async fn get_data(cx: Cx) -> Handled {
    let ask = Stored {
        format: cx.req.arg("format").unwrap_or("json"),
        result_type: cx.req.arg("type").unwrap_or("full"),
        force: cx.req.arg("force"),
        args: &cx.req.args,
    };
    let prepared = prepare_stored(&cx.caller, cx.req.int_param("pk"), &ask).await;
    let (prepared, params) = prepared.map_err(|error| failure_for(&cx, error))?;
    if is_async(&cx, &prepared) {
        return in_background(&cx, prepared).await;
    }
    let data = answered(&cx.caller.app, prepared, Some(params)).await;
    respond(&cx, Arc::new(data.map_err(|error| failure_for(&cx, error))?)).await
}

/// A question that was asked before, by its key: what the cache has for the caller (`data_from_cache`).
async fn data_from_cache(cx: Cx) -> Handled {
    let stored = cx.caller.app.cache.get(cx.req.param("cache_key")).await.ok_or_else(Error::not_found)?;
    let body = stored.get("data").ok_or_else(Error::not_found)?;
    let prepared = prepared(&cx, body).await?;
    let found = Box::pin(prepared.run_from_cache()).await.map_err(|error| failure_for(&cx, error))?;
    let data = found.ok_or_else(|| Error::unprocessable("Error loading data from cache"))?;
    respond(&cx, Arc::new(data)).await
}

/// `POST /api/v1/query/` of old clients: the form field `query_context`, a list of answers.
async fn legacy_query(cx: Cx) -> Handled {
    let body = cx.req.field("query_context").and_then(|t| serde_json::from_str::<Value>(t).ok());
    let Some(body) = body else {
        return Err(Error::Legacy { status: 400, error: crate::error::BAD_REQUEST.to_owned() }.into());
    };
    let data = prepare(&cx.caller, &body).await.map_err(|e| refused(&cx, e))?;
    let data = data.run_all().await.map_err(|e| failure_for(&cx, e))?;
    let mut out = b"[".to_vec();
    let guest = cx.caller.guest().is_some();
    for (i, query) in data.queries.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        query.write(&mut out, guest).map_err(|e| Failure(e.into_answer()))?;
    }
    out.push(b']');
    Ok(Answer::new(200, "application/json; charset=utf-8", out))
}

async fn prepared(cx: &Cx, body: &Value) -> Result<Prepared, Failure> {
    prepare_with(&cx.caller, body, &cx.req.args).await.map_err(|error| refused(cx, error))
}

async fn answer(cx: &Cx, prepared: Prepared) -> Handled {
    let data = answered(&cx.caller.app, prepared, None).await.map_err(|error| failure_for(cx, error))?;
    respond(cx, Arc::new(data)).await
}

/// The refusal of a request. One that was not understood is none that a guest's dashboard makes.
pub(crate) fn refused(cx: &Cx, error: Error) -> Failure {
    let is_guest = cx.caller.guest().is_some();
    Failure(if is_guest { guest::refusal(error) } else { error })
}

/// Answers whose memory is counted.
const LARGE: usize = 1 << 20;

/// A body with the memory that is counted for it.
struct Counted {
    body: Vec<u8>,
    _memory: Vec<Arc<Lease>>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

async fn respond(cx: &Cx, data: Arc<ChartData>) -> Handled {
    let format = data.result_format;
    if matches!(format, ResultFormat::Json) {
        let guest = cx.caller.guest().is_some();
        let mut memory = data.memory();
        if memory.is_empty() && data.bytes() > LARGE {
            // from the cache: the answer alone takes memory
            let lease = cx.caller.lease().await?;
            lease.charge(data.bytes()).map_err(|e| Error::message(503, e.to_string()))?;
            memory.push(lease);
        }
        let body = data.to_json(guest).map_err(|e| Failure(e.into_answer()))?;
        // the memory is counted until the last byte is sent
        let body = Bytes::from_owner(Counted { body, _memory: memory });
        let answer = Answer::new(200, "application/json; charset=utf-8", body);
        return Ok(Answer { repeats: data.is_cached(), ..answer });
    }
    let (extension, body) = file(&cx.caller, data).await?;
    Ok(download(extension, body))
}

/// A file to be saved, named by the time.
fn download(extension: &str, body: Vec<u8>) -> Answer {
    let content_type = match extension {
        "csv" => "text/csv; charset=utf-8",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/zip",
    };
    let name = chrono::Local::now().format("%Y%m%d_%H%M%S");
    Answer::new(200, content_type, body)
        .header("content-disposition", format!("attachment; filename={name}.{extension}"))
}
