//! Users as they appear beside objects: owners, creators, modifiers.

use std::collections::HashMap;

use infra::db::{DbError, Dialect, Executor, Sql};

use crate::{condition, rows, typed_row::row};

row! {
    /// What objects show of a user.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Person over "u" {
        pub id: i64,
        pub username: String,
        pub first_name: String,
        pub last_name: String,
    }
}

impl Person {
    /// First and last name with a space between (`str(user)`, `get_full_name()`).
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// Tables of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// Makes other transactions that hold the same user wait until this one ends: what is unique among the objects of a
/// user, and has no constraint, is looked up and written in between.
pub async fn lock(db: &dyn Executor, id: i64) -> Result<(), DbError> {
    let sql = Sql::new(format!("SELECT u.id FROM ab_user u WHERE u.id = ?{}", db.dialect().hold()));
    db.first(sql.bind(id)).await.map(drop)
}

/// Several users, by id.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Person>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(format!("SELECT {} FROM ab_user u WHERE u.id IN ", Person::COLUMNS));
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
        "SELECT o.{column} AS object_id, {} FROM ab_user u JOIN {table} o ON o.user_id = u.id \
         WHERE o.{column} IN ",
        Person::COLUMNS
    ));
    sql.push_list(ids.iter().copied()).push(" ORDER BY o.id");
    let mut owners: HashMap<i64, Vec<Person>> = HashMap::new();
    for row in db.query(sql).await? {
        owners.entry(row.get("object_id")?).or_default().push(Person::read(&row)?);
    }
    Ok(owners)
}

/// Keys of all owners by object, for who asks about many objects: these tables have no index over objects.
pub async fn all_owners(db: &dyn Executor, of: Owned) -> Result<HashMap<i64, Vec<i64>>, DbError> {
    let (table, column) = of.table();
    let sql = format!(
        "SELECT o.{column}, o.user_id FROM {table} o JOIN ab_user u ON u.id = o.user_id \
         WHERE o.{column} IS NOT NULL ORDER BY o.id"
    );
    let mut owners: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in db.query(Sql::new(sql)).await? {
        owners.entry(row.at(0)?).or_default().push(row.at(1)?);
    }
    Ok(owners)
}

/// Makes a user, who is none yet, an owner of an object.
pub async fn add_owner(db: &dyn Executor, of: Owned, id: i64, user_id: i64) -> Result<(), DbError> {
    let (table, column) = of.table();
    let sql = Sql::new(format!("INSERT INTO {table} ({column}, user_id) VALUES (?, ?)"));
    db.execute(sql.bind(id).bind(user_id)).await.map(drop)
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

/// Makes these the owners of an object; those who stay keep their place.
pub async fn set_owners(db: &dyn Executor, of: Owned, id: i64, owners: &[i64]) -> Result<(), DbError> {
    let (table, column) = of.table();
    rows::set_links(db, (table, column, "user_id"), id, owners).await
}

/// The user of each key, where there is one.
pub async fn find_each<const N: usize>(
    db: &dyn Executor,
    ids: [Option<i64>; N],
) -> Result<[Option<Person>; N], DbError> {
    let people = find_many(db, &ids.into_iter().flatten().collect::<Vec<_>>()).await?;
    Ok(ids.map(|id| people.get(&id?).cloned()))
}

/// A condition on lists of users: first and last name, or the login name, contain a text.
pub fn is_called(dialect: Dialect, text: &str) -> Sql {
    let name = dialect.concat(&["ab_user.first_name", "' '", "ab_user.last_name"]);
    let mut sql = condition::contains(dialect, name, text);
    sql.push(" OR ").append(condition::contains(dialect, "ab_user.\"username\"", text));
    sql
}

/// A condition on lists of users: the login name is none of these.
pub fn is_not_called(names: &[&str]) -> Sql {
    let mut sql = Sql::new("ab_user.username NOT IN ");
    sql.push_list(names.iter().copied());
    sql
}
