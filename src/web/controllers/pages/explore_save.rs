//! Saving a chart by the address of the old chart builder: `POST /superset/explore/?action=saveas`, `…=overwrite`
//! (`superset.views.core:Superset.save_or_overwrite_slice`).

use commands::{
    access::ownership,
    chart::{self, ChartFields},
    dashboard::{self, DashboardFields},
    explore::get::{ExploreAnswer, ExploreRequest, get},
};
use daos::person::Owned;
use infra::{Error, json};
use query::form_data::REJECTED_KEYS;
use serde_json::{Map, Value, json};

use crate::{Answer, Cx, error::Failure, flash, schemas::validate::load_or_400};

/// What is to be done with the form data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    SaveAs,
    Overwrite,
}

impl Action {
    /// The action of an address; none for the page itself.
    pub fn read(cx: &Cx) -> Option<Self> {
        match cx.req.arg("action")? {
            "saveas" => Some(Self::SaveAs),
            "overwrite" => Some(Self::Overwrite),
            _ => None,
        }
    }
}

/// Saves the chart that a page would show. None where there is no dataset: the original shows the page then.
pub(super) async fn save(cx: &Cx, action: Action, page: &Value) -> Result<Option<Answer>, Failure> {
    let user = &cx.caller.user;
    let can_add = user.can_access("can_write", "Chart");
    let shown = page.pointer("/slice/slice_id").and_then(Value::as_i64);
    let owned = match (action, shown) {
        (Action::SaveAs, _) if can_add => None,
        (Action::SaveAs, _) => return Err(refused("You don't have the rights to create a chart")),
        // owners who may not write charts at all may do so in the original
        (Action::Overwrite, Some(id)) if can_add && ownership::owns(&cx.caller, Owned::Chart, id).await? => {
            Some(id)
        }
        (Action::Overwrite, _) => return Err(refused("You don't have the rights to alter this chart")),
    };
    let Some(dataset) = page.pointer("/dataset/id").and_then(Value::as_i64) else { return Ok(None) };
    let mut form = sent(cx)?;
    if owned.is_none() {
        form.remove("slice_id");
    }
    let dashboard = dashboard_of(cx).await?;
    let viz_type = form.get("viz_type").and_then(Value::as_str);
    let mut body = json!({
        "slice_name": cx.req.arg("slice_name").unwrap_or_default(),
        "viz_type": viz_type.or_else(|| page.pointer("/form_data/viz_type")?.as_str()),
        "params": json::dumps_indented(&json::sorted(&Value::Object(form.clone())), "  "),
        "query_context": cx.req.field("query_context"),
        "datasource_id": dataset,
        "datasource_type": "table",
    });
    let id = match owned {
        None => {
            body["dashboards"] = dashboard.iter().map(|d| json!(d.0)).collect();
            let fields = ChartFields::read(&load_or_400(ChartFields::POST, &body)?);
            chart::write::create(&cx.caller, &fields).await?
        }
        Some(id) => {
            if let Some((dashboard, _)) = &dashboard {
                let mut on = chart::find::dashboard_ids(&cx.caller.app, id).await?;
                if !on.contains(dashboard) {
                    on.push(*dashboard);
                }
                body["dashboards"] = json!(on);
            }
            let fields = ChartFields::read(&load_or_400(ChartFields::PUT, &body)?);
            chart::write::update(&cx.caller, id, &fields).await?;
            id
        }
    };
    let name = cx.req.arg("slice_name").unwrap_or_default();
    let done = if owned.is_none() { "saved" } else { "overwritten" };
    flash::add(cx, "success", &format!("Chart [{name}] has been {done}"));
    let ask = ExploreRequest { slice_id: Some(id), ..ExploreRequest::default() };
    let saved = match get(&cx.caller, ask).await? {
        ExploreAnswer::Page(page) => page,
        ExploreAnswer::Redirect(_) => Value::Null,
    };
    let mut answer = json!({
        "can_add": can_add,
        "can_download": user.can_access("can_csv", "Superset"),
        "form_data": saved["form_data"],
        "slice": saved["slice"],
        "dashboard_url": dashboard.as_ref().map(|d| &d.1),
        "dashboard_id": dashboard.as_ref().map(|d| d.0),
    });
    if let Some((_, url)) = dashboard.filter(|_| cx.req.arg("goto_dash") == Some("true")) {
        answer["dashboard"] = json!(url);
    }
    Ok(Some(Answer::new(200, "application/json", json::dumps(&answer))))
}

fn refused(text: &str) -> Failure {
    Error::Legacy { status: 403, error: text.to_owned() }.into()
}

/// The form data of the body, those of the address over them, without what may not be set and without the filters that
/// a dashboard has added.
fn sent(cx: &Cx) -> Result<Map<String, Value>, Failure> {
    let mut form = Map::new();
    for text in [cx.req.field("form_data"), cx.req.arg("form_data")].into_iter().flatten() {
        let part: Map<String, Value> = serde_json::from_str(text)
            .map_err(|_| Error::bad_request("form_data: an object in JSON is expected"))?;
        form.extend(part);
    }
    form.retain(|key, _| !REJECTED_KEYS.contains(&key.as_str()));
    for (key, filters) in &mut form {
        if let (true, Some(filters)) = (key.starts_with("adhoc_filters"), filters.as_array_mut()) {
            filters.retain(|f| !f.get("isExtra").is_some_and(json::truthy));
        }
    }
    Ok(form)
}

/// The dashboard that the chart is put on, with its address: one that is there, or a new one. The original saves the
/// chart before it looks whether this may be.
async fn dashboard_of(cx: &Cx) -> Result<Option<(i64, String)>, Failure> {
    let address = |id: i64, slug: Option<&str>| {
        let named = slug.filter(|s| !s.is_empty()).map_or_else(|| id.to_string(), str::to_owned);
        (id, format!("/superset/dashboard/{named}/"))
    };
    if let Some(named) = cx.req.arg("save_to_dashboard_id").filter(|id| !id.is_empty()) {
        let found = dashboard::find::unchecked(&cx.caller.app, named).await?;
        let Some(found) = found.filter(|d| d.id.to_string() == named) else {
            return Err(Error::not_found().into());
        };
        if !ownership::owns(&cx.caller, Owned::Dashboard, found.id).await? {
            return Err(refused("You don't have the rights to alter this dashboard"));
        }
        return Ok(Some(address(found.id, found.slug.as_deref())));
    }
    let Some(title) = cx.req.arg("new_dashboard_name").filter(|t| !t.is_empty()) else { return Ok(None) };
    if !cx.caller.user.can_access("can_write", "Dashboard") {
        return Err(refused("You don't have the rights to create a dashboard"));
    }
    let body = json!({"dashboard_title": title});
    let fields = DashboardFields::read(&load_or_400(DashboardFields::POST, &body)?);
    Ok(Some(address(dashboard::write::create(&cx.caller, &fields).await?, None)))
}
