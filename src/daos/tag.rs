//! Tags (`superset.tags.models`).

use std::collections::HashMap;

use infra::db::{DbError, Executor, Sql};

use crate::{rows, tables::TAGS, write};

/// A tag as objects show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Primary key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// `custom`, `type`, `owner` or `favorited_by`.
    pub kind: Option<String>,
}

impl Tag {
    /// The number of its type on the wire (`TagType`).
    pub fn kind_number(&self) -> Option<i64> {
        match self.kind.as_deref()? {
            "custom" => Some(1),
            "type" => Some(2),
            "owner" => Some(3),
            "favorited_by" => Some(4),
            _ => None,
        }
    }
}

/// Tags of an object; `object_type` is `chart`, `dashboard`, `query` or `dataset`.
pub async fn of_object(db: &dyn Executor, object_type: &str, id: i64) -> Result<Vec<Tag>, DbError> {
    let sql = Sql::new(
        "SELECT g.id, g.name, g.type FROM tag g JOIN tagged_object o ON o.tag_id = g.id \
         WHERE o.object_type = ? AND o.object_id = ? ORDER BY g.id",
    );
    let rows = db.query(sql.bind(object_type).bind(id)).await?;
    rows.iter().map(|r| Ok(Tag { id: r.at(0)?, name: r.at(1)?, kind: r.at(2)? })).collect()
}

/// The tag of a name.
pub async fn find_by_name(db: &dyn Executor, name: &str) -> Result<Option<i64>, DbError> {
    db.first(Sql::new("SELECT id FROM tag WHERE name = ?").bind(name)).await?.map(|r| r.at(0)).transpose()
}

/// The tag of a name and type.
pub async fn find_of_kind(db: &dyn Executor, kind: &str, name: &str) -> Result<Option<i64>, DbError> {
    let sql = Sql::new("SELECT id FROM tag WHERE name = ? AND type = ?");
    db.first(sql.bind(name).bind(kind)).await?.map(|r| r.at(0)).transpose()
}

/// The tag of a name and type; it is made where there is none.
pub async fn find_or_insert(
    db: &dyn Executor,
    kind: &str,
    name: &str,
    user_id: Option<i64>,
) -> Result<i64, DbError> {
    if let Some(id) = find_of_kind(db, kind, name).await? {
        return Ok(id);
    }
    let values = vec![("name", name.into()), ("type", kind.into())];
    rows::key(&write::insert(db, &TAGS, values, user_id).await?)
}

/// Tags of several objects, by the object's id.
pub async fn of_objects(
    db: &dyn Executor,
    object_type: &str,
    ids: &[i64],
) -> Result<HashMap<i64, Vec<Tag>>, DbError> {
    let mut sql = Sql::new(
        "SELECT o.object_id, g.id, g.name, g.type FROM tag g JOIN tagged_object o ON o.tag_id = g.id \
         WHERE o.object_type = ",
    );
    sql.push_bind(object_type).push(" AND o.object_id IN ").push_list(ids.iter().copied());
    sql.push(" ORDER BY g.id");
    let mut tags: HashMap<i64, Vec<Tag>> = HashMap::new();
    for row in db.query(sql).await? {
        let tag = Tag { id: row.at(1)?, name: row.at(2)?, kind: row.at(3)? };
        tags.entry(row.at(0)?).or_default().push(tag);
    }
    Ok(tags)
}

/// A tag as exports list it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct DescribedTag {
    pub name: String,
    pub kind: Option<String>,
    pub description: Option<String>,
}

/// Tags of several objects with what they mean, in the order of the objects.
pub async fn described(
    db: &dyn Executor,
    object_type: &str,
    ids: &[i64],
) -> Result<Vec<DescribedTag>, DbError> {
    let mut sql = Sql::new(
        "SELECT g.name, g.type, g.description FROM tag g JOIN tagged_object o ON o.tag_id = g.id \
         WHERE o.object_type = ",
    );
    sql.push_bind(object_type).push(" AND o.object_id IN ").push_list(ids.iter().copied());
    sql.push(" ORDER BY o.object_id, g.id");
    let read = |row: &infra::db::Row| {
        Ok(DescribedTag { name: row.at(0)?, kind: row.at(1)?, description: row.at(2)? })
    };
    db.query(sql).await?.iter().map(read).collect()
}

/// Which of several tags a user has starred.
pub async fn starred(db: &dyn Executor, user_id: Option<i64>, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new("SELECT tag_id FROM user_favorite_tag WHERE user_id = ");
    sql.push_bind(user_id).push(" AND tag_id IN ").push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}

/// Stars a tag for a user, once; nothing happens where one of them is not there.
pub async fn star(db: &dyn Executor, user_id: i64, id: i64) -> Result<(), DbError> {
    let sql = Sql::new(
        "INSERT INTO user_favorite_tag (user_id, tag_id) SELECT ab_user.id, tag.id FROM ab_user, tag \
         WHERE ab_user.id = ? AND tag.id = ? AND NOT EXISTS \
         (SELECT 1 FROM user_favorite_tag f WHERE f.user_id = ab_user.id AND f.tag_id = tag.id)",
    );
    db.execute(sql.bind(user_id).bind(id)).await.map(drop)
}

/// Takes the star away.
pub async fn unstar(db: &dyn Executor, user_id: i64, id: i64) -> Result<(), DbError> {
    let sql = Sql::new("DELETE FROM user_favorite_tag WHERE user_id = ? AND tag_id = ?");
    db.execute(sql.bind(user_id).bind(id)).await.map(drop)
}

/// A condition on lists of tags: people made it, or it came by itself.
pub fn is_custom(yes: bool) -> Sql {
    Sql::new(if yes { "tag.type = 'custom'" } else { "tag.type != 'custom'" })
}
