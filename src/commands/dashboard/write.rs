//! Creating, changing, copying and deleting dashboards (`superset.commands.dashboard`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use daos::{
    chart,
    dashboard::Dashboard,
    embedded,
    person::{self, Owned},
};
use infra::{
    Error, Result, clock,
    db::{DbError, Executor, Sql, Value as Stored},
    json,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{find, metadata, tabs::tabs};
use crate::{
    Services,
    access::{Principal, lists, ownership},
    implicit_tags,
    refused::refused,
    relations::{
        Invalid, NOBODY, Tagged, check_tags, delete_rows, raise_for_reports, set_links, set_owners, set_tags,
    },
    tag::ObjectType,
};

/// Columns of `dashboards` that a body may set as text.
const TEXTS: &[&str] = &[
    "dashboard_title",
    "slug",
    "position_json",
    "json_metadata",
    "css",
    "certified_by",
    "certification_details",
    "external_url",
];

/// Fields as the body had them, checked by their schema.
pub type Fields = Map<String, Value>;

fn ids(fields: &Fields, key: &str) -> Option<Vec<i64>> {
    Some(fields.get(key)?.as_array()?.iter().map(|id| id.as_i64().unwrap_or(NOBODY)).collect())
}

fn columns(fields: &Fields) -> Vec<(&'static str, Stored)> {
    let mut values: Vec<(&'static str, Stored)> = Vec::new();
    for (name, value) in fields {
        if let Some(column) = TEXTS.iter().find(|c| *c == name) {
            values.push((column, value.as_str().into()));
            continue;
        }
        match name.as_str() {
            "theme_id" => values.push(("theme_id", value.as_i64().into())),
            "published" => values.push(("published", value.as_bool().into())),
            "is_managed_externally" => {
                values.push(("is_managed_externally", value.as_bool().into()));
            }
            "uuid" => values.push(("uuid", value.as_str().and_then(|u| Uuid::parse_str(u).ok()).into())),
            _ => {}
        }
    }
    values
}

async fn slug_taken(db: &dyn Executor, slug: &str, but: Option<i64>) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT id FROM dashboards WHERE slug = ");
    sql.push_bind(slug);
    if let Some(id) = but {
        sql.push(" AND id <> ").push_bind(id);
    }
    Ok(db.first(sql).await?.is_some())
}

async fn check_roles(db: &dyn Executor, roles: &[i64], invalid: &mut Invalid) -> Result<(), DbError> {
    if roles.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("SELECT id FROM ab_role WHERE id IN ");
    sql.push_list(roles.iter().copied());
    if db.query(sql).await?.len() != roles.len() {
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
pub async fn create(app: &Services, user: &Principal, fields: &Fields) -> Result<i64> {
    insert(app, user, fields).await.map_err(refused("Dashboards could not be created."))
}

async fn insert(app: &Services, user: &Principal, fields: &Fields) -> Result<i64> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut invalid = Invalid::default();
    let slug = fields.get("slug").and_then(Value::as_str).unwrap_or_default();
    if !slug.is_empty() && slug_taken(db, slug, None).await? {
        invalid.add("slug", "Must be unique");
    }
    let owners = ownership::owners_on_create(db, user, ids(fields, "owners").as_deref()).await;
    let owners = invalid.owners(owners)?;
    let roles = ids(fields, "roles").unwrap_or_default();
    check_roles(db, &roles, &mut invalid).await?;
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
    values.extend(audit(user, clock::now()));
    let id = db.insert_row("dashboards", values).await?;
    set_owners(db, Owned::Dashboard, id, &owners).await?;
    set_links(db, "dashboard_roles", "dashboard_id", id, "role_id", &roles).await?;
    implicit_tags::created(&app.config, db, user, ObjectType::Dashboard, id, &owners).await?;
    tx.commit().await?;
    Ok(id)
}

/// The dashboard of an id that the caller owns: 404 when hidden, 403 when foreign.
async fn owned(app: &Services, user: &Principal, id: i64) -> Result<Dashboard> {
    let board = find::listed(app, user, id).await?.ok_or_else(Error::not_found)?;
    if ownership::owns(app, user, Owned::Dashboard, id).await? { Ok(board) } else { Err(Error::forbidden()) }
}

fn parse(text: Option<&str>) -> Map<String, Value> {
    serde_json::from_str(text.unwrap_or_default()).unwrap_or_default()
}

/// Charts of a layout that it may hold, by id with their UUID: those it has already and those that the caller sees.
async fn charts_for(
    db: &dyn Executor,
    user: &Principal,
    board: Option<i64>,
    asked: &[i64],
) -> Result<HashMap<i64, String>> {
    let mut sql = Sql::new("SELECT s.id, s.uuid FROM slices s WHERE s.id IN ");
    sql.push_list(asked.iter().copied());
    if let Some(condition) = lists::charts(user, "s") {
        sql.push(" AND (").append(condition);
        sql.push(" OR s.id IN (SELECT slice_id FROM dashboard_slices WHERE dashboard_id = ");
        sql.push_bind(board).push("))");
    }
    let mut uuids = HashMap::new();
    for row in db.query(sql).await? {
        let uuid: Option<Uuid> = row.at(1)?;
        uuids.insert(row.at(0)?, uuid.map(|u| u.to_string()).unwrap_or_default());
    }
    Ok(uuids)
}

/// Changes a dashboard; when it was last modified.
pub async fn update(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<NaiveDateTime> {
    change(app, user, id, fields).await.map_err(refused("Dashboard could not be updated."))
}

async fn change(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<NaiveDateTime> {
    let board = owned(app, user, id).await?;
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut invalid = Invalid::default();
    if let Some(slug) = fields.get("slug").and_then(Value::as_str)
        && slug_taken(db, slug, Some(id)).await?
    {
        invalid.add("slug", "Must be unique");
    }
    let current = person::owners(db, Owned::Dashboard, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = ownership::owners_on_update(db, user, &current, ids(fields, "owners").as_deref()).await;
    let owners = invalid.owners(owners)?;
    let tags = ids(fields, "tags");
    check_tags(db, user, Tagged::Dashboard, id, tags.as_deref(), &mut invalid).await?;
    let roles = ids(fields, "roles");
    check_roles(db, roles.as_deref().unwrap_or_default(), &mut invalid).await?;
    invalid.check()?;

    deactivate_reports(db, &board, fields).await?;
    let now = clock::now();
    let mut values = columns(fields);
    let sent = fields.get("json_metadata").and_then(Value::as_str).filter(|t| !t.is_empty());
    if let Some(sent) = sent {
        let data = parse(Some(sent));
        let mut uuids = HashMap::new();
        if let Some(Value::Object(positions)) = data.get("positions") {
            let asked = metadata::chart_ids(positions);
            uuids = charts_for(db, user, Some(id), &asked).await?;
            let charts: Vec<i64> = asked.into_iter().filter(|id| uuids.contains_key(id)).collect();
            set_links(db, "dashboard_slices", "dashboard_id", id, "slice_id", &charts).await?;
        }
        let saved = metadata::save(data.clone(), &data, &uuids, None);
        values.retain(|(c, _)| *c != "json_metadata");
        values.push(("json_metadata", saved.json_metadata.into()));
        if let Some(positions) = saved.position_json {
            values.retain(|(c, _)| *c != "position_json");
            values.push(("position_json", positions.into()));
        }
    }
    values.extend([("changed_on", now.into()), ("changed_by_fk", user.user_id().into())]);
    db.update_row("dashboards", id, values).await?;
    set_owners(db, Owned::Dashboard, id, &owners).await?;
    if let Some(roles) = &roles {
        set_links(db, "dashboard_roles", "dashboard_id", id, "role_id", roles).await?;
    }
    if let Some(tags) = &tags {
        set_tags(db, user, Tagged::Dashboard, id, tags).await?;
    }
    implicit_tags::updated(&app.config, db, user, ObjectType::Dashboard, id, &owners).await?;
    tx.commit().await?;
    Ok(now)
}

/// Alerts and reports of a tab end with it (`process_tab_diff`).
async fn deactivate_reports(db: &dyn Executor, board: &Dashboard, fields: &Fields) -> Result<()> {
    let layout = parse(fields.get("position_json").and_then(Value::as_str));
    if layout.is_empty() {
        return Ok(());
    }
    let before = tabs(board.position_json.as_deref()).unwrap_or_default();
    let gone = before.get("all_tabs").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    for tab in gone.filter(|tab| !layout.contains_key(*tab)) {
        let mut sql = Sql::new("UPDATE report_schedule SET active = ");
        sql.push_bind(false).push(" WHERE extra_json LIKE ").push_bind(format!("%{tab}%"));
        db.execute(sql).await?;
    }
    Ok(())
}

/// Patches the native filters; the new list of them.
pub async fn update_filters(app: &Services, user: &Principal, id: i64, change: &Fields) -> Result<Value> {
    let board = owned(app, user, id).await?;
    let mut metadata = parse(board.json_metadata.as_deref());
    let key = "native_filter_configuration";
    let current = metadata.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let filters = Value::Array(metadata::change_filters(&current, change));
    metadata.insert(key.into(), filters.clone());
    save_metadata(app, user, id, metadata, true).await?;
    Ok(filters)
}

/// Stores the colours that charts were given; `mark` moves the time of the last change.
pub async fn update_colors(
    app: &Services,
    user: &Principal,
    id: i64,
    colors: &Fields,
    mark: bool,
) -> Result<()> {
    let board = owned(app, user, id).await?;
    let mut metadata = parse(board.json_metadata.as_deref());
    for key in
        ["color_scheme_domain", "color_scheme", "shared_label_colors", "map_label_colors", "label_colors"]
    {
        if let Some(value) = colors.get(key) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    save_metadata(app, user, id, metadata, mark).await
}

async fn save_metadata(
    app: &Services,
    user: &Principal,
    id: i64,
    metadata: Map<String, Value>,
    mark: bool,
) -> Result<()> {
    let mut values = vec![
        ("json_metadata", json::dumps(&Value::Object(metadata)).into()),
        ("changed_by_fk", user.user_id().into()),
    ];
    if mark {
        values.push(("changed_on", clock::now().into()));
    }
    let tx = app.db.begin().await?;
    tx.exec().update_row("dashboards", id, values).await?;
    Ok(tx.commit().await?)
}

/// Copies a dashboard, with copies of its charts when `duplicate_slices` says so; id and time of the copy.
pub async fn copy(
    app: &Services,
    user: &Principal,
    board: &Dashboard,
    fields: &Fields,
) -> Result<(i64, NaiveDateTime)> {
    let text = |key: &str| fields.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let (Some(title), Some(sent)) = (text("dashboard_title"), text("json_metadata")) else {
        return Err(Error::bad_request("Bad request"));
    };
    if app.config.flag("DASHBOARD_RBAC") && !ownership::owns(app, user, Owned::Dashboard, board.id).await? {
        return Err(Error::forbidden());
    }
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let now = clock::now();
    let mut data = parse(Some(sent));
    let charts = chart::of_dashboard(db, board.id).await?;
    let mut renumbered = HashMap::new();
    if fields.get("duplicate_slices") == Some(&Value::Bool(true)) {
        for chart in &charts {
            renumbered.insert(chart.id, copy_chart(db, user, chart, now).await?);
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
        uuids = charts_for(db, user, Some(board.id), &asked).await?;
        for copy in charts_of(db, &linked).await? {
            uuids.entry(copy.0).or_insert(copy.1);
        }
        linked = asked.into_iter().filter(|id| uuids.contains_key(id)).collect();
    }
    let stored = parse(board.json_metadata.as_deref());
    let saved = metadata::save(stored, &data, &uuids, Some(&renumbered));
    let mut values = vec![
        ("uuid", Uuid::new_v4().into()),
        ("dashboard_title", title.into()),
        ("css", fields.get("css").and_then(Value::as_str).into()),
        ("published", false.into()),
        ("is_managed_externally", false.into()),
        ("json_metadata", saved.json_metadata.into()),
        ("position_json", saved.position_json.into()),
    ];
    values.extend(audit(user, now));
    let id = db.insert_row("dashboards", values).await?;
    let me: Vec<i64> = user.user_id().into_iter().collect();
    set_owners(db, Owned::Dashboard, id, &me).await?;
    set_links(db, "dashboard_slices", "dashboard_id", id, "slice_id", &linked).await?;
    implicit_tags::created(&app.config, db, user, ObjectType::Dashboard, id, &me).await?;
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
    let id = db.insert_row("slices", values).await?;
    let me: Vec<i64> = user.user_id().into_iter().collect();
    set_owners(db, Owned::Chart, id, &me).await?;
    Ok(id)
}

/// Deletes dashboards: all of them or, if one is missing, foreign or used by a report, none.
pub async fn delete(app: &Services, user: &Principal, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut sql = Sql::new("SELECT b.id FROM dashboards b WHERE b.id IN ");
    sql.push_list(ids.iter().copied());
    if let Some(condition) = lists::dashboards(&app.config, user, db.dialect(), "b") {
        sql.push(" AND ").append(condition);
    }
    let found = db.query(sql).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    raise_for_reports(db, "dashboard_id", ids).await?;
    if !ownership::not_owned(db, user, Owned::Dashboard, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    for table in ["dashboard_user", "dashboard_slices", "dashboard_roles", "embedded_dashboards"] {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE dashboard_id IN "));
        sql.push_list(ids.iter().copied());
        db.execute(sql).await?;
    }
    let mut sql =
        Sql::new("UPDATE user_attribute SET welcome_dashboard_id = NULL WHERE welcome_dashboard_id IN ");
    sql.push_list(ids.iter().copied());
    db.execute(sql).await?;
    implicit_tags::deleted(db, ObjectType::Dashboard, ids).await?;
    delete_rows(db, "dashboards", ids).await?;
    Ok(tx.commit().await?)
}

/// Lets a dashboard be embedded by some domains; the UUID stays the same once it is given.
pub async fn set_embedded(
    app: &Services,
    user: &Principal,
    board: &Dashboard,
    domains: &[String],
) -> Result<embedded::Embedded> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let (now, me) = (clock::now(), user.user_id());
    let list = domains.join(",");
    let uuid = match embedded::of_dashboard(db, board.id).await?.first() {
        Some(old) => {
            let mut sql = Sql::new("UPDATE embedded_dashboards SET allow_domain_list = ");
            sql.push_bind(list).push(", changed_on = ").push_bind(now);
            sql.push(", changed_by_fk = ").push_bind(me).push(" WHERE uuid = ").push_bind(old.uuid);
            db.execute(sql).await?;
            old.uuid
        }
        None => {
            let uuid = Uuid::new_v4();
            let mut values = audit(user, now);
            values.extend([
                ("uuid", uuid.into()),
                ("dashboard_id", board.id.into()),
                ("allow_domain_list", list.into()),
            ]);
            db.execute(infra::db::insert_sql(db.dialect(), "embedded_dashboards", values)).await?;
            uuid
        }
    };
    let embedded = embedded::find(db, uuid).await?.ok_or_else(Error::not_found)?;
    tx.commit().await?;
    Ok(embedded)
}

/// Ends the embedding of a dashboard.
pub async fn delete_embedded(app: &Services, board: &Dashboard) -> Result<()> {
    let sql = Sql::new("DELETE FROM embedded_dashboards WHERE dashboard_id = ?").bind(board.id);
    app.db.exec().execute(sql).await?;
    Ok(())
}
