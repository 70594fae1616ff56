//! Owners, tags and reports of objects that are written.

use daos::{
    report, rows,
    tag::{self, Tag},
    tagged_object,
};
use infra::{
    Error, Result,
    db::{DbError, Executor},
};
use serde_json::{Map, Value, json};

use crate::{access::ownership::OwnersError, schema::NULL_ID, state::Principal};

/// What is wrong with the references of an object: `{"owners": ["Owners are invalid"]}`.
#[derive(Debug, Default)]
pub struct Invalid(Map<String, Value>);

impl Invalid {
    /// One more complaint.
    pub fn add(&mut self, field: &str, message: &str) {
        self.0.insert(field.to_owned(), json!([message]));
    }
    /// One more complaint that is a text of its own, not one of several.
    pub fn add_text(&mut self, field: &str, message: &str) {
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
    let known = rows::existing(db, "tag", &wanted).await?;
    if let Some(unknown) = asked.iter().find(|id| !known.contains(id) && !current.contains(id)) {
        let unknown = if *unknown == NULL_ID { "None".to_owned() } else { unknown.to_string() };
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
    tagged_object::detach_many(db, &gone, (of.object_type(), id)).await?;
    let mut new: Vec<i64> = asked.iter().copied().filter(|t| !current.contains(t)).collect();
    new.sort_unstable();
    new.dedup();
    for tag_id in &new {
        tagged_object::insert_link(db, *tag_id, (of.object_type(), id), user.user_id()).await?;
    }
    Ok(())
}

/// Fails with 422 while alerts or reports use one of the objects; `column` is `chart_id` or `dashboard_id`.
pub async fn raise_for_reports(db: &dyn Executor, column: &'static str, ids: &[i64]) -> Result<()> {
    let names = report::names_using(db, column, ids).await?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::unprocessable(format!("There are associated alerts or reports: {}", names.join(","))))
}
