//! Addresses of features that are off unless somebody asks for them, and that the frontend no longer links to.

use commands::resource;
use daos::{Selection, base, tables::TAGS};
use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::computed::epoch_ms,
    error_pages,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![rule(&["GET"], "/tagview/tags/", Access::Open, tags).endpoint("TagView.tags")]
}

/// Every tag, for who may see them (`superset.views.tags:TagView.tags`).
async fn tags(cx: Cx) -> Handled {
    if !cx.caller.app.config.flag("TAGGING_SYSTEM") {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    if !cx.caller.user.can_access("can_tags", "TagView") {
        let status = if cx.caller.user.is_anonymous() { 401 } else { 403 };
        return Ok(Answer::fab(status, &json!({"message": "Access is Denied", "severity": "danger"})));
    }
    let query = base::Query::default();
    let rows = resource::fetch(&cx.caller.app, &Selection::all(&TAGS), &query).await?;
    let tag = |r: &daos::Record| {
        json!({
            "id": r.json("id"),
            "type": r.text("type"),
            "name": r.json("name"),
            "changed_on": r.get::<chrono::NaiveDateTime>("changed_on").map(epoch_ms),
            "changed_by": r.json("changed_by_fk"),
            "created_by": r.json("created_by_fk"),
        })
    };
    Ok(Answer::new(200, "application/json", infra::json::dumps(&rows.iter().map(tag).collect::<Value>())))
}
