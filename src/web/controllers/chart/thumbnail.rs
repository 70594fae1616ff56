//! `/api/v1/chart/<pk>/thumbnail/…`, `…/screenshot/…` (`superset.charts.api:ChartRestApi`).

use commands::{
    chart::find::{self, Chart, ChartKey},
    state::jobs::JobKind,
    thumbnail::{
        self, Kind, ThumbnailRequest,
        digest::{self, Digest},
    },
};
use infra::{
    Error,
    rison::{self, schema},
};
use serde_json::Value;

use crate::controllers::thumbnail::{link, png, size, state, url};
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let read = || Access::Protect("can_read", "Chart");
    [
        rule(&["GET"], "/api/v1/chart/<pk>/thumbnail/<digest>/", read(), thumbnail)
            .endpoint("ChartRestApi.thumbnail"),
        rule(&["GET"], "/api/v1/chart/<pk>/screenshot/<digest>/", read(), screenshot)
            .endpoint("ChartRestApi.screenshot"),
        rule(&["GET"], "/api/v1/chart/<pk>/cache_screenshot/", read(), cache_screenshot)
            .endpoint("ChartRestApi.cache_screenshot"),
    ]
    .map(|rule| rule.flag("THUMBNAILS"))
    .into()
}

async fn chart(cx: &Cx) -> Result<Chart, Failure> {
    let key = ChartKey::Id(cx.req.pk()?);
    Ok(find::listed(&cx.caller, &key).await?.ok_or_else(Error::not_found)?)
}

async fn digest_of(cx: &Cx, chart: &Chart) -> Result<Option<Digest>, Failure> {
    Ok(digest::charts(&cx.caller, &[chart.id]).await?.remove(&chart.id))
}

fn request(chart: &Chart, digest: Option<Digest>, window: Value, thumb: Value) -> ThumbnailRequest {
    ThumbnailRequest {
        kind: Kind::Chart,
        id: chart.id,
        path: format!("/superset/slice/{}/?standalone=true", chart.id),
        executor: digest.as_ref().map(|d| d.executor.clone()),
        digest: digest.map(|d| d.text),
        window,
        thumb,
        permalink: None,
    }
}

async fn thumbnail(cx: Cx) -> Handled {
    rison::load(cx.req.arg("q"), &schema::THUMBNAIL)?;
    let chart = chart(&cx).await?;
    let digest = digest_of(&cx, &chart).await?;
    // without anybody to see it there is no version to go on to
    let current = digest.as_ref().map(|d| d.text.clone()).ok_or_else(Error::not_found)?;
    if current != cx.req.param("digest") {
        return Ok(Answer::redirect(302, cx.req.url_for(&url("chart", chart.id, &current))));
    }
    let (window, thumb) = Kind::Chart.default_sizes();
    let request = request(&chart, digest, window, thumb);
    let found = thumbnail::look_up(&cx.caller.app, request, false, JobKind::Thumbnail).await?;
    if found.triggered {
        return Ok(state(202, &found, &[]));
    }
    Ok(png(found.payload.image.ok_or_else(Error::not_found)?))
}

async fn cache_screenshot(cx: Cx) -> Handled {
    let args = rison::load(cx.req.arg("q"), &schema::SCREENSHOT)?;
    let chart = chart(&cx).await?;
    let window = size(&args, "window_size", &Kind::Chart.default_sizes().0);
    let thumb = size(&args, "thumb_size", &window);
    let force = args.get("force").and_then(Value::as_bool).unwrap_or_default();
    let digest = digest_of(&cx, &chart).await?;
    let found = thumbnail::look_up(
        &cx.caller.app,
        request(&chart, digest, window, thumb),
        force,
        JobKind::Screenshot,
    )
    .await?;
    let chart_url = link(&cx, &format!("/superset/slice/{}/", chart.id));
    let image_url = link(&cx, &format!("/api/v1/chart/{}/screenshot/{}/", chart.id, found.key));
    let more = [("cache_key", &*found.key), ("chart_url", &*chart_url), ("image_url", &*image_url)];
    Ok(state(if found.triggered { 202 } else { 200 }, &found, &more))
}

async fn screenshot(cx: Cx) -> Handled {
    chart(&cx).await?;
    let image = thumbnail::image(&cx.caller.app, cx.req.param("digest")).await;
    Ok(png(image.ok_or_else(Error::not_found)?))
}
