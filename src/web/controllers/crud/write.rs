//! POST, PUT, DELETE and bulk DELETE of resources that have no rules of their own
//! (`post_headless`, `put_headless`, `delete_headless`, `bulk_delete`).

use commands::implicit_tags;
use daos::{
    Record, Selection, base,
    table::{Fill, Kind},
    write::{self, Values},
};
use infra::{
    Error,
    db::{DbError, Dialect, Executor, FromValue, Sql, Value as Stored},
    rison::schema,
};
use serde_json::{Map, Value, json};

use super::{
    Field, FilterCx, Resource, Style,
    resource::respond,
    validate::{self, integer},
};
use crate::{Cx, Handled, error::Failure};

pub(super) async fn post(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = post_answer(resource, &cx).await;
    resource.shown(answer)
}

pub(super) async fn put(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = put_answer(resource, &cx).await;
    resource.shown(answer)
}

pub(super) async fn delete(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = delete_answer(resource, &cx).await;
    resource.shown(answer)
}

async fn post_answer(resource: &'static Resource, cx: &Cx) -> Handled {
    if !cx.req.is_json() {
        return Err(Error::bad_request("Request is not JSON").into());
    }
    let body = body(resource, cx)?;
    let loaded = validate::load(resource.add_fields, &body).map_err(invalid)?;
    let mut values = stored(resource, resource.add_fields, &loaded);
    let filter_cx = FilterCx { app: &cx.app, user: &cx.user, dialect: cx.app.db.dialect() };
    if let Some(prepare) = resource.before_add {
        prepare(&filter_cx, &mut values);
    }
    // a column with a default takes it for null, too
    let defaulted = |name: &str| {
        resource.table.column(name).is_some_and(|column| !matches!(column.default, Fill::Nothing))
    };
    values.retain(|(name, value)| *value != Stored::Null || !defaulted(name));
    let tx = cx.app.db.begin().await?;
    let pk = write::insert(tx.exec(), resource.table, values, cx.user.user_id())
        .await
        .map_err(|e| insert_error(e, cx.app.db.dialect()))?;
    let record = read(resource, tx.exec(), pk.clone(), resource.add_fields).await?;
    tag(resource, cx, tx.exec(), &pk, true).await?;
    tx.commit().await.map_err(|e| insert_error(e, cx.app.db.dialect()))?;
    let mut payload = Map::new();
    payload.insert("id".into(), record.as_ref().map_or(Value::Null, |r| r.json(resource.table.pk)));
    payload.insert("result".into(), dump(resource.add_fields, record.as_ref()));
    Ok(respond(201, payload))
}

async fn put_answer(resource: &'static Resource, cx: &Cx) -> Handled {
    let record = visible(resource, cx, resource.edit_fields).await?;
    if !cx.req.is_json() {
        return Err(Error::bad_request("Request is not JSON").into());
    }
    let record = record.ok_or_else(Error::not_found)?;
    let mut body = body(resource, cx)?;
    // FAB fills what the client left out from the stored item
    if let (Value::Object(given), Value::Object(current)) =
        (&mut body, dump(resource.edit_fields, Some(&record)))
    {
        for (key, value) in current {
            given.entry(key).or_insert(value);
        }
    }
    let loaded = validate::load(resource.edit_fields, &body).map_err(invalid)?;
    let values = stored(resource, resource.edit_fields, &loaded);
    let pk = record.value(resource.table.pk).clone();
    let tx = cx.app.db.begin().await?;
    write::update(tx.exec(), resource.table, pk.clone(), values, cx.user.user_id())
        .await
        .map_err(|e| database_error(e, cx.app.db.dialect()))?;
    tag(resource, cx, tx.exec(), &pk, false).await?;
    let record = read(resource, tx.exec(), pk, resource.edit_fields).await?;
    tx.commit().await?;
    let mut payload = Map::new();
    payload.insert("result".into(), dump(resource.edit_fields, record.as_ref()));
    Ok(respond(200, payload))
}

async fn delete_answer(resource: &'static Resource, cx: &Cx) -> Handled {
    let record = visible(resource, cx, &[]).await?.ok_or_else(Error::not_found)?;
    let pk = record.value(resource.table.pk).clone();
    let tx = cx.app.db.begin().await?;
    untag(resource, tx.exec(), &i64::from_value(&pk).into_iter().collect::<Vec<_>>()).await?;
    remove(resource, cx, tx.exec(), pk).await?;
    tx.commit().await.map_err(|e| database_error(e, cx.app.db.dialect()))?;
    Ok(respond(200, Map::from_iter([("message".to_owned(), json!("OK"))])))
}

pub(super) async fn bulk_delete(resource: &'static Resource, cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    let mut conditions = resource.base_conditions(&cx);
    let mut listed = Sql::new(format!("{} IN ", resource.table.qualified(resource.table.pk)));
    listed.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    conditions.push(listed);
    let tx = cx.app.db.begin().await?;
    let found = base::count(tx.exec(), resource.table, &conditions).await?;
    if found != ids.len() as i64 || found == 0 {
        return Err(Error::not_found().into());
    }
    untag(resource, tx.exec(), &ids).await?;
    for id in &ids {
        remove(resource, &cx, tx.exec(), (*id).into()).await?;
    }
    tx.commit().await?;
    let (one, many) = resource.nouns;
    let message = format!("Deleted {} {}", ids.len(), if ids.len() == 1 { one } else { many });
    Ok(respond(200, Map::from_iter([("message".to_owned(), message.into())])))
}

/// Deletes a row that was found before; when somebody else was faster, it is not found any more.
async fn remove(resource: &Resource, cx: &Cx, ex: &dyn Executor, pk: Stored) -> Result<(), Failure> {
    match write::delete(ex, resource.table, pk).await {
        Ok(0) => Err(Error::not_found().into()),
        Ok(_) => Ok(()),
        Err(e) => Err(database_error(e, cx.app.db.dialect())),
    }
}

/// The tags that a written object gets by itself.
async fn tag(resource: &Resource, cx: &Cx, ex: &dyn Executor, pk: &Stored, new: bool) -> Result<(), Failure> {
    let (Some((kind, column)), Some(id)) = (resource.implicit_tags, i64::from_value(pk)) else {
        return Ok(());
    };
    let table = resource.table;
    let owner = Sql::new(format!("SELECT {column} FROM {} WHERE {} = ?", table.name, table.pk)).bind(id);
    let owner: Option<i64> = match ex.first(owner).await? {
        Some(row) => row.at(0)?,
        None => None,
    };
    let owners: Vec<i64> = owner.into_iter().collect();
    match new {
        true => implicit_tags::created(&cx.app.config, ex, &cx.user, kind, id, &owners).await?,
        false => implicit_tags::updated(&cx.app.config, ex, &cx.user, kind, id, &owners).await?,
    }
    Ok(())
}

/// Tags do not outlive their objects.
async fn untag(resource: &Resource, ex: &dyn Executor, ids: &[i64]) -> Result<(), Failure> {
    if let Some((kind, _)) = resource.implicit_tags {
        implicit_tags::deleted(ex, kind, ids).await?;
    }
    Ok(())
}

/// The keys of `q=!(1,2,3)`, each once.
pub fn ids(cx: &Cx) -> Result<Vec<i64>, Failure> {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let mut ids: Vec<i64> = value.as_array().into_iter().flatten().filter_map(integer).collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// The item of the path, if the caller sees it.
async fn visible(resource: &'static Resource, cx: &Cx, fields: &[Field]) -> Result<Option<Record>, Failure> {
    let Ok(pk) = cx.req.param("pk").parse::<i32>() else { return Ok(None) };
    let selection = Selection::of(resource.table, fields.iter().map(|f| f.name));
    Ok(base::find(cx.app.db.exec(), &selection, pk.into(), resource.base_conditions(cx)).await?)
}

async fn read(
    resource: &Resource,
    ex: &dyn Executor,
    pk: Stored,
    fields: &[Field],
) -> Result<Option<Record>, DbError> {
    let selection = Selection::of(resource.table, fields.iter().map(|f| f.name));
    base::find(ex, &selection, pk, Vec::new()).await
}

fn dump(fields: &[Field], record: Option<&Record>) -> Value {
    Value::Object(
        fields.iter().map(|f| (f.name.to_owned(), record.map_or(Value::Null, |r| r.json(f.name)))).collect(),
    )
}

/// Loaded fields as column values; what is no column is left to the resource.
fn stored(resource: &Resource, fields: &[Field], loaded: &Map<String, Value>) -> Values {
    let mut values = Values::new();
    for field in fields {
        let (Some(column), Some(value)) = (resource.table.column(field.name), loaded.get(field.name)) else {
            continue;
        };
        let value = match (column.kind, value) {
            (_, Value::Null) => Stored::Null,
            // what is no number goes to the database as text, which refuses it
            (Kind::Integer, Value::String(s)) if integer(value).is_none() => s.as_str().into(),
            (Kind::Integer, v) => integer(v).map_or_else(|| v.to_string().into(), Stored::from),
            (Kind::Boolean, v) => validate::boolean(v).into(),
            (_, Value::String(s)) => s.as_str().into(),
            (_, other) => other.to_string().into(),
        };
        values.push((column.name, value));
    }
    values
}

/// The JSON body; a malformed one is Werkzeug's BadRequest.
fn body(resource: &Resource, cx: &Cx) -> Result<Value, Failure> {
    serde_json::from_slice(&cx.req.body).map_err(|_| {
        let text = crate::error::BAD_REQUEST;
        Failure(match resource.style {
            Style::Superset => Error::Legacy { status: 400, error: text.into() },
            Style::Fab => Error::bad_request(text),
        })
    })
}

fn invalid(errors: validate::FieldErrors) -> Failure {
    Failure(Error::unprocessable(Value::Object(errors)))
}

/// `add` lets the driver's exception through; `handle_api_exception` shows it.
fn insert_error(error: DbError, dialect: Dialect) -> Failure {
    let (kind, text) = match error {
        DbError::Integrity(text) => ("IntegrityError", text),
        DbError::Query(text) => ("DataError", text),
        other => return other.into(),
    };
    let driver = match dialect {
        Dialect::Sqlite => "sqlite3",
        Dialect::Postgres => "psycopg2.errors",
    };
    Failure(Error::Legacy { status: 422, error: format!("({driver}.{kind}) {text}\n") })
}

/// `DatabaseException` of FAB: the driver's sentence is part of the answer.
fn database_error(error: DbError, dialect: Dialect) -> Failure {
    let (kind, text) = match error {
        DbError::Integrity(text) => ("IntegrityError", text),
        DbError::Query(text) => ("DataError", text),
        other => return other.into(),
    };
    let driver = match dialect {
        Dialect::Sqlite => "sqlite3",
        Dialect::Postgres => "psycopg2.errors",
    };
    Failure(Error::unprocessable(format!("Database exception occurred: ({driver}.{kind}) {text}")))
}
