//! Writes of tags.

use commands::tag::{self, ObjectType, Tagged};
use infra::{
    Error,
    rison::{self, Schema},
};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    error::Failure,
    routes::{Access, Rule, rule},
    schemas::validate::{FieldErrors, integer, json_body, load, load_or_400},
};

const FIELDS: &[Field] = &[
    Field::new("name", FieldKind::String).length(1, None),
    Field::text("description"),
    Field::new("objects_to_tag", FieldKind::Other("List"))
        .check(|v| (!v.is_array()).then_some("Not a valid list.")),
];
static NAMES: Schema = Schema::array(&Schema::of_types(&["string"]));

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let may = Access::Protect("can_write", "Tag");
    let bulk = Access::Protect("can_bulk_create", "Tag");
    vec![
        rule(&["POST"], "/api/v1/tag/", may, create).endpoint("TagRestApi.post"),
        rule(&["POST"], "/api/v1/tag/bulk_create", bulk, bulk_create).endpoint("TagRestApi.bulk_create"),
        rule(&["PUT"], "/api/v1/tag/<pk>", may, update).endpoint("TagRestApi.put"),
        rule(&["DELETE"], "/api/v1/tag/<pk>", may, delete).endpoint("TagRestApi.delete"),
        rule(&["DELETE"], "/api/v1/tag/", may, delete_by_name).endpoint("TagRestApi.bulk_delete"),
        rule(&["POST"], "/api/v1/tag/<int:object_type>/<int:object_id>/", may, add_objects)
            .endpoint("TagRestApi.add_objects"),
        rule(&["DELETE"], "/api/v1/tag/<int:object_type>/<int:object_id>/<tag>/", may, delete_object)
            .endpoint("TagRestApi.delete_object"),
    ]
}

/// A loaded tag and the objects that it is for.
type Loaded = (Map<String, Value>, Vec<Tagged>);

/// `TagObjectSchema`: the errors of its objects join those of its other fields.
fn load_tag(value: &Value) -> Result<Loaded, FieldErrors> {
    let (item, mut errors) = match load(FIELDS, value) {
        Ok(item) => (item, Map::new()),
        Err(errors) => (Map::new(), errors),
    };
    let mut objects = Vec::new();
    let mut wrong = Map::new();
    let pairs = value.get("objects_to_tag").and_then(Value::as_array).into_iter().flatten();
    for (i, pair) in pairs.enumerate() {
        match object_of(pair) {
            Ok(object) => objects.push(object),
            Err(error) => drop(wrong.insert(i.to_string(), error)),
        }
    }
    if !wrong.is_empty() {
        errors.insert("objects_to_tag".into(), Value::Object(wrong));
    }
    if errors.is_empty() { Ok((item, objects)) } else { Err(errors) }
}

/// A pair of a type and a key.
fn object_of(pair: &Value) -> Result<Tagged, Value> {
    const NULL: &str = "Field may not be null.";
    let items = match pair {
        Value::Null => return Err(json!([NULL])),
        Value::Array(items) => items,
        _ => return Err(json!(["Not a valid tuple."])),
    };
    let [kind, id] = items.as_slice() else { return Err(json!(["Length must be 2."])) };
    let mut errors = Map::new();
    let mut wrong = |at: &str, message: &str| drop(errors.insert(at.into(), json!([message])));
    match (kind, kind.as_str()) {
        (Value::Null, _) => wrong("0", NULL),
        (_, None) => wrong("0", "Not a valid string."),
        _ => {}
    }
    match (id, integer(id)) {
        (Value::Null, _) => wrong("1", NULL),
        (_, None) => wrong("1", "Not a valid integer."),
        (_, Some(id)) if id < 1 => wrong("1", "Must be greater than or equal to 1."),
        _ => {}
    }
    match (kind.as_str(), integer(id)) {
        (Some(kind), Some(id)) if errors.is_empty() => Ok((kind.to_owned(), id)),
        _ => Err(Value::Object(errors)),
    }
}

fn load_or_refuse(value: &Value) -> Result<Loaded, Failure> {
    load_tag(value).map_err(|errors| Failure(Error::bad_request(Value::Object(errors))))
}

/// `TagPostBulkSchema`.
fn load_tags(body: &Value) -> Result<Vec<Loaded>, Failure> {
    const TAGS: &[Field] = &[Field::new("tags", FieldKind::Other("List"))
        .check(|v| (!v.is_array()).then_some("Not a valid list."))];
    let body = load_or_400(TAGS, body)?;
    let tags = body.get("tags").and_then(Value::as_array).ok_or_else(|| Error::internal("KeyError: tags"))?;
    let (mut out, mut errors) = (Vec::new(), Map::new());
    for (i, tag) in tags.iter().enumerate() {
        match tag {
            Value::Null => drop(errors.insert(i.to_string(), json!(["Field may not be null."]))),
            tag => match load_tag(tag) {
                Ok(tag) => out.push(tag),
                Err(wrong) => drop(errors.insert(i.to_string(), Value::Object(wrong))),
            },
        }
    }
    if errors.is_empty() { Ok(out) } else { Err(Error::bad_request(json!({"tags": errors})).into()) }
}

fn string_field<'a>(item: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str)
}

async fn create(cx: Cx) -> Handled {
    let (item, objects) = load_or_refuse(&json_body(&cx)?)?;
    let name = string_field(&item, "name").ok_or_else(|| Error::internal("KeyError: name"))?;
    // left out it is empty, null it is nothing
    let description = match item.get("description") {
        None => Some(""),
        Some(given) => given.as_str(),
    };
    tag::tag_create(&cx.caller, name, description, &objects, false).await?;
    Ok(Answer::fab(201, &json!({})))
}

async fn bulk_create(cx: Cx) -> Handled {
    let tags = load_tags(&json_body(&cx)?)?;
    let (mut tagged, mut skipped) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for (item, objects) in tags {
        let name = string_field(&item, "name").ok_or_else(|| Error::internal("KeyError: name"))?;
        let outcome = tag::tag_create(&cx.caller, name, string_field(&item, "description"), &objects, true)
            .await
            .map_err(|e| match e.status() {
                422 => Error::unprocessable("Tag parameters are invalid."),
                _ => e,
            })?;
        tagged.extend(outcome.tagged);
        skipped.extend(outcome.skipped);
    }
    let tagged: Vec<&Tagged> = tagged.iter().filter(|o| !skipped.contains(*o)).collect();
    Ok(Answer::fab(200, &json!({"result": {"objects_tagged": tagged, "objects_skipped": skipped}})))
}

async fn update(cx: Cx) -> Handled {
    let id = cx.req.pk()?;
    let body = json_body(&cx)?;
    let (item, objects) = load_or_refuse(&body)?;
    let name = string_field(&item, "name").ok_or_else(|| Error::internal("KeyError: name"))?;
    tag::tag_update(&cx.caller, id, name, string_field(&item, "description"), &objects).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": body})))
}

async fn delete(cx: Cx) -> Handled {
    tag::tag_delete(&cx.caller.app, cx.req.pk()?).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn delete_by_name(cx: Cx) -> Handled {
    let value = rison::load(cx.req.arg("q"), &NAMES)?;
    let names: Vec<String> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|n| n.trim().to_owned())
        .collect();
    if tag::tags_delete(&cx.caller.app, &names).await? {
        return Ok(Answer::fab(200, &json!({"message": format!("Deleted {} tags", names.len())})));
    }
    let repr = infra::python::json_repr(&value);
    let message = format!("Invalid tag parameters: {repr}. Tag parameters are invalid.");
    Err(Error::unprocessable(message).into())
}

fn object(cx: &Cx) -> (Option<ObjectType>, i64) {
    (ObjectType::by_number(cx.req.int_param("object_type")), cx.req.int_param("object_id"))
}

async fn add_objects(cx: Cx) -> Handled {
    if !cx.req.is_json() {
        return Err(Error::internal("not JSON").into());
    }
    let body = json_body(&cx)?;
    let Some(names) = body.get("properties").and_then(|p| p.get("tags")).and_then(Value::as_array) else {
        return Err(Error::bad_request("Missing required field 'tags' in 'properties'").into());
    };
    let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    match object(&cx) {
        (Some(kind), id) if id != 0 && i32::try_from(id).is_ok() => {
            tag::object_tag(&cx.caller, kind, id, &names).await?;
            Ok(Answer::fab(201, &json!({})))
        }
        _ => Err(Error::unprocessable("Invalid tag").into()),
    }
}

async fn delete_object(cx: Cx) -> Handled {
    let (kind, id) = object(&cx);
    let kind = kind.ok_or_else(|| Error::unprocessable("Could not process entity"))?;
    tag::object_untag(&cx.caller, kind, i32::try_from(id).unwrap_or(-1).into(), cx.req.param("tag")).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}
