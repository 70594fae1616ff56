//! Conditions that several resources offer as filters of their own.

use daos::condition;
pub use infra::json::truthy;
use infra::{Result, db::Sql};
use serde_json::Value;

use super::FilterCx;

/// Any of the columns contains the value; an empty one does not restrict.
pub fn all_text(cx: &FilterCx, columns: &[&'static str], value: &Value) -> Option<Sql> {
    Some(condition::any_contains(cx.dialect, columns, &python_str(value)?))
}

/// `BaseFavoriteFilter`: favoured by the caller, or not.
pub fn favorite(
    cx: &FilterCx,
    table: &'static str,
    class_name: &'static str,
    value: &Value,
) -> Result<Option<Sql>> {
    Ok(Some(condition::is_starred(table, class_name, cx.caller.user.user_id(), truthy(value))))
}

/// `BaseTagNameFilter`: a tag's name contains the value.
pub fn tagged_as(
    cx: &FilterCx,
    table: &'static str,
    object_type: &'static str,
    value: &Value,
) -> Result<Option<Sql>> {
    let text =
        python_str(value).unwrap_or_else(|| if value.is_string() { String::new() } else { "False".into() });
    Ok(Some(condition::has_tag_like(cx.dialect, table, object_type, &text)))
}

/// `BaseTagIdFilter`: tagged with a tag.
pub fn tagged_with(
    _: &FilterCx,
    table: &'static str,
    object_type: &'static str,
    value: &Value,
) -> Result<Option<Sql>> {
    let id = crate::schemas::validate::integer(value).filter(|id| i32::try_from(*id).is_ok()).unwrap_or(-1);
    Ok(Some(condition::has_tag(table, object_type, id)))
}

/// `IS NOT NULL` for true, `IS NULL` for false; other values do not restrict.
pub fn present(column: &'static str, value: &Value) -> Result<Option<Sql>> {
    Ok(value.as_bool().map(|yes| condition::is_present(column, yes)))
}

/// Created or changed by the caller.
pub fn made_by_caller(cx: &FilterCx, table: &'static str) -> Result<Option<Sql>> {
    Ok(Some(condition::is_touched_by(table, cx.caller.user.user_id())))
}

/// `f"{value}"` of a value that is true.
pub fn python_str(value: &Value) -> Option<String> {
    truthy(value).then(|| match value {
        Value::String(s) => s.clone(),
        other => infra::python::json_repr(other),
    })
}
