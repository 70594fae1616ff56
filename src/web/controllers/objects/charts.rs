//! `GET /api/v1/chart/<id_or_uuid>` (`superset.charts.api:ChartRestApi.get`).

use commands::{
    access::lists,
    chart::describe::{person, thumbnail_url},
};
use daos::{
    chart::{self, ChartKey},
    dataset,
    person::{Owned, owners},
    tag,
};
use infra::{Error, clock};
use serde_json::{Value, json};

use super::result;
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
    let db = cx.app.db.exec();
    let text = cx.req.param("id_or_uuid");
    let Some(key) = ChartKey::parse(text) else {
        // a text that is no UUID breaks the statement of the original
        return Err(Error::message(500, "Fatal error").into());
    };
    let chart =
        chart::find_where(db, &key, lists::charts(&cx.user, "s")).await?.ok_or_else(Error::not_found)?;
    let dataset = match chart.datasource_id {
        Some(id) => dataset::find(db, id).await?,
        None => None,
    };
    let owners = owners(db, Owned::Chart, &[chart.id]).await?.remove(&chart.id).unwrap_or_default();
    let boards = chart::dashboards(db, chart.id)
        .await?
        .into_iter()
        .map(|(id, title, metadata)| json!({"id": id, "dashboard_title": title, "json_metadata": metadata}));
    let tags = tag::of_object(db, "chart", chart.id).await?;
    let tags = tags.iter().map(|t| json!({"id": t.id, "name": t.name, "type": t.kind_number()}));
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
        "thumbnail_url": thumbnail_url(&chart, &cx.user),
        "viz_type": chart.viz_type,
        "query_context": chart.query_context,
        "is_managed_externally": chart.is_managed_externally,
        "tags": tags.collect::<Value>(),
        "owners": owners.iter().map(person).collect::<Value>(),
        "dashboards": boards.collect::<Value>(),
        "uuid": chart.uuid.map(|u| u.to_string()),
        "datasource_id": chart.datasource_id,
        "datasource_name_text": dataset.as_ref().map(dataset::Dataset::name),
        "datasource_type": chart.datasource_type,
        "datasource_url": dataset.as_ref().map(dataset::Dataset::explore_url),
        "datasource_uuid": dataset.as_ref().and_then(|d| d.uuid).map(|u| u.to_string()),
    })))
}
