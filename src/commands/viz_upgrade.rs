//! `superset migrate-viz`: charts of kinds that are no more become their successors, and back
//! (`superset.cli.viz_migrations`, `superset.migrations.shared.migrate_viz.base`).
//!
//! The original also writes the queries of the new kind, with a copy of the frontend's code in Python. Here they are
//! left out: the frontend makes them when the chart is saved, and shows the chart without.

use daos::chart::{self, Chart};
use infra::{Error, Result, db::Db};
use serde_json::{Map, Value};

use crate::viz_migration;

const FORM_DATA: &str = "form_data_bak";
const QUERIES: &str = "queries_bak";

/// Which charts.
#[derive(Debug, Clone)]
pub enum Charts {
    /// All of a kind that is no more.
    OfKind(String),
    /// Those of these keys.
    Of(Vec<i64>),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Charts that are of their new kind.
    pub changed: usize,
    /// Why others are not as they should be.
    pub failed: Vec<String>,
}

/// Changes the charts, all in one transaction; a chart that cannot be migrated is told and does not stop the others.
pub async fn migrate(db: &Db, charts: &Charts, back: bool) -> Result<Done> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let ids = match charts {
        Charts::Of(ids) => ids.clone(),
        Charts::OfKind(kind) => {
            let target = viz_migration::target(kind);
            let target =
                target.ok_or_else(|| Error::unprocessable(format!("'{kind}' is not a valid VizType")))?;
            let (kind, text) = if back { (target, Some(FORM_DATA)) } else { (kind.as_str(), None) };
            chart::ids_of_kind(exec, kind, text).await?
        }
    };
    let mut done = Done::default();
    for found in chart::find_many(exec, &ids).await? {
        let id = found.id;
        let (values, failure) = if back { restored(&found) } else { upgraded(&found) };
        if !values.is_empty() {
            chart::update(exec, id, values).await?;
        }
        match failure {
            Some(text) => done.failed.push(format!("chart {id}: {text}")),
            None => done.changed += 1,
        }
    }
    tx.commit().await?;
    Ok(done)
}

type Values = Vec<(&'static str, infra::db::Value)>;

fn document(text: Option<&str>) -> Option<Map<String, Value>> {
    serde_json::from_str(text.unwrap_or_default()).ok()
}

fn upgraded(chart: &Chart) -> (Values, Option<String>) {
    let kind = chart.viz_type.as_deref().unwrap_or_default();
    let Some(migration) = viz_migration::find(kind) else { return (Values::new(), None) };
    let Some(before) = document(chart.params.as_deref()) else {
        return (Values::new(), Some("its parameters cannot be read".into()));
    };
    let migrated = match migration.migrate(before.clone()) {
        Ok(migrated) => migrated,
        Err(error) => return (Values::new(), Some(error.to_string())),
    };
    let mut values: Values = vec![("viz_type", migrated.viz_type.into())];
    if !before.contains_key("datasource") {
        // as there: the kind is set before anybody looks
        return (values, Some("its parameters name no dataset".into()));
    }
    let mut params = migrated.form_data;
    let queries = document(chart.query_context.as_deref()).and_then(|mut c| c.shift_remove("queries"));
    params.insert(FORM_DATA.into(), Value::Object(before));
    params.insert(QUERIES.into(), queries.unwrap_or(Value::Null));
    values.push(("params", infra::json::dumps(&Value::Object(params)).into()));
    values.push(("query_context", infra::db::Value::Null));
    (values, None)
}

fn restored(chart: &Chart) -> (Values, Option<String>) {
    let Some(mut params) = document(chart.params.as_deref()) else {
        return (Values::new(), Some("its parameters cannot be read".into()));
    };
    let Some(Value::Object(before)) = params.shift_remove(FORM_DATA) else { return (Values::new(), None) };
    let Some(kind) = before.get("viz_type").and_then(Value::as_str).map(str::to_owned) else {
        return (Values::new(), None);
    };
    let mut values: Values = vec![
        ("viz_type", kind.into()),
        ("params", infra::json::dumps(&Value::Object(before.clone())).into()),
    ];
    // what this command took away was never made anew, unless somebody saved the chart
    let context = document(chart.query_context.as_deref());
    let queries = params.shift_remove(QUERIES).filter(infra::json::truthy);
    let context = match (context, queries) {
        (Some(mut context), Some(queries)) => {
            context.insert("queries".into(), queries);
            if context.contains_key("form_data") {
                context.insert("form_data".into(), Value::Object(before));
            }
            Some(infra::json::dumps(&Value::Object(context)))
        }
        _ => None,
    };
    values.push(("query_context", context.into()));
    (values, None)
}
