//! Creating, changing and deleting charts (`superset.commands.chart`).

use daos::{
    chart::{self, Chart, ChartKey},
    dashboard,
    dataset::{self, Dataset},
    person::{self, Owned},
    write::Values,
};
use infra::{
    Error, Result, clock,
    db::{Executor, Value as Stored},
};
use uuid::Uuid;

use super::ChartFields;
use crate::{
    Caller, Services,
    access::{lists, ownership},
    implicit_tags,
    refused::refused,
    relations::{Invalid, Tagged, check_tags, raise_for_reports, set_tags},
    schema::{Sent, columns},
    state::Principal,
    tag::ObjectType,
};

/// Columns of `slices` that a body sets.
fn columns(fields: &ChartFields) -> Values {
    columns![
        fields; slice_name, description, viz_type, params, query_context, cache_timeout, datasource_id,
        datasource_type, datasource_name, certified_by, certification_details, is_managed_externally,
        external_url, uuid,
    ]
}

/// True of a null in a column that has a default.
fn defaulted(column: &str, value: &Stored) -> bool {
    *value == Stored::Null && matches!(column, "uuid" | "is_managed_externally")
}

/// The dataset that a chart is to show. It need not be the caller's to use: such a chart shows them nothing.
async fn datasource(app: &Services, fields: &ChartFields, invalid: &mut Invalid) -> Result<Option<Dataset>> {
    let Some(id) = fields.datasource_id.get() else { return Ok(None) };
    let found = match fields.datasource_type.text() {
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
pub async fn create(caller: &Caller, fields: &ChartFields) -> Result<i64> {
    insert(caller, fields).await.map_err(refused("Chart could not be created."))
}

async fn insert(caller: &Caller, fields: &ChartFields) -> Result<i64> {
    let mut invalid = Invalid::default();
    let dataset = datasource(&caller.app, fields, &mut invalid).await?;
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let dashboards = fields.dashboards.items().unwrap_or_default();
    if !dashboards.is_empty() {
        let visible = lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "b");
        if dashboard::existing(db, dashboards, visible).await?.len() != dashboards.len() {
            invalid.add("dashboards", "Dashboards do not exist");
        }
        raise_for_dashboards(db, &caller.user, dashboards).await?;
    }
    let owners = ownership::owners_on_create(db, &caller.user, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;
    invalid.check()?;

    let (me, now) = (caller.user.user_id(), clock::now());
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
    let id = chart::insert(db, values).await?;
    person::set_owners(db, Owned::Chart, id, &owners).await?;
    chart::set_dashboards(db, id, dashboards).await?;
    implicit_tags::created(&caller.app.config, db, &caller.user, ObjectType::Chart, id, &owners).await?;
    tx.commit().await?;
    Ok(id)
}

/// A body that only completes the stored query of a chart.
fn is_query_context_update(fields: &ChartFields) -> bool {
    let only = ChartFields {
        query_context: fields.query_context.clone(),
        query_context_generation: Sent::Value(true),
        ..ChartFields::default()
    };
    fields.query_context.is_sent() && *fields == only
}

/// Changes a chart.
pub async fn update(caller: &Caller, id: i64, fields: &ChartFields) -> Result<()> {
    change(caller, id, fields).await.map_err(refused("Chart could not be updated."))
}

async fn change(caller: &Caller, id: i64, fields: &ChartFields) -> Result<()> {
    let chart =
        chart::find_where(caller.app.db.exec(), &ChartKey::Id(id), lists::charts(&caller.user, "s")).await?;
    let chart = chart.ok_or_else(Error::not_found)?;
    let mut invalid = Invalid::default();
    let owns = ownership::owns(caller, Owned::Chart, id).await?;
    // viewers and report workers may fill in a query that is missing, but not replace one
    let fills_in = is_query_context_update(fields) && chart.query_context.is_none();
    if !owns && !fills_in {
        return Err(Error::forbidden());
    }
    let moves = fields.datasource_id.value().is_some();
    if moves && fields.datasource_type.filled().is_none() {
        invalid.add("datasource_type", "Datasource type is required when datasource_id is given");
    }
    let moved_to = if moves { datasource(&caller.app, fields, &mut invalid).await? } else { None };

    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let current = person::owners(db, Owned::Chart, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = if owns {
        let owners = ownership::owners_on_update(db, &caller.user, &current, fields.owners.items()).await;
        invalid.owners(owners)?
    } else {
        current
    };
    let tags = fields.tags.items();
    check_tags(db, &caller.user, Tagged::Chart, id, tags, &mut invalid).await?;
    let dashboards = fields.dashboards.items();
    if let Some(dashboards) = dashboards {
        check_dashboards(db, &caller.user, &chart, dashboards, &mut invalid).await?;
    }
    invalid.check()?;

    let (me, now) = (caller.user.user_id(), clock::now());
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
    if fields.query_context_generation.value().is_none() {
        values.extend([("last_saved_at", now.into()), ("last_saved_by_fk", me.into())]);
    }
    chart::update(db, id, values).await?;
    person::set_owners(db, Owned::Chart, id, &owners).await?;
    if let Some(dashboards) = dashboards {
        chart::set_dashboards(db, id, dashboards).await?;
    }
    if let Some(tags) = tags {
        set_tags(db, &caller.user, Tagged::Chart, id, tags).await?;
    }
    implicit_tags::updated(&caller.app.config, db, &caller.user, ObjectType::Chart, id, &owners).await?;
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
pub async fn delete(caller: &Caller, ids: &[i64]) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let found = chart::existing(db, ids, lists::charts(&caller.user, "s")).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    raise_for_reports(db, "chart_id", ids).await?;
    if !ownership::not_owned(db, &caller.user, Owned::Chart, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    implicit_tags::deleted(db, ObjectType::Chart, ids).await?;
    chart::delete(db, ids).await?;
    tx.commit().await?;
    Ok(())
}
