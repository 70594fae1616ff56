//! Example content of our own: three generated data sets in a SQLite file of their own, two dashboards.

mod data;
mod layout;

use std::{collections::HashMap, path::Path};

use chrono::NaiveDateTime;
use infra::{
    Error, Result,
    db::{Db, DbUri, Executor, Sql, Value, insert_sql},
};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::{Uuid, uuid};

const CONTENT: &str = include_str!("content.json");

/// The uuid that Superset gives its `examples` database.
const DATABASE_UUID: Uuid = uuid!("a2dc77af-e654-49bb-b321-40f6b559a1ee");

/// `dbs.extra` of a new database, as Superset writes it.
const DATABASE_EXTRA: &str = "{\n    \"metadata_params\": {},\n    \"engine_params\": {},\n    \
                              \"metadata_cache_timeout\": {},\n    \"schemas_allowed_for_file_upload\": []\n}\n";

#[derive(Deserialize)]
struct Content {
    datasets: Vec<Dataset>,
    charts: Vec<Chart>,
    dashboards: Vec<layout::Dashboard>,
}

#[derive(Deserialize)]
struct Dataset {
    name: String,
    main_dttm_col: String,
    description: String,
    columns: Vec<(String, String)>,
    metrics: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Chart {
    name: String,
    viz_type: String,
    dataset: String,
    params: serde_json::Map<String, Json>,
}

/// What later parts refer to.
struct Written {
    /// Dataset name → id.
    datasets: HashMap<String, i64>,
    /// Chart name → (id, uuid).
    charts: HashMap<String, (i64, Uuid)>,
}

/// Creates the data file and, in one transaction, everything that shows it. Nothing happens when the database
/// has an `examples` connection already.
pub async fn create(db: &Db, data_file: &Path, owner: i64) -> Result<()> {
    let present = db.query(Sql::new("SELECT id FROM dbs WHERE database_name = 'examples'")).await?;
    if !present.is_empty() {
        return Ok(());
    }
    let content: Content = serde_json::from_str(CONTENT).map_err(Error::internal)?;
    create_data(data_file, &content.datasets).await?;

    let now = chrono::Local::now().naive_local();
    let tx = db.begin().await?;
    let exec = tx.exec();
    let database = insert_database(exec, data_file, owner, now).await?;
    grantable(exec, "database_access", &format!("[examples].(id:{database})")).await?;
    grantable(exec, "schema_access", "[examples].[main]").await?;
    let mut written = Written { datasets: HashMap::new(), charts: HashMap::new() };
    for dataset in &content.datasets {
        let id = insert_dataset(exec, dataset, database, owner, now).await?;
        written.datasets.insert(dataset.name.clone(), id);
    }
    for chart in &content.charts {
        let inserted = insert_chart(exec, chart, &written, owner, now).await?;
        written.charts.insert(chart.name.clone(), inserted);
    }
    for dashboard in &content.dashboards {
        insert_dashboard(exec, dashboard, &written, owner, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The data file, made beside its name and renamed: a start that was cut short leaves nothing half-filled.
async fn create_data(path: &Path, datasets: &[Dataset]) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    for suffix in ["", "-wal", "-shm"] {
        let mut name = fresh.clone().into_os_string();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
    {
        let file = Db::connect(&DbUri::Sqlite { path: fresh.clone() }, 2).await?;
        let tx = file.begin().await?;
        for dataset in datasets {
            let columns: Vec<String> =
                dataset.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
            let sql = format!("CREATE TABLE {} ({})", dataset.name, columns.join(", "));
            tx.exec().execute(Sql::new(sql)).await?;
        }
        data::fill(tx.exec()).await?;
        tx.commit().await?;
        // Back to one file, so that it can be renamed and read without a write-ahead log.
        file.query(Sql::new("PRAGMA journal_mode = DELETE")).await?;
    }
    std::fs::rename(&fresh, path).map_err(Error::internal)
}

/// Columns of Superset's audit mix-in.
fn audit(now: NaiveDateTime, owner: i64) -> [(&'static str, Value); 4] {
    [
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", owner.into()),
        ("changed_by_fk", owner.into()),
    ]
}

async fn insert_database(exec: &dyn Executor, file: &Path, owner: i64, now: NaiveDateTime) -> Result<i64> {
    let uri = format!("sqlite:///{}?check_same_thread=false", file.display());
    let mut values = vec![
        ("database_name", "examples".into()),
        ("sqlalchemy_uri", uri.into()),
        ("extra", DATABASE_EXTRA.into()),
        ("expose_in_sqllab", true.into()),
        ("uuid", DATABASE_UUID.into()),
        ("configuration_method", "sqlalchemy_form".into()),
    ];
    for off in [
        "allow_run_async",
        "allow_ctas",
        "allow_cvas",
        "allow_dml",
        "allow_file_upload",
        "impersonate_user",
        "select_as_create_table_as",
        "is_managed_externally",
    ] {
        values.push((off, false.into()));
    }
    values.extend(audit(now, owner));
    Ok(exec.insert_row("dbs", values).await?)
}

/// A permission that can be granted on one object.
async fn grantable(exec: &dyn Executor, permission: &str, view_menu: &str) -> Result<()> {
    let mut ids = [0, 0];
    for (id, (table, name)) in
        ids.iter_mut().zip([("ab_permission", permission), ("ab_view_menu", view_menu)])
    {
        let found = exec.first(Sql::new(format!("SELECT id FROM {table} WHERE name = ?")).bind(name)).await?;
        *id = match found {
            Some(row) => row.at(0)?,
            None => exec.insert_row(table, vec![("name", name.into())]).await?,
        };
    }
    let sql = Sql::new("SELECT id FROM ab_permission_view WHERE permission_id = ? AND view_menu_id = ?");
    if exec.first(sql.bind(ids[0]).bind(ids[1])).await?.is_none() {
        let values = vec![("permission_id", ids[0].into()), ("view_menu_id", ids[1].into())];
        exec.insert_row("ab_permission_view", values).await?;
    }
    Ok(())
}

async fn insert_dataset(
    exec: &dyn Executor,
    dataset: &Dataset,
    database: i64,
    owner: i64,
    now: NaiveDateTime,
) -> Result<i64> {
    let mut values = vec![
        ("table_name", dataset.name.as_str().into()),
        ("schema", "main".into()),
        ("database_id", database.into()),
        ("main_dttm_col", dataset.main_dttm_col.as_str().into()),
        ("description", dataset.description.as_str().into()),
        ("offset", 0_i64.into()),
        ("is_featured", false.into()),
        ("filter_select_enabled", true.into()),
        ("is_sqllab_view", false.into()),
        ("is_managed_externally", false.into()),
        ("normalize_columns", false.into()),
        ("always_filter_main_dttm", false.into()),
        ("schema_perm", "[examples].[main]".into()),
        ("uuid", Uuid::new_v4().into()),
    ];
    values.extend(audit(now, owner));
    let id = exec.insert_row("tables", values).await?;
    let perm = format!("[examples].[{}](id:{id})", dataset.name);
    grantable(exec, "datasource_access", &perm).await?;
    exec.update_row("tables", id, vec![("perm", perm.into())]).await?;
    exec.insert_row("sqlatable_user", vec![("user_id", owner.into()), ("table_id", id.into())]).await?;
    for (name, kind) in &dataset.columns {
        let mut values = vec![
            ("table_id", id.into()),
            ("column_name", name.as_str().into()),
            ("type", kind.as_str().into()),
            ("is_dttm", matches!(kind.as_str(), "DATE" | "TIMESTAMP").into()),
            ("is_active", true.into()),
            ("groupby", true.into()),
            ("filterable", true.into()),
            ("uuid", Uuid::new_v4().into()),
        ];
        values.extend(audit(now, owner));
        exec.insert_row("table_columns", values).await?;
    }
    for (name, expression) in &dataset.metrics {
        let mut values = vec![
            ("table_id", id.into()),
            ("metric_name", name.as_str().into()),
            ("expression", expression.as_str().into()),
            ("uuid", Uuid::new_v4().into()),
        ];
        if name == "count" {
            values.extend([("verbose_name", "COUNT(*)".into()), ("metric_type", "count".into())]);
        }
        values.extend(audit(now, owner));
        exec.insert_row("sql_metrics", values).await?;
    }
    Ok(id)
}

async fn insert_chart(
    exec: &dyn Executor,
    chart: &Chart,
    written: &Written,
    owner: i64,
    now: NaiveDateTime,
) -> Result<(i64, Uuid)> {
    let dataset = written.dataset(&chart.dataset)?;
    let mut params = chart.params.clone();
    params.insert("viz_type".into(), chart.viz_type.as_str().into());
    params.insert("datasource".into(), format!("{dataset}__table").into());
    let uuid = Uuid::new_v4();
    let mut values = vec![
        ("slice_name", chart.name.as_str().into()),
        ("viz_type", chart.viz_type.as_str().into()),
        ("datasource_id", dataset.into()),
        ("datasource_type", "table".into()),
        ("datasource_name", format!("main.{}", chart.dataset).into()),
        ("params", Json::Object(params).to_string().into()),
        ("perm", format!("[examples].[{}](id:{dataset})", chart.dataset).into()),
        ("schema_perm", "[examples].[main]".into()),
        ("is_managed_externally", false.into()),
        ("last_saved_at", now.into()),
        ("last_saved_by_fk", owner.into()),
        ("uuid", uuid.into()),
    ];
    values.extend(audit(now, owner));
    let id = exec.insert_row("slices", values).await?;
    exec.insert_row("slice_user", vec![("user_id", owner.into()), ("slice_id", id.into())]).await?;
    Ok((id, uuid))
}

async fn insert_dashboard(
    exec: &dyn Executor,
    dashboard: &layout::Dashboard,
    written: &Written,
    owner: i64,
    now: NaiveDateTime,
) -> Result<()> {
    let mut values = vec![
        ("dashboard_title", dashboard.title.as_str().into()),
        ("slug", dashboard.slug.as_str().into()),
        ("position_json", layout::positions(dashboard, written)?.to_string().into()),
        ("json_metadata", layout::metadata(dashboard, written)?.to_string().into()),
        ("published", true.into()),
        ("is_managed_externally", false.into()),
        ("uuid", Uuid::new_v4().into()),
    ];
    values.extend(audit(now, owner));
    let id = exec.insert_row("dashboards", values).await?;
    exec.insert_row("dashboard_user", vec![("user_id", owner.into()), ("dashboard_id", id.into())]).await?;
    for (name, ..) in dashboard.rows.iter().flatten() {
        let (chart, _) = written.chart(name)?;
        let values = vec![("dashboard_id", id.into()), ("slice_id", chart.into())];
        exec.execute(insert_sql(exec.dialect(), "dashboard_slices", values)).await?;
    }
    Ok(())
}

impl Written {
    fn dataset(&self, name: &str) -> Result<i64> {
        self.datasets.get(name).copied().ok_or_else(|| Error::internal(format!("no dataset {name}")))
    }
    fn chart(&self, name: &str) -> Result<(i64, Uuid)> {
        self.charts.get(name).copied().ok_or_else(|| Error::internal(format!("no chart {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_content_exists() {
        let content: Content = serde_json::from_str(CONTENT).unwrap();
        assert!(content.charts.len() >= 12 && content.dashboards.len() >= 2);
        let datasets: Vec<_> = content.datasets.iter().map(|d| d.name.as_str()).collect();
        assert!(content.charts.iter().all(|c| datasets.contains(&c.dataset.as_str())));
        for (name, ..) in content.dashboards.iter().flat_map(|d| d.rows.iter().flatten()) {
            assert!(content.charts.iter().any(|c| c.name == *name), "{name}");
        }
        let kinds: std::collections::HashSet<_> = content.charts.iter().map(|c| &c.viz_type).collect();
        assert_eq!(kinds.len(), content.charts.len(), "each chart shows another visualisation");
    }
}
