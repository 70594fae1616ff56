//! Custom tags (`superset.commands.tag`, `superset.daos.tag`).

use std::collections::BTreeSet;

use daos::{
    Table,
    person::Owned,
    tables::{DASHBOARDS, SAVED_QUERIES, SLICES, TAGGED_OBJECTS, TAGS},
    write,
};
use infra::{
    Error, Result,
    db::{Executor, Sql},
};

use crate::{
    Principal, Services,
    access::ownership::owns,
    annotation::{exists, key, require},
    relations::delete_rows,
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
    fn table(self) -> Option<&'static Table> {
        match self {
            Self::Query => Some(&SAVED_QUERIES),
            Self::Chart => Some(&SLICES),
            Self::Dashboard => Some(&DASHBOARDS),
            Self::Dataset => None,
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
    app: &Services,
    user: &Principal,
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
        let allowed = may_tag(app, user, kind_, *id).await?;
        let side = if allowed { &mut outcome.tagged } else { &mut outcome.skipped };
        side.insert((kind.clone(), *id));
    }
    let tx = app.db.begin().await?;
    let tag = get_or_create(tx.exec(), user, name).await?;
    relate(tx.exec(), user, tag, &outcome.tagged, bulk).await?;
    let values = vec![("description", description.into())];
    write::update(tx.exec(), &TAGS, tag.into(), values, user.user_id()).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Renames a tag and replaces what it is attached to; an unknown tag is a "Fatal error" of the original.
pub async fn tag_update(
    app: &Services,
    user: &Principal,
    id: i64,
    name: &str,
    description: Option<&str>,
    objects: &[Tagged],
) -> Result<()> {
    let tx = app.db.begin().await?;
    if !exists(tx.exec(), "tag", id).await?
        || objects.iter().any(|(kind, _)| ObjectType::by_name(kind).is_none())
    {
        return Err(Error::internal("tag not found, or an object type that nobody knows"));
    }
    relate(tx.exec(), user, id, &objects.iter().cloned().collect(), false).await?;
    let values = vec![("name", name.into()), ("description", description.into())];
    write::update(tx.exec(), &TAGS, id.into(), values, user.user_id()).await?;
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
        match by_name(tx.exec(), name).await? {
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
pub async fn object_tag(
    app: &Services,
    user: &Principal,
    kind: ObjectType,
    object: i64,
    names: &[String],
) -> Result<()> {
    let tx = app.db.begin().await?;
    for name in names {
        let tag = get_or_create(tx.exec(), user, name).await?;
        attach(tx.exec(), user, tag, kind.name(), object).await?;
    }
    Ok(tx.commit().await?)
}

/// Detaches a tag.
pub async fn object_untag(app: &Services, kind: ObjectType, object: i64, name: &str) -> Result<()> {
    let tx = app.db.begin().await?;
    let invalid = || Error::unprocessable("Could not process entity");
    let tag = by_name(tx.exec(), name).await?.ok_or_else(invalid)?;
    let sql = Sql::new("DELETE FROM tagged_object WHERE tag_id = ? AND object_type = ? AND object_id = ?");
    if tx.exec().execute(sql.bind(tag).bind(kind.name()).bind(object)).await? == 0 {
        return Err(invalid());
    }
    Ok(tx.commit().await?)
}

/// Owners and creators may tag; what does not exist may be tagged by anybody.
async fn may_tag(app: &Services, user: &Principal, kind: ObjectType, id: i64) -> Result<bool> {
    let (Some(table), false) = (kind.table(), user.is_admin) else { return Ok(true) };
    if !exists(app.db.exec(), table.name, id).await? {
        return Ok(true);
    }
    let owned = match kind {
        ObjectType::Chart => owns(app, user, Owned::Chart, id).await?,
        ObjectType::Dashboard => owns(app, user, Owned::Dashboard, id).await?,
        ObjectType::Query | ObjectType::Dataset => false,
    };
    if owned {
        return Ok(true);
    }
    let sql = Sql::new(format!("SELECT id FROM {} WHERE id = ? AND created_by_fk = ?", table.name)).bind(id);
    Ok(app.db.exec().first(sql.bind(user.user_id())).await?.is_some())
}

async fn by_name(ex: &dyn Executor, name: &str) -> Result<Option<i64>> {
    let row = ex.first(Sql::new("SELECT id FROM tag WHERE name = ?").bind(name)).await?;
    Ok(row.map(|r| r.at(0)).transpose()?)
}

async fn get_or_create(ex: &dyn Executor, user: &Principal, name: &str) -> Result<i64> {
    let name = name.trim();
    let sql = Sql::new("SELECT id FROM tag WHERE name = ? AND type = 'custom'").bind(name);
    if let Some(row) = ex.first(sql).await? {
        return Ok(row.at(0)?);
    }
    let values = vec![("name", name.into()), ("type", "custom".into())];
    key(&write::insert(ex, &TAGS, values, user.user_id()).await?)
}

async fn attach(ex: &dyn Executor, user: &Principal, tag: i64, kind: &str, object: i64) -> Result<()> {
    let sql = Sql::new("SELECT id FROM tagged_object WHERE tag_id = ? AND object_type = ? AND object_id = ?");
    if ex.first(sql.bind(tag).bind(kind).bind(object)).await?.is_none() {
        let values = vec![("tag_id", tag.into()), ("object_type", kind.into()), ("object_id", object.into())];
        write::insert(ex, &TAGGED_OBJECTS, values, user.user_id()).await?;
    }
    Ok(())
}

async fn relate(
    ex: &dyn Executor,
    user: &Principal,
    tag: i64,
    objects: &BTreeSet<Tagged>,
    keep_others: bool,
) -> Result<()> {
    if !keep_others {
        let sql = Sql::new("SELECT id, object_type, object_id FROM tagged_object WHERE tag_id = ?").bind(tag);
        for row in ex.query(sql).await? {
            let now = (row.get::<String>("object_type")?, row.get::<i64>("object_id")?);
            if !objects.contains(&now) {
                let gone = Sql::new("DELETE FROM tagged_object WHERE id = ?").bind(row.get::<i64>("id")?);
                ex.execute(gone).await?;
            }
        }
    }
    for (kind, id) in objects {
        attach(ex, user, tag, kind, *id).await?;
    }
    Ok(())
}

async fn delete(ex: &dyn Executor, id: i64) -> Result<()> {
    ex.execute(Sql::new("DELETE FROM tagged_object WHERE tag_id = ?").bind(id)).await?;
    delete_rows(ex, "tag", &[id]).await
}
