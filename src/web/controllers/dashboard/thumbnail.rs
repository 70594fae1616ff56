//! `/api/v1/dashboard/<pk>/thumbnail/…`, `…/screenshot/…`, `…/cache_dashboard_screenshot/`
//! (`superset.dashboards.api:DashboardRestApi`).

use commands::{
    dashboard::find::{self, Dashboard},
    permalink::Permalink,
    state::jobs::JobKind,
    thumbnail::{
        self, Kind, ThumbnailRequest,
        digest::{self, Digest},
    },
};
use infra::{
    Error, picture,
    rison::{self, schema},
};
use serde_json::{Map, Value, json};

use crate::controllers::{
    parse::json_body,
    thumbnail::{link, png, size, state, url},
};
use crate::schemas::field_checks::kind_error;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let read = || Access::Protect("can_read", "Dashboard");
    let take = Access::Protect("can_cache_dashboard_screenshot", "Dashboard");
    let screenshots = "ENABLE_DASHBOARD_SCREENSHOT_ENDPOINTS";
    vec![
        rule(&["GET"], "/api/v1/dashboard/<pk>/thumbnail/<digest>/", read(), thumbnail)
            .flag("THUMBNAILS")
            .endpoint("DashboardRestApi.thumbnail"),
        rule(&["GET"], "/api/v1/dashboard/<pk>/screenshot/<digest>/", read(), screenshot)
            .flag("THUMBNAILS")
            .flag(screenshots)
            .endpoint("DashboardRestApi.screenshot"),
        rule(&["POST"], "/api/v1/dashboard/<pk>/cache_dashboard_screenshot/", take, cache_screenshot)
            .flag("THUMBNAILS")
            .flag(screenshots)
            .endpoint("DashboardRestApi.cache_dashboard_screenshot"),
    ]
}

async fn dashboard(cx: &Cx) -> Result<Dashboard, Failure> {
    Ok(find::listed(&cx.caller, cx.req.pk()?).await?.ok_or_else(Error::not_found)?)
}

async fn digest_of(cx: &Cx, dashboard: &Dashboard) -> Result<Option<Digest>, Failure> {
    Ok(digest::dashboards(&cx.caller, &[dashboard.id]).await?.remove(&dashboard.id))
}

async fn thumbnail(cx: Cx) -> Handled {
    rison::load(cx.req.arg("q"), &schema::THUMBNAIL)?;
    let dashboard = dashboard(&cx).await?;
    let digest = digest_of(&cx, &dashboard).await?.ok_or_else(Error::not_found)?;
    if digest.text != cx.req.param("digest") {
        return Ok(Answer::redirect(302, cx.req.url_for(&url("dashboard", dashboard.id, &digest.text))));
    }
    let (window, thumb) = Kind::Dashboard.default_sizes();
    let request = ThumbnailRequest {
        kind: Kind::Dashboard,
        id: dashboard.id,
        path: format!("/superset/dashboard/{}/?standalone=3", dashboard.id),
        digest: Some(digest.text),
        executor: Some(digest.executor),
        window,
        thumb,
        permalink: None,
    };
    let found = thumbnail::look_up(&cx.caller.app, request, false, JobKind::Thumbnail).await?;
    if !found.triggered {
        return Ok(png(found.payload.image.ok_or_else(Error::not_found)?));
    }
    let dashboard_url = link(&cx, &format!("/superset/dashboard/{}/", dashboard.id));
    // the original names the key where this address wants the digest
    let image_url = link(&cx, &url("dashboard", dashboard.id, &found.key));
    let more = [("cache_key", &*found.key), ("dashboard_url", &*dashboard_url), ("image_url", &*image_url)];
    Ok(state(202, &found, &more))
}

const STATE: &[(&str, &str)] =
    &[("dataMask", "dict"), ("activeTabs", "strs"), ("anchor", "str"), ("permalinkKey", "str")];

/// `CacheScreenshotSchema`.
fn errors(body: &Value) -> Map<String, Value> {
    let Value::Object(map) = body else {
        return Map::from_iter([("_schema".to_owned(), json!(["Invalid input type."]))]);
    };
    let known = STATE.iter().filter_map(|(key, kind)| {
        let error = kind_error(kind, map.get(*key)?)?;
        Some(((*key).to_owned(), error))
    });
    let mut errors: Map<String, Value> = known.collect();
    if let Some(error) = map.get("urlParams").and_then(url_params_error) {
        errors.insert("urlParams".into(), error);
    }
    for key in map.keys().filter(|key| *key != "urlParams" && !STATE.iter().any(|(name, _)| name == key)) {
        errors.insert(key.clone(), json!(["Unknown field."]));
    }
    errors
}

/// Lists of two texts.
fn url_params_error(value: &Value) -> Option<Value> {
    let Value::Array(pairs) = value else { return kind_error("list", value) };
    let pair = |pair: &Value| match pair.as_array() {
        None => kind_error("list", pair),
        Some(_) => kind_error("strs", pair).or_else(|| {
            let two = pair.as_array().is_some_and(|items| items.len() == 2);
            (!two).then(|| json!(["Invalid value."]))
        }),
    };
    let wrong = pairs.iter().enumerate().filter_map(|(at, value)| Some((at.to_string(), pair(value)?)));
    let wrong: Map<String, Value> = wrong.collect();
    (!wrong.is_empty()).then_some(Value::Object(wrong))
}

async fn cache_screenshot(cx: Cx) -> Handled {
    let args = rison::load(cx.req.arg("q"), &schema::DASHBOARD_SCREENSHOT)?;
    let body = json_body(&cx)?;
    let errors = errors(&body);
    if !errors.is_empty() {
        return Err(Error::bad_request(Value::Object(errors)).into());
    }
    let dashboard = dashboard(&cx).await?;
    let window = size(&args, "window_size", &Kind::Dashboard.default_sizes().0);
    let thumb = size(&args, "thumb_size", &window);
    let force = args.get("force").and_then(Value::as_bool).unwrap_or_default();
    let named = body.get("permalinkKey").and_then(Value::as_str).filter(|key| !key.is_empty());
    let key = match named {
        Some(key) => key.to_owned(),
        None => {
            let part = |key: &str, default: Value| body.get(key).cloned().unwrap_or(default);
            let state = json!({
                "dataMask": part("dataMask", json!({})),
                "activeTabs": part("activeTabs", json!([])),
                "anchor": part("anchor", json!("")),
                "urlParams": part("urlParams", json!([])),
            });
            let value = json!({"dashboardId": dashboard.uuid.map(|u| u.to_string()), "state": state});
            Permalink::Dashboard.create_once(&cx.caller, &value).await?
        }
    };
    let digest = digest_of(&cx, &dashboard).await?;
    let encoded = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string();
    let request = ThumbnailRequest {
        kind: Kind::Dashboard,
        id: dashboard.id,
        path: format!("/superset/dashboard/p/{encoded}/?standalone=3"),
        executor: digest.as_ref().map(|d| d.executor.clone()),
        digest: digest.map(|d| d.text),
        window,
        thumb,
        permalink: Some(key.clone()),
    };
    let found = thumbnail::look_up(&cx.caller.app, request, force, JobKind::Screenshot).await?;
    let dashboard_url = link(&cx, &format!("/superset/dashboard/p/{key}/"));
    let image_url = link(&cx, &format!("/api/v1/dashboard/{}/screenshot/{}/", dashboard.id, found.key));
    let more = [("cache_key", &*found.key), ("dashboard_url", &*dashboard_url), ("image_url", &*image_url)];
    Ok(state(if found.triggered { 202 } else { 200 }, &found, &more))
}

async fn screenshot(cx: Cx) -> Handled {
    dashboard(&cx).await?;
    let image =
        thumbnail::image(&cx.caller.app, cx.req.param("digest")).await.ok_or_else(Error::not_found)?;
    match cx.req.arg("download_format").unwrap_or("png") {
        "png" => Ok(png(image)),
        "pdf" => {
            let document = tokio::task::spawn_blocking(move || picture::pdf(&[image])).await;
            let document = document.map_err(Error::internal)?.map_err(Error::internal)?;
            let answer = Answer::new(200, "application/pdf", document);
            Ok(answer.header("content-disposition", "inline; filename=dashboard.pdf"))
        }
        _ => Err(Error::not_found().into()),
    }
}
