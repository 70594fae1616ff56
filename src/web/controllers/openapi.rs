//! `/api/<version>/_openapi`, the description of the REST API, and `/swagger/<version>`, the page that shows it
//! (`flask_appbuilder.api.manager:OpenApi`, `SwaggerView`).
//!
//! The document is made from the route table: only what is served is described. What a rule does not say of itself —
//! its tag, arguments, body and answers — stands in `openapi/operations.tsv`; bodies of generic writes are made from
//! the fields that they are checked against, other schemas stand in `openapi/schemas.json`.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use infra::Error;
use maud::html;
use serde_json::{Map, Value, json};

use super::{
    crud::{Field, FieldKind},
    pages::classic,
};
use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
    spa, switches,
};

const OPERATIONS: &str = include_str!("../openapi/operations.tsv");
const SCHEMAS: &str = include_str!("../openapi/schemas.json");

/// Rules of this file, which describe themselves and all others.
pub fn rules(others: &[Rule]) -> Vec<Rule> {
    let document = Arc::new(OnceLock::new());
    let kept = document.clone();
    let own = vec![
        rule(&["GET"], "/api/<version>/_openapi", Access::Protect("can_get", "OpenApi"), move |cx| {
            get(cx, kept.clone())
        })
        .csrf_exempt()
        .endpoint("OpenApi.get"),
        rule(&["GET"], "/swagger/<version>", Access::Page("can_show", "SwaggerView"), show)
            .endpoint("SwaggerView.show"),
    ];
    // the document is made when it is first asked for
    let _ = document.set(Described { rules: [others, &own].concat(), made: OnceLock::new() });
    own
}

/// What is served, and the document about it.
struct Described {
    rules: Vec<Rule>,
    made: OnceLock<Value>,
}

async fn get(cx: Cx, described: Arc<OnceLock<Described>>) -> Handled {
    let described = described.get().ok_or_else(Error::not_found)?;
    if cx.req.param("version") != "v1" {
        return Err(Error::not_found().into());
    }
    let mut document = described.made.get_or_init(|| document(&described.rules)).clone();
    // relative: the Host header of a request is no place to learn one's own address from
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|path, _| switches::is_path_served(&cx.caller.app.config, path));
    }
    document["servers"] = json!([{"url": cx.req.url_for("/")}]);
    Ok(Answer::fab(200, &document))
}

/// No character of it may need escaping.
const SHOW_DOCUMENT: &str = "
SwaggerUIBundle({
  url: document.getElementById('swagger-ui').dataset.url,
  dom_id: '#swagger-ui',
  layout: 'BaseLayout',
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
";

/// Swagger UI, as Flask-AppBuilder publishes it, over the document.
async fn show(cx: Cx) -> Handled {
    let (prefix, root) = (spa::static_prefix(&cx), &cx.req.script_root);
    let version = cx.req.param("version");
    let version = if version.bytes().all(|b| b.is_ascii_alphanumeric()) { version } else { "v1" };
    let head = html! {
        link href={(prefix) "/static/appbuilder/css/swagger/swagger-ui.css"} rel="stylesheet";
    };
    let content = html! {
        div id="swagger-ui" data-url={(root) "/api/" (version) "/_openapi"} {}
        script nonce=(spa::nonce(&cx)) { (SHOW_DOCUMENT) }
    };
    let scripts = ["/static/appbuilder/js/swagger-ui-bundle.js", classic::KEEP_TAB];
    Ok(classic::page(&cx, &head, &content, &scripts))
}

/// A path without the names of its placeholders.
fn normal(path: &str) -> String {
    let part = |p: &str| if p.starts_with(['<', '{']) { "{}".to_owned() } else { p.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn document(rules: &[Rule]) -> Value {
    let mut schemas: Map<String, Value> = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let mut served = HashMap::new();
    for rule in rules {
        for method in rule.methods {
            served.insert((*method, normal(&rule.rule)), ());
        }
        if let Some((name, fields)) = &rule.body {
            schemas.insert(name.clone(), schema_of(fields));
        }
    }
    let mut paths: Map<String, Value> = Map::new();
    for line in OPERATIONS.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [method, path, tag, security, arguments, body, answers] = columns.as_slice() else { continue };
        if !served.contains_key(&(*method, normal(path))) {
            continue;
        }
        let mut operation = json!({
            "tags": [tag],
            "responses": answers.split(' ').map(answer).collect::<Map<_, _>>(),
        });
        if !arguments.is_empty() {
            operation["parameters"] = arguments.split(' ').filter_map(argument).collect();
        }
        if let Some((kind, name)) = body.split_once(':') {
            let media = if kind == "json" { "application/json" } else { "multipart/form-data" };
            operation["requestBody"] = json!({"required": true, "content": {media: {"schema": named(name)}}});
        }
        if !security.is_empty() {
            operation["security"] = security.split(',').map(|scheme| json!({scheme: []})).collect();
        }
        let entry = paths.entry(*path).or_insert_with(|| json!({}));
        entry[method.to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.0.2",
        "info": {"title": "Superset", "description": "Superset", "version": "v1"},
        "paths": paths,
        "components": {"schemas": schemas, "responses": responses(), "securitySchemes": security_schemes()},
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn named(name: &str) -> Value {
    if name.is_empty() { json!({"type": "object"}) } else { reference(name) }
}

/// `query:q:@get_list_schema`, `path:pk:integer!`.
fn argument(text: &str) -> Option<Value> {
    let (text, required) = text.strip_suffix('!').map_or((text, false), |t| (t, true));
    let mut parts = text.splitn(3, ':');
    let (place, name, type_) = (parts.next()?, parts.next()?, parts.next()?);
    let mut argument = json!({"in": place, "name": name});
    if required {
        argument["required"] = json!(true);
    }
    match type_.strip_prefix('@') {
        Some(schema) => argument["content"] = json!({"application/json": {"schema": named(schema)}}),
        None => argument["schema"] = json!({"type": type_}),
    }
    Some(argument)
}

/// `401`, `200=Name`, `200=~application/zip`: an answer that is shared, one of its own, one that is no JSON.
fn answer(text: &str) -> (String, Value) {
    let Some((code, what)) = text.split_once('=') else {
        return (text.to_owned(), json!({"$ref": format!("#/components/responses/{text}")}));
    };
    let (name, media) = what.split_once('~').map_or((what, None), |(n, m)| (n, Some(m)));
    let schema = match name.rsplit_once('.').map(|(_, verb)| verb) {
        Some("get_list") => {
            let ids = json!({"type": "array", "items": {"type": "integer"}});
            let result = json!({"type": "array", "items": reference(name)});
            json!({"type": "object", "properties": {"count": {"type": "integer"}, "ids": ids, "result": result}})
        }
        Some("get" | "post" | "put") => {
            let properties = json!({"id": {"type": "integer"}, "result": reference(name)});
            json!({"type": "object", "properties": properties})
        }
        _ => named(name),
    };
    let mut answer = json!({"description": reason(code)});
    match media {
        None => answer["content"] = json!({"application/json": {"schema": schema}}),
        Some("") => {}
        Some(media) => {
            let file = json!({"schema": {"type": "string", "format": "binary"}});
            answer["content"] =
                media.split(',').map(|m| (m.to_owned(), file.clone())).collect::<Map<_, _>>().into();
        }
    }
    (code.to_owned(), answer)
}

fn reason(code: &str) -> &'static str {
    match code {
        "200" => "OK",
        "201" => "Created",
        "202" => "Accepted",
        "204" => "No content",
        "301" | "302" => "Redirect",
        "400" => "Bad request",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not found",
        "410" => "Gone",
        "422" => "Could not process entity",
        "501" => "Not implemented",
        _ => "Fatal error",
    }
}

fn responses() -> Value {
    let message = json!({"type": "object", "properties": {"message": {"type": "string"}}});
    let codes = ["400", "401", "403", "404", "410", "422", "500"];
    let answer = |code: &str| {
        let body = json!({"description": reason(code), "content": {"application/json": {"schema": message}}});
        (code.to_owned(), body)
    };
    Value::Object(codes.into_iter().map(answer).collect())
}

fn security_schemes() -> Value {
    let bearer = |format: &str| json!({"type": "http", "scheme": "bearer", "bearerFormat": format});
    json!({"jwt": bearer("JWT"), "jwt_refresh": bearer("JWT"), "api_key": bearer("API Key")})
}

/// The schema of a body from the fields that it is checked against.
fn schema_of(fields: &[Field]) -> Value {
    let property = |field: &Field| {
        let mut schema = match field.kind {
            FieldKind::String => json!({"type": "string"}),
            FieldKind::Integer => json!({"type": "integer"}),
            FieldKind::Boolean => json!({"type": "boolean"}),
            FieldKind::DateTime => json!({"type": "string", "format": "date-time"}),
            FieldKind::List => json!({"type": "array", "items": {"type": "integer"}}),
            FieldKind::Texts
            | FieldKind::Values
            | FieldKind::Uuid
            | FieldKind::Other(_)
            | FieldKind::Missing => json!({}),
        };
        if field.nullable {
            schema["nullable"] = json!(true);
        }
        if let Some((min, max)) = field.length {
            if min > 0 {
                schema["minLength"] = json!(min);
            }
            if let Some(max) = max {
                schema["maxLength"] = json!(max);
            }
        }
        (field.name.to_owned(), schema)
    };
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
