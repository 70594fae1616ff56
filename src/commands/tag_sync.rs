//! `superset sync-tags`: the implicit tags of everything that is there (`superset.common.tags`). The original's fails
//! on PostgreSQL, and adds tags without a name on SQLite; this is what it was meant to do.

use std::collections::HashMap;

use daos::{tag, tag_sync, tagged_object};
use infra::{Result, db::Db};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    /// Tags that objects should have.
    pub wanted: usize,
    /// Those that they did not have.
    pub attached: usize,
}

/// Attaches what is missing, all or nothing.
pub async fn sync(db: &Db) -> Result<Synced> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let mut tags: HashMap<(&'static str, String), i64> = HashMap::new();
    let mut names: Vec<(&'static str, String)> = ["query", "chart", "dashboard", "dataset"]
        .iter()
        .map(|kind| ("type", format!("type:{kind}")))
        .collect();
    for user in tag_sync::user_ids(exec).await? {
        names.push(("owner", format!("owner:{user}")));
        names.push(("favorited_by", format!("favorited_by:{user}")));
    }
    let wanted = tag_sync::wanted(exec).await?;
    names.extend(wanted.iter().map(|want| (want.kind, want.tag.clone())));
    for (kind, name) in names {
        if !tags.contains_key(&(kind, name.clone())) {
            let id = tag::find_or_insert(exec, kind, &name, None).await?;
            tags.insert((kind, name), id);
        }
    }
    let mut there = tag_sync::attached(exec).await?;
    let mut attached = 0;
    for want in &wanted {
        let Some(tag) = tags.get(&(want.kind, want.tag.clone())) else { continue };
        if there.insert((*tag, want.object_type.clone(), want.object_id)) {
            tagged_object::insert_link(exec, *tag, (&want.object_type, want.object_id), None).await?;
            attached += 1;
        }
    }
    tx.commit().await?;
    Ok(Synced { wanted: wanted.len(), attached })
}
