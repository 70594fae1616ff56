//! `liteset secrets rotate`, and `re-encrypt-secrets` as Superset calls it.

use std::path::PathBuf;

use commands::secret_rotation::{Column, rotate};
use infra::config::Config;

use super::{Common, ask, block_on};
use crate::app::{self, StartError};

/// Secrets of the metadata database.
#[derive(Debug, clap::Args)]
pub struct Secrets {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Encrypt everything with SECRET_KEY that was encrypted with the previous key.
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
struct Rotate {
    #[command(flatten)]
    common: Common,
    /// A file with the previous key [default: PREVIOUS_SECRET_KEY of the configuration].
    #[arg(long)]
    previous_key_file: Option<PathBuf>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Secrets {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let Verb::Rotate(verb) = self.verb;
        let loaded = verb.common.load()?;
        let previous = match &verb.previous_key_file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => configured(&loaded.config),
        };
        let previous = previous.filter(|key| !key.is_empty()).ok_or(
            "the previous key is needed: PREVIOUS_SECRET_KEY in the configuration, or --previous-key-file FILE",
        )?;
        let columns = run(&loaded.config, &previous, verb.dry_run)?;
        if verb.json {
            return ask::say(&(serde_json::to_string_pretty(&columns)? + "\n"));
        }
        let would = if verb.dry_run { "to be rotated" } else { "rotated" };
        let mut text = String::new();
        for column in &columns {
            text.push_str(&format!(
                "{:<52} {:>6} {would}  {:>6} current\n",
                format!("{}.{}", column.table, column.column),
                column.rotated,
                column.current
            ));
        }
        ask::say(&text)
    }
}

fn configured(config: &Config) -> Option<String> {
    config.get("PREVIOUS_SECRET_KEY").as_str().map(str::to_owned)
}

fn run(config: &Config, previous: &str, dry: bool) -> Result<Vec<Column>, StartError> {
    block_on(async {
        let db = app::connect(config).await?;
        Ok(rotate(&db, previous, config.str("SECRET_KEY"), dry).await?)
    })
}

/// Options of `re-encrypt-secrets`.
#[derive(Debug, clap::Args)]
pub struct ReEncryptSecrets {
    #[command(flatten)]
    common: Common,
    /// An optional previous secret key, if PREVIOUS_SECRET_KEY is not set on the config.
    #[arg(long = "previous_secret_key", short = 'a')]
    previous_secret_key: Option<String>,
}

impl ReEncryptSecrets {
    /// Encrypts anew.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let Some(previous) = self.previous_secret_key.or_else(|| configured(&loaded.config)) else {
            ask::complain("A previous secret key must be provided\n")?;
            return Err(ask::Told.into());
        };
        let columns = run(&loaded.config, &previous, false)?;
        let rotated: usize = columns.iter().map(|c| c.rotated).sum();
        let current: usize = columns.iter().map(|c| c.current).sum();
        tracing::info!(rotated, current, "secrets are encrypted with SECRET_KEY");
        Ok(())
    }
}
