//! Annotation layers and annotations (`superset.commands.annotation_layer`).

use chrono::NaiveDateTime;
use daos::{
    annotation,
    rows::{self, exists, key, require},
    tables::{ANNOTATION_LAYERS, ANNOTATIONS},
    write::{self, Values},
};
use infra::{Error, Result, db::Executor};
use serde_json::{Map, Value, json};

use crate::{Caller, Services};

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
pub async fn layer_create(caller: &Caller, name: &str, values: Values) -> Result<i64> {
    let tx = caller.app.db.begin().await?;
    unique_name(tx.exec(), name, None).await?;
    let pk = write::insert(tx.exec(), &ANNOTATION_LAYERS, values, caller.user.user_id()).await?;
    tx.commit().await?;
    Ok(key(&pk)?)
}

/// Changes a layer.
pub async fn layer_update(caller: &Caller, id: i64, name: Option<&str>, values: Values) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    require(tx.exec(), "annotation_layer", id).await?;
    unique_name(tx.exec(), name.unwrap_or_default(), Some(id)).await?;
    write::update(tx.exec(), &ANNOTATION_LAYERS, id.into(), values, caller.user.user_id()).await?;
    Ok(tx.commit().await?)
}

/// Deletes layers; one with annotations is kept.
pub async fn layer_delete(app: &Services, ids: &[i64]) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::not_found());
    }
    let tx = app.db.begin().await?;
    for id in ids {
        require(tx.exec(), "annotation_layer", *id).await?;
        if rows::has(tx.exec(), "annotation", "layer_id", *id).await? {
            return Err(Error::unprocessable("Annotation layer has associated annotations."));
        }
    }
    for id in ids {
        write::delete(tx.exec(), &ANNOTATION_LAYERS, (*id).into()).await?;
    }
    Ok(tx.commit().await?)
}

/// Makes an annotation in a layer.
pub async fn annotation_create(caller: &Caller, layer: i64, draft: AnnotationDraft) -> Result<i64> {
    let tx = caller.app.db.begin().await?;
    if !exists(tx.exec(), "annotation_layer", layer).await? {
        return Err(Error::bad_request("Annotation layer not found."));
    }
    check(tx.exec(), layer, None, &draft).await?;
    let mut values = draft.values;
    values.push(("layer_id", layer.into()));
    let pk = write::insert(tx.exec(), &ANNOTATIONS, values, caller.user.user_id()).await?;
    tx.commit().await?;
    Ok(key(&pk)?)
}

/// Changes an annotation.
pub async fn annotation_update(caller: &Caller, layer: i64, id: i64, draft: AnnotationDraft) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    require(tx.exec(), "annotation", id).await?;
    require(tx.exec(), "annotation_layer", layer).await?;
    check(tx.exec(), layer, Some(id), &draft).await?;
    let mut values = draft.values;
    values.push(("layer_id", layer.into()));
    write::update(tx.exec(), &ANNOTATIONS, id.into(), values, caller.user.user_id()).await?;
    Ok(tx.commit().await?)
}

/// Deletes annotations, wherever they are.
pub async fn annotation_delete(app: &Services, ids: &[i64]) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::not_found());
    }
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
    let short_descr = draft.short_descr.as_deref().unwrap_or_default();
    if annotation::is_taken(ex, layer, short_descr, id).await? {
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
    match rows::has_other(ex, "annotation_layer", "name", name, id).await? {
        true => Err(Error::unprocessable(json!({"name": ["Name must be unique"]}))),
        false => Ok(()),
    }
}
