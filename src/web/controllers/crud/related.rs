//! `GET /related/<column_name>`: what a form offers for a relation.

use commands::resource as rows;
use daos::{
    Record, Selection,
    base::{self, Order, Query},
    condition, person,
    table::Relation,
};
use infra::{
    Error,
    db::{Dialect, Executor, Sql},
    rison::schema,
};
use serde_json::{Map, Value, json};

use super::{FilterCx, Resource, resource::respond};
use crate::{Cx, Handled};

/// A relation that `/related/` serves.
pub struct RelatedField {
    /// Name of the relation.
    pub name: &'static str,
    /// What `filter` looks at.
    pub search: Search,
    /// Objects that the caller sees.
    pub base: Option<fn(&FilterCx) -> Option<Sql>>,
    /// Order, ascending.
    pub order: Option<&'static str>,
    /// Column that is the text; without one it is `str(model)`.
    pub text: Option<&'static str>,
    /// Further columns, under `extra`.
    pub extra: &'static [&'static str],
}

/// How `filter` restricts related objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Not at all.
    Nothing,
    /// The column starts with the text.
    StartsWith(&'static str),
    /// The column contains the text.
    Contains(&'static str),
    /// `FilterRelatedOwners`: the full name or the user name contains the text.
    Person,
}

impl RelatedField {
    /// A user, searched by name.
    pub const fn person(name: &'static str) -> Self {
        Self { name, search: Search::Person, base: Some(listed_users), order: None, text: None, extra: &[] }
    }
    /// A user that cannot be searched.
    pub const fn any_user(name: &'static str) -> Self {
        Self { name, search: Search::Nothing, base: None, order: None, text: None, extra: &[] }
    }
    /// The owners, with activity and, for who manages users, e-mail address; the original tells it everybody who may
    /// write a chart.
    pub const fn owners() -> Self {
        Self { extra: &["email", "active"], ..Self::person("owners") }
    }
    /// In an order.
    pub const fn order(mut self, column: &'static str) -> Self {
        self.order = Some(column);
        self
    }
}

/// `BaseFilterRelatedUsers`: without those that the configuration excludes.
fn listed_users(cx: &FilterCx) -> Option<Sql> {
    let excluded: Vec<&str> = cx
        .caller
        .app
        .config
        .get("EXCLUDE_USERS_FROM_LISTS")
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if excluded.is_empty() {
        return None;
    }
    Some(person::is_not_called(&excluded))
}

pub(super) async fn related(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = answer(resource, &cx).await;
    resource.map_failure(answer)
}

async fn answer(resource: &'static Resource, cx: &Cx) -> Handled {
    let args = resource.arguments(cx, &schema::RELATED)?;
    let name = cx.req.param("column_name");
    let field = resource.related.iter().find(|f| f.name == name).ok_or_else(Error::not_found)?;
    let relation = resource.table.relation(name).ok_or_else(Error::not_found)?;
    let ids: Vec<i64> = args
        .get("include_ids")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .collect();
    let (offset, limit) = resource.page(cx, &args)?;
    if offset > 0 && !ids.is_empty() {
        return Err(Error::unprocessable("Could not process entity").into());
    }

    let filter_cx = FilterCx { caller: &cx.caller, dialect: cx.caller.app.db.dialect() };
    let mut conditions: Vec<Sql> = field.base.and_then(|f| f(&filter_cx)).into_iter().collect();
    if let Some(text) = args.get("filter").and_then(Value::as_str).filter(|t| !t.is_empty()) {
        conditions.extend(search(field.search, relation, text, cx.caller.app.db.dialect()));
    }
    let order = field
        .order
        .map(|column| {
            let order = |path: &str| Order { path: path.to_owned(), descending: false };
            vec![order(column), order(relation.target.pk)]
        })
        .unwrap_or_default();
    let mut count = rows::count(&cx.caller.app, relation.target, &conditions).await?;
    let selection = selection(field, relation);
    let mut rows =
        rows::fetch(&cx.caller.app, &selection, &Query { conditions, order, limit, offset }).await?;
    if !ids.is_empty() {
        let pk = relation.target.pk;
        let missing: Vec<i64> =
            ids.into_iter().filter(|id| !rows.iter().any(|r| r.get::<i64>(pk) == Some(*id))).collect();
        if !missing.is_empty() {
            let missing = Query::filter(base::has_key(relation.target, &missing));
            rows.extend(rows::fetch(&cx.caller.app, &selection, &missing).await?);
        }
        count = rows.len() as i64;
    }
    let result: Vec<Value> = rows
        .iter()
        .map(|row| {
            let extra_value = |column: &str| match column {
                "email" if !cx.caller.user.manages_users() => Value::Null,
                column => row.json(column),
            };
            let extra: Map<String, Value> =
                field.extra.iter().map(|c| ((*c).to_owned(), extra_value(c))).collect();
            json!({"value": row.json(relation.target.pk), "text": label(field, relation, row), "extra": extra})
        })
        .collect();
    let mut payload = Map::new();
    payload.insert("count".into(), count.into());
    payload.insert("result".into(), result.into());
    Ok(respond(200, payload))
}

fn search(search: Search, relation: &Relation, text: &str, dialect: Dialect) -> Option<Sql> {
    let field = |column| relation.target.qualified(column);
    match search {
        Search::Nothing => None,
        Search::StartsWith(column) => Some(condition::starts_with(dialect, field(column), text)),
        Search::Contains(column) => Some(condition::contains(dialect, field(column), text)),
        Search::Person => Some(person::is_called(dialect, text)),
    }
}

fn selection(field: &RelatedField, relation: &'static Relation) -> Selection {
    let own: &[&str] = match relation.target.name {
        "ab_user" => &["first_name", "last_name"],
        "ab_role" => &["name"],
        "dbs" => &["verbose_name", "database_name"],
        "tables" => &["schema", "table_name"],
        "slices" => &["slice_name"],
        "dashboards" => &["dashboard_title"],
        _ => &[],
    };
    Selection::with_paths(relation.target, own.iter().chain(field.extra).copied().chain(field.text))
}

/// `str(model)`, or the column that stands for it.
fn label(field: &RelatedField, relation: &Relation, row: &Record) -> Value {
    if let Some(column) = field.text {
        return row.json(column);
    }
    let id = row.text("id");
    Value::from(match relation.target.name {
        "ab_user" => format!("{} {}", row.text("first_name"), row.text("last_name")),
        "dbs" => row
            .get::<String>("verbose_name")
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| row.text("database_name")),
        "tables" => {
            let parts = ["schema", "table_name"].map(|c| row.text(c));
            parts.iter().filter(|p| !p.is_empty()).map(String::as_str).collect::<Vec<_>>().join(".")
        }
        "slices" => row.get::<String>("slice_name").filter(|n| !n.is_empty()).unwrap_or(id),
        "dashboards" => format!("Dashboard<{id}>"),
        _ => row.text("name"),
    })
}
