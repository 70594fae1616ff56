//! Creating, changing and deleting charts (`superset.commands.chart`).

use daos::{
    chart::{self, Chart, ChartKey},
    dashboard,
    dataset::{self, Dataset},
    person::{self, Owned},
};
use infra::{
    Error, Result, clock,
    db::{Executor, Sql, Value as Stored},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Services,
    access::{Principal, lists, ownership},
    implicit_tags,
    refused::refused,
    relations::{
        Invalid, Tagged, check_tags, delete_rows, raise_for_reports, set_links, set_owners, set_tags,
    },
    tag::ObjectType,
};

/// Columns of `slices` that a body may set, with the kind of their values.
const TEXTS: &[&str] = &[
    "slice_name",
    "description",
    "viz_type",
    "params",
    "query_context",
    "datasource_type",
    "datasource_name",
    "certified_by",
    "certification_details",
    "external_url",
];
const NUMBERS: &[&str] = &["cache_timeout", "datasource_id"];

/// Fields as the body had them, checked by their schema.
pub type Fields = Map<String, Value>;

fn ids(fields: &Fields, key: &str) -> Option<Vec<i64>> {
    Some(fields.get(key)?.as_array()?.iter().filter_map(Value::as_i64).collect())
}

fn columns(fields: &Fields) -> Vec<(&'static str, Stored)> {
    let mut values: Vec<(&'static str, Stored)> = Vec::new();
    for (name, value) in fields {
        if let Some(column) = TEXTS.iter().find(|c| *c == name) {
            values.push((column, value.as_str().into()));
        } else if let Some(column) = NUMBERS.iter().find(|c| *c == name) {
            values.push((column, value.as_i64().into()));
        } else if name == "is_managed_externally" {
            values.push(("is_managed_externally", value.as_bool().into()));
        } else if name == "uuid" {
            values.push(("uuid", value.as_str().and_then(|u| Uuid::parse_str(u).ok()).into()));
        }
    }
    values
}

/// True of a null in a column that has a default.
fn defaulted(column: &str, value: &Stored) -> bool {
    *value == Stored::Null && matches!(column, "uuid" | "is_managed_externally")
}

/// The dataset that a chart is to show. It need not be the caller's to use: such a chart shows them nothing.
async fn datasource(app: &Services, fields: &Fields, invalid: &mut Invalid) -> Result<Option<Dataset>> {
    let Some(id) = fields.get("datasource_id").and_then(Value::as_i64) else { return Ok(None) };
    let found = match fields.get("datasource_type").and_then(Value::as_str) {
        Some("table") => dataset::find(app.db.exec(), id).await?,
        _ => None,
    };
    if found.is_none() {
        invalid.add("datasource_id", "Datasource does not exist");
    }
    Ok(found)
}

/// What a chart copies of its dataset (`set_related_perm`), so that lists need not join.
fn of_dataset(dataset: &Dataset) -> Vec<(&'static str, Stored)> {
    vec![
        ("perm", dataset.perm.clone().into()),
        ("schema_perm", dataset.schema_perm.clone().into()),
        ("catalog_perm", dataset.catalog_perm.clone().into()),
    ]
}

/// Charts join and leave only dashboards that the caller owns.
async fn raise_for_dashboards(db: &dyn Executor, user: &Principal, ids: &[i64]) -> Result<()> {
    if ownership::not_owned(db, user, Owned::Dashboard, ids).await?.is_empty() {
        return Ok(());
    }
    Err(Error::message(403, "Changing one or more of these dashboards is forbidden"))
}

/// Creates a chart; its id.
pub async fn create(app: &Services, user: &Principal, fields: &Fields) -> Result<i64> {
    insert(app, user, fields).await.map_err(refused("Chart could not be created."))
}

async fn insert(app: &Services, user: &Principal, fields: &Fields) -> Result<i64> {
    let mut invalid = Invalid::default();
    let dataset = datasource(app, fields, &mut invalid).await?;
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let boards = ids(fields, "dashboards").unwrap_or_default();
    if !boards.is_empty() {
        let mut known = Sql::new("SELECT b.id FROM dashboards b WHERE b.id IN ");
        known.push_list(boards.iter().copied());
        if let Some(condition) = lists::dashboards(&app.config, user, db.dialect(), "b") {
            known.push(" AND ").append(condition);
        }
        if db.query(known).await?.len() != boards.len() {
            invalid.add("dashboards", "Dashboards do not exist");
        }
        raise_for_dashboards(db, user, &boards).await?;
    }
    let owners = ownership::owners_on_create(db, user, ids(fields, "owners").as_deref()).await;
    let owners = invalid.owners(owners)?;
    invalid.check()?;

    let (me, now) = (user.user_id(), clock::now());
    let mut values = columns(fields);
    // a column with a default takes it for null, too
    values.retain(|(column, value)| *column != "datasource_name" && !defaulted(column, value));
    if let Some(dataset) = &dataset {
        values.push(("datasource_name", dataset.name().into()));
        values.extend(of_dataset(dataset));
    }
    for (column, value) in
        [("uuid", Stored::from(Uuid::new_v4())), ("is_managed_externally", Stored::from(false))]
    {
        if !values.iter().any(|(c, _)| *c == column) {
            values.push((column, value));
        }
    }
    values.extend([
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", me.into()),
        ("changed_by_fk", me.into()),
        ("last_saved_at", now.into()),
        ("last_saved_by_fk", me.into()),
    ]);
    let id = db.insert_row("slices", values).await?;
    set_owners(db, Owned::Chart, id, &owners).await?;
    set_links(db, "dashboard_slices", "slice_id", id, "dashboard_id", &boards).await?;
    implicit_tags::created(&app.config, db, user, ObjectType::Chart, id, &owners).await?;
    tx.commit().await?;
    Ok(id)
}

/// A body that only completes the stored query of a chart.
fn is_query_context_update(fields: &Fields) -> bool {
    fields.len() == 2
        && fields.contains_key("query_context")
        && fields.get("query_context_generation") == Some(&Value::Bool(true))
}

/// Changes a chart.
pub async fn update(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<()> {
    change(app, user, id, fields).await.map_err(refused("Chart could not be updated."))
}

async fn change(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<()> {
    let chart = chart::find_where(app.db.exec(), &ChartKey::Id(id), lists::charts(user, "s")).await?;
    let chart = chart.ok_or_else(Error::not_found)?;
    let mut invalid = Invalid::default();
    let owns = ownership::owns(app, user, Owned::Chart, id).await?;
    // viewers and report workers may fill in a query that is missing, but not replace one
    let fills_in = is_query_context_update(fields) && chart.query_context.is_none();
    if !owns && !fills_in {
        return Err(Error::forbidden());
    }
    let moves = fields.get("datasource_id").is_some_and(|v| !v.is_null());
    let kind = fields.get("datasource_type").and_then(Value::as_str).unwrap_or_default();
    if moves && kind.is_empty() {
        invalid.add("datasource_type", "Datasource type is required when datasource_id is given");
    }
    let moved_to = if moves { datasource(app, fields, &mut invalid).await? } else { None };

    let tx = app.db.begin().await?;
    let db = tx.exec();
    let current = person::owners(db, Owned::Chart, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = if owns {
        let owners = ownership::owners_on_update(db, user, &current, ids(fields, "owners").as_deref()).await;
        invalid.owners(owners)?
    } else {
        current
    };
    let tags = ids(fields, "tags");
    check_tags(db, user, Tagged::Chart, id, tags.as_deref(), &mut invalid).await?;
    let boards = ids(fields, "dashboards");
    if let Some(boards) = &boards {
        check_dashboards(db, user, &chart, boards, &mut invalid).await?;
    }
    invalid.check()?;

    let (me, now) = (user.user_id(), clock::now());
    let mut values = columns(fields);
    let dataset = match (moved_to, chart.datasource_id) {
        (Some(dataset), _) => {
            values.push(("datasource_name", dataset.name().into()));
            Some(dataset)
        }
        (None, Some(id)) => dataset::find(db, id).await?,
        (None, None) => None,
    };
    if let Some(dataset) = &dataset {
        values.extend(of_dataset(dataset));
    }
    values.extend([("changed_on", now.into()), ("changed_by_fk", me.into())]);
    if fields.get("query_context_generation").is_none_or(Value::is_null) {
        values.extend([("last_saved_at", now.into()), ("last_saved_by_fk", me.into())]);
    }
    db.update_row("slices", id, values).await?;
    set_owners(db, Owned::Chart, id, &owners).await?;
    if let Some(boards) = &boards {
        set_links(db, "dashboard_slices", "slice_id", id, "dashboard_id", boards).await?;
    }
    if let Some(tags) = &tags {
        set_tags(db, user, Tagged::Chart, id, tags).await?;
    }
    implicit_tags::updated(&app.config, db, user, ObjectType::Chart, id, &owners).await?;
    tx.commit().await?;
    Ok(())
}

async fn check_dashboards(
    db: &dyn Executor,
    user: &Principal,
    chart: &Chart,
    asked: &[i64],
    invalid: &mut Invalid,
) -> Result<()> {
    if dashboard::find_many(db, asked).await?.len() != asked.len() {
        invalid.add("dashboards", "Dashboards do not exist");
        return Ok(());
    }
    let current: Vec<i64> = chart::dashboards(db, chart.id).await?.into_iter().map(|(id, ..)| id).collect();
    let joined = asked.iter().filter(|id| !current.contains(id));
    let left = current.iter().filter(|id| !asked.contains(id));
    let changed: Vec<i64> = joined.chain(left).copied().collect();
    raise_for_dashboards(db, user, &changed).await
}

/// Deletes charts: all of them or, if one is missing, foreign or used by a report, none.
pub async fn delete(app: &Services, user: &Principal, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut sql = Sql::new("SELECT s.id FROM slices s WHERE s.id IN ");
    sql.push_list(ids.iter().copied());
    if let Some(condition) = lists::charts(user, "s") {
        sql.push(" AND ").append(condition);
    }
    let found = db.query(sql).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    raise_for_reports(db, "chart_id", ids).await?;
    if !ownership::not_owned(db, user, Owned::Chart, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    for (table, column) in [("slice_user", "slice_id"), ("dashboard_slices", "slice_id")] {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
        sql.push_list(ids.iter().copied());
        db.execute(sql).await?;
    }
    implicit_tags::deleted(db, ObjectType::Chart, ids).await?;
    delete_rows(db, "slices", ids).await?;
    tx.commit().await?;
    Ok(())
}
