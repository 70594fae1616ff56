//! Data of charts (`superset.charts.data.api:ChartDataRestApi`).

use std::sync::Arc;

use commands::{
    access::lists,
    chart_data::{ChartData, WarmUp, prepare, prepare_with},
};
use daos::chart::{self, ChartKey};
use infra::{Error, error::SupersetError};
use query::query_object::{ResultFormat, ResultType};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{
        Field, FieldKind,
        validate::{json_body, load_or_400},
    },
    error::Failure,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    const READ: Access = Access::Protect("can_read", "Chart");
    vec![
        rule(&["POST"], "/api/v1/chart/data", READ, post_data)
            .csrf_exempt()
            .endpoint("ChartDataRestApi.data"),
        rule(&["GET"], "/api/v1/chart/data/<cache_key>", READ, data_from_cache)
            .endpoint("ChartDataRestApi.data_from_cache"),
        rule(&["GET"], "/api/v1/chart/<int:pk>/data/", READ, get_data).endpoint("ChartDataRestApi.data"),
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
        .endpoint("Superset.warm_up_cache"),
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
    answer(&cx, &body, None).await
}

/// Fills the cache of a chart.
async fn warm_up_chart(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let fields = load_or_400(WARM_UP_CHART, &body)?;
    let chart_id = fields.get("chart_id").and_then(Value::as_i64).unwrap_or_default();
    let result = warm_up(&fields).chart(&cx.app, &cx.user, chart_id).await?;
    Ok(Answer::json(200, &json!({ "result": result })))
}

/// Fills the cache of all charts of a dataset.
async fn warm_up_dataset(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let fields = load_or_400(WARM_UP_DATASET, &body)?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let result = warm_up(&fields).dataset(&cx.app, &cx.user, text("db_name"), text("table_name")).await?;
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
    let mut told = match (arg("slice_id"), arg("table_name"), arg("db_name")) {
        (Some(id), ..) => {
            let missing = || legacy(404, format!("Chart {id} not found"));
            let number: i64 = id.trim().parse().map_err(|_| missing())?;
            warm_up.chart(&cx.app, &cx.user, number).await.map_err(|e| match e {
                Error::Message { status: 404, .. } => missing(),
                other => Failure(other),
            })?
        }
        (None, Some(table), Some(database)) => {
            let told = warm_up.table(&cx.app, &cx.user, table).await?;
            if told.is_null() {
                return Err(legacy(404, format!("Table {table} wasn't found in the database {database}")));
            }
            told
        }
        _ => {
            let text = "Malformed request. slice_id or table_name and db_name arguments are expected";
            return Err(legacy(400, text.to_owned()));
        }
    };
    for chart in told.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let id = chart.shift_remove("chart_id").unwrap_or_default();
        chart.shift_insert(0, "slice_id".to_owned(), id);
    }
    Ok(Answer::json(200, &told))
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
    Failure(Error::sip40(400, SupersetError::new("GENERIC_BACKEND_ERROR", text)))
}

/// The stored question of a chart.
async fn get_data(cx: Cx) -> Handled {
    let condition = lists::charts(&cx.user, "s");
    let key = ChartKey::Id(cx.req.int_param("pk"));
    let chart = chart::find_where(cx.app.db.exec(), &key, condition).await?.ok_or_else(Error::not_found)?;
    let stored = chart.query_context.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let Some(Value::Object(mut body)) = stored else {
        return Err(
            Error::bad_request("Chart has no query context saved. Please save the chart again.").into()
        );
    };
    body.insert("result_format".into(), json!(cx.req.arg("format").unwrap_or("json")));
    body.insert("result_type".into(), json!(cx.req.arg("type").unwrap_or("full")));
    body.insert("force".into(), json!(cx.req.arg("force")));
    let params =
        chart.params.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok()).unwrap_or(json!({}));
    answer(&cx, &Value::Object(body), Some(params)).await
}

/// A question that was asked before, by its key.
async fn data_from_cache(cx: Cx) -> Handled {
    let stored = cx.app.cache.get(cx.req.param("cache_key")).await.ok_or_else(Error::not_found)?;
    answer(&cx, &stored, None).await
}

/// `POST /api/v1/query/` of old clients: the form field `query_context`, a list of answers.
async fn legacy_query(cx: Cx) -> Handled {
    let body = cx.req.field("query_context").and_then(|t| serde_json::from_str::<Value>(t).ok());
    let Some(body) = body else {
        return Err(Error::Legacy { status: 400, error: crate::error::BAD_REQUEST.to_owned() }.into());
    };
    let data = prepare(&cx.app, &cx.user, &body).await?.run_all().await?;
    let mut out = b"[".to_vec();
    let guest = cx.user.guest_if_enabled(&cx.app.config).is_some();
    for (i, query) in data.queries.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        query.write(&mut out, guest).map_err(|e| Failure(e.into_answer()))?;
    }
    out.push(b']');
    Ok(Answer::new(200, "application/json; charset=utf-8", out))
}

async fn answer(cx: &Cx, body: &Value, form_data: Option<Value>) -> Handled {
    let mut data = prepare_with(&cx.app, &cx.user, body, &cx.req.args).await?.run().await?;
    if form_data.is_some() {
        data.form_data = form_data;
    }
    if data.result_type == ResultType::PostProcessed {
        let app = cx.app.clone();
        let work = move || data.process(&app.config).map(|()| data);
        let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
        data = done.map_err(|e| Failure(e.into_answer()))?;
    }
    respond(cx, Arc::new(data)).await
}

async fn respond(cx: &Cx, data: Arc<ChartData>) -> Handled {
    let format = data.result_format;
    if matches!(format, ResultFormat::Json) {
        let guest = cx.user.guest_if_enabled(&cx.app.config).is_some();
        let body = data.to_json(guest).map_err(|e| Failure(e.into_answer()))?;
        return Ok(Answer::new(200, "application/json; charset=utf-8", body));
    }
    if !cx.user.can_access("can_csv", "Superset") {
        return Err(Error::forbidden().into());
    }
    let app = cx.app.clone();
    // a large export keeps a thread busy
    let files =
        tokio::task::spawn_blocking(move || data.to_files(&app.config)).await.map_err(Error::internal)?;
    let mut files = files.map_err(|e| Failure(e.into_answer()))?;
    match files.len() {
        0 => Err(Error::bad_request("Empty query result").into()),
        1 => Ok(download(format.name(), files.swap_remove(0))),
        _ => {
            let named: Vec<(String, Vec<u8>)> = files
                .into_iter()
                .enumerate()
                .map(|(i, body)| (format!("query_{}.{}", i + 1, format.name()), body))
                .collect();
            Ok(download("zip", zipped(named)?))
        }
    }
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

fn zipped(files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, Error> {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, body) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).map_err(Error::internal)?;
        archive.write_all(&body).map_err(Error::internal)?;
    }
    Ok(archive.finish().map_err(Error::internal)?.into_inner())
}
