//! Owners, tags and reports of objects that are written.

use daos::{
    person::Owned,
    tag::{self, Tag},
};
use infra::{
    Error, Result, clock,
    db::{DbError, Executor, Sql},
};
use serde_json::{Map, Value, json};

use crate::access::{Principal, ownership::OwnersError};

/// What is wrong with the references of an object: `{"owners": ["Owners are invalid"]}`.
#[derive(Debug, Default)]
pub struct Invalid(Map<String, Value>);

impl Invalid {
    /// One more complaint.
    pub fn add(&mut self, field: &str, message: &str) {
        self.0.insert(field.to_owned(), json!([message]));
    }
    /// One more complaint that is a text of its own, not one of several.
    pub fn say(&mut self, field: &str, message: &str) {
        self.0.insert(field.to_owned(), json!(message));
    }
    /// The owners, or a complaint about them.
    pub fn owners(&mut self, owners: Result<Vec<i64>, OwnersError>) -> Result<Vec<i64>> {
        match owners {
            Ok(owners) => Ok(owners),
            Err(OwnersError::Unknown) => {
                self.add("owners", "Owners are invalid");
                Ok(Vec::new())
            }
            Err(OwnersError::Db(e)) => Err(e.into()),
        }
    }
    /// 422 with all complaints, if there is one.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::unprocessable(Value::Object(self.0))) }
    }
}

/// The id that a null in a list of ids stands for.
pub const NOBODY: i64 = i32::MIN as i64;

/// Makes `owners` the owners of an object; those who stay keep their place.
pub async fn set_owners(db: &dyn Executor, of: Owned, id: i64, owners: &[i64]) -> Result<(), DbError> {
    let (table, column) = of.table();
    set_links(db, table, column, id, "user_id", owners).await
}

/// Deletes rows that were found before; when somebody else was faster with one of them, it is not found any more.
pub async fn delete_rows(db: &dyn Executor, table: &str, ids: &[i64]) -> Result<()> {
    let mut sql = Sql::new(format!("DELETE FROM {table} WHERE id IN "));
    sql.push_list(ids.iter().copied());
    if db.execute(sql).await? < ids.len() as u64 {
        return Err(Error::not_found());
    }
    Ok(())
}

/// Makes `targets` the partners of a row in a table of links; links that stay are not touched.
pub async fn set_links(
    db: &dyn Executor,
    table: &str,
    column: &str,
    id: i64,
    target: &str,
    targets: &[i64],
) -> Result<(), DbError> {
    let sql = Sql::new(format!("SELECT {target} FROM {table} WHERE {column} = ?")).bind(id);
    let current: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    let gone: Vec<i64> = current.iter().copied().filter(|t| !targets.contains(t)).collect();
    if !gone.is_empty() {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} = "));
        sql.push_bind(id).push(&format!(" AND {target} IN ")).push_list(gone);
        db.execute(sql).await?;
    }
    let new: Vec<i64> = targets.iter().copied().filter(|t| !current.contains(t)).collect();
    if !new.is_empty() {
        let mut sql = Sql::new(format!("INSERT INTO {table} ({column}, {target}) VALUES "));
        for (i, t) in new.into_iter().enumerate() {
            sql.push(if i > 0 { ", " } else { "" }).push_list([id, t]);
        }
        db.execute(sql).await?;
    }
    Ok(())
}

/// What may be tagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// Charts.
    Chart,
    /// Dashboards.
    Dashboard,
}

impl Tagged {
    fn object_type(self) -> &'static str {
        match self {
            Self::Chart => "chart",
            Self::Dashboard => "dashboard",
        }
    }
    fn view_menu(self) -> &'static str {
        match self {
            Self::Chart => "Chart",
            Self::Dashboard => "Dashboard",
        }
    }
}

fn custom(tags: &[Tag]) -> Vec<i64> {
    tags.iter().filter(|t| t.kind.as_deref() == Some("custom")).map(|t| t.id).collect()
}

/// `validate_tags`: changing the tags of an object takes a right of its own, and the tags must exist.
pub async fn check_tags(
    db: &dyn Executor,
    user: &Principal,
    of: Tagged,
    id: i64,
    asked: Option<&[i64]>,
    invalid: &mut Invalid,
) -> Result<()> {
    let Some(asked) = asked else { return Ok(()) };
    let mut current = custom(&tag::of_object(db, of.object_type(), id).await?);
    let mut wanted = asked.to_vec();
    current.sort_unstable();
    wanted.sort_unstable();
    if current == wanted {
        return Ok(());
    }
    if !user.can_access("can_write", "Tag") && !user.can_access("can_tag", of.view_menu()) {
        let text = format!("You do not have permission to manage tags on {}s", of.object_type());
        return Err(Error::message(403, text));
    }
    let mut sql = Sql::new("SELECT id FROM tag WHERE id IN ");
    sql.push_list(wanted.iter().copied());
    let known: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    if let Some(unknown) = asked.iter().find(|id| !known.contains(id) && !current.contains(id)) {
        let unknown = if *unknown == NOBODY { "None".to_owned() } else { unknown.to_string() };
        invalid.add("tags", &format!("Tag ID {unknown} not found"));
    }
    Ok(())
}

/// `update_tags`: makes `asked` the custom tags of an object.
pub async fn set_tags(
    db: &dyn Executor,
    user: &Principal,
    of: Tagged,
    id: i64,
    asked: &[i64],
) -> Result<(), DbError> {
    let current = custom(&tag::of_object(db, of.object_type(), id).await?);
    let gone: Vec<i64> = current.iter().copied().filter(|t| !asked.contains(t)).collect();
    let mut sql = Sql::new("DELETE FROM tagged_object WHERE object_type = ");
    sql.push_bind(of.object_type()).push(" AND object_id = ").push_bind(id);
    sql.push(" AND tag_id IN ").push_list(gone);
    db.execute(sql).await?;
    let now = clock::now();
    let mut new: Vec<i64> = asked.iter().copied().filter(|t| !current.contains(t)).collect();
    new.sort_unstable();
    new.dedup();
    for tag_id in &new {
        let values = vec![
            ("tag_id", (*tag_id).into()),
            ("object_id", id.into()),
            ("object_type", of.object_type().into()),
            ("created_on", now.into()),
            ("changed_on", now.into()),
            ("created_by_fk", user.user_id().into()),
            ("changed_by_fk", user.user_id().into()),
        ];
        db.insert_row("tagged_object", values).await?;
    }
    Ok(())
}

/// Fails with 422 while alerts or reports use one of the objects; `column` is `chart_id` or `dashboard_id`.
pub async fn raise_for_reports(db: &dyn Executor, column: &str, ids: &[i64]) -> Result<()> {
    let mut sql = Sql::new(format!("SELECT name FROM report_schedule WHERE {column} IN "));
    sql.push_list(ids.iter().copied()).push(" ORDER BY id");
    let names: Vec<String> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::unprocessable(format!("There are associated alerts or reports: {}", names.join(","))))
}
