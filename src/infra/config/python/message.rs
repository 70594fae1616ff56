//! A mail as a function of the configuration sees it: its header fields, as `email.message.Message` has them.

use std::sync::Arc;

use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    value::{Arguments, Record, Value},
};

pub(super) const KIND: &str = "message";

pub(super) const METHODS: &[&str] =
    &["get", "get_all", "keys", "values", "items", "add_header", "replace_header"];

/// A message with these fields.
pub(super) fn made(fields: &[(String, String)]) -> Value {
    let fields = fields.iter().map(|(name, value)| field(name, Value::text(value)));
    Value::record(KIND, [("fields", Value::list(fields.collect()))])
}

fn field(name: &str, value: Value) -> Value {
    Value::Tuple([Value::text(name), value].into())
}

/// The fields as they are now, without a lock.
fn fields(record: &Record) -> Vec<(String, Value)> {
    let list = record.attributes.lock().get("fields").cloned();
    let Some(Value::List(list)) = list else { return Vec::new() };
    let list = list.lock().clone();
    let pair = |value: &Value| match value {
        Value::Tuple(parts) => Some((parts.first()?.to_text(), parts.get(1)?.clone())),
        _ => None,
    };
    list.iter().filter_map(pair).collect()
}

fn set(record: &Record, fields: Vec<(String, Value)>) {
    let fields = fields.into_iter().map(|(name, value)| field(&name, value));
    record.attributes.lock().insert("fields".to_owned(), Value::list(fields.collect()));
}

/// `message[name]`: the first field of a name, or None.
pub(super) fn item(record: &Record, name: &str) -> Value {
    let found = fields(record).into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map_or(Value::None, |(_, value)| value)
}

/// `message[name] = value`: one field more, whatever there is of that name.
pub(super) fn add(record: &Record, name: &str, value: Value) {
    let mut all = fields(record);
    all.push((name.to_owned(), value));
    set(record, all);
}

/// `del message[name]`: all of them, if there are any.
pub(super) fn delete(record: &Record, name: &str) {
    let mut all = fields(record);
    all.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    set(record, all);
}

pub(super) fn has(record: &Record, name: &str) -> bool {
    fields(record).iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
}

pub(super) fn method(
    interp: &mut Interp<'_>,
    record: &Arc<Record>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let all = fields(record);
    let given = |place: usize, name: &str| arguments.get(place, name).cloned();
    Some(Ok(match name {
        "get" => match item(record, &arguments.text(0, "name")?) {
            Value::None => given(1, "failobj").unwrap_or(Value::None),
            found => found,
        },
        "get_all" => {
            let wanted = arguments.text(0, "name")?;
            let found: Vec<Value> = all
                .into_iter()
                .filter(|(own, _)| own.eq_ignore_ascii_case(&wanted))
                .map(|(_, v)| v)
                .collect();
            if found.is_empty() { given(1, "failobj").unwrap_or(Value::None) } else { Value::list(found) }
        }
        "keys" => Value::list(all.into_iter().map(|(name, _)| Value::text(name)).collect()),
        "values" => Value::list(all.into_iter().map(|(_, value)| value).collect()),
        "items" => Value::list(all.into_iter().map(|(name, value)| field(&name, value)).collect()),
        "add_header" if arguments.named.is_empty() => {
            add(record, &arguments.text(0, "_name")?, given(1, "_value")?);
            Value::None
        }
        "replace_header" => {
            let wanted = arguments.text(0, "_name")?;
            let mut all = all;
            match all.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(&wanted)) {
                Some((_, value)) => *value = given(1, "_value")?,
                None => return Some(interp.raise(Problem::hidden("KeyError", &*wanted), at)),
            }
            set(record, all);
            Value::None
        }
        _ => return None,
    }))
}
