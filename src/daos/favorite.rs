//! Stars that users give to charts and dashboards (`superset.models.core:FavStar`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql};
use uuid::Uuid;

/// What can be starred; the text is `favstar.class_name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starred {
    /// Charts.
    Chart,
    /// Dashboards.
    Dashboard,
}

impl Starred {
    /// `favstar.class_name`.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Chart => "slice",
            Self::Dashboard => "Dashboard",
        }
    }
}

/// Which of several objects a user has starred.
pub async fn starred(db: &dyn Executor, of: Starred, user_id: i64, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    let mut sql = Sql::new("SELECT DISTINCT obj_id FROM favstar WHERE class_name = ");
    sql.push_bind(of.class_name()).push(" AND user_id = ").push_bind(user_id);
    sql.push(" AND obj_id IN ").push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}

/// Stars an object.
pub async fn add(
    db: &dyn Executor,
    of: Starred,
    user_id: Option<i64>,
    id: i64,
    now: NaiveDateTime,
) -> Result<i64, DbError> {
    db.insert_row(
        "favstar",
        vec![
            ("user_id", user_id.into()),
            ("class_name", of.class_name().into()),
            ("obj_id", id.into()),
            ("dttm", now.into()),
            ("uuid", Uuid::new_v4().into()),
        ],
    )
    .await
}

/// Takes the star away.
pub async fn remove(db: &dyn Executor, of: Starred, user_id: i64, id: i64) -> Result<u64, DbError> {
    let sql = Sql::new("DELETE FROM favstar WHERE class_name = ? AND user_id = ? AND obj_id = ?");
    db.execute(sql.bind(of.class_name()).bind(user_id).bind(id)).await
}
