//! `superset load-examples`: the example content beside what is there (`superset.cli.examples`).

use std::path::{Path, PathBuf};

use daos::{database, example_data, rows, tables::DBS, write};
use infra::{
    Error, Result,
    db::{Db, DbUri, Dialect, Executor, Value},
    engine_specs::url::Url,
};

use super::{
    CONTENT, Content, Place, Written, create_data, data, insert_chart, insert_dashboard, insert_database,
    insert_dataset,
};
use crate::{
    Services,
    connect::{engine, secrets, uri::masked},
};

/// How it is loaded.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where example data are to lie (`SQLALCHEMY_EXAMPLES_URI`); the database `examples` is made to lead there.
    pub configured: Option<String>,
    /// Where they lie if neither that nor a database `examples` is there.
    pub default: String,
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
pub async fn load(app: &Services, options: &Load) -> Result<Loaded> {
    let db = &app.db;
    let content: Content = serde_json::from_str(CONTENT).map_err(Error::internal)?;
    let there = database::find_by_name(db.exec(), "examples").await?;
    let stored = there.as_ref().map(|there| engine::source(app, there)).transpose()?;
    let stored = stored.map(|source| source.url.text());
    let uri = options.configured.as_ref().or(stored.as_ref()).unwrap_or(&options.default);
    let mut done = Loaded::default();
    let data = Data::new(uri)?;
    let (is_written, place) = data.write(&content, options).await?;
    done.data = is_written;
    let now = chrono::Local::now().naive_local();
    let tx = db.begin().await?;
    let exec = tx.exec();
    let database = match there {
        None => insert_database(exec, connection(app, uri)?, &place, None, now).await?,
        Some(database) => {
            if options.configured.is_some() && stored != Url::parse(uri).map(|url| url.text()) {
                // `get_or_create_db` does so, too
                tracing::warn!(
                    to = masked(uri),
                    "the database examples leads where SQLALCHEMY_EXAMPLES_URI says now"
                );
                write::update(exec, &DBS, database.id.into(), connection(app, uri)?, None).await?;
            }
            database.id
        }
    };
    let mut written = Written::new(database, place);
    for dataset in &content.datasets {
        let id = match example_data::find_dataset(exec, database, &dataset.name).await? {
            Some(id) => done.keeps(id),
            None => done.makes(insert_dataset(exec, dataset, &written, None, now).await?),
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

/// The columns that hold a connection string: its password has one of its own.
fn connection(app: &Services, uri: &str) -> Result<Vec<(&'static str, Value)>> {
    // as it is written: a reader that knows less would write it differently
    let Some(url) = Url::parse(uri).filter(|url| url.password.is_some()) else {
        return Ok(vec![("sqlalchemy_uri", uri.into()), ("password", Value::Null)]);
    };
    let password = url.password.as_deref().map(|password| secrets::encrypt(app, password)).transpose()?;
    Ok(vec![("sqlalchemy_uri", url.masked().text().into()), ("password", password.into())])
}

/// Where the data are.
struct Data<'a> {
    uri: &'a str,
    read: DbUri,
}

impl<'a> Data<'a> {
    fn new(uri: &'a str) -> Result<Self> {
        let elsewhere = || {
            Error::unprocessable(format!(
                "the examples database is {}, and example data are written to SQLite, PostgreSQL and MySQL only",
                masked(uri)
            ))
        };
        Ok(Self { uri, read: uri.parse().map_err(|_| elsewhere())? })
    }

    /// Writes the tables that are missing, with `force` all; whether any was written, and where tables lie.
    async fn write(&self, content: &Content, options: &Load) -> Result<(bool, Place)> {
        let DbUri::Sqlite { path } = &self.read else { return self.write_on_server(content, options).await };
        if options.only_metadata {
            return Ok((false, Place::file()));
        }
        if !path.exists() {
            make_folder(path)?;
            create_data(path, &content.datasets).await?;
            return Ok((true, Place::file()));
        }
        let file = example_data::open(path).await?;
        let done = write_missing(&file, content, options.force).await?;
        example_data::close(file).await?;
        Ok((done, Place::file()))
    }

    async fn write_on_server(&self, content: &Content, options: &Load) -> Result<(bool, Place)> {
        let away = |error| Error::unprocessable(format!("{}: {error}", masked(self.uri)));
        let server = example_data::connect(&self.read).await.map_err(away)?;
        let exec = server.exec();
        let schema = example_data::default_schema(exec).await?;
        let schema = schema.ok_or_else(|| {
            Error::unprocessable(format!("{} has no schema in which tables could be made", masked(self.uri)))
        })?;
        let place = Place { dialect: exec.dialect(), schema };
        let done = !options.only_metadata && write_missing(&server, content, options.force).await?;
        Ok((done, place))
    }
}

/// All or nothing; on MySQL, which keeps every table that was made, each table whole or not.
async fn write_missing(db: &Db, content: &Content, force: bool) -> Result<bool> {
    let tx = db.begin().await?;
    let exec = tx.exec();
    let mut missing = Vec::new();
    for dataset in &content.datasets {
        if force || !example_data::has_table(exec, &dataset.name).await? {
            missing.push(dataset);
        }
    }
    for dataset in &missing {
        let made = fresh(exec, dataset).await;
        if made.is_err() && exec.dialect() == Dialect::Mysql {
            example_data::drop_table(exec, &dataset.name).await?;
        }
        made?;
    }
    tx.commit().await?;
    Ok(!missing.is_empty())
}

async fn fresh(exec: &dyn Executor, dataset: &super::Dataset) -> Result<()> {
    example_data::drop_table(exec, &dataset.name).await?;
    example_data::create_table(exec, &dataset.name, &dataset.columns).await?;
    data::fill(exec, dataset).await
}

fn make_folder(path: &Path) -> Result<()> {
    let folder: PathBuf = path.parent().map(Into::into).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(|e| Error::unprocessable(format!("{}: {e}", folder.display())))
}
