//! What thumbnails of charts and dashboards have in common.

use std::collections::HashMap;

use commands::thumbnail::{
    Lookup,
    digest::{self, Digest},
};
use daos::Record;
use infra::Result;
use serde_json::{Map, Value, json};

use super::crud::{View, computed::Prepared};
use crate::{
    Answer, Cx,
    guards::{host, next_url},
};

/// `thumbnail_url` of several charts.
pub(super) async fn of_charts(cx: &Cx, ids: Vec<i64>) -> Result<Prepared> {
    Ok(urls("chart", digest::charts(&cx.caller, &ids).await?))
}

/// `thumbnail_url` of several dashboards.
pub(super) async fn of_dashboards(cx: &Cx, ids: Vec<i64>) -> Result<Prepared> {
    Ok(urls("dashboard", digest::dashboards(&cx.caller, &ids).await?))
}

/// The address of a picture.
pub(super) fn url(kind: &str, id: i64, digest: &str) -> String {
    format!("/api/v1/{kind}/{id}/thumbnail/{digest}/")
}

fn urls(kind: &str, digests: HashMap<i64, Digest>) -> Prepared {
    digests.into_iter().map(|(id, digest)| (id, url(kind, id, &digest.text).into())).collect()
}

/// A row's, looked up before.
pub(super) fn prepared(record: &Record, view: &View) -> Value {
    let id = record.get::<i64>("id");
    id.and_then(|id| view.prepared.get(&id)).cloned().unwrap_or_default()
}

/// A path as a link: of the address that the browser uses, where the configuration names one.
pub(super) fn link(cx: &Cx, path: &str) -> String {
    let base = cx.caller.app.config.str("WEBDRIVER_BASEURL").trim_end_matches('/');
    match next_url::split(base) {
        _ if base.is_empty() || base.contains("//0.0.0.0") => host::link(&cx.req, path),
        // two paths are joined as the original joins them: that of the base does not count
        Some((scheme, host)) if !cx.req.script_root.is_empty() => {
            format!("{scheme}://{host}{}", cx.req.url_for(path))
        }
        _ => format!("{base}{path}"),
    }
}

/// What is known of a picture, with `more`.
pub(super) fn state(status: u16, found: &Lookup, more: &[(&str, &str)]) -> Answer {
    let mut body: Map<String, Value> =
        more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    body.insert("task_updated_at".into(), json!(found.payload.timestamp));
    body.insert("task_status".into(), json!(found.payload.status.name()));
    Answer::fab(status, &Value::Object(body))
}

/// A picture.
pub(super) fn png(image: Vec<u8>) -> Answer {
    Answer::new(200, "image/png", image)
}

/// A value of the query, or a default where it is left out or empty.
pub(super) fn size(args: &Value, key: &str, default: &Value) -> Value {
    args.get(key)
        .filter(|size| size.as_array().is_some_and(|sides| !sides.is_empty()))
        .unwrap_or(default)
        .clone()
}
