//! Objects of tags, and stars of tags (`superset.tags.api`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use commands::access::lists;
use daos::person::{Owned, Person, find_many, owners};
use infra::{Error, clock, db::Sql, rison::schema};
use serde_json::{Value, json};

use super::result;
use crate::{
    Cx, Handled,
    error::Failure,
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
    let db = cx.app.db.exec();
    let mut tags = Sql::new("SELECT id FROM tag");
    let (ids, names) = (list_arg(&cx, "tagIds"), list_arg(&cx, "tags"));
    if !ids.is_empty() {
        tags.push(" WHERE id IN ").push_list(ids.iter().filter_map(|id| id.trim().parse::<i64>().ok()));
    } else if !names.is_empty() {
        tags.push(" WHERE name IN ").push_list(names);
    }
    let types = list_arg(&cx, "types");
    let wanted = |kind: &str| types.is_empty() || types.contains(&kind);
    let mut out = Vec::new();
    if wanted("dashboard") {
        let condition = lists::dashboards(&cx.app.config, &cx.user, db.dialect(), "x");
        let sql = Sql::new(
            "SELECT x.id, x.dashboard_title, x.changed_on, x.created_by_fk, x.slug FROM dashboards x",
        );
        out.extend(objects(&cx, "dashboard", sql, condition, &tags).await?);
    }
    if wanted("chart") {
        let sql = Sql::new("SELECT x.id, x.slice_name, x.changed_on, x.created_by_fk, NULL FROM slices x");
        out.extend(objects(&cx, "chart", sql, lists::charts(&cx.user, "x"), &tags).await?);
    }
    if wanted("query") {
        let sql = Sql::new("SELECT x.id, x.label, x.changed_on, x.created_by_fk, NULL FROM saved_query x");
        out.extend(objects(&cx, "query", sql, lists::saved_queries(&cx.user, "x"), &tags).await?);
    }
    Ok(result(Value::Array(out)))
}

async fn objects(
    cx: &Cx,
    kind: &str,
    mut sql: Sql,
    condition: Option<Sql>,
    tags: &Sql,
) -> Result<Vec<Value>, Failure> {
    let db = cx.app.db.exec();
    sql.push(" WHERE x.id IN (SELECT object_id FROM tagged_object WHERE object_type = ").push_bind(kind);
    sql.push(" AND tag_id IN (").append(tags.clone()).push("))");
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    sql.push(" ORDER BY x.id");
    let rows = db.query(sql).await?;
    let ids: Vec<i64> = rows.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    let creators: Vec<i64> = rows.iter().filter_map(|r| r.at::<Option<i64>>(3).ok().flatten()).collect();
    let people = find_many(db, &creators).await?;
    let tags = tags_of(cx, kind, &ids).await?;
    let owners = match kind {
        "dashboard" => owners(db, Owned::Dashboard, &ids).await?,
        "chart" => owners(db, Owned::Chart, &ids).await?,
        _ => HashMap::new(),
    };
    let owner = |p: &Person| json!({"id": p.id, "first_name": p.first_name, "last_name": p.last_name, "username": p.username});
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, name): (i64, Option<String>) = (row.at(0)?, row.at(1)?);
        let changed: Option<NaiveDateTime> = row.at(2)?;
        let creator: Option<i64> = row.at(3)?;
        let slug: Option<String> = row.at(4)?;
        let url = match kind {
            "dashboard" => {
                let name = slug.filter(|s| !s.is_empty()).unwrap_or_else(|| id.to_string());
                format!("/superset/dashboard/{name}/")
            }
            "chart" => format!("/explore/?slice_id={id}"),
            _ => format!("/sqllab?savedQueryId={id}"),
        };
        let by = creator.and_then(|id| people.get(&id));
        out.push(json!({
            "id": id,
            "type": kind,
            "name": name,
            "url": url,
            "changed_on": changed.map(clock::isoformat),
            // the original dumps a number with the schema of a user: an empty object
            "created_by": creator.map(|_| json!({})),
            "creator": by.map(Person::full_name).unwrap_or_default(),
            "tags": tags.get(&id).cloned().unwrap_or_default(),
            "owners": match kind {
                // the original puts the creator's name where a user is expected: an empty object
                "query" => json!([{}]),
                _ => owners.get(&id).map(|o| o.iter().map(owner).collect::<Value>()).unwrap_or(json!([])),
            },
        }));
    }
    Ok(out)
}

async fn tags_of(cx: &Cx, kind: &str, ids: &[i64]) -> Result<HashMap<i64, Vec<Value>>, Failure> {
    let mut sql = Sql::new(
        "SELECT o.object_id, g.id, g.name, g.type FROM tag g JOIN tagged_object o ON o.tag_id = g.id \
         WHERE o.object_type = ",
    );
    sql.push_bind(kind).push(" AND o.object_id IN ").push_list(ids.iter().copied()).push(" ORDER BY g.id");
    let mut tags: HashMap<i64, Vec<Value>> = HashMap::new();
    for row in cx.app.db.exec().query(sql).await? {
        let (id, name, kind): (i64, String, Option<String>) = (row.at(1)?, row.at(2)?, row.at(3)?);
        let kind = kind.map(|k| format!("TagType.{k}"));
        tags.entry(row.at(0)?).or_default().push(json!({"id": id, "name": name, "type": kind}));
    }
    Ok(tags)
}

async fn status(cx: Cx) -> Handled {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let asked: Vec<i64> = value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let db = cx.app.db.exec();
    let mut sql = Sql::new("SELECT id FROM tag WHERE id IN ");
    sql.push_list(asked.iter().copied());
    if db.query(sql).await?.is_empty() {
        return Err(Error::not_found().into());
    }
    let mut sql = Sql::new("SELECT tag_id FROM user_favorite_tag WHERE user_id = ");
    sql.push_bind(cx.user.user_id()).push(" AND tag_id IN ").push_list(asked.iter().copied());
    let starred: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    Ok(result(asked.iter().map(|id| json!({"id": id, "value": starred.contains(id)})).collect::<Value>()))
}

/// The tag of the address and the caller; 404 without the one, 422 without the other.
async fn tag_and_user(cx: &Cx) -> Result<(i64, i64), Failure> {
    let id: i64 = cx.req.param("pk").parse().map_err(|_| Error::not_found())?;
    let found = cx.app.db.exec().first(Sql::new("SELECT id FROM tag WHERE id = ?").bind(id)).await?;
    found.ok_or_else(Error::not_found)?;
    let user = cx.user.user_id().ok_or_else(|| Error::unprocessable("User doesn't exist"))?;
    Ok((id, user))
}

async fn add(cx: Cx) -> Handled {
    let (tag, user) = tag_and_user(&cx).await?;
    let sql = Sql::new(
        "INSERT INTO user_favorite_tag (user_id, tag_id) SELECT ab_user.id, tag.id FROM ab_user, tag \
         WHERE ab_user.id = ? AND tag.id = ? AND NOT EXISTS \
         (SELECT 1 FROM user_favorite_tag f WHERE f.user_id = ab_user.id AND f.tag_id = tag.id)",
    );
    cx.app.db.exec().execute(sql.bind(user).bind(tag)).await?;
    Ok(result("OK"))
}

async fn remove(cx: Cx) -> Handled {
    let (tag, user) = tag_and_user(&cx).await?;
    let sql = Sql::new("DELETE FROM user_favorite_tag WHERE user_id = ? AND tag_id = ?");
    cx.app.db.exec().execute(sql.bind(user).bind(tag)).await?;
    Ok(result("OK"))
}
