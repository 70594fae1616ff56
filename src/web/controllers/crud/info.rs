//! `GET /_info`: fields, filters, permissions.

use daos::filter;
use infra::{Error, rison::schema};
use serde_json::{Map, Value, json};

use super::{Field, FieldKind, Resource, columns::prettify_column, resource::respond};
use crate::{Cx, Handled};

/// What clients see as the description of every field: the English catalogue's header.
const CATALOGUE_HEADER: &str = "Project-Id-Version: PROJECT VERSION\nReport-Msgid-Bugs-To: EMAIL@ADDRESS\n\
    POT-Creation-Date: 2025-04-29 12:34+0330\nPO-Revision-Date: 2016-05-02 08:49-0700\n\
    Last-Translator: FULL NAME <EMAIL@ADDRESS>\nLanguage: en\nLanguage-Team: en <LL@li.org>\n\
    Plural-Forms: nplurals=2; plural=(n != 1);\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: 8bit\nGenerated-By: Babel 2.17.0\n";

pub(super) async fn info(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = answer(resource, &cx);
    resource.map_failure(answer)
}

fn answer(resource: &'static Resource, cx: &Cx) -> Handled {
    let args = resource.arguments(cx, &schema::INFO)?;
    let keys: Vec<&str> =
        args.get("keys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = |key: &str| keys.is_empty() || keys.contains(&key);
    let mut payload = Map::new();
    if wanted("permissions") {
        let granted: Vec<&str> = resource
            .permissions
            .iter()
            .copied()
            .filter(|permission| cx.caller.user.can_access(permission, resource.permission))
            .collect();
        payload.insert("permissions".into(), json!(granted));
    }
    for (key, fields) in [("add_columns", resource.add_fields), ("edit_columns", resource.edit_fields)] {
        if wanted(key) {
            payload.insert(key.into(), fields_info(resource, fields)?);
        }
    }
    if wanted("filters") {
        payload.insert("filters".into(), filters(resource));
    }
    for (key, verb) in [("add_title", "Add"), ("edit_title", "Edit")] {
        if wanted(key) {
            payload.insert(key.into(), resource.title(verb).into());
        }
    }
    Ok(respond(200, payload))
}

fn fields_info(resource: &Resource, fields: &[Field]) -> infra::Result<Value> {
    let mut out = Vec::new();
    for field in fields {
        let kind = match field.kind {
            FieldKind::String => "String",
            FieldKind::Integer => "Integer",
            FieldKind::Boolean => "Boolean",
            FieldKind::List | FieldKind::Texts | FieldKind::Values => "List",
            FieldKind::Uuid => "UUID",
            FieldKind::DateTime => "DateTime",
            FieldKind::Other(name) => name,
            // the API names a column that its schema lacks: KeyError
            FieldKind::Missing => {
                return Err(Error::Legacy { status: 500, error: format!("'{}'", field.name) });
            }
        };
        let own =
            resource.labels.iter().find(|(n, _)| *n == field.name).map(|(_, label)| (*label).to_owned());
        let labelled = resource.table.column(field.name).is_some()
            || resource.table.relation(field.name).is_some()
            || resource.list_columns.contains(&field.name)
            || resource.show_columns.contains(&field.name);
        let label = own.unwrap_or_else(|| if labelled { prettify_column(field.name) } else { String::new() });
        let mut entry = json!({
            "name": field.name,
            "label": label,
            // `gettext("")` is the header of the message catalogue
            "description": CATALOGUE_HEADER,
            "type": kind,
            "required": field.required,
            "unique": field.unique,
        });
        if !field.validate.is_empty() {
            entry["validate"] = field.validate.iter().map(|v| validator(v)).collect();
        }
        out.push(entry);
    }
    Ok(Value::Array(out))
}

fn filters(resource: &Resource) -> Value {
    let mut out = Map::new();
    for column in resource.search_columns {
        let mut operators: Vec<Value> = filter::operators(resource.table, column)
            .iter()
            .map(|o| json!({"name": o.name, "operator": o.code}))
            .collect();
        if operators.is_empty() {
            continue;
        }
        let custom = resource.filters.iter().filter(|f| f.column == *column);
        operators.extend(custom.map(|f| json!({"name": f.name, "operator": f.operator})));
        out.insert((*column).to_owned(), operators.into());
    }
    Value::Object(out)
}

/// Stands for the validator of time zones, whose choices are known at run time only.
pub const TIME_ZONES: &str = "<OneOf(choices=all time zones)>";

fn validator(text: &str) -> String {
    if text != TIME_ZONES {
        return text.to_owned();
    }
    let names: Vec<String> = infra::timezone::names().iter().map(|name| format!("'{name}'")).collect();
    let choices = names.join(", ");
    format!("<OneOf(choices=({choices}), labels=[], error='Must be one of: {{choices}}.')>")
}
