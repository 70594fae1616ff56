//! The settings of a chart from the parts of a request (`superset.views.utils:get_form_data`).

use daos::chart;
use infra::{
    Error, Result,
    error::{ErrorType, SupersetError},
};
use query::{
    form_data::{FormData, REJECTED_KEYS, truthy, update_time_range},
    python::{repr, repr_str},
};
use serde_json::Value;

use crate::{Services, chart::form_data::form_data};

/// Where a request may carry form data.
#[derive(Debug, Default, Clone, Copy)]
pub struct Sources<'a> {
    /// The JSON body.
    pub json: Option<&'a Value>,
    /// The form field `form_data`.
    pub field: Option<&'a str>,
    /// The query argument `form_data`.
    pub argument: Option<&'a str>,
}

/// With these keys alone the request means a stored chart.
const OF_STORED_CHART: [&str; 4] = ["slice_id", "extra_filters", "adhoc_filters", "viz_type"];

/// Later sources override earlier ones; the stored chart fills in what a request about it leaves out.
pub async fn read_form_data(app: &Services, sources: Sources<'_>) -> Result<FormData> {
    let mut merged = FormData::new();
    let first_query = |body: &Value| body.get("queries")?.get(0)?.as_object().cloned();
    merged.extend(sources.json.and_then(first_query).unwrap_or_default());
    if let Some(field) = object(sources.field) {
        let queries = field.get("queries").and_then(Value::as_array);
        let first = queries.map(|list| list.first().and_then(Value::as_object).cloned().unwrap_or_default());
        merged.extend(first.unwrap_or(field));
    }
    merged.extend(object(sources.argument).unwrap_or_default());
    merged.retain(|key, _| !REJECTED_KEYS.contains(&key.as_str()));
    let about_chart = merged.keys().all(|key| OF_STORED_CHART.contains(&key.as_str()));
    if about_chart
        && let Some(id) = merged.get("slice_id").filter(|id| truthy(Some(id))).and_then(infra::json::id)
        && let Some(chart) = chart::find(app.db.exec(), id).await?
    {
        let mut stored = form_data(&chart);
        stored.extend(merged);
        merged = stored;
    }
    update_time_range(&mut merged);
    Ok(merged)
}

/// Text that is no JSON object says nothing.
fn object(text: Option<&str>) -> Option<FormData> {
    match serde_json::from_str(text?) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Id and type of the dataset, from `<id>__<type>` or else from the path (`get_datasource_info`).
pub(super) fn datasource(form_data: &FormData, path: Option<(&str, i64)>) -> Result<(i64, String)> {
    let unexpected = |error: String| Error::Legacy { status: 500, error };
    let named = match form_data.get("datasource") {
        None => "",
        Some(Value::String(named)) => named,
        Some(Value::Null) => return Err(unexpected("argument of type 'NoneType' is not iterable".into())),
        Some(other) => return Err(unexpected(format!("not a datasource: {}", repr(other)))),
    };
    if named.contains("__") {
        let parts: Vec<&str> = named.split("__").collect();
        let [id, type_] = parts.as_slice() else {
            return Err(unexpected("too many values to unpack (expected 2)".into()));
        };
        if !matches!(*id, "" | "None") {
            let bad = || unexpected(format!("invalid literal for int() with base 10: {}", repr_str(id)));
            return Ok((id.trim().parse().map_err(|_| bad())?, (*type_).to_owned()));
        }
    } else if let Some((type_, id)) = path.filter(|(_, id)| *id != 0) {
        return Ok((id, type_.to_owned()));
    }
    let message = "The dataset associated with this chart no longer exists";
    Err(Error::sip40(403, SupersetError::new(ErrorType::FailedFetchingDatasourceInfoError, message)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn datasource_of(value: Value, path: Option<(&str, i64)>) -> Result<(i64, String), u16> {
        datasource(value.as_object().unwrap(), path).map_err(|e| e.status())
    }

    #[test]
    fn form_data_name_the_dataset_before_the_path_does() {
        assert_eq!(
            datasource_of(json!({"datasource": "7__table"}), Some(("table", 2))),
            Ok((7, "table".into()))
        );
        assert_eq!(datasource_of(json!({}), Some(("table", 2))), Ok((2, "table".into())));
    }

    #[test]
    fn a_lost_dataset_is_told() {
        assert_eq!(datasource_of(json!({}), None), Err(403));
        assert_eq!(datasource_of(json!({"datasource": "None__table"}), Some(("table", 2))), Err(403));
        assert_eq!(datasource_of(json!({"datasource": "x__table"}), None), Err(500));
        assert_eq!(datasource_of(json!({"datasource": "1__table__x"}), None), Err(500));
    }
}
