//! What roles are linked with: permissions, users, groups.

use daos::role::{self, Link};
use infra::{Error, Result};

use crate::Services;

/// Gives a role exactly these permissions, users or groups. Unknown permissions are skipped, unknown users and
/// groups are refused, as in the original.
pub async fn replace_links(app: &Services, link: Link, role_id: i64, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    if !role::exists(tx.exec(), role_id).await? {
        return Err(Error::not_found());
    }
    let known = role::existing(tx.exec(), link, ids).await?;
    if known.len() != ids.len() && !matches!(link, Link::Permission) {
        return Err(Error::not_found());
    }
    role::replace_links(tx.exec(), link, role_id, &known).await?;
    tx.commit().await?;
    app.grants.clear();
    Ok(())
}
