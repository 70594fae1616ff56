//! POST, PUT, DELETE and bulk DELETE of resources that have no rules of their own
//! (`post_headless`, `put_headless`, `delete_headless`, `bulk_delete`).

use commands::resource::{self as rows, Values, WriteError};
use daos::{
    Record, Selection,
    table::{Fill, Kind},
};
use infra::{
    Error,
    db::{DbError, Dialect, Executor, Value as Stored},
    rison::schema,
};
use serde_json::{Map, Value, json};

use super::{Field, FilterCx, Resource, Style, resource::respond};
use crate::schemas::validate::{self, integer};
use crate::{Cx, Handled, error::Failure};

pub(super) async fn post(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = post_answer(resource, &cx).await;
    resource.map_failure(answer)
}

pub(super) async fn put(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = put_answer(resource, &cx).await;
    resource.map_failure(answer)
}

pub(super) async fn delete(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = delete_answer(resource, &cx).await;
    resource.map_failure(answer)
}

async fn post_answer(resource: &'static Resource, cx: &Cx) -> Handled {
    if !cx.req.is_json() {
        return Err(Error::bad_request("Request is not JSON").into());
    }
    let body = body(resource, cx)?;
    let loaded = validate::load(resource.add_fields, &body).map_err(invalid)?;
    let filter_cx = FilterCx { caller: &cx.caller, dialect: cx.caller.app.db.dialect() };
    let mut values = stored(resource, resource.add_fields, &loaded, filter_cx.dialect);
    if let Some(prepare) = resource.before_add {
        prepare(&filter_cx, &mut values);
    }
    // a column with a default takes it for null, too
    let defaulted = |name: &str| {
        resource.table.column(name).is_some_and(|column| !matches!(column.default, Fill::Nothing))
    };
    values.retain(|(name, value)| *value != Stored::Null || !defaulted(name));
    let returned = selection(resource, resource.add_fields);
    let record = rows::insert(&cx.caller, values, &returned, resource.implicit_tags).await;
    let record = record.map_err(|e| insert_error(e, cx.caller.app.db.dialect()))?;
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
    let values = stored(resource, resource.edit_fields, &loaded, cx.caller.app.db.dialect());
    let pk = record.value(resource.table.pk).clone();
    let returned = selection(resource, resource.edit_fields);
    let record = rows::update(&cx.caller, pk, values, &returned, resource.implicit_tags).await;
    let record = record.map_err(|e| database_error(e, cx.caller.app.db.dialect()))?;
    let mut payload = Map::new();
    payload.insert("result".into(), dump(resource.edit_fields, record.as_ref()));
    Ok(respond(200, payload))
}

async fn delete_answer(resource: &'static Resource, cx: &Cx) -> Handled {
    let record = visible(resource, cx, &[]).await?.ok_or_else(Error::not_found)?;
    let pk = record.value(resource.table.pk).clone();
    let deleted = rows::delete(&cx.caller.app, resource.table, pk, resource.implicit_tags).await;
    deleted.map_err(|e| database_error(e, cx.caller.app.db.dialect()))?;
    Ok(respond(200, Map::from_iter([("message".to_owned(), json!("OK"))])))
}

pub(super) async fn bulk_delete(resource: &'static Resource, cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    let conditions = resource.base_conditions(&cx);
    let deleted =
        rows::delete_many(&cx.caller.app, resource.table, &ids, conditions, resource.implicit_tags).await;
    deleted.map_err(|e| database_error(e, cx.caller.app.db.dialect()))?;
    let (one, many) = resource.nouns;
    let message = format!("Deleted {} {}", ids.len(), if ids.len() == 1 { one } else { many });
    Ok(respond(200, Map::from_iter([("message".to_owned(), message.into())])))
}

/// The keys of `q=!(1,2,3)`. What is found must be as many as there are keys, so that one that stands there twice is
/// not found.
pub fn ids(cx: &Cx) -> Result<Vec<i64>, Failure> {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let ids: Vec<i64> = value.as_array().into_iter().flatten().filter_map(integer).collect();
    let mut seen = std::collections::HashSet::new();
    if ids.iter().all(|id| seen.insert(*id)) { Ok(ids) } else { Err(Error::not_found().into()) }
}

/// The item of the path, if the caller sees it.
async fn visible(resource: &'static Resource, cx: &Cx, fields: &[Field]) -> Result<Option<Record>, Failure> {
    let Ok(pk) = cx.req.param("pk").parse::<i32>() else { return Ok(None) };
    let selection = selection(resource, fields);
    Ok(rows::find(&cx.caller.app, &selection, i64::from(pk), resource.base_conditions(cx)).await?)
}

fn selection(resource: &Resource, fields: &[Field]) -> Selection {
    Selection::with_paths(resource.table, fields.iter().map(|f| f.name))
}

fn dump(fields: &[Field], record: Option<&Record>) -> Value {
    Value::Object(
        fields.iter().map(|f| (f.name.to_owned(), record.map_or(Value::Null, |r| r.json(f.name)))).collect(),
    )
}

/// Loaded fields as column values; what is no column is left to the resource.
fn stored(resource: &Resource, fields: &[Field], loaded: &Map<String, Value>, dialect: Dialect) -> Values {
    let mut values = Values::new();
    for field in fields {
        let (Some(column), Some(value)) = (resource.table.column(field.name), loaded.get(field.name)) else {
            continue;
        };
        let value = match (column.kind, value) {
            // `ExtraJSONMixin` never holds nothing
            (_, Value::Null) if column.name == "extra_json" => "{}".into(),
            (_, Value::Null) => Stored::Null,
            // Python's drivers write a number; PostgreSQL wants none here that says true
            (Kind::Integer, Value::Bool(given)) if !dialect.is_strict() => i64::from(*given).into(),
            // what is no number goes to the database as text, which refuses it
            (Kind::Integer, Value::String(s)) if integer(value).is_none() => s.as_str().into(),
            // beyond 64 bits: no row has such a key, and PostgreSQL takes no such number
            (Kind::Integer, Value::Number(_)) if integer(value).is_none() => i64::MAX.into(),
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
fn insert_error(error: WriteError, dialect: Dialect) -> Failure {
    match driver_words(error, dialect) {
        Ok(words) => Failure(Error::Legacy { status: 422, error: format!("{words}\n") }),
        Err(failure) => failure,
    }
}

/// `DatabaseException` of FAB: the driver's sentence is part of the answer.
fn database_error(error: WriteError, dialect: Dialect) -> Failure {
    match driver_words(error, dialect) {
        Ok(words) => Failure(Error::unprocessable(format!("Database exception occurred: {words}"))),
        Err(failure) => failure,
    }
}

/// What the original's driver says about a refused value, or the failure that is none.
fn driver_words(error: WriteError, dialect: Dialect) -> Result<String, Failure> {
    let (kind, text) = match error {
        WriteError::Refused(DbError::Integrity(text)) => ("IntegrityError", text),
        WriteError::Refused(DbError::Query(text) | DbError::OutOfRange(text)) => ("DataError", text),
        WriteError::Refused(other) => return Err(other.into()),
        WriteError::Failed(other) => return Err(other.into()),
    };
    Ok(format!("({}.{kind}) {text}", dialect.python_driver()))
}
