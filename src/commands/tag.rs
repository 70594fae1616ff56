//! Custom tags (`superset.commands.tag`, `superset.daos.tag`).

use std::collections::BTreeSet;

use daos::{
    person::Owned,
    rows::{self, exists, require},
    tables::{DASHBOARDS, SAVED_QUERIES, SLICES, TABLES, TAGS},
    tag, tagged_object, write,
};
use infra::{Error, Result, db::Executor};

use crate::{
    Caller, Principal, Services,
    access::{lists, ownership::owns},
};

/// A kind of object that can be tagged, with its number in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectType {
    /// Saved query, 1.
    Query,
    /// Chart, 2.
    Chart,
    /// Dashboard, 3.
    Dashboard,
    /// Dataset, 4.
    Dataset,
}

impl ObjectType {
    const ALL: [Self; 4] = [Self::Query, Self::Chart, Self::Dashboard, Self::Dataset];

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Chart => "chart",
            Self::Dashboard => "dashboard",
            Self::Dataset => "dataset",
        }
    }
    /// By stored name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
    /// By number, from 1.
    pub fn by_number(number: i64) -> Option<Self> {
        usize::try_from(number - 1).ok().and_then(|n| Self::ALL.get(n)).copied()
    }
    fn table(self) -> &'static str {
        match self {
            Self::Query => SAVED_QUERIES.name,
            Self::Chart => SLICES.name,
            Self::Dashboard => DASHBOARDS.name,
            Self::Dataset => TABLES.name,
        }
    }
    fn owned(self) -> Option<Owned> {
        match self {
            Self::Query => None,
            Self::Chart => Some(Owned::Chart),
            Self::Dashboard => Some(Owned::Dashboard),
            Self::Dataset => Some(Owned::Dataset),
        }
    }
}

/// An object as clients name it.
pub type Tagged = (String, i64);

/// What a tag is to be attached to, split by whether the caller may.
#[derive(Debug, Clone, Default)]
pub struct TagOutcome {
    /// Tagged now.
    pub tagged: BTreeSet<Tagged>,
    /// Left alone: somebody else's.
    pub skipped: BTreeSet<Tagged>,
}

/// Makes a tag, or takes the one of that name, and attaches it; unless `bulk`, what is not named is detached.
pub async fn tag_create(
    caller: &Caller,
    name: &str,
    description: Option<&str>,
    objects: &[Tagged],
    bulk: bool,
) -> Result<TagOutcome> {
    let mut outcome = TagOutcome::default();
    for (kind, id) in objects {
        // a kind that nobody knows is invalid without further words
        let kind_ =
            ObjectType::by_name(kind).ok_or_else(|| Error::unprocessable("Could not process entity"))?;
        let allowed = may_tag(caller, kind_, *id).await?;
        let side = if allowed { &mut outcome.tagged } else { &mut outcome.skipped };
        side.insert((kind.clone(), *id));
    }
    let dropped = match (bulk, tag::find_of_kind(caller.app.db.exec(), "custom", name.trim()).await?) {
        (false, Some(tag)) => dropped(caller, tag, &outcome.tagged).await?,
        _ => BTreeSet::new(),
    };
    let tx = caller.app.db.begin().await?;
    let tag = get_or_create(tx.exec(), &caller.user, name).await?;
    relate(tx.exec(), &caller.user, tag, &outcome.tagged, &dropped).await?;
    let values = vec![("description", description.into())];
    write::update(tx.exec(), &TAGS, tag.into(), values, caller.user.user_id()).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Renames a tag and replaces what it is attached to; an unknown tag is a "Fatal error" of the original.
pub async fn tag_update(
    caller: &Caller,
    id: i64,
    name: &str,
    description: Option<&str>,
    objects: &[Tagged],
) -> Result<()> {
    if !exists(caller.app.db.exec(), "tag", id).await?
        || objects.iter().any(|(kind, _)| ObjectType::by_name(kind).is_none())
    {
        return Err(Error::internal("tag not found, or an object type that nobody knows"));
    }
    let wanted = objects.iter().cloned().collect();
    let dropped = dropped(caller, id, &wanted).await?;
    let before = tagged_object::of_tag(caller.app.db.exec(), id).await?;
    let new = seen(caller, wanted.difference(&before).cloned().collect()).await?;
    let tx = caller.app.db.begin().await?;
    relate(tx.exec(), &caller.user, id, &new, &dropped).await?;
    let values = vec![("name", name.into()), ("description", description.into())];
    write::update(tx.exec(), &TAGS, id.into(), values, caller.user.user_id()).await?;
    Ok(tx.commit().await?)
}

/// Deletes a tag with its attachments.
pub async fn tag_delete(app: &Services, id: i64) -> Result<()> {
    let tx = app.db.begin().await?;
    require(tx.exec(), "tag", id).await?;
    delete(tx.exec(), id).await?;
    Ok(tx.commit().await?)
}

/// Deletes tags by name; none is deleted when one does not exist.
pub async fn tags_delete(app: &Services, names: &[String]) -> Result<bool> {
    let tx = app.db.begin().await?;
    let mut ids = Vec::new();
    for name in names {
        match tag::find_by_name(tx.exec(), name).await? {
            Some(id) => ids.push(id),
            None => return Ok(false),
        }
    }
    for id in ids {
        delete(tx.exec(), id).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Attaches tags, making those that do not exist.
pub async fn object_tag(caller: &Caller, kind: ObjectType, object: i64, names: &[String]) -> Result<()> {
    if !sees(caller, kind, object).await? {
        return Err(Error::not_found());
    }
    let tx = caller.app.db.begin().await?;
    for name in names {
        let tag = get_or_create(tx.exec(), &caller.user, name).await?;
        tagged_object::attach(tx.exec(), tag, (kind.name(), object), caller.user.user_id()).await?;
    }
    Ok(tx.commit().await?)
}

/// Detaches a tag.
pub async fn object_untag(caller: &Caller, kind: ObjectType, object: i64, name: &str) -> Result<()> {
    let invalid = || Error::unprocessable("Could not process entity");
    if !sees(caller, kind, object).await? {
        return Err(invalid());
    }
    let tx = caller.app.db.begin().await?;
    let tag = tag::find_by_name(tx.exec(), name).await?.ok_or_else(invalid)?;
    if tagged_object::detach(tx.exec(), tag, (kind.name(), object)).await? == 0 {
        return Err(invalid());
    }
    Ok(tx.commit().await?)
}

/// Owners and those who made an object may tag it.
async fn may_tag(caller: &Caller, kind: ObjectType, id: i64) -> Result<bool> {
    let table = kind.table();
    if caller.user.is_admin {
        return Ok(exists(caller.app.db.exec(), table, id).await?);
    }
    if let Some(of) = kind.owned()
        && owns(caller, of, id).await?
    {
        return Ok(true);
    }
    Ok(rows::is_made_by(caller.app.db.exec(), table, id, caller.user.user_id()).await?)
}

/// Whether the caller sees an object: in a list, as an owner, or as who made it. What does not exist is not seen
/// either: the two must look alike. The original tags whatever number it is told.
async fn sees(caller: &Caller, kind: ObjectType, id: i64) -> Result<bool> {
    let listed = match kind {
        ObjectType::Query => lists::saved_queries(&caller.user, "x"),
        ObjectType::Chart => lists::charts(&caller.user, "x"),
        ObjectType::Dashboard => {
            lists::dashboards(&caller.app.config, &caller.user, caller.app.db.dialect(), "x")
        }
        ObjectType::Dataset => lists::datasets(&caller.user, "x"),
    };
    let found = rows::existing_where(caller.app.db.exec(), (kind.table(), "x"), &[id], listed).await?;
    Ok(!found.is_empty() || may_tag(caller, kind, id).await?)
}

/// Those of the objects that the caller sees.
async fn seen(caller: &Caller, objects: BTreeSet<Tagged>) -> Result<BTreeSet<Tagged>> {
    let mut seen = BTreeSet::new();
    for (kind, id) in objects {
        if let Some(known) = ObjectType::by_name(&kind)
            && sees(caller, known, id).await?
        {
            seen.insert((kind, id));
        }
    }
    Ok(seen)
}

/// What a tag is to be detached from when it is for `wanted` only: nothing that the caller does not see (T21).
async fn dropped(caller: &Caller, tag: i64, wanted: &BTreeSet<Tagged>) -> Result<BTreeSet<Tagged>> {
    let attached = tagged_object::of_tag(caller.app.db.exec(), tag).await?;
    seen(caller, attached.difference(wanted).cloned().collect()).await
}

async fn get_or_create(ex: &dyn Executor, user: &Principal, name: &str) -> Result<i64> {
    Ok(tag::find_or_insert(ex, "custom", name.trim(), user.user_id()).await?)
}

/// Attaches a tag to `objects`, and detaches it from `dropped`.
async fn relate(
    ex: &dyn Executor,
    user: &Principal,
    tag: i64,
    objects: &BTreeSet<Tagged>,
    dropped: &BTreeSet<Tagged>,
) -> Result<()> {
    for (kind, id) in dropped {
        tagged_object::detach(ex, tag, (kind.as_str(), *id)).await?;
    }
    for (kind, id) in objects {
        tagged_object::attach(ex, tag, (kind.as_str(), *id), user.user_id()).await?;
    }
    Ok(())
}

async fn delete(ex: &dyn Executor, id: i64) -> Result<()> {
    for links in ["tagged_object", "user_favorite_tag"] {
        rows::delete_where(ex, links, "tag_id", &[id]).await?;
    }
    rows::delete(ex, TAGS.name, &[id]).await
}
