//! What the implicit tags of all objects are made from: types, makers and stars (`superset.common.tags`).

use std::collections::HashSet;

use infra::db::{DbError, Executor, Sql};

/// A tag that an object should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `type`, `owner` or `favorited_by`.
    pub kind: &'static str,
    /// Name of the tag.
    pub tag: String,
    /// Kind of the object.
    pub object_type: String,
    /// Its key.
    pub object_id: i64,
}

/// Tables of objects and the kinds of their rows.
const OBJECTS: &[(&str, &str)] =
    &[("slices", "chart"), ("dashboards", "dashboard"), ("saved_query", "query"), ("tables", "dataset")];

/// Every implicit tag of every object.
pub async fn wanted(db: &dyn Executor) -> Result<Vec<Wanted>, DbError> {
    let mut wanted = Vec::new();
    for (table, kind) in OBJECTS {
        let sql = format!("SELECT id, created_by_fk FROM {table} ORDER BY id");
        for row in db.query(Sql::new(sql)).await? {
            let object_id = row.at(0)?;
            let mut want = |kind_of_tag, tag| {
                let object_type = (*kind).to_owned();
                wanted.push(Wanted { kind: kind_of_tag, tag, object_type, object_id });
            };
            want("type", format!("type:{kind}"));
            if let Some(user) = row.at::<Option<i64>>(1)? {
                want("owner", format!("owner:{user}"));
            }
        }
    }
    let stars = Sql::new("SELECT user_id, lower(class_name) AS class_name, obj_id FROM favstar ORDER BY id");
    for row in db.query(stars).await? {
        let (user, class, id): (Option<i64>, Option<String>, Option<i64>) =
            (row.at(0)?, row.at(1)?, row.at(2)?);
        let (Some(user), Some(class), Some(object_id)) = (user, class, id) else { continue };
        // a star may be older than the names that are used now
        let object_type = if class == "slice" { "chart".to_owned() } else { class };
        if OBJECTS.iter().any(|(_, kind)| *kind == object_type) {
            let tag = format!("favorited_by:{user}");
            wanted.push(Wanted { kind: "favorited_by", tag, object_type, object_id });
        }
    }
    Ok(wanted)
}

/// Tag, kind and key of everything that is tagged.
pub async fn attached(db: &dyn Executor) -> Result<HashSet<(i64, String, i64)>, DbError> {
    let rows = db.query(Sql::new("SELECT tag_id, object_type, object_id FROM tagged_object")).await?;
    let mut attached = HashSet::new();
    for row in rows {
        let (tag, kind, id): (Option<i64>, Option<String>, Option<i64>) =
            (row.at(0)?, row.at(1)?, row.at(2)?);
        if let (Some(tag), Some(kind), Some(id)) = (tag, kind, id) {
            attached.insert((tag, kind, id));
        }
    }
    Ok(attached)
}

/// Keys of all users.
pub async fn user_ids(db: &dyn Executor) -> Result<Vec<i64>, DbError> {
    db.query(Sql::new("SELECT id FROM ab_user ORDER BY id")).await?.iter().map(|row| row.at(0)).collect()
}
