//! An import from its files to its end (`superset.commands.importers.v1:ImportModelsCommand`, `…v1.assets`).

use std::collections::{HashMap, HashSet};

use daos::{chart, imported};
use infra::{Error, Result, db::Executor, yaml::Yaml};
use serde_json::Value;

use super::{
    super::AssetKind,
    Importer, Progress,
    configs::{Configs, MetadataError, Secrets, metadata},
    contents::{Contents, METADATA},
    data,
    failure::{Problems, import_failed, no_importer, other_type},
    rows::string_field,
    schema::uuid,
    tags,
};
use crate::{Caller, Services, connect::engine_as, database::permissions};

/// How files are imported.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// Objects that are there are overwritten.
    pub overwrite: bool,
    /// Assets: what the bundle does not have is looked up.
    pub sparse: bool,
    /// Secrets that come beside.
    pub secrets: Secrets,
}

impl AssetKind {
    /// Resources whose files the importer of this one knows.
    fn knows(self) -> &'static [Self] {
        match self {
            Self::Chart => &[Self::Chart, Self::Dataset, Self::Database],
            Self::Dashboard => &[Self::Chart, Self::Dashboard, Self::Dataset, Self::Database, Self::Theme],
            Self::Dataset => &[Self::Database, Self::Dataset],
            Self::Database => &[Self::Database, Self::Dataset],
            Self::SavedQuery => &[Self::Database, Self::SavedQuery],
            Self::Theme => &[Self::Theme],
        }
    }
    /// How its importer calls it.
    fn name(self) -> &'static str {
        match self {
            Self::SavedQuery => "saved_queries",
            other => other.resource(),
        }
    }
    /// `name.title()`.
    fn title(self) -> &'static str {
        match self {
            Self::Chart => "Chart",
            Self::Dashboard => "Dashboard",
            Self::Dataset => "Dataset",
            Self::Database => "Database",
            Self::SavedQuery => "Saved_Queries",
            Self::Theme => "Theme",
        }
    }
    /// What is said when its importer stumbles.
    fn failure(self) -> &'static str {
        match self {
            Self::Chart => "Import chart failed for an unknown reason",
            Self::Dashboard => "Import dashboard failed for an unknown reason",
            Self::Dataset => "Import dataset failed for an unknown reason",
            Self::Database => "Import database failed for an unknown reason",
            Self::SavedQuery => "Import saved query failed for an unknown reason.",
            Self::Theme => "Error importing theme.",
        }
    }
}

/// Imports a bundle of a resource; `false` when another format must be tried.
pub async fn import(
    caller: &Caller,
    kind: AssetKind,
    contents: &Contents,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<bool> {
    let mut problems = Problems::default();
    match metadata(contents) {
        Ok(found) => check_type(found, kind.model(), &mut problems),
        Err(MetadataError::Version) => return Ok(false),
        Err(MetadataError::Problem(errors)) => problems.add(METADATA, errors),
        Err(MetadataError::Failed(error)) => return Err(error),
    }
    let secrets = &options.secrets;
    let configs =
        Configs::check(&caller.app, contents, secrets, kind.knows(), &mut problems, progress).await?;
    if !options.overwrite {
        note_existing(&caller.app, &configs, kind, kind.title(), &mut problems).await?;
    }
    problems.check(kind.name())?;
    let described = tags::descriptions(contents)?;
    let done = write(caller, Goal::One(kind), &configs, options, (described, progress)).await;
    done.map_err(|error| unknown_reason(error, kind.failure()))?;
    Ok(true)
}

/// Imports everything of a bundle and overwrites what is there. Every failure has the same sentence.
pub async fn import_assets(
    caller: &Caller,
    contents: &Contents,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<()> {
    let done = assets(caller, contents, options, progress).await;
    done.map_err(|error| {
        tracing::warn!(%error, "assets were not imported");
        import_failed("Import failed for an unknown reason")
    })
}

async fn assets(
    caller: &Caller,
    contents: &Contents,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<()> {
    const KNOWN: &[AssetKind] = &[
        AssetKind::Chart,
        AssetKind::Dashboard,
        AssetKind::Dataset,
        AssetKind::Database,
        AssetKind::SavedQuery,
    ];
    let mut problems = Problems::default();
    match metadata(contents) {
        Ok(found) => check_type(found, "assets", &mut problems),
        Err(MetadataError::Version) => return Err(no_importer()),
        Err(MetadataError::Problem(errors)) => problems.add(METADATA, errors),
        Err(MetadataError::Failed(error)) => return Err(error),
    }
    let secrets = &options.secrets;
    let configs = Configs::check(&caller.app, contents, secrets, KNOWN, &mut problems, progress).await?;
    problems.check("assets")?;
    write(caller, Goal::Assets, &configs, options, (HashMap::new(), progress)).await
}

fn check_type(found: Option<Yaml>, model: &str, problems: &mut Problems) {
    if found.is_some_and(|found| found.as_str() != Some(model)) {
        problems.add(METADATA, other_type(model));
    }
}

/// Objects of the resource itself are only overwritten when that was asked for.
pub(super) async fn note_existing(
    app: &Services,
    configs: &Configs<'_>,
    kind: AssetKind,
    title: &str,
    problems: &mut Problems,
) -> Result<()> {
    let mut files = Vec::new();
    for file in configs.known(kind) {
        // the original compares texts
        let given = uuid(&file.uuid).filter(|u| u.to_string() == file.uuid);
        files.extend(given.map(|uuid| (&file.name, uuid)));
    }
    let uuids: Vec<_> = files.iter().map(|(_, uuid)| *uuid).collect();
    let taken: HashSet<_> =
        imported::existing(app.db.exec(), kind.table(), &uuids).await?.into_iter().collect();
    for (name, uuid) in files {
        if taken.contains(&uuid) {
            let text = format!("{title} already exists and `overwrite=true` was not passed");
            problems.add(name, Value::from(text));
        }
    }
    Ok(())
}

/// What nobody expected has the sentence of the importer.
fn unknown_reason(error: Error, sentence: &'static str) -> Error {
    match error {
        Error::Internal(cause) => {
            tracing::warn!(cause, "{sentence}");
            import_failed(sentence)
        }
        Error::Message { status, message } => {
            tracing::warn!(status, %message, "{sentence}");
            import_failed(sentence)
        }
        other => other,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    One(AssetKind),
    Assets,
}

async fn write(
    caller: &Caller,
    goal: Goal,
    configs: &Configs<'_>,
    options: &Options,
    (tag_descriptions, progress): (HashMap<String, Option<String>>, &mut dyn Progress),
) -> Result<()> {
    Box::pin(data::load_first(caller, configs, options.overwrite || goal == Goal::Assets)).await?;
    let tx = caller.app.db.begin().await?;
    let mut importer = Importer::new(caller, tx.exec(), configs, progress);
    importer.takes_tags = goal != Goal::Assets && caller.app.config.flag("TAGGING_SYSTEM");
    importer.tag_descriptions = tag_descriptions;
    Box::pin(importer.run(goal, options)).await?;
    let follow_up = importer.follow_up();
    tx.commit().await?;
    follow_up.run(caller).await
}

/// What is done with the databases of datasets once an import stands.
pub(super) struct FollowUp {
    connections: Vec<i64>,
    downloads: Vec<(i64, String)>,
}

impl FollowUp {
    /// Learns the schemas of databases, and fetches data that are missing.
    pub(super) async fn run(self, caller: &Caller) -> Result<()> {
        caller.app.grants.clear();
        for id in self.connections {
            learn_schemas(caller, id).await;
        }
        for (id, url) in self.downloads {
            Box::pin(data::load(caller, id, &url)).await?;
        }
        Ok(())
    }
}

/// Permissions on the schemas of a database that was imported: asked for when the import stands, so that no
/// transaction waits for a foreign server.
async fn learn_schemas(caller: &Caller, id: i64) {
    caller.app.engines.close(id);
    let learn = async {
        let found = daos::database::find(caller.app.db.exec(), id).await?.ok_or_else(Error::not_found)?;
        let engine = engine_as(caller, &found, None).await?;
        let layout = permissions::layout(caller, &found, &engine).await?;
        let tx = caller.app.db.begin().await?;
        permissions::created(tx.exec(), &found, &layout).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = Box::pin(learn).await {
        tracing::warn!(%error, "schemas of an imported database are unknown");
    }
    caller.app.grants.clear();
}

impl<'a> Importer<'a> {
    pub(super) fn new(
        caller: &'a Caller,
        db: &'a dyn Executor,
        configs: &'a Configs<'a>,
        progress: &'a mut dyn Progress,
    ) -> Self {
        Self {
            caller,
            db,
            configs,
            progress,
            trusted: false,
            takes_tags: false,
            tag_descriptions: HashMap::new(),
            owners: HashMap::new(),
            databases: HashMap::new(),
            datasets: HashMap::new(),
            charts: HashMap::new(),
            filter_boxes: Vec::new(),
            connections: Vec::new(),
            downloads: Vec::new(),
        }
    }

    /// What is left to do when everything is written.
    pub(super) fn follow_up(&mut self) -> FollowUp {
        let connections = std::mem::take(&mut self.connections);
        FollowUp { connections, downloads: std::mem::take(&mut self.downloads) }
    }

    async fn run(&mut self, goal: Goal, options: &Options) -> Result<()> {
        let overwrite = options.overwrite;
        match goal {
            Goal::One(AssetKind::Chart) => {
                let datasets = self.parents(AssetKind::Chart);
                let databases = self.databases_of(&datasets);
                self.databases(Some(&databases), false).await?;
                self.datasets(false).await?;
                self.charts(overwrite, true).await
            }
            Goal::One(AssetKind::Dashboard) => self.dashboard_bundle(overwrite).await,
            Goal::One(AssetKind::Dataset) => {
                let databases = self.parents(AssetKind::Dataset);
                self.databases(Some(&databases), false).await?;
                self.datasets(overwrite).await
            }
            Goal::One(AssetKind::Database) => {
                self.databases(None, overwrite).await?;
                // columns and metrics that the bundle does not have stay
                self.datasets(false).await
            }
            Goal::One(AssetKind::SavedQuery) => {
                let databases = self.parents(AssetKind::SavedQuery);
                self.databases(Some(&databases), false).await?;
                self.saved_queries(overwrite, false).await
            }
            Goal::One(AssetKind::Theme) => self.themes(None, overwrite).await.map(drop),
            Goal::Assets => self.assets(options.sparse).await,
        }
    }

    async fn dashboard_bundle(&mut self, overwrite: bool) -> Result<()> {
        let mut referred = self.referred()?;
        let charts: HashSet<String> = referred.charts.drain(..).collect();
        let shown = self.configs.known(AssetKind::Chart).filter(|file| charts.contains(&file.uuid));
        referred.datasets.extend(shown.map(|file| file.parent.clone()));
        let databases = self.databases_of(&referred.datasets);
        let themes = self.themes(Some(&referred.themes), false).await?;
        self.databases(Some(&databases), false).await?;
        self.datasets(false).await?;
        self.charts(false, false).await?;
        self.dashboards(overwrite, &themes, false).await?;
        self.drop_filter_boxes().await
    }

    async fn assets(&mut self, sparse: bool) -> Result<()> {
        if sparse {
            self.look_up().await?;
        }
        self.databases(None, true).await?;
        self.saved_queries(true, true).await?;
        for name in self.configs.files_of(AssetKind::Dataset) {
            let map = self.configs.read(&name, AssetKind::Dataset)?;
            let database = self.databases.get(string_field(&map, "database_uuid")).copied();
            let database = database.ok_or_else(|| Error::internal("a dataset without its database"))?;
            let dataset = self.dataset(map, database, true).await?;
            self.remember(dataset);
        }
        if self.configs.known(AssetKind::Chart).any(|file| !self.datasets.contains_key(&file.parent)) {
            return Err(Error::internal("a chart without its dataset"));
        }
        self.charts(true, false).await?;
        self.dashboards(true, &[], true).await?;
        self.drop_filter_boxes().await
    }

    /// Everything that is there may be referred to.
    async fn look_up(&mut self) -> Result<()> {
        use daos::tables::{DBS, SLICES, TABLES};
        let texts = |ids: HashMap<uuid::Uuid, i64>| ids.into_iter().map(|(uuid, id)| (uuid.to_string(), id));
        self.charts.extend(texts(imported::ids(self.db, &SLICES).await?));
        self.databases.extend(texts(imported::ids(self.db, &DBS).await?));
        let ids: Vec<i64> = imported::ids(self.db, &TABLES).await?.into_values().collect();
        for chunk in ids.chunks(1_000) {
            for (id, row) in daos::dataset::find_many(self.db, chunk).await? {
                if let Some(uuid) = row.uuid {
                    let name = row.name();
                    self.datasets.insert(uuid.to_string(), super::DatasetRef { id, name, row });
                }
            }
        }
        Ok(())
    }

    /// What all files of a resource belong to.
    fn parents(&self, kind: AssetKind) -> Vec<String> {
        self.configs.known(kind).map(|file| file.parent.clone()).collect()
    }

    /// Databases of datasets in the bundle.
    fn databases_of(&self, datasets: &[String]) -> Vec<String> {
        let datasets: HashSet<&str> = datasets.iter().map(String::as_str).collect();
        let wanted = self.configs.known(AssetKind::Dataset).filter(|f| datasets.contains(f.uuid.as_str()));
        wanted.map(|file| file.parent.clone()).collect()
    }

    /// Filter boxes have become native filters of their dashboards.
    async fn drop_filter_boxes(&mut self) -> Result<()> {
        let boxes = std::mem::take(&mut self.filter_boxes);
        if boxes.is_empty() {
            return Ok(());
        }
        crate::implicit_tags::deleted(self.db, crate::tag::ObjectType::Chart, &boxes).await?;
        chart::delete(self.db, &boxes).await
    }
}
