//! Conditions that several resources offer as filters of their own.

pub use infra::json::truthy;
use infra::{Result, db::Sql};
use serde_json::Value;

use super::FilterCx;

/// Any of the columns contains the value; an empty one does not restrict.
pub fn all_text(cx: &FilterCx, columns: &[&str], value: &Value) -> Option<Sql> {
    let text = python_str(value)?;
    let pattern = format!("%{text}%");
    let mut sql = Sql::default();
    sql.push_joined(columns.iter().map(|c| cx.dialect.ilike(Sql::new(*c), &pattern, false)), " OR ");
    Some(sql)
}

/// `BaseFavoriteFilter`: favoured by the caller, or not.
pub fn favorite(cx: &FilterCx, table: &str, class_name: &str, value: &Value) -> Result<Option<Sql>> {
    let mut sql = Sql::new(format!("{table}.id {}IN ", if truthy(value) { "" } else { "NOT " }));
    sql.push("(SELECT obj_id FROM favstar WHERE user_id = ").push_bind(cx.user.user_id());
    sql.push(" AND class_name = ").push_bind(class_name).push(")");
    Ok(Some(sql))
}

/// `BaseTagNameFilter`: a tag's name contains the value.
pub fn tagged_as(cx: &FilterCx, table: &str, object_type: &str, value: &Value) -> Result<Option<Sql>> {
    let text =
        python_str(value).unwrap_or_else(|| if value.is_string() { String::new() } else { "False".into() });
    let mut sql = tagged(table, object_type);
    sql.append(cx.dialect.ilike(Sql::new("tag.name"), &format!("%{text}%"), false)).push(")");
    Ok(Some(sql))
}

/// `BaseTagIdFilter`: tagged with a tag.
pub fn tagged_with(_: &FilterCx, table: &str, object_type: &str, value: &Value) -> Result<Option<Sql>> {
    let id = super::validate::integer(value).filter(|id| i32::try_from(*id).is_ok()).unwrap_or(-1);
    let mut sql = tagged(table, object_type);
    sql.push("tag.id = ").push_bind(id).push(")");
    Ok(Some(sql))
}

fn tagged(table: &str, object_type: &str) -> Sql {
    let mut sql = Sql::new(format!(
        "{table}.id IN (SELECT tagged_object.object_id FROM tagged_object JOIN tag ON tag.id = tagged_object.tag_id \
         WHERE tagged_object.object_type = "
    ));
    sql.push_bind(object_type).push(" AND ");
    sql
}

/// `IS NOT NULL` for true, `IS NULL` for false; other values do not restrict.
pub fn present(column: &str, value: &Value) -> Result<Option<Sql>> {
    Ok(value.as_bool().map(|yes| Sql::new(format!("{column} IS {}NULL", if yes { "NOT " } else { "" }))))
}

/// Created or changed by the caller.
pub fn made_by_caller(cx: &FilterCx, table: &str) -> Result<Option<Sql>> {
    let id = cx.user.user_id();
    let mut sql = Sql::new(format!("{table}.created_by_fk = "));
    sql.push_bind(id).push(&format!(" OR {table}.changed_by_fk = ")).push_bind(id);
    Ok(Some(sql))
}

/// `f"{value}"` of a value that is true.
fn python_str(value: &Value) -> Option<String> {
    truthy(value).then(|| match value {
        Value::String(s) => s.clone(),
        other => infra::python::json_repr(other),
    })
}
