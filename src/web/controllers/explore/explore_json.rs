//! Data of legacy charts (`superset.views.core:Superset.explore_json`).

use commands::{
    async_query,
    explore_json::{Explored, Payload, Sources, read_form_data},
};
use infra::{Error, crypto::hex, json::ascii_json};
use query::encode::json::value_text;
use query::form_data::FormData;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::controllers::{chart::refused, parse::failure_for};
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    guards::async_token,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    const MAY: Access = Access::PageApi("can_explore_json", "Superset");
    const METHODS: &[&str] = &["GET", "POST"];
    let of_dataset = "/superset/explore_json/<datasource_type>/<int:datasource_id>/";
    vec![
        rule(METHODS, "/superset/explore_json/", MAY, explore_json)
            .csrf_exempt()
            .endpoint("Superset.explore_json")
            .computes(),
        rule(METHODS, of_dataset, MAY, explore_json)
            .csrf_exempt()
            .endpoint("Superset.explore_json")
            .computes(),
        rule(&["GET"], "/superset/explore_json/data/<cache_key>", MAY, from_cache)
            .endpoint("Superset.explore_json_data")
            .computes(),
    ]
}

/// The forms of the answer, in the order in which `?<name>=true` is looked for; those without a meaning of their own
/// are answered with the whole payload.
const FORMS: [&str; 11] = [
    "csv",
    "json",
    "xlsx",
    "columns",
    "full",
    "query",
    "results",
    "samples",
    "timegrains",
    "post_processed",
    "drill_detail",
];

async fn explore_json(cx: Cx) -> Handled {
    let body = if cx.req.is_json() { serde_json::from_slice::<Value>(&cx.req.body).ok() } else { None };
    let sources =
        Sources { json: body.as_ref(), field: cx.req.field("form_data"), argument: cx.req.arg("form_data") };
    let form_data = read_form_data(&cx.caller.app, sources).await?;
    let type_ = cx.req.param("datasource_type");
    let path = (!type_.is_empty()).then(|| (type_, cx.req.int_param("datasource_id")));
    let form = FORMS.into_iter().find(|form| cx.req.arg(form) == Some("true")).unwrap_or("json");
    let force = cx.req.arg("force") == Some("true");
    let answer = if form == "json" && cx.caller.app.config.flag("GLOBAL_ASYNC_QUERIES") {
        in_background(&cx, form_data, path, force).await?
    } else {
        answer(&cx, form_data, path, form, force).await?
    };
    if answer.status == 202 {
        return Ok(answer);
    }
    Ok(if matches!(cx.req.method.as_str(), "GET" | "HEAD") { revalidated(&cx, answer) } else { answer })
}

/// The answer that needs no database or that the cache has, else a job.
async fn in_background(cx: &Cx, form_data: FormData, path: Option<(&str, i64)>, force: bool) -> Handled {
    let explored = Explored::open(&cx.caller, form_data.clone(), path, force).await;
    let explored = explored.map_err(|error| refused(cx, error))?;
    let found = Box::pin(explored.payload_from_cache()).await.map_err(|error| failure_for(cx, error))?;
    if let Some(payload) = found {
        return Ok(whole(&payload));
    }
    let unauthorized = || Error::Legacy { status: 401, error: "Not authorized".to_owned() };
    let channel = async_token::channel(cx).ok_or_else(unauthorized)?;
    let job = async_query::explore_json(&cx.caller, &channel, form_data, path, force)?;
    Ok(Answer::new(202, JSON, ascii_json(&job, true)))
}

/// A question that was asked before, by its key: what the cache has for the caller (`explore_json_data`).
async fn from_cache(cx: Cx) -> Handled {
    let missing = || Error::Legacy { status: 404, error: "Cached data not found".to_owned() };
    let stored = cx.caller.app.cache.get(cx.req.param("cache_key")).await.ok_or_else(missing)?;
    let form_data = stored.get("form_data").and_then(Value::as_object).cloned().ok_or_else(missing)?;
    let explored = Explored::open(&cx.caller, form_data, None, false).await;
    let explored = explored.map_err(|error| refused(&cx, error))?;
    let found = Box::pin(explored.payload_from_cache()).await.map_err(|error| failure_for(&cx, error))?;
    let lost = || Error::Legacy { status: 400, error: "Cached value not found".to_owned() };
    Ok(whole(&found.ok_or_else(lost)?))
}

/// The whole payload; 400 when its query failed.
fn whole(payload: &Payload) -> Answer {
    Answer::new(if payload.failed { 400 } else { 200 }, JSON, payload.to_json())
}

const JSON: &str = "application/json";

async fn answer(cx: &Cx, form_data: FormData, path: Option<(&str, i64)>, form: &str, force: bool) -> Handled {
    let explored = Explored::open(&cx.caller, form_data, path, force).await;
    let explored = explored.map_err(|error| refused(cx, error))?;
    match form {
        "csv" => {
            if !cx.caller.user.can_access("can_csv", "Superset") {
                let error = "You don't have the rights to download as csv".to_owned();
                return Err(Failure(Error::Legacy { status: 403, error }));
            }
            let name = chrono::Local::now().format("%Y%m%d_%H%M%S");
            Ok(Answer::new(200, "text/csv; charset=utf-8", explored.csv().await?)
                .header("content-disposition", format!("attachment; filename={name}.csv")))
        }
        "query" => Ok(Answer::new(200, JSON, value_text(&explored.query_text().await?))),
        "results" => Ok(match explored.results().await? {
            Ok(rows) => Answer::new(200, JSON, rows),
            Err(payload) => Answer::new(400, "application/json; charset=utf-8", payload.to_json()),
        }),
        "samples" => Ok(Answer::new(200, JSON, explored.samples().await?)),
        _ => {
            let payload = explored.payload().await.map_err(|error| failure_for(cx, error))?;
            Ok(whole(&payload))
        }
    }
}

/// Headers by which a client may keep the answer and ask whether it is still good (`etag_cache`). The answer itself is
/// made anew: whoever lost the rights must not get it from a cache.
fn revalidated(cx: &Cx, answer: Answer) -> Answer {
    let digest = hex(&Sha256::digest(&answer.body));
    let etag = format!("\"{}\"", digest.get(..40).unwrap_or_default());
    let known = cx.req.header("if-none-match").is_some_and(|header| {
        header.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
    });
    let answer = if known && answer.status == 200 {
        Answer { status: 304, body: bytes::Bytes::new(), ..answer }
    } else {
        answer
    };
    let now = chrono::Utc::now();
    let seconds = cx.caller.app.config.int("CACHE_DEFAULT_TIMEOUT").unwrap_or(86_400).clamp(0, 31_536_000);
    let expires = now + chrono::TimeDelta::seconds(seconds);
    let date = |t: chrono::DateTime<chrono::Utc>| t.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer
        .header("cache-control", "public")
        .header("last-modified", date(now))
        .header("expires", date(expires))
        .header("etag", etag)
}
