//! The command line: a file per verb.

mod db;
mod fab;
mod init;
mod run;
mod users;

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use infra::config::{Loaded, Sources};

use crate::app::StartError;

/// The backend of Apache Superset 6.0.0 as one binary.
#[derive(Debug, Parser)]
#[command(name = "liteset", version, args_conflicts_with_subcommands = true)]
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
    /// Create permissions and built-in roles, as `superset init` does.
    Init(init::Init),
    /// The metadata database.
    Db(db::Db),
    /// Users, under the names that Flask-AppBuilder gives the commands.
    Fab(fab::Fab),
    /// Users.
    Users(users::Users),
}

/// Options of every verb.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// Configuration: superset_config.py (read, not executed) or a TOML file with the same keys.
    #[arg(long, env = "LITESET_CONFIG")]
    config: Option<PathBuf>,
    /// Data directory [default: $SUPERSET_HOME or ~/.liteset].
    #[arg(long)]
    home: Option<PathBuf>,
}

impl Common {
    /// Loads the configuration and says what there is to say about it.
    fn load(&self) -> Result<Loaded, StartError> {
        let loaded = infra::config::load(Sources {
            file: self.config.clone(),
            home: self.home.clone(),
            environment: std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
            flags: Default::default(),
        })?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(loaded)
    }
}

/// Parses the command line and runs the verb.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let done = match cli.verb {
        None => cli.run.run(),
        Some(Verb::Run(verb)) => verb.run(),
        Some(Verb::Init(verb)) => verb.run(),
        Some(Verb::Db(verb)) => verb.run(),
        Some(Verb::Fab(verb)) => verb.run(),
        Some(Verb::Users(verb)) => verb.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Lines for a person on a terminal, JSON otherwise; `LITESET_LOG` filters (`debug`, `liteset_web=trace`, …).
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LITESET_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,salvo_core=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.with_target(false).init();
    } else {
        log.json().init();
    }
}

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
