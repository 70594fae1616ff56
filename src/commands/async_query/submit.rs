//! What can be asked in the background: data of charts (`load_chart_data_into_cache`), data of legacy charts
//! (`load_explore_json_into_cache`), and what has become of it.

use std::sync::Arc;

use infra::{Error, Result, crypto::md5_hex, json::sorted};
use query::form_data::FormData;
use serde_json::{Map, Value, json};

use super::job::{self, Outcome, message};
use crate::{Caller, Services, access::guest, chart_data::Prepared, explore_json::Explored};

/// Events of one answer (`AsyncQueryManager.MAX_EVENT_COUNT`).
const MAX_EVENTS: usize = 100;

/// Takes on a chart's query whose result the cache does not have; what is told of the job.
pub fn chart_data(caller: &Caller, channel: &str, prepared: Prepared) -> Result<Value> {
    let about = match prepared.context().slice_id() {
        Some(id) => format!("chart {id}"),
        None => format!("dataset {}", prepared.context().datasource.id),
    };
    let (app, is_guest) = (caller.app.clone(), caller.guest().is_some());
    let work = async move {
        let done = load_chart_data(&app, prepared).await;
        done.map_err(|error| vec![message(sentence(error, is_guest))])
    };
    job::begin(caller, channel, about, work)
}

async fn load_chart_data(app: &Services, prepared: Prepared) -> Result<String> {
    let prepared = prepared.without_url_args();
    let (data, timeout) = prepared.stored();
    Box::pin(prepared.run_into_cache()).await?;
    let key = keep(app, "qc-", &json!({"data": data}), timeout).await?;
    Ok(format!("/api/v1/chart/data/{key}"))
}

/// The same for the data of a legacy chart; `path` names the dataset where the form data do not.
pub fn explore_json(
    caller: &Caller,
    channel: &str,
    form_data: FormData,
    path: Option<(&str, i64)>,
    force: bool,
) -> Result<Value> {
    let about = match form_data.get("slice_id").and_then(infra::json::id) {
        Some(id) => format!("chart {id}"),
        None => "a legacy chart".to_owned(),
    };
    let asking = caller.clone();
    let path = path.map(|(type_, id)| (type_.to_owned(), id));
    let work = async move {
        let path = path.as_ref().map(|(type_, id)| (type_.as_str(), *id));
        load_explore_json(&asking, form_data, path, force).await
    };
    job::begin(caller, channel, about, work)
}

async fn load_explore_json(
    caller: &Caller,
    mut form_data: FormData,
    path: Option<(&str, i64)>,
    force: bool,
) -> Outcome {
    let failed = |error| vec![Value::String(sentence(error, caller.guest().is_some()))];
    let explored = Explored::open(caller, form_data.clone(), path, force).await.map_err(failed)?;
    let datasource = explored.datasource();
    let mut payload = Box::pin(explored.payload()).await.map_err(failed)?;
    if payload.failed {
        let errors = payload.body.get_mut("errors").map(Value::take);
        return Err(errors.and_then(|e| e.as_array().cloned()).unwrap_or_default());
    }
    if path.is_some() {
        // the stored question has no path
        form_data.insert("datasource".to_owned(), datasource.into());
    }
    let asked = json!({"form_data": form_data, "response_type": "json"});
    let app = &caller.app;
    let timeout = app.config.get("CACHE_CONFIG").get("CACHE_DEFAULT_TIMEOUT").and_then(Value::as_i64);
    let timeout = timeout.or_else(|| app.config.int("CACHE_DEFAULT_TIMEOUT")).unwrap_or(86_400);
    let key = keep(app, "ejr-", &asked, timeout).await.map_err(failed)?;
    Ok(format!("/superset/explore_json/data/{key}"))
}

/// Keeps a question under a key of its own.
async fn keep(app: &Services, prefix: &str, question: &Value, timeout: i64) -> Result<String> {
    let text = sorted(question).to_string();
    let key = format!("{prefix}{}", md5_hex(&text));
    app.cache.try_insert(key.clone(), Arc::new(question.clone()), text.len(), timeout, None).await?;
    Ok(key)
}

/// What an error says; what is our fault is logged and not told.
fn sentence(error: Error, is_guest: bool) -> String {
    let error = if is_guest { guest::error_without_sql(error) } else { error };
    match error {
        Error::Message { message: Value::String(text), .. } => text,
        Error::Message { message, .. } => message.to_string(),
        Error::Sip40 { errors, .. } => errors.into_iter().next().map(|e| e.message).unwrap_or_default(),
        Error::Legacy { error, .. } => error,
        Error::Internal(source) => {
            tracing::error!(%source, "a query in the background failed");
            "Fatal error".to_owned()
        }
    }
}

/// The events of a channel after one that the client knows (`read_events`), at most 100. 500 where Redis does not
/// understand the id.
pub async fn events(app: &Services, channel: &str, last_id: Option<&str>) -> Result<Vec<Value>> {
    app.events.note_use(channel);
    let start = last_id.filter(|id| !id.is_empty()).map_or_else(|| "-".to_owned(), incremented);
    let found = app.events.range(channel, &start, MAX_EVENTS).await?;
    let as_json = |event: infra::events::Event| {
        let members: Map<String, Value> = serde_json::from_str(&event.data).ok()?;
        let mut fields = Map::from_iter([("id".to_owned(), Value::String(event.id))]);
        fields.extend(members);
        Some(Value::Object(fields))
    };
    Ok(found.into_iter().filter_map(as_json).collect())
}

/// The bound after an id: its last digit is one more (`increment_id`), also where that is a 9.
fn incremented(id: &str) -> String {
    let mut letters = id.chars();
    match letters.next_back().and_then(|last| last.to_digit(10)) {
        Some(digit) => format!("{}{}", letters.as_str(), digit + 1),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_is_incremented() {
        let cases =
            [("1-0", "1-1"), ("1-9", "1-10"), ("1-19", "1-110"), ("5", "6"), ("abc", "abc"), ("é", "é")];
        for (id, next) in cases {
            assert_eq!(incremented(id), next);
        }
    }

    #[test]
    fn our_own_faults_are_not_told() {
        assert_eq!(sentence(Error::internal("password=secret"), false), "Fatal error");
        assert_eq!(sentence(Error::bad_request("Error: no such column"), false), "Error: no such column");
    }
}
