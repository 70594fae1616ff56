//! Reading a dataset (`superset.datasets.api:DatasetRestApi.get`, `related_objects`, `get_drill_info`).

use commands::{
    access::{lists, objects},
    chart::describe::person,
    dataset::describe::{self, Described, type_generic},
};
use daos::{
    dashboard, dataset,
    person::{Person, find_many},
};
use infra::{
    Error, clock,
    db::{Executor, Sql},
    rison::Schema,
};
use serde_json::{Map, Value, json};

use super::result;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let read = Access::Protect("can_read", "Dataset");
    vec![
        rule(&["GET"], "/api/v1/dataset/<int:pk>", read, get).endpoint("DatasetRestApi.get"),
        rule(&["GET"], "/api/v1/dataset/<pk>/related_objects", read, related)
            .endpoint("DatasetRestApi.related_objects"),
        rule(
            &["GET"],
            "/api/v1/dataset/<int:pk>/drill_info/",
            Access::Protect("can_get_drill_info", "Dataset"),
            drill_info,
        )
        .endpoint("DatasetRestApi.get_drill_info"),
    ]
}

/// The dataset of an id, if lists show it to the caller.
async fn listed(cx: &Cx, pk: i64) -> Result<dataset::Dataset, Failure> {
    let found = dataset::find_where(cx.app.db.exec(), pk, lists::datasets(&cx.user, "t")).await?;
    Ok(found.ok_or_else(Error::not_found)?)
}

async fn get(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &infra::rison::schema::ITEM)?;
    let pk = cx.req.int_param("pk");
    listed(&cx, pk).await?;
    let described = describe::load_one(cx.app.db.exec(), pk).await?.ok_or_else(Error::not_found)?;
    let mut item = item(&cx, &described).await?;
    let asked: Vec<&str> =
        q.get("columns").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    prune(&mut item, &asked);
    Ok(Answer::fab(200, &json!({"id": pk, "result": item})))
}

/// Keeps the columns that were asked for; when none of them exists, everything.
fn prune(item: &mut Map<String, Value>, asked: &[&str]) {
    let known = |name: &&&str| {
        let (head, rest) = name.split_once('.').map_or((**name, None), |(h, r)| (h, Some(r)));
        item.get(head).is_some_and(|v| match (v, rest) {
            (_, None) => true,
            (Value::Object(map), Some(rest)) => map.contains_key(rest),
            (Value::Array(_) | Value::Null, Some(_)) => true,
            _ => false,
        })
    };
    let asked: Vec<&str> = asked.iter().filter(known).copied().collect();
    if asked.is_empty() {
        return;
    }
    item.retain(|key, value| {
        let nested: Vec<&str> = asked
            .iter()
            .filter_map(|name| name.split_once('.'))
            .filter(|(head, _)| head == key)
            .map(|(_, r)| r)
            .collect();
        let keep = |map: &mut Map<String, Value>| map.retain(|k, _| nested.contains(&k.as_str()));
        match value {
            Value::Object(map) if !nested.is_empty() => keep(map),
            Value::Array(items) if !nested.is_empty() => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(keep);
            }
            _ => {}
        }
        !nested.is_empty() || asked.contains(&key.as_str())
    });
}

/// `show_columns` of `DatasetRestApi`.
async fn item(cx: &Cx, described: &Described) -> Result<Map<String, Value>, Failure> {
    let d = &described.dataset;
    let spec = described.spec();
    let (created_by, changed_by) = people(cx.app.db.exec(), d).await?;
    let name = |p: Option<Person>| p.map(|p| json!({"first_name": p.first_name, "last_name": p.last_name}));
    let iso = |t: Option<chrono::NaiveDateTime>| t.map(clock::isoformat);
    let now = clock::now();
    let words = |t: Option<chrono::NaiveDateTime>| t.map(|t| clock::naturaltime(t, now));
    let columns = described.columns.iter().map(|c| {
        json!({
            "advanced_data_type": c.advanced_data_type,
            "changed_on": iso(c.changed_on),
            "column_name": c.column_name,
            "created_on": iso(c.created_on),
            "description": c.description,
            "expression": c.expression,
            "extra": c.extra,
            "filterable": c.filterable,
            "groupby": c.groupby,
            "id": c.id,
            "is_active": c.is_active,
            "is_dttm": c.is_dttm,
            "python_date_format": c.python_date_format,
            "type": c.type_,
            "type_generic": type_generic(spec, c).map(|g| g as u8),
            "uuid": c.uuid.map(|u| u.to_string()),
            "verbose_name": c.verbose_name,
        })
    });
    let metrics = described.metrics.iter().map(|m| {
        json!({
            "changed_on": iso(m.changed_on),
            "created_on": iso(m.created_on),
            "currency": m.currency,
            "d3format": m.d3format,
            "description": m.description,
            "expression": m.expression,
            "extra": m.extra,
            "id": m.id,
            "metric_name": m.metric_name,
            "metric_type": m.metric_type,
            "uuid": m.uuid.map(|u| u.to_string()),
            "verbose_name": m.verbose_name,
            "warning_text": m.warning_text,
        })
    });
    let database = &described.database;
    let multi_catalog = database.extra_json().get("allow_multi_catalog").cloned().unwrap_or(json!(false));
    let Value::Object(mut map) = json!({
        "id": d.id,
        "database": {
            "allow_multi_catalog": multi_catalog,
            "backend": database.backend(),
            "database_name": database.database_name,
            "id": database.id,
            "uuid": database.uuid.map(|u| u.to_string()),
        },
        "table_name": d.table_name,
        "sql": d.sql,
        "filter_select_enabled": d.filter_select_enabled,
        "fetch_values_predicate": d.fetch_values_predicate,
        "catalog": d.catalog,
        "schema": d.schema,
        "description": d.description,
        "main_dttm_col": d.main_dttm_col,
        "normalize_columns": d.normalize_columns,
        "always_filter_main_dttm": d.always_filter_main_dttm,
        "offset": d.offset,
        "default_endpoint": d.default_endpoint,
        "cache_timeout": d.cache_timeout,
        "is_sqllab_view": d.is_sqllab_view,
        "template_params": d.template_params,
        "select_star": described.select_star(),
        "owners": described.owners.iter().map(person).collect::<Value>(),
        "columns": columns.collect::<Value>(),
        "metrics": metrics.collect::<Value>(),
        "datasource_type": "table",
        "url": format!("/tablemodelview/edit/{}", d.id),
        "extra": d.extra,
        "kind": if d.is_virtual() { "virtual" } else { "physical" },
        "created_on": iso(d.created_on),
        "created_on_humanized": words(d.created_on),
        "created_by": name(created_by),
        "changed_on": iso(d.changed_on),
        "changed_on_humanized": words(d.changed_on),
        "changed_by": name(changed_by),
        "is_managed_externally": d.is_managed_externally,
        "uid": format!("{}__table", d.id),
        "uuid": d.uuid.map(|u| u.to_string()),
        "datasource_name": d.table_name,
        "name": d.name(),
        "column_formats": described.column_formats(),
        "granularity_sqla": described.granularity_sqla(),
        "time_grain_sqla": described.time_grain_sqla(),
        "order_by_choices": described.order_by_choices(),
        "verbose_map": described.verbose_map(),
    }) else {
        return Ok(Map::new());
    };
    if cx.app.config.flag("DATASET_FOLDERS") {
        map.insert("folders".into(), json!(d.folders));
    }
    Ok(map)
}

async fn people(
    db: &dyn Executor,
    d: &dataset::Dataset,
) -> Result<(Option<Person>, Option<Person>), Failure> {
    let ids: Vec<i64> = [d.created_by_fk, d.changed_by_fk].into_iter().flatten().collect();
    let people = find_many(db, &ids).await?;
    let by = |id: Option<i64>| id.and_then(|id| people.get(&id)).cloned();
    Ok((by(d.created_by_fk), by(d.changed_by_fk)))
}

async fn related(cx: Cx) -> Handled {
    let pk: i64 = cx.req.param("pk").parse().map_err(|_| Error::not_found())?;
    listed(&cx, pk).await?;
    let (charts, boards) = related_objects(cx.app.db.exec(), &[pk]).await?;
    Ok(Answer::fab(200, &json!({"charts": charts, "dashboards": boards})))
}

/// Charts on some datasets and the dashboards that show them, as `{count, result}`.
pub(super) async fn related_objects(db: &dyn Executor, ids: &[i64]) -> Result<(Value, Value), Failure> {
    let on = |sql: &mut Sql| {
        sql.push("s.datasource_type = 'table' AND s.datasource_id IN ").push_list(ids.iter().copied());
    };
    let mut sql = Sql::new("SELECT s.id, s.slice_name, s.viz_type FROM slices s WHERE ");
    on(&mut sql);
    sql.push(" ORDER BY s.id");
    let mut charts = Vec::new();
    for row in db.query(sql).await? {
        let (id, name, viz): (i64, Option<String>, Option<String>) = (row.at(0)?, row.at(1)?, row.at(2)?);
        charts.push(json!({"id": id, "slice_name": name, "viz_type": viz}));
    }
    let mut sql = Sql::new(
        "SELECT b.id, b.json_metadata, b.slug, b.dashboard_title FROM dashboards b WHERE b.id IN \
         (SELECT ds.dashboard_id FROM dashboard_slices ds JOIN slices s ON s.id = ds.slice_id WHERE ",
    );
    on(&mut sql);
    sql.push(") ORDER BY b.id");
    let mut boards = Vec::new();
    for row in db.query(sql).await? {
        let (id, metadata): (i64, Option<String>) = (row.at(0)?, row.at(1)?);
        let (slug, title): (Option<String>, Option<String>) = (row.at(2)?, row.at(3)?);
        boards.push(json!({"id": id, "json_metadata": metadata, "slug": slug, "title": title}));
    }
    let counted = |items: Vec<Value>| json!({"count": items.len(), "result": items});
    Ok((counted(charts), counted(boards)))
}

/// `q` of drill info.
static DRILL: Schema = Schema::object(&[("dashboard_id", Schema::of(&["integer"]))]);

async fn drill_info(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &DRILL)?;
    let db = cx.app.db.exec();
    let pk = cx.req.int_param("pk");
    let guest = cx.user.guest_if_enabled(&cx.app.config).is_some();
    if dataset::find_where(db, pk, lists::datasets(&cx.user, "t")).await?.is_none() {
        let through = q.get("dashboard_id").and_then(Value::as_i64).filter(|id| *id != 0);
        let through = match through {
            Some(id) => id,
            None if guest => return Err(Error::forbidden().into()),
            None => return Err(Error::not_found().into()),
        };
        let board = dashboard::find(db, through).await?.ok_or_else(Error::not_found)?;
        let dataset = dataset::find(db, pk).await?.ok_or_else(Error::not_found)?;
        if !objects::can_drill_via_dashboard(&cx.app, &cx.user, &dataset, &board).await? {
            return Err(Error::forbidden().into());
        }
    }
    let described = describe::load_one(db, pk).await?.ok_or_else(Error::not_found)?;
    let columns = described.columns.iter().filter(|c| c.groupby == Some(true));
    let columns = columns.map(|c| json!({"column_name": c.column_name, "verbose_name": c.verbose_name}));
    let columns: Value = columns.collect();
    if guest {
        return Ok(result(json!({"id": pk, "columns": columns})));
    }
    let d = &described.dataset;
    let (created_by, changed_by) = people(db, d).await?;
    let name = |p: &Person| json!({"first_name": p.first_name, "last_name": p.last_name});
    let now = clock::now();
    Ok(result(json!({
        "id": d.id,
        "columns": columns,
        "table_name": d.table_name,
        "owners": described.owners.iter().map(name).collect::<Value>(),
        "created_by": created_by.as_ref().map(name),
        "created_on_humanized": d.created_on.map(|t| clock::naturaltime(t, now)),
        "changed_by": changed_by.as_ref().map(name),
        "changed_on_humanized": d.changed_on.map(|t| clock::naturaltime(t, now)),
    })))
}
