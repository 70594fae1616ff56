//! The command line: a file per verb.

mod ask;
mod assets;
mod assets_legacy;
mod backup;
mod config;
mod credentials;
mod databases;
mod db;
mod db_revisions;
mod doctor;
mod examples;
mod fab;
mod health;
mod init;
mod jobs;
mod licenses;
mod log_file;
mod logging;
mod manual;
mod progress;
mod prune;
mod refused;
mod report;
mod routes;
mod run;
mod secrets;
mod tags;
mod thumbnails;
mod usage;
mod users;
mod version;
mod viz;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand, error::ErrorKind};
use indexmap::IndexMap;
use infra::config::{ConfigError, Loaded, Sources};
use rustix::fs::Mode;
use serde_json::Value;

use crate::app::StartError;

/// The backend of Apache Superset 6.0.0 as one binary.
#[derive(Debug, Parser)]
#[command(name = "liteset", version, long_version = version::LONG, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Run,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the web application (also without any verb).
    Run(run::Run),
    /// Ask a server whether it answers.
    Health(health::Health),
    /// Create permissions and built-in roles, as `superset init` does.
    Init(init::Init),
    /// What the configuration is, and what becomes of its keys.
    Config(config::Config),
    /// The metadata database.
    Db(db::Db),
    /// Users, under the names that Flask-AppBuilder gives the commands.
    Fab(fab::Fab),
    /// Users.
    Users(users::Users),
    /// What is scheduled, what runs, and what failed.
    Jobs(jobs::Jobs),
    /// Remove rows whose time is over.
    Prune(prune::Prune),
    /// Alerts and reports.
    Report(report::Report),
    /// Write all assets as a folder for version control.
    Export(assets::Export),
    /// Take over all assets of a folder; what is there is overwritten.
    Import(assets::Import),
    /// Export all dashboards as a ZIP file.
    ExportDashboards(assets::ExportDashboards),
    /// Import dashboards from a ZIP file, or from JSON without version.
    ImportDashboards(assets::ImportDashboards),
    /// Export all datasets as a ZIP file.
    ExportDatasources(assets::ExportDatasources),
    /// Import datasets from a ZIP file, or from YAML without version.
    ImportDatasources(assets::ImportDatasources),
    /// Import a folder of examples: published dashboards without owners.
    ImportDirectory(assets::ImportDirectory),
    /// Export databases and datasets as YAML without version.
    LegacyExportDatasources(assets_legacy::ExportDatasources),
    /// Import dashboards from JSON without version.
    LegacyImportDashboards(assets_legacy::ImportDashboards),
    /// Import datasets from YAML without version.
    LegacyImportDatasources(assets_legacy::ImportDatasources),
    #[command(hide = true)]
    LegacyExportDashboards(refused::Refused),
    #[command(hide = true)]
    LegacyExportDatasourceSchema(refused::Refused),
    /// Write the whole metadata database into a file, also while servers run.
    Backup(backup::Backup),
    /// Fill a metadata database from a backup, all or nothing.
    Restore(backup::Restore),
    /// Look at everything that a server needs, and say what to do where something is missing.
    Doctor(doctor::Doctor),
    /// Secrets of the metadata database.
    Secrets(secrets::Secrets),
    /// Encrypt with SECRET_KEY what was encrypted with a previous key.
    ReEncryptSecrets(secrets::ReEncryptSecrets),
    /// Load example datasets, charts and dashboards.
    LoadExamples(examples::LoadExamples),
    /// Update a database connection URI.
    SetDatabaseUri(databases::SetDatabaseUri),
    /// Try a connection to an analytical database.
    TestDb(databases::TestDb),
    /// Rebuild special tags (owner, type, favorited by).
    SyncTags(tags::SyncTags),
    /// Take the thumbnails of charts and dashboards.
    ComputeThumbnails(thumbnails::ComputeThumbnails),
    /// Migrate charts from one type to another.
    MigrateViz(viz::MigrateViz),
    /// Print the version number of Superset.
    Version(version::Version),
    /// Print the licences of everything that is linked into this binary.
    Licenses(licenses::Licenses),
    /// Print all routes.
    Routes(routes::Routes),
    /// Print the completions of a shell.
    Completions(manual::Completions),
    /// Print the manual page, in roff.
    Man(manual::Man),
    #[command(hide = true)]
    LoadTestUsers(Common),
    #[command(hide = true)]
    FactoryReset(FactoryReset),
    #[command(hide = true)]
    UpdateApiDocs(refused::Refused),
    #[command(hide = true)]
    Shell(refused::Refused),
    #[command(hide = true)]
    Limiter(refused::Refused),
}

/// Options of `factory-reset`.
#[derive(Debug, clap::Args)]
struct FactoryReset {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    silent: bool,
    #[arg(long = "exclude-users")]
    exclude_users: Option<String>,
    #[arg(long = "exclude-roles")]
    exclude_roles: Option<String>,
}

/// Options of every verb.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// Configuration: superset_config.py or a TOML file with the same keys.
    #[arg(long, env = "LITESET_CONFIG")]
    config: Option<PathBuf>,
    /// Data directory [default: $SUPERSET_HOME or ~/.liteset].
    #[arg(long)]
    home: Option<PathBuf>,
    /// Keys that other options of a verb set.
    #[arg(skip)]
    flags: IndexMap<String, Value>,
}

impl Common {
    /// Loads the configuration and says what there is to say about it.
    fn load(&self) -> Result<Loaded, StartError> {
        Self::begin(self.read(false)?)
    }

    /// Goes on with a configuration that was read: it has its secrets, and what there is to say about it is said.
    fn begin(loaded: Loaded) -> Result<Loaded, StartError> {
        let loaded = loaded.with_secrets()?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let root = loaded.config.application_root();
        if !root.is_empty() && loaded.config.mount().is_empty() && !loaded.config.bool("ENABLE_PROXY_FIX") {
            tracing::warn!(
                root,
                "APPLICATION_ROOT alone moves nothing: requests are answered at / and redirects lead there. Set \
                 SUPERSET_APP_ROOT to be answered below it, or ENABLE_PROXY_FIX where a proxy takes it off and says \
                 so (X-Forwarded-Prefix)"
            );
        }
        logging::configure(&loaded.config);
        Ok(loaded)
    }

    /// Reads the configuration; with `makes_secrets` those of a new installation are made.
    fn read(&self, makes_secrets: bool) -> Result<Loaded, ConfigError> {
        let mut environment = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        credentials::add_to(&mut environment)
            .map_err(|source| ConfigError::File { path: "$CREDENTIALS_DIRECTORY".into(), source })?;
        let loaded = infra::config::load(Sources {
            file: self.config.clone(),
            home: self.home.clone(),
            environment,
            flags: self.flags.clone(),
            makes_secrets,
        })?;
        let key = |key: &str| loaded.config.get(key);
        infra::engine_specs::grains::configure(
            key("TIME_GRAIN_DENYLIST"),
            key("TIME_GRAIN_ADDONS"),
            key("TIME_GRAIN_ADDON_EXPRESSIONS"),
        );
        Ok(loaded)
    }
}

/// A verb that has verbs was called without one.
const HELP: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

/// Parses the command line and runs the verb.
pub fn main() -> ExitCode {
    let mut root = Cli::command();
    root.build();
    let arguments = usage::normalised(&root, std::env::args_os().collect());
    let parsed = Cli::command().try_get_matches_from(&arguments).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() || error.kind() == HELP => error.exit(),
        Err(error) => {
            let _ = ask::complain(&usage::refusal(&root, &arguments, &error));
            return ExitCode::from(2);
        }
    };
    keep_private();
    logging::start();
    let done = match cli.verb {
        None => cli.run.run(),
        Some(Verb::Run(verb)) => verb.run(),
        Some(Verb::Health(verb)) => verb.run(),
        Some(Verb::Init(verb)) => verb.run(),
        Some(Verb::Config(verb)) => verb.run(),
        Some(Verb::Db(verb)) => verb.run(),
        Some(Verb::Fab(verb)) => verb.run(),
        Some(Verb::Users(verb)) => verb.run(),
        Some(Verb::Jobs(verb)) => verb.run(),
        Some(Verb::Prune(verb)) => verb.run(),
        Some(Verb::Report(verb)) => verb.run(),
        Some(Verb::Export(verb)) => verb.run(),
        Some(Verb::Import(verb)) => verb.run(),
        Some(Verb::ExportDashboards(verb)) => verb.run(),
        Some(Verb::ImportDashboards(verb)) => verb.run(),
        Some(Verb::ExportDatasources(verb)) => verb.run(),
        Some(Verb::ImportDatasources(verb)) => verb.run(),
        Some(Verb::ImportDirectory(verb)) => verb.run(),
        Some(Verb::LegacyExportDatasources(verb)) => verb.run(),
        Some(Verb::LegacyImportDashboards(verb)) => verb.run(),
        Some(Verb::LegacyImportDatasources(verb)) => verb.run(),
        Some(Verb::LegacyExportDashboards(_)) => refused::because(
            "files without version are not written: `export-dashboards` writes the same content",
        ),
        Some(Verb::LegacyExportDatasourceSchema(_)) => refused::because(
            "files without version are not described: `export-datasources` writes their content",
        ),
        Some(Verb::Backup(verb)) => verb.run(),
        Some(Verb::Restore(verb)) => verb.run(),
        Some(Verb::Doctor(verb)) => verb.run(),
        Some(Verb::Secrets(verb)) => verb.run(),
        Some(Verb::ReEncryptSecrets(verb)) => verb.run(),
        Some(Verb::LoadExamples(verb)) => verb.run(),
        Some(Verb::SetDatabaseUri(verb)) => verb.run(),
        Some(Verb::TestDb(verb)) => verb.run(),
        Some(Verb::SyncTags(verb)) => verb.run(),
        Some(Verb::ComputeThumbnails(verb)) => verb.run(),
        Some(Verb::MigrateViz(verb)) => verb.run(),
        Some(Verb::Version(verb)) => verb.run(),
        Some(Verb::Licenses(verb)) => verb.run(),
        Some(Verb::Routes(verb)) => verb.run(),
        Some(Verb::Completions(verb)) => verb.run(Cli::command()),
        Some(Verb::Man(verb)) => verb.run(Cli::command()),
        Some(Verb::LoadTestUsers(_)) => refused::load_test_users(),
        Some(Verb::FactoryReset(verb)) => refused::factory_reset(&verb.common),
        Some(Verb::UpdateApiDocs(_)) => refused::because(
            "there is no documentation to write to: /api/v1/_openapi of a server has the document",
        ),
        Some(Verb::Shell(_)) => refused::because("there is no Python here"),
        Some(Verb::Limiter(_)) => {
            refused::because("limits are those of RATELIMIT_… in the configuration: there is no list of them")
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.is::<ask::Told>() => ExitCode::FAILURE,
        Err(e) if e.is::<ask::Aborted>() => {
            let _ = ask::complain("Aborted!\n");
            ExitCode::FAILURE
        }
        Err(e) => {
            // a configuration can have several reasons
            reason(&e).lines().for_each(|line| tracing::error!("{line}"));
            ExitCode::FAILURE
        }
    }
}

/// An error without the status that a client of the server would see.
fn reason(error: &StartError) -> String {
    match error.downcast_ref::<infra::Error>() {
        Some(infra::Error::Message { message: serde_json::Value::String(text), .. }) => text.clone(),
        Some(infra::Error::Message { message, .. }) => message.to_string(),
        Some(infra::Error::Legacy { error, .. }) => error.clone(),
        Some(infra::Error::Sip40 { errors, .. }) => {
            errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join("; ")
        }
        Some(infra::Error::Internal(text)) => text.clone(),
        None => error.to_string(),
    }
}

/// What is made from here on is its owner's alone: the metadata database with its side files, caches, logs.
fn keep_private() {
    let inherited = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(inherited | Mode::RWXG | Mode::RWXO);
}

/// A thread's stack, of which only what is used takes memory. Parsers are bounded in depth, but a build without
/// optimisation needs several times what a release does.
const STACK: usize = 8 << 20;

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()?;
    runtime.block_on(work)
}
