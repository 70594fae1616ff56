//! Tags that objects get by themselves where `TAGGING_SYSTEM` is on: their type, their owners, who starred them
//! (`superset.tags.models:ObjectUpdater`, `FavStarUpdater`).

use daos::{tag, tagged_object};
use infra::{Result, config::Config, db::Executor};

use crate::{Principal, tag::ObjectType};

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
    tagged_object::detach_type_except(db, "owner", &names, (kind.name(), id)).await?;
    for name in &names {
        attach(db, user, kind, id, "owner", name).await?;
    }
    Ok(())
}

/// After an object was deleted.
pub async fn deleted(db: &dyn Executor, kind: ObjectType, ids: &[i64]) -> Result<()> {
    Ok(tagged_object::delete_of_objects(db, kind.name(), ids).await?)
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
        let name = format!("favorited_by:{me}");
        tagged_object::detach_named(db, ("favorited_by", &name), (kind.name(), id)).await?;
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
    let tag = tag::find_or_insert(db, type_, name, user.user_id()).await?;
    Ok(tagged_object::attach(db, tag, (kind.name(), id), user.user_id()).await?)
}
