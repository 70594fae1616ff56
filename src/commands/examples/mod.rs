//! Example content of our own: three generated data sets in a SQLite file of their own, two dashboards.

mod data;
mod layout;
mod load;

use std::{collections::HashMap, path::Path};

use chrono::NaiveDateTime;
use daos::{
    chart, dashboard, dataset, dataset_parts, example_data,
    person::{self, Owned},
    rows,
    tables::{SQL_METRICS, TABLE_COLUMNS},
    view_menu,
};
use infra::{
    Error, Result,
    db::{Db, Dialect, Executor, Value},
};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::{Uuid, uuid};

use crate::database::own::{Own, audit};

pub use load::{Load, Loaded, load};

const CONTENT: &str = include_str!("content.json");

/// The uuid that Superset gives its `examples` database.
const DATABASE_UUID: Uuid = uuid!("a2dc77af-e654-49bb-b321-40f6b559a1ee");

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
    database: i64,
    /// Where the tables lie.
    place: Place,
    /// Dataset name → id.
    datasets: HashMap<String, i64>,
    /// Chart name → (id, uuid).
    charts: HashMap<String, (i64, Uuid)>,
}

/// Where tables lie.
#[derive(Debug, Clone)]
struct Place {
    dialect: Dialect,
    schema: String,
}

impl Place {
    /// A file of SQLite.
    fn file() -> Self {
        Self { dialect: Dialect::Sqlite, schema: "main".to_owned() }
    }
}

/// Creates the data file and, in one transaction, everything that shows it. Nothing happens when the database
/// has an `examples` connection already.
pub async fn create(db: &Db, data_file: &Path, owner: i64) -> Result<()> {
    if rows::has(db, "dbs", "database_name", "examples").await? {
        return Ok(());
    }
    let content: Content = serde_json::from_str(CONTENT).map_err(Error::internal)?;
    create_data(data_file, &content.datasets).await?;

    let now = chrono::Local::now().naive_local();
    let tx = db.begin().await?;
    let exec = tx.exec();
    let owner = Some(owner);
    let uri = format!("sqlite:///{}?check_same_thread=false", data_file.display());
    let place = Place::file();
    let database = insert_database(exec, vec![("sqlalchemy_uri", uri.into())], &place, owner, now).await?;
    let mut written = Written::new(database, place);
    for dataset in &content.datasets {
        let id = insert_dataset(exec, dataset, &written, owner, now).await?;
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
        let file = example_data::open(&fresh).await?;
        let tx = file.begin().await?;
        for dataset in datasets {
            example_data::create_table(tx.exec(), &dataset.name, &dataset.columns).await?;
            data::fill(tx.exec(), dataset).await?;
        }
        tx.commit().await?;
        example_data::close(file).await?;
    }
    std::fs::rename(&fresh, path).map_err(Error::internal)
}

async fn insert_database(
    exec: &dyn Executor,
    values: Vec<(&'static str, Value)>,
    place: &Place,
    owner: Option<i64>,
    now: NaiveDateTime,
) -> Result<i64> {
    let own = Own { name: "examples", uuid: DATABASE_UUID, schema: &place.schema, takes_files: false };
    own.insert(exec, values, owner, now).await
}

async fn insert_dataset(
    exec: &dyn Executor,
    dataset: &Dataset,
    written: &Written,
    owner: Option<i64>,
    now: NaiveDateTime,
) -> Result<i64> {
    let mut values = vec![
        ("table_name", dataset.name.as_str().into()),
        ("schema", written.place.schema.as_str().into()),
        ("database_id", written.database.into()),
        ("main_dttm_col", dataset.main_dttm_col.as_str().into()),
        ("description", dataset.description.as_str().into()),
        ("offset", 0_i64.into()),
        ("is_featured", false.into()),
        ("filter_select_enabled", true.into()),
        ("is_sqllab_view", false.into()),
        ("is_managed_externally", false.into()),
        ("normalize_columns", false.into()),
        ("always_filter_main_dttm", false.into()),
        ("schema_perm", written.place.permission().into()),
        ("uuid", Uuid::new_v4().into()),
    ];
    values.extend(audit(now, owner));
    let id = dataset::insert(exec, values).await?;
    let perm = format!("[examples].[{}](id:{id})", dataset.name);
    view_menu::ensure(exec, "datasource_access", &perm).await?;
    dataset::update(exec, id, vec![("perm", perm.into())]).await?;
    person::set_owners(exec, Owned::Dataset, id, owner.as_slice()).await?;
    for (name, kind) in &dataset.columns {
        let mut values = vec![
            ("table_id", id.into()),
            ("column_name", name.as_str().into()),
            ("type", example_data::column_type(written.place.dialect, kind).into()),
            ("is_dttm", matches!(kind.as_str(), "DATE" | "TIMESTAMP").into()),
            ("is_active", true.into()),
            ("groupby", true.into()),
            ("filterable", true.into()),
            ("uuid", Uuid::new_v4().into()),
        ];
        values.extend(audit(now, owner));
        dataset_parts::insert(exec, &TABLE_COLUMNS, values).await?;
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
        dataset_parts::insert(exec, &SQL_METRICS, values).await?;
    }
    Ok(id)
}

async fn insert_chart(
    exec: &dyn Executor,
    chart: &Chart,
    written: &Written,
    owner: Option<i64>,
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
        ("datasource_name", format!("{}.{}", written.place.schema, chart.dataset).into()),
        ("params", Json::Object(params).to_string().into()),
        ("perm", format!("[examples].[{}](id:{dataset})", chart.dataset).into()),
        ("schema_perm", written.place.permission().into()),
        ("is_managed_externally", false.into()),
        ("last_saved_at", now.into()),
        ("last_saved_by_fk", owner.into()),
        ("uuid", uuid.into()),
    ];
    values.extend(audit(now, owner));
    let id = chart::insert(exec, values).await?;
    person::set_owners(exec, Owned::Chart, id, owner.as_slice()).await?;
    Ok((id, uuid))
}

async fn insert_dashboard(
    exec: &dyn Executor,
    dashboard: &layout::Dashboard,
    written: &Written,
    owner: Option<i64>,
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
    let id = dashboard::insert(exec, values).await?;
    person::set_owners(exec, Owned::Dashboard, id, owner.as_slice()).await?;
    let mut charts = Vec::new();
    for (name, ..) in dashboard.rows.iter().flatten() {
        charts.push(written.chart(name)?.0);
    }
    Ok(dashboard::set_charts(exec, id, &charts).await?)
}

impl Place {
    fn permission(&self) -> String {
        format!("[examples].[{}]", self.schema)
    }
}

impl Written {
    fn new(database: i64, place: Place) -> Self {
        Self { database, place, datasets: HashMap::new(), charts: HashMap::new() }
    }
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
