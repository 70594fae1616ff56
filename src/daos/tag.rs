//! Tags (`superset.tags.models`).

use infra::db::{DbError, Executor, Sql};

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
