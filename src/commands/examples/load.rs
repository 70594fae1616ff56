//! `superset load-examples`: the example content beside what is there (`superset.cli.examples`).

use std::{collections::HashMap, path::PathBuf};

use daos::{database, example_data, rows};
use infra::{
    Error, Result,
    db::{Db, DbUri, Executor},
};

use super::{
    CONTENT, Content, Written, create_data, data, insert_chart, insert_dashboard, insert_database,
    insert_dataset,
};

/// How it is loaded.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where example data lie, if no `examples` database is there yet (`SQLALCHEMY_EXAMPLES_URI`).
    pub uri: String,
    /// No data.
    pub only_metadata: bool,
    /// Data that are there are made anew.
    pub force: bool,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Datasets, charts and dashboards that were made.
    pub made: usize,
    /// Those that were there, and were left alone.
    pub kept: usize,
    /// Data were written.
    pub data: bool,
}

/// Loads what is missing. Nobody owns it, as with the original's examples.
pub async fn load(db: &Db, options: &Load) -> Result<Loaded> {
    let content: Content = serde_json::from_str(CONTENT).map_err(Error::internal)?;
    let there = database::find_by_name(db.exec(), "examples").await?;
    let uri = there.as_ref().map_or(options.uri.as_str(), |database| database.sqlalchemy_uri.as_str());
    let mut done = Loaded::default();
    if !options.only_metadata {
        done.data = write_data(uri, &content, options.force).await?;
    }
    let now = chrono::Local::now().naive_local();
    let tx = db.begin().await?;
    let exec = tx.exec();
    let database = match there {
        Some(database) => database.id,
        None => insert_database(exec, uri.to_owned(), None, now).await?,
    };
    let mut written = Written { datasets: HashMap::new(), charts: HashMap::new() };
    for dataset in &content.datasets {
        let id = match example_data::find_dataset(exec, database, &dataset.name).await? {
            Some(id) => done.keeps(id),
            None => done.makes(insert_dataset(exec, dataset, database, None, now).await?),
        };
        written.datasets.insert(dataset.name.clone(), id);
    }
    for chart in &content.charts {
        let dataset = written.dataset(&chart.dataset)?;
        let found = match example_data::find_chart(exec, dataset, &chart.name).await? {
            Some(found) => done.keeps(found),
            None => done.makes(insert_chart(exec, chart, &written, None, now).await?),
        };
        written.charts.insert(chart.name.clone(), found);
    }
    for dashboard in &content.dashboards {
        if rows::has(exec, "dashboards", "slug", dashboard.slug.as_str()).await? {
            done.keeps(());
        } else {
            done.makes(insert_dashboard(exec, dashboard, &written, None, now).await?);
        }
    }
    tx.commit().await?;
    Ok(done)
}

impl Loaded {
    fn makes<T>(&mut self, made: T) -> T {
        self.made += 1;
        made
    }
    fn keeps<T>(&mut self, kept: T) -> T {
        self.kept += 1;
        kept
    }
}

/// Writes the tables that are missing, with `force` all; true when any was written.
async fn write_data(uri: &str, content: &Content, force: bool) -> Result<bool> {
    let elsewhere = || {
        Error::unprocessable(format!(
            "the examples database is {}, and example data are written to SQLite only: --only-metadata leaves them out",
            crate::connect::uri::masked(uri)
        ))
    };
    if !uri.starts_with("sqlite:") {
        return Err(elsewhere());
    }
    let Ok(DbUri::Sqlite { path }) = uri.parse::<DbUri>() else { return Err(elsewhere()) };
    if !path.exists() {
        make_folder(&path)?;
        create_data(&path, &content.datasets).await?;
        return Ok(true);
    }
    let file = example_data::open(&path).await?;
    let tx = file.begin().await?;
    let mut missing = Vec::new();
    for dataset in &content.datasets {
        if force || !example_data::has_table(tx.exec(), &dataset.name).await? {
            missing.push(dataset);
        }
    }
    for dataset in &missing {
        fresh(tx.exec(), dataset).await?;
    }
    tx.commit().await?;
    example_data::close(file).await?;
    Ok(!missing.is_empty())
}

async fn fresh(exec: &dyn Executor, dataset: &super::Dataset) -> Result<()> {
    example_data::drop_table(exec, &dataset.name).await?;
    example_data::create_table(exec, &dataset.name, &dataset.columns).await?;
    data::fill_one(exec, &dataset.name).await
}

fn make_folder(path: &std::path::Path) -> Result<()> {
    let folder: PathBuf = path.parent().map(Into::into).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(|e| Error::unprocessable(format!("{}: {e}", folder.display())))
}
