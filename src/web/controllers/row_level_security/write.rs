//! Writes of row level security rules.

use commands::row_level_security::{RuleScope, rule_create, rule_update};
use daos::write::Values;
use infra::db::Value as Stored;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    routes::{Access, Rule, rule},
    schemas::validate::{int_list, json_body, load_or_400},
};

const POST: &[Field] = &[
    Field::new("name", FieldKind::String).required().length(1, Some(255)),
    Field::text("description"),
    Field::new("filter_type", FieldKind::String).required().check(filter_type),
    Field::new("tables", FieldKind::List).required().length(1, None),
    Field::new("roles", FieldKind::List).required(),
    Field::text("group_key"),
    Field::new("clause", FieldKind::String).required(),
];
const PUT: &[Field] = &[
    Field::new("name", FieldKind::String).length(1, Some(255)),
    Field::text("description"),
    Field::new("filter_type", FieldKind::String).check(filter_type),
    Field::new("tables", FieldKind::List),
    Field::new("roles", FieldKind::List),
    Field::text("group_key"),
    Field::new("clause", FieldKind::String),
];

fn filter_type(value: &Value) -> Option<&'static str> {
    (!matches!(value.as_str(), Some("Regular" | "Base"))).then_some("Must be one of: Regular, Base.")
}

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let may = Access::Protect("can_write", "Row Level Security");
    vec![
        rule(&["POST"], "/api/v1/rowlevelsecurity/", may, create).endpoint("RLSRestApi.post"),
        rule(&["PUT"], "/api/v1/rowlevelsecurity/<int:pk>", may, update).endpoint("RLSRestApi.put"),
    ]
}

async fn create(cx: Cx) -> Handled {
    let item = load_or_400(POST, &json_body(&cx)?)?;
    let id = rule_create(&cx.caller, columns(&item), &scope(&item)).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": item})))
}

async fn update(cx: Cx) -> Handled {
    let item = load_or_400(PUT, &json_body(&cx)?)?;
    let id = cx.req.int_param("pk");
    rule_update(&cx.caller, id, columns(&item), &scope(&item)).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": item})))
}

fn columns(item: &Map<String, Value>) -> Values {
    ["name", "description", "filter_type", "group_key", "clause"]
        .into_iter()
        .filter_map(|n| item.get(n).map(|v| (n, v.as_str().map_or(Stored::Null, Stored::from))))
        .collect()
}

fn scope(item: &Map<String, Value>) -> RuleScope {
    RuleScope { roles: int_list(item, "roles"), tables: int_list(item, "tables") }
}
