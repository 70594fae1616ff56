//! Annotation layers and annotations (`superset.commands.annotation_layer`).

use chrono::NaiveDateTime;
use daos::{
    tables::{ANNOTATION_LAYERS, ANNOTATIONS},
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{Executor, Sql},
};
use serde_json::{Map, Value, json};

use crate::{Principal, Services};

/// What is written of an annotation; absent members stay as they are.
#[derive(Debug, Clone, Default)]
pub struct AnnotationDraft {
    /// Columns.
    pub values: Values,
    /// The short description, if given.
    pub short_descr: Option<String>,
    /// Start and end, if given.
    pub times: (Option<NaiveDateTime>, Option<NaiveDateTime>),
}

/// Makes a layer; names are unique.
pub async fn layer_create(app: &Services, user: &Principal, name: &str, values: Values) -> Result<i64> {
    let tx = app.db.begin().await?;
    unique_name(tx.exec(), name, None).await?;
    let pk = write::insert(tx.exec(), &ANNOTATION_LAYERS, values, user.user_id()).await?;
    tx.commit().await?;
    key(&pk)
}

/// Changes a layer.
pub async fn layer_update(
    app: &Services,
    user: &Principal,
    id: i64,
    name: Option<&str>,
    values: Values,
) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "annotation_layer", id).await?;
    unique_name(tx.exec(), name.unwrap_or_default(), Some(id)).await?;
    write::update(tx.exec(), &ANNOTATION_LAYERS, id.into(), values, user.user_id()).await?;
    Ok(tx.commit().await?)
}

/// Deletes layers; one with annotations is kept.
pub async fn layer_delete(app: &Services, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    for id in ids {
        require(tx.exec(), "annotation_layer", *id).await?;
        let used = Sql::new("SELECT id FROM annotation WHERE layer_id = ? LIMIT 1").bind(*id);
        if tx.exec().first(used).await?.is_some() {
            return Err(Error::unprocessable("Annotation layer has associated annotations."));
        }
    }
    for id in ids {
        write::delete(tx.exec(), &ANNOTATION_LAYERS, (*id).into()).await?;
    }
    Ok(tx.commit().await?)
}

/// Makes an annotation in a layer.
pub async fn annotation_create(
    app: &Services,
    user: &Principal,
    layer: i64,
    draft: AnnotationDraft,
) -> Result<i64> {
    let tx = app.db.begin().await?;
    if !exists(tx.exec(), "annotation_layer", layer).await? {
        return Err(Error::bad_request("Annotation layer not found."));
    }
    check(tx.exec(), layer, None, &draft).await?;
    let mut values = draft.values;
    values.push(("layer_id", layer.into()));
    let pk = write::insert(tx.exec(), &ANNOTATIONS, values, user.user_id()).await?;
    tx.commit().await?;
    key(&pk)
}

/// Changes an annotation.
pub async fn annotation_update(
    app: &Services,
    user: &Principal,
    layer: i64,
    id: i64,
    draft: AnnotationDraft,
) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "annotation", id).await?;
    require(tx.exec(), "annotation_layer", layer).await?;
    check(tx.exec(), layer, Some(id), &draft).await?;
    let mut values = draft.values;
    values.push(("layer_id", layer.into()));
    write::update(tx.exec(), &ANNOTATIONS, id.into(), values, user.user_id()).await?;
    Ok(tx.commit().await?)
}

/// Deletes annotations, wherever they are.
pub async fn annotation_delete(app: &Services, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    for id in ids {
        require(tx.exec(), "annotation", *id).await?;
    }
    for id in ids {
        write::delete(tx.exec(), &ANNOTATIONS, (*id).into()).await?;
    }
    Ok(tx.commit().await?)
}

async fn check(ex: &dyn Executor, layer: i64, id: Option<i64>, draft: &AnnotationDraft) -> Result<()> {
    let mut errors = Map::new();
    let mut same =
        Sql::new("SELECT id FROM annotation WHERE layer_id = ? AND short_descr = ? AND id != ?").bind(layer);
    same = same.bind(draft.short_descr.clone().unwrap_or_default()).bind(id.unwrap_or(-1));
    if ex.first(same).await?.is_some() {
        errors.insert("short_descr".into(), json!(["Short description must be unique for this layer"]));
    }
    if let (Some(start), Some(end)) = draft.times
        && end < start
    {
        errors.insert("start_dttm".into(), json!(["End date must be after start date"]));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::unprocessable(Value::Object(errors))) }
}

async fn unique_name(ex: &dyn Executor, name: &str, id: Option<i64>) -> Result<()> {
    let same = Sql::new("SELECT id FROM annotation_layer WHERE name = ? AND id != ?")
        .bind(name)
        .bind(id.unwrap_or(-1));
    match ex.first(same).await? {
        Some(_) => Err(Error::unprocessable(json!({"name": ["Name must be unique"]}))),
        None => Ok(()),
    }
}

/// True when a row with the key exists.
pub(crate) async fn exists(ex: &dyn Executor, table: &str, id: i64) -> Result<bool> {
    // beyond 32 bits no key exists, and PostgreSQL refuses to compare
    if i32::try_from(id).is_err() {
        return Ok(false);
    }
    Ok(ex.first(Sql::new(format!("SELECT id FROM {table} WHERE id = ?")).bind(id)).await?.is_some())
}

/// 404 unless a row with the key exists.
pub(crate) async fn require(ex: &dyn Executor, table: &str, id: i64) -> Result<()> {
    if exists(ex, table, id).await? { Ok(()) } else { Err(Error::not_found()) }
}

/// The integer key of a new row.
pub(crate) fn key(pk: &infra::db::Value) -> Result<i64> {
    use infra::db::FromValue;
    i64::from_value(pk).ok_or_else(|| Error::internal("the new key is no integer"))
}
