//! Users as they appear beside objects: owners, creators, modifiers.

use std::collections::HashMap;

use infra::db::{DbError, Executor, Row, Sql};

/// What objects show of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `ab_user.id`.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

const COLUMNS: &str = "u.id, u.username, u.first_name, u.last_name";

impl Person {
    /// First and last name with a space between (`str(user)`, `get_full_name()`).
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            username: row.get("username")?,
            first_name: row.get("first_name")?,
            last_name: row.get("last_name")?,
        })
    }
}

/// Tables of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// `slice_user`.
    Chart,
    /// `dashboard_user`.
    Dashboard,
    /// `sqlatable_user`.
    Dataset,
    /// `report_schedule_user`.
    Report,
}

impl Owned {
    /// Table and the column that names the object.
    pub fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Chart => ("slice_user", "slice_id"),
            Self::Dashboard => ("dashboard_user", "dashboard_id"),
            Self::Dataset => ("sqlatable_user", "table_id"),
            Self::Report => ("report_schedule_user", "report_schedule_id"),
        }
    }
}

/// Several users, by id.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Person>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM ab_user u WHERE u.id IN "));
    sql.push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|row| Person::read(row).map(|p| (p.id, p))).collect()
}

/// Owners of several objects, by the object's id.
pub async fn owners(db: &dyn Executor, of: Owned, ids: &[i64]) -> Result<HashMap<i64, Vec<Person>>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (table, column) = of.table();
    let mut sql = Sql::new(format!(
        "SELECT o.{column} AS object_id, {COLUMNS} FROM ab_user u JOIN {table} o ON o.user_id = u.id \
         WHERE o.{column} IN "
    ));
    sql.push_list(ids.iter().copied()).push(" ORDER BY o.id");
    let mut owners: HashMap<i64, Vec<Person>> = HashMap::new();
    for row in db.query(sql).await? {
        owners.entry(row.get("object_id")?).or_default().push(Person::read(&row)?);
    }
    Ok(owners)
}

/// Which of several objects a user owns.
pub async fn owned_by(db: &dyn Executor, of: Owned, user_id: i64, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (table, column) = of.table();
    let mut sql = Sql::new(format!("SELECT DISTINCT o.{column} FROM {table} o WHERE o.user_id = "));
    sql.push_bind(user_id).push(&format!(" AND o.{column} IN ")).push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|r| r.at(0)).collect()
}
