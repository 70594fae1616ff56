//! Which objects have which tags (`superset.tags.models:TaggedObject`).
//!
//! An object is named by its type (`chart`, `dashboard`, `query`, `dataset`) and its id.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};

use crate::{tables::TAGGED_OBJECTS, write};

/// An object as the page of a tag lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaggedObject {
    /// Primary key.
    pub id: i64,
    /// Its name or title.
    pub name: Option<String>,
    /// Last change.
    pub changed_on: Option<NaiveDateTime>,
    /// Who made it.
    pub created_by_fk: Option<i64>,
    /// The name of a dashboard in addresses.
    pub slug: Option<String>,
}

/// Tags in question.
#[derive(Debug, Clone)]
pub enum TagSelection<'a> {
    /// Every tag.
    All,
    /// By key.
    Ids(Vec<i64>),
    /// By name.
    Names(Vec<&'a str>),
}

impl TagSelection<'_> {
    fn select(&self) -> Sql {
        let mut sql = Sql::new("SELECT id FROM tag");
        match self {
            Self::All => {}
            Self::Ids(ids) => {
                sql.push(" WHERE id IN ").push_list(ids.iter().copied());
            }
            Self::Names(names) => {
                sql.push(" WHERE name IN ").push_list(names.iter().copied());
            }
        }
        sql
    }
}

/// The charts, dashboards or saved queries that have one of the tags, if a condition over the alias `x` lets them
/// through.
pub async fn find(
    db: &dyn Executor,
    object_type: &str,
    tags: &TagSelection<'_>,
    condition: Option<Sql>,
) -> Result<Vec<TaggedObject>, DbError> {
    let (table, name, slug) = match object_type {
        "dashboard" => ("dashboards", "dashboard_title", "x.slug"),
        "chart" => ("slices", "slice_name", "NULL"),
        _ => ("saved_query", "label", "NULL"),
    };
    let mut sql = Sql::new(format!(
        "SELECT x.id, x.{name}, x.changed_on, x.created_by_fk, {slug} FROM {table} x \
         WHERE x.id IN (SELECT object_id FROM tagged_object WHERE object_type = "
    ));
    sql.push_bind(object_type).push(" AND tag_id IN (").append(tags.select()).push("))");
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    sql.push(" ORDER BY x.id");
    let read = |row: &Row| {
        Ok(TaggedObject {
            id: row.at(0)?,
            name: row.at(1)?,
            changed_on: row.at(2)?,
            created_by_fk: row.at(3)?,
            slug: row.at(4)?,
        })
    };
    db.query(sql).await?.iter().map(read).collect()
}

/// Attaches a tag to an object, unless it is there.
pub async fn attach(
    db: &dyn Executor,
    tag: i64,
    (object_type, id): (&str, i64),
    user_id: Option<i64>,
) -> Result<(), DbError> {
    let sql = Sql::new("SELECT id FROM tagged_object WHERE tag_id = ? AND object_type = ? AND object_id = ?");
    if db.first(sql.bind(tag).bind(object_type).bind(id)).await?.is_none() {
        insert_link(db, tag, (object_type, id), user_id).await?;
    }
    Ok(())
}

/// Attaches a tag that an object does not have.
pub async fn insert_link(
    db: &dyn Executor,
    tag: i64,
    (object_type, id): (&str, i64),
    user_id: Option<i64>,
) -> Result<(), DbError> {
    let values = vec![("tag_id", tag.into()), ("object_type", object_type.into()), ("object_id", id.into())];
    write::insert(db, &TAGGED_OBJECTS, values, user_id).await.map(drop)
}

/// Takes a tag off an object; how often it was there.
pub async fn detach(db: &dyn Executor, tag: i64, (object_type, id): (&str, i64)) -> Result<u64, DbError> {
    let sql = Sql::new("DELETE FROM tagged_object WHERE tag_id = ? AND object_type = ? AND object_id = ?");
    db.execute(sql.bind(tag).bind(object_type).bind(id)).await
}

/// Takes several tags off an object.
pub async fn detach_many(
    db: &dyn Executor,
    tags: &[i64],
    (object_type, id): (&str, i64),
) -> Result<(), DbError> {
    let mut sql = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    sql.push_bind(object_type).push(" AND object_id = ").push_bind(id);
    sql.push(" AND tag_id IN ").push_list(tags.iter().copied());
    db.execute(sql).await.map(drop)
}

/// Takes the tags of a type off an object, apart from those of some names.
pub async fn detach_type_except(
    db: &dyn Executor,
    kind: &str,
    names: &[String],
    (object_type, id): (&str, i64),
) -> Result<(), DbError> {
    let mut sql = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    sql.push_bind(object_type).push(" AND object_id = ").push_bind(id);
    sql.push(" AND tag_id IN (SELECT id FROM tag WHERE type = ").push_bind(kind);
    if !names.is_empty() {
        sql.push(" AND name NOT IN ").push_list(names.iter().map(String::as_str));
    }
    sql.push(")");
    db.execute(sql).await.map(drop)
}

/// Takes the tag of a type and name off an object.
pub async fn detach_named(
    db: &dyn Executor,
    (kind, name): (&str, &str),
    (object_type, id): (&str, i64),
) -> Result<(), DbError> {
    let sql = Sql::new(
        "DELETE FROM tagged_object WHERE object_id = ? AND object_type = ? AND tag_id IN \
         (SELECT id FROM tag WHERE type = ? AND name = ?)",
    );
    db.execute(sql.bind(id).bind(object_type).bind(kind).bind(name)).await.map(drop)
}

/// What a tag is attached to.
pub async fn of_tag(db: &dyn Executor, tag: i64) -> Result<BTreeSet<(String, i64)>, DbError> {
    let sql = Sql::new("SELECT object_type, object_id FROM tagged_object WHERE tag_id = ?").bind(tag);
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Takes everything off some objects, which are about to go.
pub async fn delete_of_objects(db: &dyn Executor, object_type: &str, ids: &[i64]) -> Result<(), DbError> {
    let mut sql = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    sql.push_bind(object_type).push(" AND object_id IN ").push_list(ids.iter().copied());
    db.execute(sql).await.map(drop)
}
