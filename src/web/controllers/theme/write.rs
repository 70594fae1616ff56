//! Writes of themes.

use commands::theme::{
    change::{SystemTheme, system_theme_set, theme_create, theme_delete, theme_update},
    is_valid_theme,
};
use infra::Error;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind, filters::truthy, write::ids},
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate::{json_body, load_or_400},
};

const FIELDS: &[Field] = &[
    Field::new("theme_name", FieldKind::String).required().check(theme_name),
    Field::new("json_data", FieldKind::String).required().check(json_data),
];

fn theme_name(value: &Value) -> Option<&'static str> {
    value.as_str().is_none_or(|name| name.trim().is_empty()).then_some("Theme name cannot be empty.")
}

fn json_data(value: &Value) -> Option<&'static str> {
    match serde_json::from_str::<Value>(value.as_str().unwrap_or_default()) {
        Err(_) => Some("Invalid JSON configuration"),
        Ok(theme) if !is_valid_theme(&theme) => Some("Invalid theme configuration structure"),
        Ok(_) => None,
    }
}

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let may = Access::Protect("can_write", "Theme");
    vec![
        rule(&["POST"], "/api/v1/theme/", may, create).endpoint("ThemeRestApi.post"),
        rule(&["DELETE"], "/api/v1/theme/", may, delete_many).endpoint("ThemeRestApi.bulk_delete"),
        rule(&["PUT"], "/api/v1/theme/<int:pk>", may, update).endpoint("ThemeRestApi.put"),
        rule(&["DELETE"], "/api/v1/theme/<int:pk>", may, delete).endpoint("ThemeRestApi.delete"),
        rule(&["PUT"], "/api/v1/theme/<int:pk>/set_system_default", may, set_default)
            .endpoint("ThemeRestApi.set_system_default"),
        rule(&["PUT"], "/api/v1/theme/<int:pk>/set_system_dark", may, set_dark)
            .endpoint("ThemeRestApi.set_system_dark"),
        rule(&["DELETE"], "/api/v1/theme/unset_system_default", may, unset_default)
            .endpoint("ThemeRestApi.unset_system_default"),
        rule(&["DELETE"], "/api/v1/theme/unset_system_dark", may, unset_dark)
            .endpoint("ThemeRestApi.unset_system_dark"),
    ]
}

fn body(cx: &Cx) -> Result<Value, Failure> {
    let body = json_body(cx)?;
    if truthy(&body) { Ok(body) } else { Err(Error::bad_request("Request body is required").into()) }
}

fn text<'a>(item: &'a Map<String, Value>, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

async fn create(cx: Cx) -> Handled {
    let item = load_or_400(FIELDS, &body(&cx)?)?;
    let id = theme_create(&cx.caller, text(&item, "theme_name"), text(&item, "json_data")).await?;
    Ok(Answer::fab(201, &json!({"id": id, "result": item})))
}

async fn update(cx: Cx) -> Handled {
    let mut body = body(&cx)?;
    if let Value::Object(map) = &mut body {
        map.retain(|key, _| key == "theme_name" || key == "json_data");
    }
    let item = load_or_400(FIELDS, &body)?;
    let id = cx.req.int_param("pk");
    theme_update(&cx.caller, id, text(&item, "theme_name"), text(&item, "json_data")).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": item})))
}

async fn delete(cx: Cx) -> Handled {
    theme_delete(&cx.caller.app, &[cx.req.int_param("pk")]).await?;
    Ok(Answer::fab(200, &json!({"message": "Deleted 1 theme"})))
}

async fn delete_many(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    theme_delete(&cx.caller.app, &ids).await?;
    let noun = if ids.len() == 1 { "theme" } else { "themes" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

async fn set(cx: Cx, which: SystemTheme) -> Handled {
    let id = cx.req.int_param("pk");
    system_theme_set(&cx.caller, which, Some(id)).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": "success"})))
}

async fn unset(cx: Cx, which: SystemTheme) -> Handled {
    system_theme_set(&cx.caller, which, None).await?;
    Ok(Answer::fab(200, &json!({"result": "success"})))
}

async fn set_default(cx: Cx) -> Handled {
    set(cx, SystemTheme::Default).await
}
async fn set_dark(cx: Cx) -> Handled {
    set(cx, SystemTheme::Dark).await
}
async fn unset_default(cx: Cx) -> Handled {
    unset(cx, SystemTheme::Default).await
}
async fn unset_dark(cx: Cx) -> Handled {
    unset(cx, SystemTheme::Dark).await
}
