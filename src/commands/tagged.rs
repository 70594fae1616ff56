//! Objects of tags, and stars of tags (`superset.daos.tag`).

use std::collections::HashMap;

use daos::{
    person::{self, Owned},
    rows, tag, tagged_object,
};
use infra::{Error, Result};

use crate::{Caller, access::lists, tag::ObjectType};

pub use daos::{
    person::Person,
    tag::Tag,
    tagged_object::{TagSelection, TaggedObject},
};

/// Objects of one type with what is shown of them.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The objects.
    pub objects: Vec<TaggedObject>,
    /// Who made them, by the user's id.
    pub creators: HashMap<i64, Person>,
    /// Their tags, by the object's id.
    pub tags: HashMap<i64, Vec<Tag>>,
    /// Their owners, by the object's id; saved queries have none.
    pub owners: HashMap<i64, Vec<Person>>,
}

/// The objects of a type that have one of the tags, as far as lists show them to the caller.
pub async fn find(caller: &Caller, kind: ObjectType, tags: &TagSelection<'_>) -> Result<Tagged> {
    let db = caller.app.db.exec();
    let (condition, owned) = match kind {
        ObjectType::Dashboard => {
            (lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "x"), Some(Owned::Dashboard))
        }
        ObjectType::Chart => (lists::charts(&caller.user, "x"), Some(Owned::Chart)),
        _ => (lists::saved_queries(&caller.user, "x"), None),
    };
    let objects = tagged_object::find(db, kind.name(), tags, condition).await?;
    let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
    let creators: Vec<i64> = objects.iter().filter_map(|o| o.created_by_fk).collect();
    let creators = person::find_many(db, &creators).await?;
    let tags = tag::of_objects(db, kind.name(), &ids).await?;
    let owners = match owned {
        Some(owned) => person::owners(db, owned, &ids).await?,
        None => HashMap::new(),
    };
    Ok(Tagged { objects, creators, tags, owners })
}

/// Which of some tags the caller has starred; 404 when there is none of them.
pub async fn starred(caller: &Caller, asked: &[i64]) -> Result<Vec<i64>> {
    let db = caller.app.db.exec();
    if rows::existing(db, "tag", asked).await?.is_empty() {
        return Err(Error::not_found());
    }
    Ok(tag::starred(db, caller.user.user_id(), asked).await?)
}

/// The caller and a tag; 404 without the one, 422 without the other.
async fn require(caller: &Caller, id: i64) -> Result<i64> {
    rows::require(caller.app.db.exec(), "tag", id).await?;
    caller.user.user_id().ok_or_else(|| Error::unprocessable("User doesn't exist"))
}

/// Stars a tag for the caller.
pub async fn star(caller: &Caller, id: i64) -> Result<()> {
    let me = require(caller, id).await?;
    Ok(tag::star(caller.app.db.exec(), me, id).await?)
}

/// Takes the caller's star away.
pub async fn unstar(caller: &Caller, id: i64) -> Result<()> {
    let me = require(caller, id).await?;
    Ok(tag::unstar(caller.app.db.exec(), me, id).await?)
}
