//! Creating, changing, copying and deleting dashboards (`superset.commands.dashboard`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use daos::{
    chart,
    dashboard::{self, Dashboard},
    embedded,
    person::{self, Owned},
    report, rows,
    write::Values,
};
use infra::{
    Error, Result, clock,
    db::{DbError, Executor, Value as Stored},
    json,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{ColorFields, CopyFields, DashboardFields, FilterChanges, find, metadata, tabs::tabs};
use crate::{
    Caller, Services,
    access::{lists, ownership},
    implicit_tags,
    refused::refused,
    relations::{Invalid, Tagged, check_tags, raise_for_reports, set_tags},
    schema::columns,
    state::Principal,
    tag::ObjectType,
};

/// Columns of `dashboards` that a body sets.
fn columns(fields: &DashboardFields) -> Values {
    columns![
        fields; dashboard_title, slug, position_json, css, theme_id, json_metadata, published, certified_by,
        certification_details, is_managed_externally, external_url, uuid,
    ]
}

async fn check_roles(db: &dyn Executor, roles: &[i64], invalid: &mut Invalid) -> Result<(), DbError> {
    if roles.is_empty() {
        return Ok(());
    }
    if rows::existing(db, "ab_role", roles).await?.len() != roles.len() {
        invalid.add("roles", "Some roles do not exist");
    }
    Ok(())
}

fn audit(user: &Principal, now: NaiveDateTime) -> Vec<(&'static str, Stored)> {
    vec![
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", user.user_id().into()),
        ("changed_by_fk", user.user_id().into()),
    ]
}

/// Creates a dashboard; its id.
pub async fn create(caller: &Caller, fields: &DashboardFields) -> Result<i64> {
    insert(caller, fields).await.map_err(refused("Dashboards could not be created."))
}

async fn insert(caller: &Caller, fields: &DashboardFields) -> Result<i64> {
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let mut invalid = Invalid::default();
    if let Some(slug) = fields.slug.filled()
        && dashboard::is_slug_taken(db, slug, None).await?
    {
        invalid.add("slug", "Must be unique");
    }
    let owners = ownership::owners_on_create(db, &caller.user, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;
    let roles = fields.roles.items().unwrap_or_default();
    check_roles(db, roles, &mut invalid).await?;
    invalid.check()?;
    let mut values = columns(fields);
    // a column with a default takes it for null, too
    values.retain(|(column, value)| {
        *value != Stored::Null || !matches!(*column, "uuid" | "published" | "is_managed_externally")
    });
    for (column, value) in [
        ("uuid", Stored::from(Uuid::new_v4())),
        ("published", Stored::from(false)),
        ("is_managed_externally", Stored::from(false)),
    ] {
        if !values.iter().any(|(c, _)| *c == column) {
            values.push((column, value));
        }
    }
    values.extend(audit(&caller.user, clock::now()));
    let id = dashboard::insert(db, values).await?;
    person::set_owners(db, Owned::Dashboard, id, &owners).await?;
    dashboard::set_roles(db, id, roles).await?;
    implicit_tags::created(&caller.app.config, db, &caller.user, ObjectType::Dashboard, id, &owners).await?;
    tx.commit().await?;
    Ok(id)
}

/// The dashboard of an id that the caller owns: 404 when hidden, 403 when foreign.
async fn owned(caller: &Caller, id: i64) -> Result<Dashboard> {
    let dashboard = find::listed(caller, id).await?.ok_or_else(Error::not_found)?;
    if ownership::owns(caller, Owned::Dashboard, id).await? { Ok(dashboard) } else { Err(Error::forbidden()) }
}

fn parse(text: Option<&str>) -> Map<String, Value> {
    serde_json::from_str(text.unwrap_or_default()).unwrap_or_default()
}

/// Charts of a layout that it may hold, by id with their UUID: those it has already and those that the caller sees.
async fn charts_for(
    db: &dyn Executor,
    user: &Principal,
    dashboard: Option<i64>,
    asked: &[i64],
) -> Result<HashMap<i64, String>> {
    let uuids = chart::uuids_on(db, asked, dashboard, lists::charts(user, "s")).await?;
    Ok(uuids.into_iter().map(|(id, uuid)| (id, uuid.map(|u| u.to_string()).unwrap_or_default())).collect())
}

/// Changes a dashboard; when it was last modified.
pub async fn update(caller: &Caller, id: i64, fields: &DashboardFields) -> Result<NaiveDateTime> {
    change(caller, id, fields).await.map_err(refused("Dashboard could not be updated."))
}

async fn change(caller: &Caller, id: i64, fields: &DashboardFields) -> Result<NaiveDateTime> {
    let dashboard = owned(caller, id).await?;
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let mut invalid = Invalid::default();
    if let Some(slug) = fields.slug.text()
        && dashboard::is_slug_taken(db, slug, Some(id)).await?
    {
        invalid.add("slug", "Must be unique");
    }
    let current = person::owners(db, Owned::Dashboard, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = ownership::owners_on_update(db, &caller.user, &current, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;
    let tags = fields.tags.items();
    check_tags(db, &caller.user, Tagged::Dashboard, id, tags, &mut invalid).await?;
    let roles = fields.roles.items();
    check_roles(db, roles.unwrap_or_default(), &mut invalid).await?;
    invalid.check()?;

    deactivate_reports(db, &dashboard, fields).await?;
    let now = clock::now();
    let mut values = columns(fields);
    if let Some(sent) = fields.json_metadata.filled() {
        let data = parse(Some(sent));
        let mut uuids = HashMap::new();
        if let Some(Value::Object(positions)) = data.get("positions") {
            let asked = metadata::chart_ids(positions);
            uuids = charts_for(db, &caller.user, Some(id), &asked).await?;
            let charts: Vec<i64> = asked.into_iter().filter(|id| uuids.contains_key(id)).collect();
            dashboard::set_charts(db, id, &charts).await?;
        }
        let saved = metadata::save(data.clone(), &data, &uuids, None);
        values.retain(|(c, _)| *c != "json_metadata");
        values.push(("json_metadata", saved.json_metadata.into()));
        if let Some(positions) = saved.position_json {
            values.retain(|(c, _)| *c != "position_json");
            values.push(("position_json", positions.into()));
        }
    }
    values.extend([("changed_on", now.into()), ("changed_by_fk", caller.user.user_id().into())]);
    dashboard::update(db, id, values).await?;
    person::set_owners(db, Owned::Dashboard, id, &owners).await?;
    if let Some(roles) = roles {
        dashboard::set_roles(db, id, roles).await?;
    }
    if let Some(tags) = tags {
        set_tags(db, &caller.user, Tagged::Dashboard, id, tags).await?;
    }
    implicit_tags::updated(&caller.app.config, db, &caller.user, ObjectType::Dashboard, id, &owners).await?;
    tx.commit().await?;
    Ok(now)
}

/// Alerts and reports of a tab end with it (`process_tab_diff`).
async fn deactivate_reports(
    db: &dyn Executor,
    dashboard: &Dashboard,
    fields: &DashboardFields,
) -> Result<()> {
    let layout = parse(fields.position_json.text());
    if layout.is_empty() {
        return Ok(());
    }
    let before = tabs(dashboard.position_json.as_deref()).unwrap_or_default();
    let gone = before.get("all_tabs").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    for tab in gone.filter(|tab| !layout.contains_key(*tab)) {
        report::deactivate_of_tab(db, tab).await?;
    }
    Ok(())
}

/// Patches the native filters; the new list of them.
pub async fn update_filters(caller: &Caller, id: i64, change: &FilterChanges) -> Result<Value> {
    let dashboard = owned(caller, id).await?;
    let mut metadata = parse(dashboard.json_metadata.as_deref());
    let key = "native_filter_configuration";
    let current = metadata.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let filters = Value::Array(metadata::change_filters(&current, change));
    metadata.insert(key.into(), filters.clone());
    save_metadata(caller, id, metadata, true).await?;
    Ok(filters)
}

/// Stores the colours that charts were given; `mark` moves the time of the last change.
pub async fn update_colors(caller: &Caller, id: i64, colors: &ColorFields, mark: bool) -> Result<()> {
    let dashboard = owned(caller, id).await?;
    let mut metadata = parse(dashboard.json_metadata.as_deref());
    let sent = [
        ("color_scheme_domain", colors.color_scheme_domain.json()),
        ("color_scheme", colors.color_scheme.json()),
        ("shared_label_colors", colors.shared_label_colors.json()),
        ("map_label_colors", colors.map_label_colors.json()),
        ("label_colors", colors.label_colors.json()),
    ];
    for (key, value) in sent {
        metadata.extend(value.map(|value| (key.to_owned(), value)));
    }
    save_metadata(caller, id, metadata, mark).await
}

async fn save_metadata(caller: &Caller, id: i64, metadata: Map<String, Value>, mark: bool) -> Result<()> {
    let mut values = vec![
        ("json_metadata", json::dumps(&Value::Object(metadata)).into()),
        ("changed_by_fk", caller.user.user_id().into()),
    ];
    if mark {
        values.push(("changed_on", clock::now().into()));
    }
    let tx = caller.app.db.begin().await?;
    dashboard::update(tx.exec(), id, values).await?;
    Ok(tx.commit().await?)
}

/// Copies a dashboard, with copies of its charts when `duplicate_slices` says so; id and time of the copy.
pub async fn copy(
    caller: &Caller,
    dashboard: &Dashboard,
    fields: &CopyFields,
) -> Result<(i64, NaiveDateTime)> {
    let (Some(title), Some(sent)) = (fields.dashboard_title.filled(), fields.json_metadata.filled()) else {
        return Err(Error::bad_request("Bad request"));
    };
    if caller.app.config.flag("DASHBOARD_RBAC")
        && !ownership::owns(caller, Owned::Dashboard, dashboard.id).await?
    {
        return Err(Error::forbidden());
    }
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let now = clock::now();
    let mut data = parse(Some(sent));
    let charts = chart::of_dashboard(db, dashboard.id).await?;
    let mut renumbered = HashMap::new();
    if fields.duplicate_slices.get() == Some(true) {
        for chart in &charts {
            renumbered.insert(chart.id, copy_chart(db, &caller.user, chart, now).await?);
        }
        let positions = data.get_mut("positions").and_then(Value::as_object_mut);
        for part in positions.into_iter().flat_map(Map::values_mut) {
            if let Some(meta) = part.get_mut("meta").and_then(Value::as_object_mut)
                && let Some(old) = meta.get("chartId").and_then(Value::as_i64).filter(|id| *id != 0)
            {
                meta.insert("chartId".into(), renumbered.get(&old).copied().into());
            }
        }
    }
    let mut linked: Vec<i64> = match renumbered.is_empty() {
        true => charts.iter().map(|c| c.id).collect(),
        false => renumbered.values().copied().collect(),
    };
    let mut uuids = HashMap::new();
    if let Some(Value::Object(positions)) = data.get("positions") {
        let asked = metadata::chart_ids(positions);
        uuids = charts_for(db, &caller.user, Some(dashboard.id), &asked).await?;
        for copy in charts_of(db, &linked).await? {
            uuids.entry(copy.0).or_insert(copy.1);
        }
        linked = asked.into_iter().filter(|id| uuids.contains_key(id)).collect();
    }
    let stored = parse(dashboard.json_metadata.as_deref());
    let saved = metadata::save(stored, &data, &uuids, Some(&renumbered));
    let mut values = vec![
        ("uuid", Uuid::new_v4().into()),
        ("dashboard_title", title.into()),
        ("css", fields.css.text().into()),
        ("published", false.into()),
        ("is_managed_externally", false.into()),
        ("json_metadata", saved.json_metadata.into()),
        ("position_json", saved.position_json.into()),
    ];
    values.extend(audit(&caller.user, now));
    let id = dashboard::insert(db, values).await?;
    let me: Vec<i64> = caller.user.user_id().into_iter().collect();
    person::set_owners(db, Owned::Dashboard, id, &me).await?;
    dashboard::set_charts(db, id, &linked).await?;
    implicit_tags::created(&caller.app.config, db, &caller.user, ObjectType::Dashboard, id, &me).await?;
    tx.commit().await?;
    Ok((id, now))
}

async fn charts_of(db: &dyn Executor, ids: &[i64]) -> Result<Vec<(i64, String)>, DbError> {
    let charts = chart::find_many(db, ids).await?;
    Ok(charts.into_iter().map(|c| (c.id, c.uuid.map(|u| u.to_string()).unwrap_or_default())).collect())
}

/// `Slice.clone` with the caller as owner.
async fn copy_chart(
    db: &dyn Executor,
    user: &Principal,
    chart: &chart::Chart,
    now: NaiveDateTime,
) -> Result<i64, DbError> {
    let mut values = vec![
        ("uuid", Uuid::new_v4().into()),
        ("slice_name", chart.slice_name.clone().into()),
        ("datasource_id", chart.datasource_id.into()),
        ("datasource_type", chart.datasource_type.clone().into()),
        ("datasource_name", chart.datasource_name.clone().into()),
        ("viz_type", chart.viz_type.clone().into()),
        ("params", chart.params.clone().into()),
        ("description", chart.description.clone().into()),
        ("cache_timeout", chart.cache_timeout.into()),
        ("perm", chart.perm.clone().into()),
        ("schema_perm", chart.schema_perm.clone().into()),
        ("catalog_perm", chart.catalog_perm.clone().into()),
        ("is_managed_externally", false.into()),
    ];
    values.extend(audit(user, now));
    let id = chart::insert(db, values).await?;
    let me: Vec<i64> = user.user_id().into_iter().collect();
    person::set_owners(db, Owned::Chart, id, &me).await?;
    Ok(id)
}

/// Deletes dashboards: all of them or, if one is missing, foreign or used by a report, none.
pub async fn delete(caller: &Caller, ids: &[i64]) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let visible = lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "b");
    let found = dashboard::existing(db, ids, visible).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    raise_for_reports(db, "dashboard_id", ids).await?;
    if !ownership::not_owned(db, &caller.user, Owned::Dashboard, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    implicit_tags::deleted(db, ObjectType::Dashboard, ids).await?;
    dashboard::delete(db, ids).await?;
    Ok(tx.commit().await?)
}

/// Lets a dashboard be embedded by some domains; the UUID stays the same once it is given.
pub async fn set_embedded(
    caller: &Caller,
    dashboard: &Dashboard,
    domains: &[String],
) -> Result<embedded::Embedded> {
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let (now, me) = (clock::now(), caller.user.user_id());
    let list = domains.join(",");
    let uuid = match embedded::of_dashboard(db, dashboard.id).await?.first() {
        Some(old) => {
            embedded::set_domains(db, old.uuid, list, now, me).await?;
            old.uuid
        }
        None => {
            let uuid = Uuid::new_v4();
            let mut values = audit(&caller.user, now);
            values.extend([
                ("uuid", uuid.into()),
                ("dashboard_id", dashboard.id.into()),
                ("allow_domain_list", list.into()),
            ]);
            embedded::insert(db, values).await?;
            uuid
        }
    };
    let embedded = embedded::find(db, uuid).await?.ok_or_else(Error::not_found)?;
    tx.commit().await?;
    Ok(embedded)
}

/// Ends the embedding of a dashboard.
pub async fn delete_embedded(app: &Services, dashboard: &Dashboard) -> Result<()> {
    Ok(embedded::delete_of_dashboard(app.db.exec(), dashboard.id).await?)
}
