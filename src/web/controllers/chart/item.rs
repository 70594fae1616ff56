//! `GET /api/v1/chart/<id_or_uuid>` (`superset.charts.api:ChartRestApi.get`).

use commands::{
    chart::{
        describe::person,
        find::{self, ChartKey},
    },
    dataset::find::Dataset,
};
use infra::{Error, clock};
use serde_json::{Value, json};

use crate::controllers::{parse::result, thumbnail};
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/api/v1/chart/<id_or_uuid>", Access::Protect("can_read", "Chart"), get)
            .endpoint("ChartRestApi.get"),
    ]
}

async fn get(cx: Cx) -> Handled {
    let text = cx.req.param("id_or_uuid");
    let Some(key) = ChartKey::parse(text) else {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::not_found().into());
        }
        // a text that is no UUID breaks the statement of the original
        return Err(Error::message(500, "Fatal error").into());
    };
    let detail = find::detail(&cx.caller, &key).await?;
    let (chart, dataset) = (&detail.chart, &detail.dataset);
    let thumbnail_url = thumbnail::of_charts(&cx, vec![chart.id]).await?.remove(&chart.id);
    let dashboards = detail
        .dashboards
        .iter()
        .map(|(id, title, metadata)| json!({"id": id, "dashboard_title": title, "json_metadata": metadata}));
    let tags = detail.tags.iter().map(|t| json!({"id": t.id, "name": t.name, "type": t.kind_number()}));
    let changed = chart.changed_on.map(|t| clock::naturaltime(t, clock::now()));
    Ok(result(json!({
        "id": chart.id,
        "url": format!("/explore/?slice_id={}", chart.id),
        "cache_timeout": chart.cache_timeout.map(|t| t.to_string()),
        "certified_by": chart.certified_by,
        "certification_details": chart.certification_details,
        "changed_on_delta_humanized": changed,
        "description": chart.description,
        "params": chart.params,
        "slice_name": chart.slice_name,
        "thumbnail_url": thumbnail_url,
        "viz_type": chart.viz_type,
        "query_context": chart.query_context,
        "is_managed_externally": chart.is_managed_externally,
        "tags": tags.collect::<Value>(),
        "owners": detail.owners.iter().map(person).collect::<Value>(),
        "dashboards": dashboards.collect::<Value>(),
        "uuid": chart.uuid.map(|u| u.to_string()),
        "datasource_id": chart.datasource_id,
        "datasource_name_text": dataset.as_ref().map(Dataset::name),
        "datasource_type": chart.datasource_type,
        "datasource_url": dataset.as_ref().map(Dataset::explore_url),
        "datasource_uuid": dataset.as_ref().and_then(|d| d.uuid).map(|u| u.to_string()),
    })))
}
