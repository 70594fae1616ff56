//! Everything the chart builder starts from (`GetExploreCommand`).

use daos::{
    chart::{self, Chart},
    database,
    person::{self, Owned},
    query as queries, rows,
};
use infra::{Error, Result, clock};
use query::form_data::update_time_range;
use serde_json::{Map, Value, json};

use super::{access, form_data as stored, merge};
use crate::{
    Caller, Services,
    access::objects,
    chart::{describe as chart_describe, form_data::form_data as chart_form_data},
    connect::describe::truthy,
    dataset::describe,
    permalink::Permalink,
    query_run, sql_lab,
};

/// Controls whose JavaScript is only kept with `ENABLE_JAVASCRIPT_CONTROLS`.
const JAVASCRIPT_KEYS: &[&str] = &["js_tooltip", "js_onclick_href", "js_data_mutator"];

/// What the address asks for.
#[derive(Debug, Clone, Default)]
pub struct ExploreRequest {
    /// Key of a permalink.
    pub permalink_key: Option<String>,
    /// Key of form data that was put away.
    pub form_data_key: Option<String>,
    /// Dataset.
    pub datasource_id: Option<i64>,
    /// `table`, `query`, …
    pub datasource_type: Option<String>,
    /// Chart.
    pub slice_id: Option<i64>,
    /// `form_data` argument: JSON text over everything.
    pub form_data: Option<String>,
    /// All arguments, which become `url_params`.
    pub args: Vec<(String, String)>,
}

/// The answer.
#[derive(Debug, Clone)]
pub enum ExploreAnswer {
    /// `{dataset, form_data, slice, message, metadata}`.
    Page(Value),
    /// The dataset has a page of its own.
    Redirect(String),
}

/// Assembles dataset, form data and chart.
pub async fn get(caller: &Caller, mut ask: ExploreRequest) -> Result<ExploreAnswer> {
    let db = caller.app.db.exec();
    let (form, message) = initial_form_data(caller, &ask).await?;
    let (mut form, chart) = with_chart(&caller.app, form, &ask).await?;
    let datasource = datasource_of(&form, &mut ask)?;
    let described = match datasource {
        Some(id) if ask.datasource_type.as_deref() == Some("table") => describe::load_one(db, id).await?,
        _ => None,
    };
    let query = match datasource {
        Some(id) if ask.datasource_type.as_deref() == Some("query") => queries::find(db, id).await?,
        // the original cannot show a saved query
        Some(id) if ask.datasource_type.as_deref() == Some("saved_query") => {
            if rows::exists(db, "saved_query", id).await? {
                return Err(Error::message(500, "Fatal error"));
            }
            None
        }
        _ => None,
    };
    let mut source = None;
    if let Some(query) = &query {
        let database = database::find(db, query.database_id).await?.ok_or_else(Error::not_found)?;
        query_run::raise_for_past(caller, query, &database).await?;
        source = Some(sql_lab::source::data(query, &database));
    }
    if let Some(described) = &described {
        objects::raise_for_dataset(caller, &described.dataset, None).await?;
    } else if let Some(chart) = &chart
        && !objects::can_access_chart(caller, chart).await?
    {
        // the original shows a chart without dataset to everybody
        return Err(Error::message(404, "Chart not found."));
    }
    if !form.get("viz_type").is_some_and(truthy)
        && let Some(described) = &described
        && let Some(endpoint) = described.dataset.default_endpoint.as_deref().filter(|e| !e.is_empty())
    {
        return Ok(ExploreAnswer::Redirect(endpoint.to_owned()));
    }
    let kind = ask.datasource_type.as_deref().unwrap_or("table");
    let id = datasource.map_or_else(|| "None".to_owned(), |id| id.to_string());
    form.insert("datasource".into(), json!(format!("{id}__{kind}")));
    merge::convert_legacy_filters(&mut form);
    merge::merge_extra_filters(&mut form);
    merge::merge_request_params(&mut form, &ask.args);

    let dataset =
        described.as_ref().map(|d| Value::Object(d.data(&caller.app.config))).or(source).unwrap_or_else(
            || {
                json!({
                    "type": kind, "name": "[Missing Dataset]", "columns": [], "metrics": [],
                    "database": {"id": 0, "backend": "", "parameters": {}},
                })
            },
        );
    let (slice, metadata) = match &chart {
        Some(chart) => (json!(chart_describe::data(db, chart).await?), metadata(&caller.app, chart).await?),
        None => (Value::Null, Value::Null),
    };
    Ok(ExploreAnswer::Page(json!({
        "dataset": dataset,
        "form_data": form,
        "slice": slice,
        "message": message,
        "metadata": metadata,
    })))
}

async fn initial_form_data(
    caller: &Caller,
    ask: &ExploreRequest,
) -> Result<(Map<String, Value>, Option<&'static str>)> {
    let mut form = Map::new();
    if let Some(key) = &ask.permalink_key {
        form = permalink_form_data(caller, key).await?;
    } else if let Some(key) = ask.form_data_key.as_deref().filter(|k| !k.is_empty()) {
        let text = stored::get(caller, key).await?.unwrap_or_default();
        form = serde_json::from_str(&text).unwrap_or_default();
    }
    let lost = ask.form_data_key.as_deref().is_some_and(|k| !k.is_empty());
    if !form.is_empty() {
        return Ok((form, None));
    }
    if let Some(id) = ask.slice_id.filter(|id| *id != 0) {
        form.insert("slice_id".into(), json!(id));
        Ok((form, lost.then_some("Form data not found in cache, reverting to chart metadata.")))
    } else if let Some(id) = ask.datasource_id.filter(|id| *id != 0) {
        let kind = ask.datasource_type.as_deref().unwrap_or("None");
        form.insert("datasource".into(), json!(format!("{id}__{kind}")));
        Ok((form, lost.then_some("Form data not found in cache, reverting to dataset metadata.")))
    } else {
        Ok((form, None))
    }
}

/// The form data of a permalink, for whoever may use its dataset and chart.
async fn permalink_form_data(caller: &Caller, key: &str) -> Result<Map<String, Value>> {
    if Permalink::Explore.id(&caller.app, key).await?.is_none() {
        return Err(Error::message(404, "Invalid permalink key"));
    }
    let value = get_permalink(caller, key).await?;
    // the original has no text for a link that leads nowhere
    let value = value.ok_or_else(|| Error::message(404, ""))?;
    let mut form = value.pointer("/state/formData").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(params) =
        value.pointer("/state/urlParams").and_then(Value::as_array).filter(|p| !p.is_empty())
    {
        let pair = |p: &Value| Some((p.get(0)?.as_str()?.to_owned(), p.get(1)?.clone()));
        form.insert("url_params".into(), Value::Object(params.iter().filter_map(pair).collect()));
    }
    Ok(form)
}

/// The stored value of a permalink, for whoever may use its dataset and chart.
pub async fn get_permalink(caller: &Caller, key: &str) -> Result<Option<Value>> {
    let Some(value) = Permalink::Explore.get(&caller.app, key).await? else { return Ok(None) };
    let id = |key: &str| value.get(key).and_then(Value::as_i64);
    let datasource = id("datasourceId").or_else(|| id("datasetId")).unwrap_or_default();
    let kind = value.get("datasourceType").and_then(Value::as_str).unwrap_or("table");
    let checked = access::check(caller, kind, datasource, id("chartId")).await;
    checked.map_err(access::Denied::into_error)?;
    Ok(Some(value))
}

/// `get_form_data(use_slice_data=True)`: the address' form data over the given, over the chart's own.
async fn with_chart(
    app: &Services,
    mut form: Map<String, Value>,
    ask: &ExploreRequest,
) -> Result<(Map<String, Value>, Option<Chart>)> {
    if let Some(text) = &ask.form_data
        && let Ok(Value::Object(over)) = serde_json::from_str(text)
    {
        form.extend(over);
    }
    if !app.config.flag("ENABLE_JAVASCRIPT_CONTROLS") {
        form.retain(|key, _| !JAVASCRIPT_KEYS.contains(&key.as_str()));
    }
    let id = form.get("slice_id").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    let id = id.filter(|id| *id != 0).or(ask.slice_id);
    let chart = match id {
        Some(id) => chart::find(app.db.exec(), id).await?,
        None => None,
    };
    if let Some(chart) = &chart {
        let mut base = chart_form_data(chart);
        base.extend(form);
        form = base;
    }
    update_time_range(&mut form);
    Ok((form, chart))
}

/// `get_datasource_info`: what the form data says, else what was asked for.
fn datasource_of(form: &Map<String, Value>, ask: &mut ExploreRequest) -> Result<Option<i64>> {
    let text = form.get("datasource").and_then(Value::as_str).unwrap_or_default();
    let mut id = ask.datasource_id.filter(|id| *id != 0);
    if text.contains("__") {
        let parts: Vec<&str> = text.split("__").collect();
        let [left, right] = parts.as_slice() else {
            return Err(Error::bad_request("too many values to unpack (expected 2)"));
        };
        ask.datasource_type = Some((*right).to_owned());
        id = match *left {
            "None" | "" => None,
            number => {
                let parsed = number.trim().parse::<i64>().map_err(|_| {
                    Error::bad_request(format!(
                        "invalid literal for int() with base 10: {}",
                        query::python::repr_str(number)
                    ))
                })?;
                Some(parsed)
            }
        };
    }
    if id.is_none() {
        ask.datasource_type = Some("table".to_owned());
    }
    Ok(id)
}

async fn metadata(app: &Services, chart: &Chart) -> Result<Value> {
    let db = app.db.exec();
    let owners = person::owners(db, Owned::Chart, &[chart.id]).await?.remove(&chart.id).unwrap_or_default();
    let ids: Vec<i64> = [chart.created_by_fk, chart.changed_by_fk].into_iter().flatten().collect();
    let people = person::find_many(db, &ids).await?;
    let now = clock::now();
    let words = |t: Option<chrono::NaiveDateTime>| t.map(|t| clock::naturaltime(t, now)).unwrap_or_default();
    let dashboards = chart::dashboards(db, chart.id).await?;
    let dashboards = dashboards.into_iter().map(|(id, title, _)| json!({"id": id, "dashboard_title": title}));
    let mut out = Map::from_iter([
        ("created_on_humanized".to_owned(), json!(words(chart.created_on))),
        ("changed_on_humanized".to_owned(), json!(words(chart.changed_on))),
        ("owners".to_owned(), owners.iter().map(|o| json!(o.full_name())).collect()),
        ("dashboards".to_owned(), dashboards.collect()),
    ]);
    for (key, id) in [("created_by", chart.created_by_fk), ("changed_by", chart.changed_by_fk)] {
        if let Some(person) = id.and_then(|id| people.get(&id)) {
            out.insert(key.to_owned(), json!(person.full_name()));
        }
    }
    Ok(Value::Object(out))
}
