//! Permissions of a role and roles of a user go with them.

use daos::upgrade::ddl::{ForeignKey, replace_foreign_key};

use crate::upgrade::{Result, Work};

const fn key(name: &'static str, table: &'static str, column: &'static str, to: &'static str) -> ForeignKey {
    ForeignKey { name, table, column, to, cascade: true }
}

// the order matters on SQLite: what is left of the keys without name is that of the last one of a table
const KEYS: [ForeignKey; 4] = [
    key("ab_permission_view_role_role_id_fkey", "ab_permission_view_role", "role_id", "ab_role"),
    key(
        "ab_permission_view_role_permission_view_id_fkey",
        "ab_permission_view_role",
        "permission_view_id",
        "ab_permission_view",
    ),
    key("ab_user_role_user_id_fkey", "ab_user_role", "user_id", "ab_user"),
    key("ab_user_role_role_id_fkey", "ab_user_role", "role_id", "ab_role"),
];

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    for key in &KEYS {
        replace_foreign_key(work.db, key).await?;
    }
    Ok(())
}
