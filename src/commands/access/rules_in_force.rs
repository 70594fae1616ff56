//! Whether row-level rules are in force at all: what shows rows under no table's name is not for those whom they bind.

use daos::row_level_security;
use infra::Result;

use crate::Caller;

/// Whether any rule binds the caller on a dataset of the database.
pub async fn any_rule(caller: &Caller, database_id: i64) -> Result<bool> {
    if caller.guest().is_some_and(|guest| !guest.rls_rules.is_empty()) {
        return Ok(true);
    }
    Ok(row_level_security::is_any_in_force(caller.app.db.exec(), database_id, &caller.user.role_ids())
        .await?)
}
