//! Dashboards as pages (`superset.views.core:Superset.dashboard`, `superset.views.dashboard.views`).

use commands::{
    access::{self, objects::can_access_dashboard},
    dashboard_new::dashboard_new,
};
use daos::{dashboard, embedded};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::welcome::to_login;
use crate::{
    Answer, Cx, Handled, error_pages,
    routes::{Access, Rule, rule},
    spa::{self, Page},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(
            &["GET"],
            "/superset/dashboard/<dashboard_id_or_slug>/",
            Access::Page("can_dashboard", "Superset"),
            |cx: Cx| async move {
                let key = cx.req.param("dashboard_id_or_slug").to_owned();
                show(cx, &key).await
            },
        )
        .endpoint("Superset.dashboard"),
        rule(&["GET"], "/dashboard/new/", Access::Page("can_write", "Dashboard"), new)
            .endpoint("Dashboard.new"),
        rule(&["GET"], "/dashboard/<dashboard_id_or_slug>/embedded", Access::Open, legacy_embedded)
            .endpoint("Dashboard.embedded"),
        rule(&["GET"], "/embedded/<uuid>", Access::Open, embed).endpoint("EmbeddedView.embedded"),
    ]
}

/// The page of a dashboard; a missing one and one that is not for the caller look the same.
pub(super) async fn show(cx: Cx, key: &str) -> Handled {
    let stranger = cx.user.is_anonymous();
    let hidden = || if stranger { to_login(&cx.req) } else { error_pages::abort(&cx.req, 404) };
    let key = dashboard::DashboardKey::parse(key);
    let Some(board) = dashboard::find_where(cx.app.db.exec(), &key, None).await? else { return Ok(hidden()) };
    // a dataset may be shared with the public while a dashboard on it is still a draft
    if stranger && board.published != Some(true) {
        return Ok(hidden());
    }
    if !can_access_dashboard(&cx.app, &cx.user, &board).await? {
        return Ok(hidden());
    }
    spa::render_dashboard(&cx, board.dashboard_title.unwrap_or_default()).await
}

/// Makes an empty dashboard and opens it for editing.
async fn new(cx: Cx) -> Handled {
    let id = dashboard_new(&cx.app, &cx.user).await?;
    let root = commands::bootstrap::application_root(&cx.app.config);
    Ok(Answer::redirect(302, format!("{root}/superset/dashboard/{id}/?edit=true")))
}

/// The page in another site's frame: it shows nothing by itself, the guest token that the host page hands it does.
async fn embed(cx: Cx) -> Handled {
    if !cx.app.config.flag("EMBEDDED_SUPERSET") {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    let found = match Uuid::parse_str(cx.req.param("uuid")) {
        Ok(uuid) => embedded::find(cx.app.db.exec(), uuid).await?,
        Err(_) => None,
    };
    let Some(found) = found else { return Ok(error_pages::abort(&cx.req, 404)) };
    let domains = found.allowed_domains();
    let referrer = cx.req.header("referer").unwrap_or_default();
    if !domains.is_empty() && !domains.iter().any(|domain| is_same_origin(referrer, domain)) {
        return Ok(error_pages::abort(&cx.req, 403));
    }
    let header = cx.app.config.get("GUEST_TOKEN_HEADER_NAME").clone();
    let extra = json!({"embedded": {"dashboard_id": found.dashboard_id}});
    embedded_page(cx, json!({"config": {"GUEST_TOKEN_HEADER_NAME": header}}), extra).await
}

async fn legacy_embedded(cx: Cx) -> Handled {
    if !cx.app.config.flag("EMBEDDED_SUPERSET") {
        return Ok(Answer::html(404, ""));
    }
    let extra = json!({"embedded": {"dashboard_id": cx.req.param("dashboard_id_or_slug")}});
    embedded_page(cx, json!({}), extra).await
}

/// Whoever was logged in is nobody on this page and after it: the frame acts with the guest's rights only.
async fn embedded_page(mut cx: Cx, before: Value, after: Value) -> Handled {
    {
        let mut session = cx.session.lock();
        if session.values.remove("_user_id").is_some() {
            session.modified = true;
        }
    }
    cx.user = access::load_anonymous(&cx.app).await?.into();
    let mut data = Map::new();
    data.extend(before.as_object().cloned().unwrap_or_default());
    data.insert("common".into(), spa::common(&cx).await?);
    data.extend(after.as_object().cloned().unwrap_or_default());
    let page = Page { entry: "embedded", bootstrap: Value::Object(data), ..Page::default() };
    Ok(spa::shell(&cx, &page))
}

/// Scheme, host and port are the same (`flask_wtf.csrf:same_origin`).
fn is_same_origin(url: &str, other: &str) -> bool {
    match (origin(url), origin(other)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn origin(url: &str) -> Option<(String, String, u16)> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host_port = authority.rsplit('@').next()?.to_ascii_lowercase();
    let default = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host.to_owned(), port.parse().ok()?),
        _ => (host_port, default),
    };
    Some((scheme, host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        assert!(is_same_origin("https://Example.org/a?b", "https://example.org"));
        assert!(is_same_origin("http://example.org:80/", "http://example.org"));
        for (a, b) in [
            ("https://example.org", "http://example.org"),
            ("https://example.org.evil", "https://example.org"),
            ("https://example.org@evil", "https://example.org"),
            ("", "https://example.org"),
            ("https://example.org:8443", "https://example.org"),
        ] {
            assert!(!is_same_origin(a, b), "{a} {b}");
        }
    }
}
