//! Stars of charts and dashboards.

use commands::favorite::{self, Starred};
use infra::{Error, rison::schema};
use serde_json::{Value, json};

use super::parse::result;
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(crate) fn rules() -> Vec<Rule> {
    let (chart, dashboard) = (Access::Protect("can_read", "Chart"), Access::Protect("can_read", "Dashboard"));
    vec![
        rule(&["GET"], "/api/v1/chart/favorite_status/", chart, |cx| status(cx, Starred::Chart))
            .endpoint("ChartRestApi.favorite_status"),
        rule(&["POST"], "/api/v1/chart/<pk>/favorites/", chart, |cx| add(cx, Starred::Chart))
            .endpoint("ChartRestApi.add_favorite"),
        rule(&["DELETE"], "/api/v1/chart/<pk>/favorites/", chart, |cx| remove(cx, Starred::Chart))
            .endpoint("ChartRestApi.remove_favorite"),
        rule(&["GET"], "/api/v1/dashboard/favorite_status/", dashboard, |cx| status(cx, Starred::Dashboard))
            .endpoint("DashboardRestApi.favorite_status"),
        rule(&["POST"], "/api/v1/dashboard/<pk>/favorites/", dashboard, |cx| add(cx, Starred::Dashboard))
            .endpoint("DashboardRestApi.add_favorite"),
        rule(&["DELETE"], "/api/v1/dashboard/<pk>/favorites/", dashboard, |cx| {
            remove(cx, Starred::Dashboard)
        })
        .endpoint("DashboardRestApi.remove_favorite"),
    ]
}

async fn status(cx: Cx, of: Starred) -> Handled {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let asked: Vec<i64> = value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let starred = favorite::starred(&cx.caller, of, &asked).await?;
    Ok(result(asked.iter().map(|id| json!({"id": id, "value": starred.contains(id)})).collect::<Value>()))
}

async fn add(cx: Cx, of: Starred) -> Handled {
    favorite::star(&cx.caller, of, pk(&cx)?).await?;
    Ok(result("OK"))
}

async fn remove(cx: Cx, of: Starred) -> Handled {
    match (of, pk(&cx)) {
        // for charts the original forgets to return that there is none
        (Starred::Chart, Err(_)) => {}
        (_, pk) => favorite::unstar(&cx.caller, of, pk?).await?,
    }
    Ok(result("OK"))
}

fn pk(cx: &Cx) -> Result<i64, Error> {
    cx.req.param("pk").parse().map_err(|_| Error::not_found())
}
