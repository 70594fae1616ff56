//! Embedding of dashboards (`superset.models.embedded_dashboard`, `superset.daos.dashboard:EmbeddedDashboardDAO`).

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};
use uuid::Uuid;

/// A row of `embedded_dashboards`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Embedded {
    pub uuid: Uuid,
    pub allow_domain_list: Option<String>,
    pub dashboard_id: i64,
    pub created_on: Option<NaiveDateTime>,
    pub changed_on: Option<NaiveDateTime>,
    pub created_by_fk: Option<i64>,
    pub changed_by_fk: Option<i64>,
}

impl Embedded {
    /// The select list, over the alias `e`.
    pub const COLUMNS: &'static str = "e.uuid, e.allow_domain_list, e.dashboard_id, e.created_on, e.changed_on, e.created_by_fk, e.changed_by_fk";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            uuid: row.get("uuid")?,
            allow_domain_list: row.get("allow_domain_list")?,
            dashboard_id: row.get("dashboard_id")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
            created_by_fk: row.get("created_by_fk")?,
            changed_by_fk: row.get("changed_by_fk")?,
        })
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
