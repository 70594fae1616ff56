//! A folder of examples (`superset.commands.importers.v1.examples:ImportExamplesCommand`): by nobody, for everybody.

use daos::{dashboard, database, imported};
use infra::{Error, Result, yaml::Yaml};

use super::{
    super::{AssetKind, layout},
    Importer, Progress, Secrets,
    configs::{Configs, MetadataError, metadata},
    contents::{Contents, METADATA},
    failure::{Problems, no_importer},
    rows::string_field,
    run::note_existing,
};
use crate::Caller;

const KNOWN: &[AssetKind] =
    &[AssetKind::Chart, AssetKind::Dashboard, AssetKind::Dataset, AssetKind::Database];

/// Imports examples. Objects that are there are an error of the files unless `overwrite` says otherwise.
pub async fn import_examples(
    caller: &Caller,
    contents: &Contents,
    overwrite: bool,
    progress: &mut dyn Progress,
) -> Result<()> {
    let app = &caller.app;
    let mut problems = Problems::default();
    match metadata(contents) {
        Ok(_) => {}
        Err(MetadataError::Version) => return Err(no_importer()),
        Err(MetadataError::Problem(errors)) => problems.add(METADATA, errors),
        Err(MetadataError::Failed(error)) => return Err(error),
    }
    let secrets = Secrets::default();
    let configs = Configs::check(app, contents, &secrets, KNOWN, &mut problems, progress).await?;
    if !overwrite {
        for kind in KNOWN {
            note_existing(app, &configs, *kind, "Model", &mut problems).await?;
        }
    }
    problems.check("model")?;
    let tx = app.db.begin().await?;
    let mut importer = Importer::new(caller, tx.exec(), &configs, progress);
    importer.trusted = true;
    Box::pin(importer.examples(overwrite)).await?;
    let after = importer.follow_up();
    tx.commit().await?;
    after.run(caller).await
}

impl Importer<'_> {
    async fn examples(&mut self, overwrite: bool) -> Result<()> {
        self.databases(None, overwrite).await?;
        let examples = database::find_by_name(self.db, "examples").await?.map(|d| d.id);
        for name in self.configs.files_of(AssetKind::Dataset) {
            let mut map = self.configs.read(&name, AssetKind::Dataset)?;
            let known = self.databases.get(string_field(&map, "database_uuid")).copied().or(examples);
            let database = known.ok_or_else(|| Error::internal("Cannot find examples database"))?;
            if map.get("schema").is_none_or(Yaml::is_null) {
                let schema = self.example_schema(database).await?;
                map.insert("schema".into(), schema.into());
            }
            let dataset = self.dataset(map, database, overwrite).await?;
            self.remember(dataset);
        }
        self.charts(overwrite, true).await?;
        for name in self.configs.files_of(AssetKind::Dashboard) {
            let mut map = self.configs.read(&name, AssetKind::Dashboard)?;
            let position = map.get("position").and_then(Yaml::as_map);
            let charts = position.map(layout::chart_uuids).unwrap_or_default();
            // one whose filters or charts are not in the folder is passed over
            if self.remap(&mut map).is_err() {
                continue;
            }
            let id = self.dashboard(map, overwrite).await?;
            dashboard::update(self.db, id, vec![("published", true.into())]).await?;
            let linked: Option<Vec<i64>> = charts.iter().map(|uuid| self.charts.get(uuid).copied()).collect();
            let linked =
                linked.ok_or_else(|| Error::internal("a chart of a dashboard is not in the folder"))?;
            imported::link_charts(self.db, id, &linked).await?;
            self.progress.done();
        }
        Ok(())
    }

    /// The schema in which examples lie (`get_example_default_schema`): that of the connection's engine.
    async fn example_schema(&self, database: i64) -> Result<Option<String>> {
        let found = database::find(self.db, database).await?.ok_or_else(Error::not_found)?;
        let spec = infra::engine_specs::spec_for_uri(&found.sqlalchemy_uri);
        let is_postgres = spec.sql.inspector == infra::engine_specs::facts::Inspector::Postgres;
        Ok(is_postgres.then(|| "public".to_owned()))
    }
}
