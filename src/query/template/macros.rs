//! Superset's functions in templates (`ExtraCache`, `dataset_macro`, `metric_macro`, the partitions of Presto) and
//! Jinja's own.

use chrono::NaiveDateTime;
use infra::config::python::Input;
use serde_json::Value;

use super::error::{Fault, Rendered};
use super::eval::{Call, Interpreter};
use super::filters::json_text;
use super::value::Val;
use super::{DatasetRequest, Inner};
use crate::{
    engine::Dialect,
    form_data::{convert_legacy_filters_into_adhoc, merge_extra_filters, truthy},
    time_range::{NO_TIME_RANGE, SinceUntil, get_since_until},
};

/// Functions that are always there.
pub(super) const FUNCTIONS: [&str; 15] = [
    "url_param",
    "current_user_id",
    "current_username",
    "current_user_email",
    "current_user_roles",
    "current_user_rls_rules",
    "cache_key_wrapper",
    "filter_values",
    "get_filters",
    "dataset",
    "get_time_filter",
    "metric",
    "range",
    "dict",
    "namespace",
];

/// Longest `range`.
const MAX_RANGE: i64 = 100_000;

/// Calls a function by its name.
pub(super) fn call(it: &mut Interpreter<'_>, name: &str, call: &Call) -> Rendered<Val> {
    let inner = it.inner;
    match name {
        "range" => range(it, call),
        "dict" | "namespace" => {
            let mut pairs: Vec<(Val, Val)> = match call.positional.first() {
                Some(Val::Dict(map)) => map.borrow().values().cloned().collect(),
                _ => Vec::new(),
            };
            pairs.extend(call.named.iter().map(|(k, v)| (Val::from(k.as_str()), v.clone())));
            it.charge(pairs.len().saturating_mul(16))?;
            match (name, Val::dict(pairs)) {
                ("namespace", Val::Dict(map)) => Ok(Val::Namespace(map)),
                (_, map) => Ok(map),
            }
        }
        "url_param" => Ok(url_param(inner, call)),
        "current_user_id" | "current_username" | "current_user_email" => {
            let user = inner.context.user.as_ref();
            let value: Value = match name {
                "current_user_id" => user.map(|u| u.id).into(),
                "current_username" => user.map(|u| u.username.clone()).into(),
                _ => user.map(|u| u.email.clone()).into(),
            };
            if !truthy(Some(&value)) {
                return Ok(Val::None);
            }
            if call.truth(0, "add_to_cache_keys", true) {
                inner.cache_key(value.clone());
            }
            Ok(Val::from_json(&value))
        }
        "current_user_roles" => {
            let mut roles = inner.context.roles.clone();
            roles.sort();
            Ok(listed(inner, &roles, call.truth(0, "add_to_cache_keys", true)))
        }
        "current_user_rls_rules" => {
            let mut rules = inner.context.rls_clauses.clone();
            rules.sort();
            Ok(listed(inner, &rules, true))
        }
        "cache_key_wrapper" => {
            let key = call.required(0, "key", name)?;
            inner.cache_key(key.to_json());
            Ok(key.clone())
        }
        "get_filters" => filters(inner, call).map(|found| Val::from_json(&Value::Array(found))),
        "filter_values" => {
            let mut values = Vec::new();
            for filter in filters(
                inner,
                &Call {
                    positional: call.positional.first().cloned().into_iter().collect(),
                    named: remove_filter(call),
                },
            )? {
                match filter.get("val") {
                    Some(Value::Array(list)) => values.extend(list.iter().map(Val::from_json)),
                    Some(value) if truthy(Some(value)) => values.push(Val::from_json(value)),
                    _ => {}
                }
            }
            if values.is_empty() {
                values.extend(call.get(1, "default").filter(|d| d.truth()).cloned());
            }
            it.items(values)
        }
        "get_time_filter" => time_filter(inner, call),
        "dataset" => dataset(inner, call),
        "metric" => metric(it, call),
        "latest_partition" | "first_latest_partition" | "latest_partitions" | "latest_sub_partition" => {
            partitions(inner, name, call)
        }
        other => addon(it, other, call),
    }
}

/// A function of `JINJA_CONTEXT_ADDONS`. What it says decides about the answer, which may depend on who asks: it is
/// part of the cache key, as the original's documentation asks of such functions.
fn addon(it: &mut Interpreter<'_>, name: &str, call: &Call) -> Rendered<Val> {
    let inner = it.inner;
    let addons = &inner.context.addons;
    let Some((_, function)) = addons.functions.iter().find(|(known, _)| *known == name) else {
        return Err(Fault::Template(format!("'{name}' is undefined")));
    };
    let positional = call.positional.iter().map(|v| Input::Data(v.to_json())).collect();
    let named = call.named.iter().map(|(k, v)| (k.as_str(), Input::Data(v.to_json()))).collect();
    match function.call(positional, named, &addons.caller) {
        Ok(value) => {
            it.charge(value.to_string().len())?;
            inner.cache_key(value.clone());
            Ok(Val::from_json(&value))
        }
        Err(error) => {
            let why = error.exception.map(|e| format!(": {}", e.0)).unwrap_or_default();
            Err(Fault::other(format!("The function {name} of the configuration failed{why}")))
        }
    }
}

/// `filter_values(column, default, remove_filter)` hands its third argument on as the second of `get_filters`.
fn remove_filter(call: &Call) -> Vec<(String, Val)> {
    let mut named: Vec<(String, Val)> = call.named.iter().filter(|(n, _)| n == "column").cloned().collect();
    named.extend(call.get(2, "remove_filter").map(|v| ("remove_filter".to_owned(), v.clone())));
    named
}

fn range(it: &mut Interpreter<'_>, call: &Call) -> Rendered<Val> {
    let int = |at| call.int(at, "");
    let (start, stop) = match (int(0), int(1)) {
        (Some(start), Some(stop)) => (start, stop),
        (Some(stop), None) => (0, stop),
        _ => return Err(Fault::other("range expected at least 1 argument")),
    };
    let step = int(2).unwrap_or(1);
    let length = if step == 0 { None } else { stop.checked_sub(start).map(|d| d / step) };
    if length.is_none_or(|l| l > MAX_RANGE) {
        return Err(Fault::other(format!(
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."
        )));
    }
    let mut items = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        items.push(Val::Int(at));
        at = at.saturating_add(step);
    }
    it.items(items)
}

/// Names as a list, or nothing if there are none; they become part of the cache key as one text.
fn listed(inner: &Inner, names: &[String], add_to_cache_keys: bool) -> Val {
    if names.is_empty() {
        return Val::None;
    }
    if add_to_cache_keys {
        inner.cache_key(json_text(&names.into()).into());
    }
    Val::list(names.iter().map(|n| Val::from(n.as_str())).collect())
}

fn url_param(inner: &Inner, call: &Call) -> Val {
    let name = call.text(0, "param").unwrap_or_default();
    let argument = inner.context.url_args.iter().find(|(key, value)| *key == name && !value.is_empty());
    if let Some((_, value)) = argument {
        // A parameter of the request itself is neither escaped nor part of the cache key in the original. That mixes up
        // the answers of different requests, so that it is a key here; and it is escaped like the others.
        let value = escaped(inner, value, call);
        inner.cache_key(value.clone().into());
        return Val::from(value);
    }
    let stored = inner.context.form_data.get("url_params").and_then(|params| params.get(&name)).cloned();
    let result = match stored {
        Some(Value::String(text)) if !text.is_empty() => escaped(inner, &text, call).into(),
        Some(value) => value,
        None => match call.get(1, "default").map(Val::to_json) {
            Some(Value::String(text)) if !text.is_empty() => escaped(inner, &text, call).into(),
            other => other.unwrap_or(Value::Null),
        },
    };
    if call.truth(2, "add_to_cache_keys", true) {
        inner.cache_key(result.clone());
    }
    Val::from_json(&result)
}

/// The inside of a literal.
fn escaped(inner: &Inner, text: &str, call: &Call) -> String {
    if !call.truth(3, "escape_result", true) {
        return text.to_owned();
    }
    let literal = Dialect::for_engine(inner.context.engine).string_literal(text);
    literal.get(1..literal.len().saturating_sub(1)).unwrap_or("").to_owned()
}

/// A value as a literal of the dialect.
pub(super) fn literal(inner: &Inner, value: &Val) -> Rendered<String> {
    let dialect = Dialect::for_engine(inner.context.engine);
    Ok(match value {
        Val::Str(text) => dialect.string_literal(text),
        Val::Int(_) | Val::Float(_) => value.text(),
        Val::Bool(b) => dialect.boolean(*b).to_owned(),
        Val::None => "NULL".to_owned(),
        Val::DateTime(_) => dialect.string_literal(&value.text()),
        other => return Err(Fault::other(format!("Don't know how to literal-quote value {}", other.repr()))),
    })
}

fn merged_adhoc_filters(inner: &Inner) -> (Vec<Value>, Option<String>) {
    let mut form_data = inner.context.form_data.clone();
    convert_legacy_filters_into_adhoc(&mut form_data);
    merge_extra_filters(&mut form_data);
    let range = form_data.get("time_range").and_then(Value::as_str).map(str::to_owned);
    match form_data.shift_remove("adhoc_filters") {
        Some(Value::Array(filters)) => (filters, range),
        _ => (Vec::new(), range),
    }
}

/// The filters on a column (`get_filters`).
fn filters(inner: &Inner, call: &Call) -> Rendered<Vec<Value>> {
    let column = call.required(0, "column", "get_filters")?.text();
    let remove = call.truth(1, "remove_filter", false);
    let mut found = Vec::new();
    for filter in merged_adhoc_filters(inner).0 {
        let text = |key: &str| filter.get(key).and_then(Value::as_str);
        let operator = text("operator").map(str::to_uppercase);
        let value = filter.get("comparator").cloned().unwrap_or(Value::Null);
        let nullary = matches!(operator.as_deref(), Some("IS NULL" | "IS NOT NULL"));
        if text("expressionType") != Some("SIMPLE")
            || text("clause") != Some("WHERE")
            || text("subject") != Some(&column)
            || !(nullary || truthy(Some(&value)))
        {
            continue;
        }
        inner.filter_used(&column, remove);
        let list = matches!(operator.as_deref(), Some("IN" | "NOT IN")) && !value.is_array();
        let value = if list { Value::Array(vec![value]) } else { value };
        found.push(serde_json::json!({"op": operator, "col": column, "val": value}));
    }
    Ok(found)
}

/// The time filter on a column, or of the dashboard (`get_time_filter`).
fn time_filter(inner: &Inner, call: &Call) -> Rendered<Val> {
    let column = call.text(0, "column").filter(|c| !c.is_empty());
    let mut target_type = call.text(2, "target_type").filter(|t| !t.is_empty());
    let format = call.text(3, "strftime").filter(|f| !f.is_empty());
    let (filters, mut range) = merged_adhoc_filters(inner);
    if let Some(column) = &column {
        let text = |filter: &Value, key: &str| filter.get(key).and_then(Value::as_str).map(str::to_owned);
        let filter = filters.iter().find(|f| {
            text(f, "operator").as_deref() == Some("TEMPORAL_RANGE")
                && text(f, "subject").as_ref() == Some(column)
        });
        if let Some(filter) = filter {
            inner.filter_used(column, call.truth(4, "remove_filter", false));
            range = text(filter, "comparator");
            target_type = target_type.or_else(|| inner.context.column_types.get(column).cloned());
        }
    }
    let mut range = range.filter(|r| !r.is_empty()).unwrap_or_else(|| NO_TIME_RANGE.to_owned());
    if range == NO_TIME_RANGE
        && let Some(default) = call.text(1, "default").filter(|d| !d.is_empty())
    {
        range = default;
    }
    let spec = SinceUntil {
        relative_start: Some(&inner.context.relative_start),
        relative_end: Some(&inner.context.relative_end),
        ..SinceUntil::new(Some(&range), inner.context.now)
    };
    let (from, to) = get_since_until(&spec).map_err(|error| Fault::other(error.to_string()))?;
    let shown = |t: Option<NaiveDateTime>| -> Rendered<Val> {
        Ok(match (t, &format) {
            (None, _) => Val::None,
            (Some(t), Some(format)) => Val::from(super::methods::strftime(t, format)?),
            (Some(t), None) => inner
                .context
                .engine
                .time_literal(target_type.as_deref().unwrap_or(""), t)
                .map_or(Val::None, Val::from),
        })
    };
    let members =
        vec![("from_expr", shown(from)?), ("to_expr", shown(to)?), ("time_range", Val::from(range))];
    Ok(Val::Object(std::rc::Rc::new(members)))
}

fn dataset(inner: &Inner, call: &Call) -> Rendered<Val> {
    let id =
        call.required(0, "dataset_id", "dataset")?.int().ok_or_else(|| Fault::other("Dataset not found!"))?;
    let columns = match call.get(2, "columns").map(Val::iterate) {
        Some(columns) => columns?.iter().map(Val::text).collect(),
        None => Vec::new(),
    };
    let request = DatasetRequest { id, include_metrics: call.truth(1, "include_metrics", false), columns };
    match &inner.context.dataset_sql {
        Some(find) => {
            find(&request).map(|sql| Val::from(format!("(\n{sql}\n) AS dataset_{id}"))).map_err(Fault::Other)
        }
        None => Err(Fault::other(format!("Dataset {id} not found!"))),
    }
}

/// The expression of a saved metric, rendered in its turn.
fn metric(it: &mut Interpreter<'_>, call: &Call) -> Rendered<Val> {
    let key = call.required(0, "metric_key", "metric")?.text();
    let id = call.int(1, "dataset_id");
    let Some(find) = &it.inner.context.metric_sql else {
        return Err(Fault::other(format!(
            "Please specify the Dataset ID for the ``{key}`` metric in the Jinja macro."
        )));
    };
    let definition = find(&key, id).map_err(Fault::Other)?;
    it.string(it.inner.render_nested(&definition)?)
}

fn partitions(inner: &Inner, name: &str, call: &Call) -> Rendered<Val> {
    let table = call.required(0, "table_name", name)?.text();
    let Some(find) = &inner.context.latest_partitions else {
        return Err(Fault::Template(format!("'{name}' is undefined")));
    };
    let values = find(&table).map_err(Fault::Other)?;
    Ok(match name {
        "latest_partitions" => Val::list(values.iter().map(|v| Val::from(v.as_str())).collect()),
        _ => values.first().map_or(Val::None, |v| Val::from(v.as_str())),
    })
}
