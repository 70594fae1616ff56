//! What a form holds, and whether it may be saved (`flask_appbuilder.forms`, `flask_appbuilder.validators`).

use std::{borrow::Cow, collections::BTreeMap};

use commands::model_view::{self, Links, existing};
use daos::{record::Record, write::Values};
use infra::{Result, db::Value};

use super::definitions::{Field, FieldKind, ModelView};
use crate::{Cx, controllers::auth::password_complaint};

/// The inputs by field name, as text; relations hold one entry per row.
#[derive(Debug, Default, Clone)]
pub struct Form {
    /// What was filled in.
    pub inputs: BTreeMap<&'static str, Vec<String>>,
    /// Complaints by field.
    pub errors: BTreeMap<&'static str, Vec<Cow<'static, str>>>,
    lengths: Vec<(&'static str, usize)>,
}

/// The fields of a view's form; `new` of that which adds.
pub fn fields(view: &'static ModelView, new: bool) -> impl Iterator<Item = &'static Field> {
    view.fields.iter().chain(view.only_new.iter().filter(move |_| new))
}

impl Form {
    /// The form of an empty row: users are active unless somebody says otherwise.
    pub fn empty(view: &'static ModelView) -> Self {
        let checks = view.fields.iter().filter(|f| f.kind == FieldKind::Check);
        Self { inputs: checks.map(|f| (f.name, vec!["y".to_owned()])).collect(), ..Self::default() }
    }

    /// The form of a stored row.
    pub fn from_record(view: &'static ModelView, row: &Record) -> Self {
        let input = |f: &Field| match f.kind {
            FieldKind::Check => {
                if row.get::<bool>(f.name) == Some(true) {
                    vec!["y".to_owned()]
                } else {
                    Vec::new()
                }
            }
            FieldKind::Many => {
                row.many(f.name).iter().filter_map(|r| r.get::<i64>("id")).map(|id| id.to_string()).collect()
            }
            _ => vec![row.text(f.name)],
        };
        Self { inputs: view.fields.iter().map(|f| (f.name, input(f))).collect(), ..Self::default() }
    }

    /// What was posted.
    pub fn posted(cx: &Cx, view: &'static ModelView, new: bool) -> Self {
        let mut form = Self::default();
        for field in fields(view, new) {
            let values = cx.req.form.iter().filter(|(name, _)| name == field.name).map(|(_, v)| v.clone());
            let values: Vec<String> = match field.kind {
                FieldKind::Many => values.filter(|v| !v.is_empty()).collect(),
                // WTForms' falsy words of a check box
                FieldKind::Check => values.take(1).filter(|v| !["false", ""].contains(&v.as_str())).collect(),
                _ => values.take(1).collect(),
            };
            form.inputs.insert(field.name, values);
        }
        form
    }

    /// The text of a field; empty when it was not sent.
    pub fn text(&self, name: &str) -> &str {
        self.inputs.get(name).and_then(|v| v.first()).map_or("", String::as_str)
    }

    /// A box is ticked.
    pub fn checked(&self, name: &str) -> bool {
        self.inputs.get(name).is_some_and(|values| !values.is_empty())
    }

    /// A row of a relation is chosen.
    pub fn chose(&self, name: &str, id: i64) -> bool {
        self.inputs.get(name).is_some_and(|values| values.contains(&id.to_string()))
    }

    fn ids(&self, name: &str) -> Vec<i64> {
        self.inputs.get(name).into_iter().flatten().filter_map(|v| v.parse().ok()).collect()
    }

    /// The complaints about a field, as sentences.
    pub fn complaints(&self, name: &str) -> Vec<String> {
        let length = self.lengths.iter().filter(|(n, _)| *n == name);
        let length = length.map(|(_, max)| format!("Field cannot be longer than {max} characters."));
        let others = self.errors.get(name).into_iter().flatten().map(|e| e.clone().into_owned());
        length.chain(others).collect()
    }

    fn complain(&mut self, field: &Field, complaint: impl Into<Cow<'static, str>>) {
        self.errors.entry(field.name).or_default().push(complaint.into());
    }

    /// Looks for what is wrong; true when nothing is.
    pub async fn validate(&mut self, cx: &Cx, view: &'static ModelView, id: Option<i64>) -> Result<bool> {
        for field in fields(view, id.is_none()) {
            let text = self.text(field.name).to_owned();
            if field.required && text.trim().is_empty() {
                self.complain(field, "This field is required.");
                continue;
            }
            match field.kind {
                FieldKind::Text(max) => {
                    if let Some(max) = max.filter(|max| text.chars().count() > *max) {
                        self.lengths.push((field.name, max));
                    }
                    if text.contains('\0') {
                        self.complain(field, "Invalid input.");
                    } else if field.unique
                        && model_view::is_taken(&cx.caller.app, view.table, field.name, &text, id).await?
                    {
                        self.complain(field, "Already exists.");
                    }
                }
                FieldKind::Many => self.validate_choices(cx, view, field).await?,
                FieldKind::Password => {
                    if let Some(complaint) = password_complaint(&cx.caller.app.config, &text)? {
                        self.complain(field, complaint);
                    }
                }
                FieldKind::Again if text != self.text("password") => {
                    self.complain(field, "Passwords must match")
                }
                FieldKind::Again | FieldKind::Check => {}
            }
        }
        Ok(self.errors.is_empty() && self.lengths.is_empty())
    }

    async fn validate_choices(&mut self, cx: &Cx, view: &'static ModelView, field: &Field) -> Result<()> {
        let sent = self.inputs.get(field.name).map_or(0, Vec::len);
        let ids = self.ids(field.name);
        let target = view.table.relation(field.name).map(|r| r.target);
        let known = match target {
            Some(target) => existing(&cx.caller.app, target, &ids).await?,
            None => Vec::new(),
        };
        if ids.len() != sent || ids.iter().any(|id| !known.contains(id)) {
            self.complain(field, "Not a valid choice");
        }
        let holds_roles = |name| !self.ids(name).is_empty();
        if view.class == "UserDBModelView" && !holds_roles("roles") && !holds_roles("groups") {
            self.complain(field, "Either select a role or a group");
        }
        Ok(())
    }

    /// The row to write: a text that was left empty is null where the column allows it; passwords are hashed.
    pub async fn row(&self, view: &'static ModelView, new: bool) -> Result<(Values, Links)> {
        let (mut values, mut links): (Values, Links) = Default::default();
        for field in fields(view, new) {
            match field.kind {
                FieldKind::Many => links.push((field.name, self.ids(field.name))),
                FieldKind::Check => values.push((field.name, self.checked(field.name).into())),
                FieldKind::Text(_) if self.text(field.name).is_empty() => {
                    values.push((field.name, Value::Null))
                }
                FieldKind::Text(_) => values.push((field.name, self.text(field.name).into())),
                FieldKind::Password => {
                    let hash = infra::crypto::password::hash(self.text(field.name).to_owned()).await?;
                    values.push((field.name, hash.into()));
                }
                FieldKind::Again => {}
            }
        }
        Ok((values, links))
    }
}
