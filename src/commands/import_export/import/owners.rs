//! Owners of what is imported. They are read once for all objects of a kind: for each of thousands anew would be a scan
//! of their table, which has no index over objects.

use std::collections::{HashMap, hash_map::Entry};

use daos::person::{self, Owned};
use infra::Result;

use super::Importer;

/// Owners by kind and object.
pub(super) type Owners = HashMap<Owned, HashMap<i64, Vec<i64>>>;

impl Importer<'_> {
    async fn owners_of(&mut self, of: Owned, id: i64) -> Result<&mut Vec<i64>> {
        let all = match self.owners.entry(of) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(person::all_owners(self.db, of).await?),
        };
        Ok(all.entry(id).or_default())
    }

    /// The caller owns an object or is an admin; nobody asks where nobody is the caller.
    pub(super) async fn owns(&mut self, of: Owned, id: i64) -> Result<bool> {
        let Some(me) = self.caller.user.user_id() else { return Ok(true) };
        Ok(self.caller.user.is_admin || self.owners_of(of, id).await?.contains(&me))
    }

    /// The caller becomes an owner of what they have imported; all owners.
    pub(super) async fn join_owners(&mut self, of: Owned, id: i64) -> Result<Vec<i64>> {
        let (db, me) = (self.db, self.caller.user.user_id());
        let owners = self.owners_of(of, id).await?;
        if let Some(me) = me.filter(|me| !owners.contains(me)) {
            owners.push(me);
            person::add_owner(db, of, id, me).await?;
        }
        Ok(owners.clone())
    }
}
