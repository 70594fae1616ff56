//! Old addresses of charts and of SQL Lab, which lead to the new ones (`superset.views.core`).

use commands::{
    chart::find,
    explore::{
        form_data::{self, FormData},
        get::{ExploreAnswer, ExploreRequest, get},
    },
};
use infra::json::dumps;
use serde_json::{Value, json};

use super::explore_save::{Action, save};
use crate::{
    Answer, Cx, Handled, error_pages,
    routes::{Access, Rule, rule},
    spa,
};

pub(super) fn rules() -> Vec<Rule> {
    let explore = || Access::Page("can_explore", "Superset");
    vec![
        rule(&["GET"], "/superset/slice/<int:slice_id>/", Access::Page("can_slice", "Superset"), slice)
            .endpoint("Superset.slice"),
        rule(&["GET"], "/superset/explore/", explore(), to_explore).endpoint("Superset.explore"),
        rule(&["GET"], "/superset/explore/<datasource_type>/<int:datasource_id>/", explore(), to_explore)
            .endpoint("Superset.explore"),
        rule(&["POST"], "/superset/explore/", explore(), post_explore).endpoint("Superset.explore"),
        rule(&["POST"], "/superset/explore/<datasource_type>/<int:datasource_id>/", explore(), post_explore)
            .endpoint("Superset.explore"),
        rule(
            &["GET"],
            "/superset/sqllab/history/",
            Access::Page("can_sqllab_history", "Superset"),
            |cx: Cx| async move { Ok(Answer::redirect(302, cx.req.url_for("/sqllab/history/"))) },
        )
        .endpoint("Superset.sqllab_history"),
    ]
}

/// The form data is quoted twice: once by hand, once as a query argument.
async fn slice(cx: Cx) -> Handled {
    let id = cx.req.int_param("slice_id");
    if !find::exists(&cx.caller.app, id).await? {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    let quote =
        |text: &str| percent_encoding::utf8_percent_encode(text, crate::guards::next_url::QUOTE).to_string();
    let form_data = quote(&quote(&infra::json::dumps(&json!({"slice_id": id}))));
    let standalone = if spa::is_standalone(&cx) { "&standalone=true" } else { "" };
    Ok(Answer::redirect(302, cx.req.url_for(&format!("/explore/?form_data={form_data}{standalone}"))))
}

/// `Superset.get_redirect_url`: the same path and query below `/explore`, with the form data put away under a key.
async fn to_explore(cx: Cx) -> Handled {
    let path = cx.req.path.replacen("/superset/explore", "/explore", 1);
    let path = percent_encoding::utf8_percent_encode(&path, PATH).to_string();
    let mut query = cx.req.query_string.clone();
    if let Some(key) = put_form_data_away(&cx).await? {
        let quote = |text: &str| {
            let quoted =
                percent_encoding::utf8_percent_encode(text, crate::guards::next_url::QUOTE).to_string();
            quoted.replace("%20", "+")
        };
        let rest = cx.req.args.iter().filter(|(name, value)| name != "form_data" && !value.is_empty());
        let mut pairs: Vec<String> = rest.map(|(n, v)| format!("{}={}", quote(n), quote(v))).collect();
        pairs.push(format!("form_data_key={}", quote(&key)));
        query = pairs.join("&");
    }
    let query = if query.is_empty() { query } else { format!("?{query}") };
    Ok(Answer::redirect(302, cx.req.url_for(&format!("{path}{query}"))))
}

/// The chart builder of old, with its data in the page (`Superset.explore`). The published frontend has no scripts
/// for it any more.
async fn post_explore(cx: Cx) -> Handled {
    let argument = |name: &str| cx.req.field(name).or_else(|| cx.req.arg(name)).map(str::to_owned);
    let datasource_id = cx.req.params.get("datasource_id").and_then(|id| id.parse().ok());
    let ask = ExploreRequest {
        permalink_key: None,
        form_data_key: argument("form_data_key"),
        datasource_id: datasource_id.or_else(|| argument("datasource_id")?.parse().ok()),
        datasource_type: cx
            .req
            .params
            .get("datasource_type")
            .cloned()
            .or_else(|| argument("datasource_type")),
        slice_id: argument("slice_id").and_then(|id| id.parse().ok()),
        form_data: argument("form_data"),
        args: cx.req.args.clone(),
    };
    let (id, kind) = (ask.datasource_id, ask.datasource_type.clone().unwrap_or_else(|| "table".to_owned()));
    let page = match get(&cx.caller, ask).await? {
        ExploreAnswer::Page(page) => page,
        ExploreAnswer::Redirect(to) => return Ok(Answer::redirect(302, to)),
    };
    if let Some(action) = Action::read(&cx)
        && let Some(saved) = save(&cx, action, &page).await?
    {
        return Ok(saved);
    }
    let name = page["dataset"].get("table_name").and_then(Value::as_str);
    let title = page["slice"].get("slice_name").and_then(Value::as_str).or(name);
    let title = title.map_or_else(|| "Explore".to_owned(), |name| format!("Explore - {name}"));
    let standalone = spa::is_standalone(&cx);
    let bootstrap = json!({
        "can_add": cx.caller.user.can_access("can_write", "Chart"),
        "datasource": page["dataset"],
        "form_data": page["form_data"],
        "datasource_id": id,
        "datasource_type": kind,
        "slice": page["slice"],
        "standalone": standalone,
        "force": argument("force").as_deref() == Some("true"),
        "user": commands::bootstrap::user(&cx.caller).await?,
        "forced_height": argument("height"),
    });
    let common = format!("{{\"common\": {}}}", spa::common(&cx).await?);
    let bootstrap = spa::joined(&[&dumps(&bootstrap), &common]);
    Ok(spa::shell(&cx, &spa::Page { entry: "explore", title, standalone, bootstrap }))
}

/// The key of the form data in the address; none when it does not name a datasource.
async fn put_form_data_away(cx: &Cx) -> Result<Option<String>, infra::Error> {
    let Some(text) = cx.req.arg("form_data").filter(|t| !t.is_empty()) else { return Ok(None) };
    let form: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(datasource) = form.get("datasource").and_then(Value::as_str).filter(|d| !d.is_empty()) else {
        return Ok(None);
    };
    let invalid = || infra::Error::bad_request("datasource: expected id__type");
    let (id, kind) = datasource.split_once("__").ok_or_else(invalid)?;
    let chart_id = match form.get("slice_id") {
        Some(id) => id.as_i64().or_else(|| id.as_str()?.parse().ok()),
        None => Some(cx.req.arg("slice_id").and_then(|id| id.parse().ok()).unwrap_or_default()),
    };
    let data = FormData {
        datasource_type: kind.to_owned(),
        datasource_id: id.parse().map_err(|_| invalid())?,
        chart_id,
        form_data: text.to_owned(),
        tab_id: None,
        session_id: cx.session.lock().values.get("_id").and_then(Value::as_str).map(str::to_owned),
    };
    form_data::create(&cx.caller, &data).await.map(Some)
}

const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'%')
    .add(b'\\');
