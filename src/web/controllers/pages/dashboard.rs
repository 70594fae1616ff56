//! Dashboards as pages (`superset.views.core:Superset.dashboard`, `superset.views.dashboard.views`).

use commands::{
    access::{self, objects::can_access_dashboard},
    dashboard::{detail, find},
    dashboard_new::dashboard_new,
    permalink::Permalink,
};
use infra::json::dumps;
use serde_json::{Value, json};

use super::welcome::to_login;
use crate::{
    Answer, Cx, Handled, error_pages, flash, locale,
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
        rule(
            &["GET"],
            "/superset/dashboard/p/<key>/",
            Access::Page("can_dashboard_permalink", "Superset"),
            permalink,
        )
        .endpoint("Superset.dashboard_permalink"),
        rule(&["GET"], "/dashboard/new/", Access::Page("can_write", "Dashboard"), new)
            .endpoint("Dashboard.new"),
        rule(&["GET"], "/dashboard/<dashboard_id_or_slug>/embedded", Access::Open, legacy_embedded)
            .endpoint("Dashboard.embedded"),
        rule(&["GET"], "/embedded/<uuid>", Access::Open, embed).endpoint("EmbeddedView.embedded"),
    ]
}

/// The page of a dashboard; a missing one and one that is not for the caller look the same.
pub(super) async fn show(cx: Cx, key: &str) -> Handled {
    let stranger = cx.caller.user.is_anonymous();
    let hidden = || if stranger { to_login(&cx.req) } else { error_pages::abort(&cx.req, 404) };
    let Some(dashboard) = find::unchecked(&cx.caller.app, key).await? else { return Ok(hidden()) };
    // a dataset may be shared with the public while a dashboard on it is still a draft
    if stranger && dashboard.published != Some(true) {
        return Ok(hidden());
    }
    if !can_access_dashboard(&cx.caller, &dashboard).await? {
        return Ok(hidden());
    }
    spa::render_dashboard(&cx, dashboard.dashboard_title.unwrap_or_default()).await
}

/// A link to a dashboard with its filters; one that cannot be followed leads to the list, with the reason.
async fn permalink(cx: Cx) -> Handled {
    let key = cx.req.param("key");
    let found = match Permalink::Dashboard.get(&cx.caller.app, key).await {
        Ok(Some(value)) => value,
        Ok(None) => return Ok(Answer::json(404, &json!({"error": "permalink state not found"}))),
        Err(error @ infra::Error::Internal(_)) => return Err(error.into()),
        Err(_) => return Ok(to_list(&cx, "An error occurred while parsing the key.")),
    };
    // older links have the id as a number
    let id = match found.get("dashboardId") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    match find::by_id_or_slug(&cx.caller, &id).await {
        Ok(_) => {}
        Err(error) if error.status() == 403 => {
            return Ok(to_list(&cx, "You don't have access to this dashboard."));
        }
        Err(error) if error.status() == 404 => return Ok(to_list(&cx, "Dashboard not found.")),
        Err(error) => return Err(error.into()),
    }
    let quote = |text: &str| {
        percent_encoding::utf8_percent_encode(text, crate::guards::next_url::QUOTE)
            .to_string()
            .replace("%20", "+")
    };
    let mut url =
        cx.req.url_for(&format!("/superset/dashboard/{}/?permalink_key={}", quote(&id), quote(key)));
    let state = found.get("state").cloned().unwrap_or_default();
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    for pair in state.get("urlParams").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get(0), pair.get(1)) {
            url.push_str(&format!("&{}={}", quote(&text(name)), quote(&text(value))));
        }
    }
    if !cx.req.query_string.is_empty() {
        url.push_str(&format!("&{}", cx.req.query_string));
    }
    let anchor =
        state.get("anchor").or_else(|| state.get("hash")).and_then(Value::as_str).unwrap_or_default();
    if !anchor.is_empty() {
        url.push_str(&format!(
            "#{}",
            percent_encoding::utf8_percent_encode(anchor, percent_encoding::CONTROLS)
        ));
    }
    Ok(Answer::redirect(302, url))
}

fn to_list(cx: &Cx, reason: &str) -> Answer {
    let message = format!("Error: {}", locale::translate(&locale::for_request(cx), reason));
    flash::add(cx, "danger", &message);
    Answer::redirect(302, cx.req.url_for("/dashboard/list/"))
}

/// Makes an empty dashboard and opens it for editing.
async fn new(cx: Cx) -> Handled {
    let id = dashboard_new(&cx.caller).await?;
    Ok(Answer::redirect(302, cx.req.url_for(&format!("/superset/dashboard/{id}/?edit=true"))))
}

/// The page in another site's frame: it shows nothing by itself, the guest token that the host page hands it does.
async fn embed(cx: Cx) -> Handled {
    if !cx.caller.app.config.flag("EMBEDDED_SUPERSET") {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    let Some(found) = detail::embedding_of(&cx.caller.app, cx.req.param("uuid")).await? else {
        return Ok(error_pages::abort(&cx.req, 404));
    };
    let domains = found.allowed_domains();
    let referrer = cx.req.header("referer").unwrap_or_default();
    if !domains.is_empty() && !domains.iter().any(|domain| is_same_origin(referrer, domain)) {
        return Ok(error_pages::abort(&cx.req, 403));
    }
    let header = cx.caller.app.config.get("GUEST_TOKEN_HEADER_NAME").clone();
    let extra = json!({"embedded": {"dashboard_id": found.dashboard_id}});
    embedded_page(cx, json!({"config": {"GUEST_TOKEN_HEADER_NAME": header}}), extra).await
}

async fn legacy_embedded(cx: Cx) -> Handled {
    if !cx.caller.app.config.flag("EMBEDDED_SUPERSET") {
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
    cx.caller.user = access::load_anonymous(&cx.caller.app).await?.into();
    let common = format!("{{\"common\": {}}}", spa::common(&cx).await?);
    let bootstrap = spa::joined(&[&dumps(&before), &common, &dumps(&after)]);
    let page = Page { entry: "embedded", bootstrap, ..Page::default() };
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
