//! Embedding of dashboards (`superset.models.embedded_dashboard`, `superset.daos.dashboard:EmbeddedDashboardDAO`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Sql, insert_sql};
use uuid::Uuid;

use crate::{typed_row::row, write::Values};

row! {
    /// A row of `embedded_dashboards`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Embedded over "e" {
        pub uuid: Uuid,
        pub allow_domain_list: Option<String>,
        pub dashboard_id: i64,
        pub created_on: Option<NaiveDateTime>,
        pub changed_on: Option<NaiveDateTime>,
        pub created_by_fk: Option<i64>,
        pub changed_by_fk: Option<i64>,
    }
}

impl Embedded {
    /// Domains that may embed; none means any.
    pub fn allowed_domains(&self) -> Vec<String> {
        match self.allow_domain_list.as_deref() {
            Some(list) if !list.is_empty() => list.split(',').map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

/// The embedding of a UUID.
pub async fn find(db: &dyn Executor, uuid: Uuid) -> Result<Option<Embedded>, DbError> {
    let sql = Sql::new(format!("SELECT {} FROM embedded_dashboards e WHERE e.uuid = ?", Embedded::COLUMNS));
    db.first(sql.bind(uuid)).await?.as_ref().map(Embedded::read).transpose()
}

/// The embeddings of a dashboard; the first is the one that counts.
pub async fn of_dashboard(db: &dyn Executor, dashboard_id: i64) -> Result<Vec<Embedded>, DbError> {
    let sql =
        Sql::new(format!("SELECT {} FROM embedded_dashboards e WHERE e.dashboard_id = ?", Embedded::COLUMNS));
    db.query(sql.bind(dashboard_id)).await?.iter().map(Embedded::read).collect()
}

/// Inserts an embedding.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<(), DbError> {
    db.execute(insert_sql(db.dialect(), "embedded_dashboards", values)).await.map(drop)
}

/// Lets other domains embed.
pub async fn set_domains(
    db: &dyn Executor,
    uuid: Uuid,
    domains: String,
    now: NaiveDateTime,
    user_id: Option<i64>,
) -> Result<(), DbError> {
    let mut sql = Sql::new("UPDATE embedded_dashboards SET allow_domain_list = ");
    sql.push_bind(domains).push(", changed_on = ").push_bind(now);
    sql.push(", changed_by_fk = ").push_bind(user_id).push(" WHERE uuid = ").push_bind(uuid);
    db.execute(sql).await.map(drop)
}

/// Ends the embedding of a dashboard.
pub async fn delete_of_dashboard(db: &dyn Executor, dashboard_id: i64) -> Result<(), DbError> {
    let sql = Sql::new("DELETE FROM embedded_dashboards WHERE dashboard_id = ?").bind(dashboard_id);
    db.execute(sql).await.map(drop)
}
