//! Charts of seven kinds become their successors, with controls and query
//! (`superset.migrations.shared.migrate_viz.base:MigrateViz.upgrade`).

use daos::upgrade::charts::{self, Chart};
use infra::{db::Executor, json};
use serde_json::{Map, Value};

use crate::{
    upgrade::{Result, Work},
    viz_migration::{self, Lists, NotMigrated, Query},
};

/// In the original's order, on which depends what its lists have grown to.
const KINDS: [(&str, Query); 7] = [
    ("area", Query::Timeseries),
    ("bar", Query::Timeseries),
    ("dist_bar", Query::Timeseries),
    ("heatmap", Query::Heatmap),
    ("histogram", Query::Histogram),
    ("line", Query::Timeseries),
    ("sankey", Query::Sankey),
];

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    let mut lists = Lists::default();
    for (kind, query) in KINDS {
        let total = charts::count(work.db, &[kind]).await?;
        let (mut last, mut done) = (i64::MIN, 0);
        loop {
            let page = charts::after(work.db, &[kind], last).await?;
            let Some(chart) = page.last() else { break };
            last = chart.id;
            for chart in &page {
                migrate(work, chart, kind, query, &mut lists).await?;
            }
            done += page.len();
            work.progress.at(&format!("charts of kind {kind}"), done, total);
        }
    }
    Ok(())
}

/// What cannot be migrated is no reason to stop: the original logs it and goes on.
async fn migrate(work: &Work<'_>, chart: &Chart, kind: &str, query: Query, lists: &mut Lists) -> Result<()> {
    let (target, texts) = match migrated(chart, kind, query, &work.default_range, lists) {
        Ok(found) => found,
        Err(reason) => {
            tracing::warn!(chart = chart.id, %reason, "a chart of kind {kind} stays as it is");
            return Ok(());
        }
    };
    if let Err(reason) = &texts {
        tracing::warn!(chart = chart.id, %reason, "a chart became {target}, but keeps its old controls");
    }
    let texts = texts.as_ref().ok().map(|(params, context)| (params.as_str(), context.as_str()));
    Ok(charts::set_kind(work.db, chart.id, target, texts).await?)
}

type Texts = std::result::Result<(String, String), NotMigrated>;

/// The successor with controls and query; the kind is changed also where these two fail.
fn migrated(
    chart: &Chart,
    kind: &str,
    query: Query,
    default_range: &Value,
    lists: &mut Lists,
) -> std::result::Result<(&'static str, Texts), NotMigrated> {
    let Some(migration) = viz_migration::find(kind) else { return Err(NotMigrated("no migration".into())) };
    let backup = document(chart.params.as_deref())?;
    let migrated = migration.controls(backup.clone(), default_range, lists)?;
    let texts = || -> Texts {
        let mut context = Value::Object(document(chart.query_context.as_deref())?);
        let data = migrated.form_data;
        let mut queries = Value::Null;
        match &mut context {
            Value::Object(map) if !map.is_empty() => {
                if let Some(form_data) = map.get_mut("form_data") {
                    *form_data = Value::Object(data.clone());
                }
                let missing = || NotMigrated("a query context without queries".into());
                let place = map.get_mut("queries").ok_or_else(missing)?;
                queries = std::mem::replace(place, viz_migration::queries(query, &data)?.into());
            }
            other => *other = viz_migration::context(query, &data)?,
        }
        let mut params = data;
        params.insert("form_data_bak".into(), Value::Object(backup));
        params.insert("queries_bak".into(), queries);
        Ok((json::dumps(&Value::Object(params)), json::dumps(&context)))
    };
    Ok((migrated.viz_type, texts()))
}

/// An object, empty where there is nothing (`try_load_json`).
fn document(text: Option<&str>) -> std::result::Result<Map<String, Value>, NotMigrated> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Map::new()) };
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) if !json::truthy(&other) => Ok(Map::new()),
        Ok(_) => Err(NotMigrated("JSON that is no object".into())),
        Err(e) => Err(NotMigrated(format!("no JSON: {e}"))),
    }
}

pub(super) async fn changes(db: &dyn Executor) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (kind, _) in KINDS {
        let count = charts::count(db, &[kind]).await?;
        if count > 0 {
            found.push(format!("charts of kind {kind}: {count}"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the original made of charts, in its order; `LITESET_VIZ_CASES` names a longer record.
    #[test]
    fn as_the_original_does_it() {
        let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/viz_upgrade/cases.jsonl");
        let path = std::env::var("LITESET_VIZ_CASES").unwrap_or_else(|_| recorded.to_owned());
        let text = std::fs::read_to_string(path).unwrap();
        let (mut lists, mut wrong, mut total) = (Lists::default(), 0, 0);
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let before = |key: &str| case["before"][key].as_str().map(str::to_owned);
            let chart = Chart { id: 1, params: before("params"), query_context: before("query_context") };
            let kind = case["before"]["viz_type"].as_str().unwrap();
            let query = KINDS.iter().find(|(name, _)| *name == kind).unwrap().1;
            let (kind, texts, why) = match migrated(&chart, kind, query, &"No filter".into(), &mut lists) {
                Err(e) => (kind, (chart.params, chart.query_context), e.0),
                Ok((target, Err(e))) => (target, (chart.params, chart.query_context), e.0),
                Ok((target, Ok((params, context)))) => (target, (Some(params), Some(context)), String::new()),
            };
            let after = |key: &str| case["after"][key].as_str();
            total += 1;
            if (after("viz_type"), after("params"), after("query_context"))
                != (Some(kind), texts.0.as_deref(), texts.1.as_deref())
            {
                wrong += 1;
                if wrong <= 5 {
                    println!("{}\nwant {}\ngot  {kind} {texts:?} {why}\n", case["before"], case["after"]);
                }
            }
        }
        assert_eq!(wrong, 0, "of {total} charts");
        assert!(total > 100);
    }
}
