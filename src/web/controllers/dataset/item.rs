//! Reading a dataset (`superset.datasets.api:DatasetRestApi.get`, `related_objects`, `get_drill_info`).

use commands::{
    chart::describe::person,
    dataset::{
        describe::{Described, type_generic},
        find::{self, ChartName, DashboardName, Person},
        source::rendered,
    },
};
use infra::{Error, clock, rison::Schema};
use serde_json::{Map, Value, json};

use crate::controllers::parse::result;
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

async fn get(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &infra::rison::schema::ITEM)?;
    let pk = cx.req.int_param("pk");
    find::listed(&cx.caller, pk).await?;
    let described = find::described(&cx.caller.app, pk).await?.ok_or_else(Error::not_found)?;
    let mut item = item(&cx, &described).await?;
    let asked: Vec<&str> =
        q.get("columns").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    prune(&mut item, &asked);
    let rendered = cx
        .req
        .arg("include_rendered_sql")
        .is_some_and(|flag| ["y", "Y", "yes", "True", "t", "true", "On", "on", "1"].contains(&flag));
    if rendered {
        render(&cx, &described, &mut item).await?;
    }
    Ok(Answer::fab(200, &json!({"id": pk, "result": item})))
}

/// Adds what templates make of the query and of each expression (`DatasetRestApi.render_dataset_fields`).
async fn render(cx: &Cx, described: &Described, item: &mut Map<String, Value>) -> Result<(), Failure> {
    let text = async |kind: &str, text: &str| {
        let rendered = rendered(&cx.caller, &described.database, text).await;
        rendered.map_err(|error| {
            tracing::info!(%error, kind, "a template of a dataset cannot be rendered");
            Error::message(400, format!("Unable to render expression from dataset {kind}."))
        })
    };
    if let Some(sql) = item.get("sql").and_then(Value::as_str).filter(|sql| !sql.is_empty()) {
        let sql = text("query", sql).await?;
        item.insert("rendered_sql".into(), sql.into());
    }
    for (key, kind) in [("metrics", "metric"), ("columns", "calculated column")] {
        let entries = item.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
        for entry in entries.filter_map(Value::as_object_mut) {
            let expression = entry.get("expression").and_then(Value::as_str).filter(|text| !text.is_empty());
            if let Some(expression) = expression {
                let expression = text(kind, expression).await?;
                entry.insert("rendered_expression".into(), expression.into());
            }
        }
    }
    Ok(())
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
    let [created_by, changed_by] = find::created_and_changed_by(&cx.caller.app, d).await?;
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
    if cx.caller.app.config.flag("DATASET_FOLDERS") {
        map.insert("folders".into(), json!(d.folders));
    }
    Ok(map)
}

async fn related(cx: Cx) -> Handled {
    let pk: i64 = cx.req.param("pk").parse().map_err(|_| Error::not_found())?;
    find::listed(&cx.caller, pk).await?;
    let (charts, dashboards) = related_objects(&cx, &[pk]).await?;
    Ok(Answer::fab(200, &json!({"charts": charts, "dashboards": dashboards})))
}

/// Charts on some datasets and the dashboards that show them, as `{count, result}`.
pub(crate) async fn related_objects(cx: &Cx, ids: &[i64]) -> Result<(Value, Value), Failure> {
    let (charts, dashboards) = find::related(&cx.caller.app, ids).await?;
    let chart = |c: ChartName| json!({"id": c.id, "slice_name": c.slice_name, "viz_type": c.viz_type});
    let dashboard = |b: DashboardName| {
        let title = b.dashboard_title;
        json!({"id": b.id, "json_metadata": b.json_metadata, "slug": b.slug, "title": title})
    };
    let counted = |items: Vec<Value>| json!({"count": items.len(), "result": items});
    let charts = counted(charts.into_iter().map(chart).collect());
    Ok((charts, counted(dashboards.into_iter().map(dashboard).collect())))
}

/// `q` of drill info.
static DRILL: Schema = Schema::object(&[("dashboard_id", Schema::of_types(&["integer"]))]);

async fn drill_info(cx: Cx) -> Handled {
    let q = infra::rison::load(cx.req.arg("q"), &DRILL)?;
    let pk = cx.req.int_param("pk");
    let through = q.get("dashboard_id").and_then(Value::as_i64).unwrap_or_default();
    find::raise_for_drill(&cx.caller, pk, through).await?;
    let guest = cx.caller.guest().is_some();
    let described = find::described(&cx.caller.app, pk).await?.ok_or_else(Error::not_found)?;
    let columns = described.columns.iter().filter(|c| c.groupby == Some(true));
    let columns = columns.map(|c| json!({"column_name": c.column_name, "verbose_name": c.verbose_name}));
    let columns: Value = columns.collect();
    if guest {
        return Ok(result(json!({"id": pk, "columns": columns})));
    }
    let d = &described.dataset;
    let [created_by, changed_by] = find::created_and_changed_by(&cx.caller.app, d).await?;
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
