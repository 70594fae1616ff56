//! Objects of tags, and stars of tags (`superset.tags.api`).

use commands::{
    tag::ObjectType,
    tagged::{self, Person, Tag, TagSelection, Tagged, TaggedObject},
};
use infra::{Error, clock, rison::schema};
use serde_json::{Value, json};

use crate::controllers::parse::result;
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let read = Access::Protect("can_read", "Tag");
    vec![
        rule(&["GET"], "/api/v1/tag/get_objects/", read, get_objects).endpoint("TagRestApi.get_objects"),
        rule(&["GET"], "/api/v1/tag/favorite_status/", read, status).endpoint("TagRestApi.favorite_status"),
        rule(&["POST"], "/api/v1/tag/<pk>/favorites/", read, add).endpoint("TagRestApi.add_favorite"),
        rule(&["DELETE"], "/api/v1/tag/<pk>/favorites/", read, remove).endpoint("TagRestApi.remove_favorite"),
    ]
}

fn list_arg<'a>(cx: &'a Cx, name: &str) -> Vec<&'a str> {
    cx.req.arg(name).unwrap_or_default().split(',').filter(|t| !t.is_empty()).collect()
}

/// What is tagged, as far as lists show it to the caller; of people only what dashboards show of them too.
async fn get_objects(cx: Cx) -> Handled {
    let (ids, names) = (list_arg(&cx, "tagIds"), list_arg(&cx, "tags"));
    let tags = if !ids.is_empty() {
        TagSelection::Ids(ids.iter().filter_map(|id| id.trim().parse().ok()).collect())
    } else if !names.is_empty() {
        TagSelection::Names(names)
    } else {
        TagSelection::All
    };
    let types = list_arg(&cx, "types");
    let mut out = Vec::new();
    for kind in [ObjectType::Dashboard, ObjectType::Chart, ObjectType::Query] {
        if types.is_empty() || types.contains(&kind.name()) {
            let found = tagged::find(&cx.caller, kind, &tags).await?;
            out.extend(found.objects.iter().map(|object| describe(kind, object, &found)));
        }
    }
    Ok(result(Value::Array(out)))
}

fn describe(kind: ObjectType, object: &TaggedObject, found: &Tagged) -> Value {
    let id = object.id;
    let url = match kind {
        ObjectType::Dashboard => {
            let slug = object.slug.clone().filter(|s| !s.is_empty());
            format!("/superset/dashboard/{}/", slug.unwrap_or_else(|| id.to_string()))
        }
        ObjectType::Chart => format!("/explore/?slice_id={id}"),
        _ => format!("/sqllab?savedQueryId={id}"),
    };
    let by = object.created_by_fk.and_then(|id| found.creators.get(&id));
    let owner = |p: &Person| {
        json!({"id": p.id, "first_name": p.first_name, "last_name": p.last_name,
        "username": p.username})
    };
    let tag = |t: &Tag| json!({"id": t.id, "name": t.name, "type": t.kind.as_ref().map(|k| format!("TagType.{k}"))});
    json!({
        "id": id,
        "type": kind.name(),
        "name": object.name,
        "url": url,
        "changed_on": object.changed_on.map(clock::isoformat),
        // the original dumps a number with the schema of a user: an empty object
        "created_by": object.created_by_fk.map(|_| json!({})),
        "creator": by.map(Person::full_name).unwrap_or_default(),
        "tags": found.tags.get(&id).into_iter().flatten().map(tag).collect::<Value>(),
        "owners": match kind {
            // the original puts the creator's name where a user is expected: an empty object
            ObjectType::Query => json!([{}]),
            _ => found.owners.get(&id).into_iter().flatten().map(owner).collect::<Value>(),
        },
    })
}

async fn status(cx: Cx) -> Handled {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let asked: Vec<i64> = value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let starred = tagged::starred(&cx.caller, &asked).await?;
    Ok(result(asked.iter().map(|id| json!({"id": id, "value": starred.contains(id)})).collect::<Value>()))
}

fn pk(cx: &Cx) -> Result<i64, Error> {
    cx.req.param("pk").parse().map_err(|_| Error::not_found())
}

async fn add(cx: Cx) -> Handled {
    tagged::star(&cx.caller, pk(&cx)?).await?;
    Ok(result("OK"))
}

async fn remove(cx: Cx) -> Handled {
    tagged::unstar(&cx.caller, pk(&cx)?).await?;
    Ok(result("OK"))
}
