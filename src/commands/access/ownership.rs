//! Who may change an object (`raise_for_ownership`) and who becomes its owner (`compute_owner_list`).

use daos::person::{self, Owned};
use infra::{
    Error, Result,
    db::{DbError, Executor},
    error::{ErrorType, SupersetError},
};

use crate::Caller;
use crate::state::Principal;

/// `is_owner`: admins are deemed owners of everything, callers without a user id of nothing.
pub async fn owns(caller: &Caller, of: Owned, id: i64) -> Result<bool> {
    Ok(not_owned(caller.app.db.exec(), &caller.user, of, &[id]).await?.is_empty())
}

/// Which of several objects the caller does not own.
pub async fn not_owned(
    db: &dyn Executor,
    user: &Principal,
    of: Owned,
    ids: &[i64],
) -> Result<Vec<i64>, DbError> {
    if user.is_admin || ids.is_empty() {
        return Ok(Vec::new());
    }
    let Some(user_id) = user.user_id() else { return Ok(ids.to_vec()) };
    let owned = person::owned_by(db, of, user_id, ids).await?;
    Ok(ids.iter().copied().filter(|id| !owned.contains(id)).collect())
}

/// Fails with 403 unless the caller owns an object; `name` is how the original prints it. REST handlers answer
/// 403 `{"message": "Forbidden"}` instead: they ask [`owns`].
pub async fn raise_for_ownership(caller: &Caller, of: Owned, id: i64, name: &str) -> Result<()> {
    if owns(caller, of, id).await? {
        return Ok(());
    }
    let text = format!("You don't have the rights to alter {name}");
    Err(Error::sip40(403, SupersetError::new(ErrorType::MissingOwnershipError, text)))
}

/// Owners of a new object (`populate_owner_list` with `default_to_user`): the caller is one of them unless an admin
/// says otherwise; nothing given means the caller alone.
pub async fn owners_on_create(
    db: &dyn Executor,
    user: &Principal,
    given: Option<&[i64]>,
) -> Result<Vec<i64>, OwnersError> {
    populate(db, user, given.unwrap_or_default(), true).await
}

/// Owners after a change (`compute_owner_list`): nothing given keeps them; an admin may empty them.
pub async fn owners_on_update(
    db: &dyn Executor,
    user: &Principal,
    current: &[i64],
    given: Option<&[i64]>,
) -> Result<Vec<i64>, OwnersError> {
    populate(db, user, given.unwrap_or(current), false).await
}

/// Why an owner list cannot be.
#[derive(Debug, thiserror::Error)]
pub enum OwnersError {
    /// One of the ids is nobody's: field error `owners`, "Owners are invalid".
    #[error("Owners are invalid")]
    Unknown,
    /// The metadata database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

async fn populate(
    db: &dyn Executor,
    user: &Principal,
    given: &[i64],
    default_to_user: bool,
) -> Result<Vec<i64>, OwnersError> {
    let me = user.user_id();
    if given.is_empty() && default_to_user {
        return Ok(me.into_iter().collect());
    }
    let mut owners = Vec::with_capacity(given.len() + 1);
    if let Some(me) = me
        && !user.is_admin
        && !given.contains(&me)
    {
        // nobody locks themselves out
        owners.push(me);
    }
    let known = person::find_many(db, given).await?;
    for id in given {
        if !known.contains_key(id) {
            return Err(OwnersError::Unknown);
        }
        if !owners.contains(id) {
            owners.push(*id);
        }
    }
    Ok(owners)
}
