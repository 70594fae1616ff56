//! Uploads are one permission: who may upload CSV, Excel or columnar files may upload.

use daos::upgrade::permissions;
use infra::db::Executor;

use crate::upgrade::{Result, Work};

const OLD: [&str; 3] = ["can_csv_upload", "can_excel_upload", "can_columnar_upload"];
const VIEW: &str = "Database";

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    Ok(permissions::converge(work.db, &OLD, "can_upload", VIEW).await?)
}

pub(super) async fn changes(db: &dyn Executor) -> Result<Vec<String>> {
    let roles = permissions::roles_with(db, &OLD, VIEW).await?;
    Ok(vec![format!("roles that may upload: {roles}")])
}
