//! Locks that all processes on a metadata database share (`superset.distributed_lock:KeyValueDistributedLock`).

use chrono::TimeDelta;
use daos::key_value::{self, NewEntry};
use infra::{
    Result, clock,
    db::{Db, DbError},
};
use uuid::Uuid;

/// `KeyValueResource.LOCK`.
const RESOURCE: &str = "lock";

/// A lock whose holder is gone opens by itself after this time.
pub const LIFETIME: TimeDelta = TimeDelta::seconds(30);

/// The name of a lock: what it is for, and its parameters as Python prints them in JSON (`get_key`). Superset takes
/// the same one.
pub fn name(namespace: &str, parameters: &str) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, namespace.as_bytes());
    Uuid::new_v5(&namespace, parameters.as_bytes())
}

/// Takes a lock; false when somebody has it.
pub async fn take(db: &Db, name: Uuid) -> Result<bool> {
    let now = clock::now();
    let tx = db.begin().await?;
    key_value::delete_expired(tx.exec(), RESOURCE, now).await?;
    let entry = NewEntry {
        resource: RESOURCE,
        uuid: name,
        value: br#"{"value": true}"#.to_vec(),
        user_id: None,
        now,
        expires_on: now.checked_add_signed(LIFETIME),
    };
    match key_value::insert(tx.exec(), entry).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(true)
        }
        Err(DbError::Integrity(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives a lock back.
pub async fn release(db: &Db, name: Uuid) -> Result<()> {
    key_value::delete(db.exec(), RESOURCE, name).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_supersets() {
        // superset.distributed_lock.utils.get_key
        let found = super::name("refresh_oauth2_token", r#"{"user_id": 1, "database_id": 2}"#);
        assert_eq!(found.to_string(), "403bc5dc-3be7-5695-aa50-256f2b5d3466");
    }
}
