//! Data of legacy charts (`superset.views.core:Superset.explore_json`).

use commands::explore_json::{Explored, Sources, read_form_data};
use infra::Error;
use query::encode::json::value_text;
use query::form_data::FormData;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    const MAY: Access = Access::PageApi("can_explore_json", "Superset");
    const METHODS: &[&str] = &["GET", "POST"];
    let of_dataset = "/superset/explore_json/<datasource_type>/<int:datasource_id>/";
    vec![
        rule(METHODS, "/superset/explore_json/", MAY, explore_json)
            .csrf_exempt()
            .endpoint("Superset.explore_json"),
        rule(METHODS, of_dataset, MAY, explore_json).csrf_exempt().endpoint("Superset.explore_json"),
        rule(&["GET"], "/superset/explore_json/data/<cache_key>", MAY, from_cache)
            .endpoint("Superset.explore_json_data"),
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
    let form_data = read_form_data(&cx.app, sources).await?;
    let type_ = cx.req.param("datasource_type");
    let path = (!type_.is_empty()).then(|| (type_, cx.req.int_param("datasource_id")));
    let form = FORMS.into_iter().find(|form| cx.req.arg(form) == Some("true")).unwrap_or("json");
    let force = cx.req.arg("force") == Some("true");
    let answer = answer(&cx, form_data, path, form, force).await?;
    Ok(if matches!(cx.req.method.as_str(), "GET" | "HEAD") { revalidated(&cx, answer) } else { answer })
}

/// A question that was asked before, by its key.
async fn from_cache(cx: Cx) -> Handled {
    let missing = || Error::Legacy { status: 404, error: "Cached data not found".to_owned() };
    let stored = cx.app.cache.get(cx.req.param("cache_key")).await.ok_or_else(missing)?;
    let form_data = stored.get("form_data").and_then(Value::as_object).cloned().ok_or_else(missing)?;
    let form = stored.get("response_type").and_then(Value::as_str).unwrap_or("json");
    answer(&cx, form_data, None, form, false).await
}

async fn answer(cx: &Cx, form_data: FormData, path: Option<(&str, i64)>, form: &str, force: bool) -> Handled {
    const JSON: &str = "application/json";
    let explored = Explored::open(&cx.app, &cx.user, form_data, path, force).await?;
    match form {
        "csv" => {
            if !cx.user.can_access("can_csv", "Superset") {
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
            let payload = explored.payload().await?;
            Ok(Answer::new(if payload.failed { 400 } else { 200 }, JSON, payload.to_json()))
        }
    }
}

/// Headers by which a client may keep the answer and ask whether it is still good (`etag_cache`). The answer itself is
/// made anew: whoever lost the rights must not get it from a cache.
fn revalidated(cx: &Cx, answer: Answer) -> Answer {
    let digest: String = Sha256::digest(&answer.body).iter().take(20).map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{digest}\"");
    let known = cx.req.header("if-none-match").is_some_and(|header| {
        header.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
    });
    let answer = if known && answer.status == 200 {
        Answer { status: 304, body: bytes::Bytes::new(), ..answer }
    } else {
        answer
    };
    let now = chrono::Utc::now();
    let seconds = cx.app.config.int("CACHE_DEFAULT_TIMEOUT").unwrap_or(86_400).clamp(0, 31_536_000);
    let expires = now + chrono::TimeDelta::seconds(seconds);
    let date = |t: chrono::DateTime<chrono::Utc>| t.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer
        .header("cache-control", "public")
        .header("last-modified", date(now))
        .header("expires", date(expires))
        .header("etag", etag)
}
