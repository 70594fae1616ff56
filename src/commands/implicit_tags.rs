//! Tags that objects get by themselves where `TAGGING_SYSTEM` is on: their type, their owners, who starred them
//! (`superset.tags.models:ObjectUpdater`, `FavStarUpdater`).

use daos::{
    tables::{TAGGED_OBJECTS, TAGS},
    write,
};
use infra::{
    Result,
    config::Config,
    db::{Executor, Sql},
};

use crate::{Principal, annotation::key, tag::ObjectType};

fn enabled(config: &Config) -> bool {
    config.flag("TAGGING_SYSTEM")
}

/// After an object was made.
pub async fn created(
    config: &Config,
    db: &dyn Executor,
    user: &Principal,
    kind: ObjectType,
    id: i64,
    owners: &[i64],
) -> Result<()> {
    if !enabled(config) {
        return Ok(());
    }
    for owner in owners {
        attach(db, user, kind, id, "owner", &format!("owner:{owner}")).await?;
    }
    attach(db, user, kind, id, "type", &format!("type:{}", kind.name())).await
}

/// After an object was changed: the owners are told anew.
pub async fn updated(
    config: &Config,
    db: &dyn Executor,
    user: &Principal,
    kind: ObjectType,
    id: i64,
    owners: &[i64],
) -> Result<()> {
    if !enabled(config) {
        return Ok(());
    }
    let names: Vec<String> = owners.iter().map(|owner| format!("owner:{owner}")).collect();
    let mut gone = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    gone.push_bind(kind.name()).push(" AND object_id = ").push_bind(id);
    gone.push(" AND tag_id IN (SELECT id FROM tag WHERE type = 'owner'");
    if !names.is_empty() {
        gone.push(" AND name NOT IN ").push_list(names.iter().map(String::as_str));
    }
    gone.push(")");
    db.execute(gone).await?;
    for name in &names {
        attach(db, user, kind, id, "owner", name).await?;
    }
    Ok(())
}

/// After an object was deleted.
pub async fn deleted(db: &dyn Executor, kind: ObjectType, ids: &[i64]) -> Result<()> {
    let mut sql = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    sql.push_bind(kind.name()).push(" AND object_id IN ").push_list(ids.iter().copied());
    db.execute(sql).await?;
    Ok(())
}

/// After a user starred an object.
pub async fn starred(
    config: &Config,
    db: &dyn Executor,
    user: &Principal,
    kind: ObjectType,
    id: i64,
) -> Result<()> {
    match user.user_id().filter(|_| enabled(config)) {
        Some(me) => attach(db, user, kind, id, "favorited_by", &format!("favorited_by:{me}")).await,
        None => Ok(()),
    }
}

/// After a user took the star away.
pub async fn unstarred(
    config: &Config,
    db: &dyn Executor,
    user: &Principal,
    kind: ObjectType,
    id: i64,
) -> Result<()> {
    if let Some(me) = user.user_id().filter(|_| enabled(config)) {
        let sql = Sql::new(
            "DELETE FROM tagged_object WHERE object_id = ? AND object_type = ? AND tag_id IN \
             (SELECT id FROM tag WHERE type = 'favorited_by' AND name = ?)",
        );
        db.execute(sql.bind(id).bind(kind.name()).bind(format!("favorited_by:{me}"))).await?;
    }
    Ok(())
}

async fn attach(
    db: &dyn Executor,
    user: &Principal,
    kind: ObjectType,
    id: i64,
    type_: &str,
    name: &str,
) -> Result<()> {
    let known = Sql::new("SELECT id FROM tag WHERE name = ? AND type = ?").bind(name).bind(type_);
    let tag = match db.first(known).await? {
        Some(row) => row.at(0)?,
        None => {
            let values = vec![("name", name.into()), ("type", type_.into())];
            key(&write::insert(db, &TAGS, values, user.user_id()).await?)?
        }
    };
    let known =
        Sql::new("SELECT id FROM tagged_object WHERE tag_id = ? AND object_type = ? AND object_id = ?");
    if db.first(known.bind(tag).bind(kind.name()).bind(id)).await?.is_none() {
        let values =
            vec![("tag_id", tag.into()), ("object_type", kind.name().into()), ("object_id", id.into())];
        write::insert(db, &TAGGED_OBJECTS, values, user.user_id()).await?;
    }
    Ok(())
}
