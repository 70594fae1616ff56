//! `liteset export|import` for folders, and Superset's verbs for bundles: `export-dashboards`, `import-dashboards`,
//! `export-datasources`, `import-datasources`, `import-directory`.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use commands::{
    Caller, Principal, Services,
    access::load_user,
    import_export::{
        AssetKind,
        export::{Sink, ZipSink, all_ids, bundle_name, export},
        folder,
        import::{
            Options,
            contents::{Contents, is_zip},
            failure::no_importer,
            import, import_assets, import_examples, import_unversioned,
        },
    },
};
use infra::config::Config;

use super::{Common, block_on, progress::Counter};
use crate::app::{self, StartError};

/// The application without a server: what a running one does is left alone.
pub(super) async fn application(config: Config) -> Result<Arc<Services>, StartError> {
    let db = app::connect(&config).await?;
    if let Some(refusal) = commands::secret_key::refusal(&db, &config).await? {
        return Err(refusal.into());
    }
    Ok(Arc::new(Services::new(config, db)))
}

/// Somebody by their log-in name.
pub(super) async fn caller(app: &Arc<Services>, username: &str) -> Result<Caller, StartError> {
    let id = daos::user::find_id(app.db.exec(), username).await?;
    let user = match id {
        Some(id) => load_user(app, id).await?,
        None => None,
    };
    let user = user.ok_or_else(|| format!("there is no active user {username}"))?;
    Ok(Caller::new(app, user))
}

/// Files of a bundle, counted.
struct Counted<'a> {
    sink: &'a mut ZipSink,
    counter: Counter,
}

impl Sink for Counted<'_> {
    fn file(&mut self, name: &str, content: &str) -> infra::Result<()> {
        self.counter.file();
        self.sink.file(name, content)
    }
}

/// Options of `export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    common: Common,
    /// The folder; files of objects that are no more are removed from it.
    directory: PathBuf,
    /// Whose view of the assets is exported: saved queries are one's own.
    #[arg(long, short, default_value = "admin")]
    username: String,
}

impl Export {
    /// Writes the folder.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let app = application(loaded.config).await?;
            let caller = caller(&app, &self.username).await?;
            let mut counter = Counter::new();
            let mut tell = |verb, count, all| counter.files(verb, count, all);
            let written = folder::export_folder(&caller, &self.directory, &mut tell).await?;
            drop(counter);
            let mut out = std::io::stdout().lock();
            for (sign, names) in [('+', &written.added), ('~', &written.changed), ('-', &written.removed)] {
                for name in names {
                    writeln!(out, "{sign} {name}")?;
                }
            }
            writeln!(
                out,
                "{} added, {} changed, {} removed, {} unchanged",
                written.added.len(),
                written.changed.len(),
                written.removed.len(),
                written.unchanged
            )?;
            Ok(())
        })
    }
}

/// Options of `import`.
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    common: Common,
    /// The folder.
    directory: PathBuf,
    /// Who imports, and becomes an owner.
    #[arg(long, short, default_value = "admin")]
    username: String,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    /// Takes the folder over.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        if !self.directory.is_dir() {
            return Err(format!("{} is no folder", self.directory.display()).into());
        }
        block_on(async {
            let app = application(loaded.config).await?;
            let caller = caller(&app, &self.username).await?;
            let mut counter = Counter::new();
            let mut tell = |verb, count, all| counter.files(verb, count, all);
            let plan = folder::plan(&caller, &self.directory, &mut tell).await?;
            drop(counter);
            let mut out = std::io::stdout().lock();
            for (sign, names) in [('+', &plan.new), ('~', &plan.changed), ('!', &plan.unreadable)] {
                for name in names {
                    writeln!(out, "{sign} {name}")?;
                }
            }
            let verb = if self.dry_run { "would be " } else { "" };
            writeln!(
                out,
                "{verb}{} added, {} changed, {} unchanged",
                plan.new.len(),
                plan.changed.len(),
                plan.unchanged
            )?;
            drop(out);
            if !plan.unreadable.is_empty() {
                return Err("some files cannot be read".into());
            }
            if self.dry_run {
                return Ok(());
            }
            let contents = folder::contents(&self.directory, Some("assets"))?;
            let mut counter = Counter::new();
            Box::pin(import_assets(&caller, &contents, &Options::default(), &mut counter)).await?;
            Ok(())
        })
    }
}

/// Options of `export-dashboards`.
#[derive(Debug, clap::Args)]
pub struct ExportDashboards {
    #[command(flatten)]
    common: Common,
    /// Specify the file to export to [default: dashboard_export_<time>.zip].
    #[arg(long, short = 'f')]
    dashboard_file: Option<PathBuf>,
}

impl ExportDashboards {
    /// Writes the file.
    pub fn run(self) -> Result<(), StartError> {
        export_all(&self.common, AssetKind::Dashboard, self.dashboard_file)
    }
}

/// Options of `export-datasources`.
#[derive(Debug, clap::Args)]
pub struct ExportDatasources {
    #[command(flatten)]
    common: Common,
    /// Specify the file to export to [default: dataset_export_<time>.zip].
    #[arg(long, short = 'f')]
    datasource_file: Option<PathBuf>,
}

impl ExportDatasources {
    /// Writes the file.
    pub fn run(self) -> Result<(), StartError> {
        export_all(&self.common, AssetKind::Dataset, self.datasource_file)
    }
}

/// Everything of a resource, as the user `admin` sees it. A file that is not finished does not stay.
fn export_all(common: &Common, kind: AssetKind, file: Option<PathBuf>) -> Result<(), StartError> {
    let loaded = common.load()?;
    let root = bundle_name(kind.resource());
    let path = file.unwrap_or_else(|| PathBuf::from(format!("{root}.zip")));
    block_on(async {
        let app = application(loaded.config).await?;
        let caller = caller(&app, "admin").await?;
        let part = path.with_extension("zip.part");
        let file = File::create(&part).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut sink = ZipSink::new(file, root);
        let done = async {
            let ids = all_ids(&caller, kind).await?;
            let mut counted = Counted { sink: &mut sink, counter: Counter::new() };
            export(&caller, kind, &ids, &mut counted).await
        };
        let done: Result<(), StartError> = match done.await {
            Ok(()) => sink.finish().map(drop).map_err(Into::into),
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(()) => Ok(std::fs::rename(&part, &path)?),
            Err(error) => {
                let _ = std::fs::remove_file(&part);
                Err(error)
            }
        }
    })
}

/// Options of `import-dashboards`.
#[derive(Debug, clap::Args)]
pub struct ImportDashboards {
    #[command(flatten)]
    common: Common,
    /// Path to a single ZIP file.
    #[arg(long, short)]
    path: PathBuf,
    /// Specify the user name to assign dashboards to.
    #[arg(long, short)]
    username: String,
}

impl ImportDashboards {
    /// Imports the file; what is there is overwritten.
    pub fn run(self) -> Result<(), StartError> {
        import_file(&self.common, AssetKind::Dashboard, &self.path, &self.username)
    }
}

/// Options of `import-datasources`.
#[derive(Debug, clap::Args)]
pub struct ImportDatasources {
    #[command(flatten)]
    common: Common,
    /// Path to a single ZIP file.
    #[arg(long, short)]
    path: PathBuf,
    /// Specify the user name to assign datasources to.
    #[arg(long, short, default_value = "admin")]
    username: String,
}

impl ImportDatasources {
    /// Imports the file; what is there is overwritten.
    pub fn run(self) -> Result<(), StartError> {
        import_file(&self.common, AssetKind::Dataset, &self.path, &self.username)
    }
}

fn import_file(common: &Common, kind: AssetKind, path: &Path, username: &str) -> Result<(), StartError> {
    let loaded = common.load()?;
    let mut file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    block_on(async {
        let app = application(loaded.config).await?;
        let caller = caller(&app, username).await?;
        let contents = if is_zip(&mut file) {
            Contents::of_zip(&app.config, file)?
        } else {
            Contents::of_files([(path.to_string_lossy().into_owned(), std::fs::read(path)?)])
        };
        let options = Options { overwrite: true, ..Options::default() };
        let mut counter = Counter::new();
        if Box::pin(import(&caller, kind, &contents, &options, &mut counter)).await? {
            return Ok(());
        }
        Box::pin(import_unversioned(&caller, kind, &contents, (false, false))).await?;
        Ok(())
    })
}

/// Options of `import-directory`.
#[derive(Debug, clap::Args)]
pub struct ImportDirectory {
    #[command(flatten)]
    common: Common,
    /// The folder.
    directory: PathBuf,
    /// Overwriting existing metadata definitions.
    #[arg(long, short)]
    overwrite: bool,
    /// Force load data even if table already exists (tables that are there are never replaced here).
    #[arg(long, short)]
    force: bool,
}

impl ImportDirectory {
    /// Imports the folder. As in the original, objects that are there are told, and no failure.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        if self.force {
            return Err("--force is not supported: tables that are there are not replaced".into());
        }
        if !self.directory.is_dir() {
            return Err(no_importer().into());
        }
        block_on(async {
            let app = application(loaded.config).await?;
            let caller = Caller::new(&app, Principal::default());
            let contents = folder::contents(&self.directory, None)?;
            let mut counter = Counter::new();
            let done = Box::pin(import_examples(&caller, &contents, self.overwrite, &mut counter)).await;
            match done {
                Err(error)
                    if error.status() == 422 && error.to_string().contains("Error importing model") =>
                {
                    tracing::error!("An error occurred: {error}");
                    Ok(())
                }
                other => Ok(other?),
            }
        })
    }
}
