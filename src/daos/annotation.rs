//! Annotations of layers (`superset.models.annotations`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};

/// A row of `annotation`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Annotation {
    pub start_dttm: Option<NaiveDateTime>,
    pub end_dttm: Option<NaiveDateTime>,
    pub short_descr: Option<String>,
    pub long_descr: Option<String>,
    pub json_metadata: Option<String>,
}

/// The annotations of layers, by layer; a layer that exists is there even when it is empty.
pub async fn of_layers(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Vec<Annotation>>, DbError> {
    let mut of = HashMap::new();
    if ids.is_empty() {
        return Ok(of);
    }
    let mut sql = Sql::new(
        "SELECT l.id, a.id AS annotation_id, a.start_dttm, a.end_dttm, a.short_descr, a.long_descr, a.json_metadata \
         FROM annotation_layer l LEFT JOIN annotation a ON a.layer_id = l.id WHERE l.id IN ",
    );
    sql.push_list(ids.iter().copied()).push(" ORDER BY l.id, a.id");
    for row in db.query(sql).await? {
        let list: &mut Vec<Annotation> = of.entry(row.at(0)?).or_default();
        if row.get::<Option<i64>>("annotation_id")?.is_some() {
            list.push(Annotation {
                start_dttm: row.get("start_dttm")?,
                end_dttm: row.get("end_dttm")?,
                short_descr: row.get("short_descr")?,
                long_descr: row.get("long_descr")?,
                json_metadata: row.get("json_metadata")?,
            });
        }
    }
    Ok(of)
}

/// Another annotation of a layer has this short description.
pub async fn is_taken(
    db: &dyn Executor,
    layer: i64,
    short_descr: &str,
    but: Option<i64>,
) -> Result<bool, DbError> {
    let sql = Sql::new("SELECT id FROM annotation WHERE layer_id = ? AND short_descr = ? AND id <> ?");
    Ok(db.first(sql.bind(layer).bind(short_descr).bind(but.unwrap_or(-1))).await?.is_some())
}
