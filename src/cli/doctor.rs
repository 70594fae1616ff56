//! `liteset doctor`: everything that a server needs.

use std::sync::Arc;

use commands::{
    Services,
    doctor::{self, Check, State},
};
use infra::db::{Db, DbUri};

use super::{Common, ask, block_on};
use crate::app::StartError;

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    common: Common,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Prints what was found; fails when something does not work.
    pub fn run(self) -> Result<(), StartError> {
        let mut checks: Vec<Check> = Vec::new();
        let json = self.json;
        let mut each = |check: Check| {
            if !json {
                let _ = ask::say(&line(&check));
            }
            checks.push(check);
        };
        self.look(&mut each)?;
        if json {
            ask::say(&(serde_json::to_string_pretty(&checks)? + "\n"))?;
        }
        let count = |state: State| checks.iter().filter(|check| check.state == state).count();
        let (failed, warnings) = (count(State::Failed), count(State::Warning));
        if !json {
            ask::say(&format!("{} looked at, {failed} failed, {warnings} to look at\n", checks.len()))?;
        }
        if failed > 0 { Err(ask::Told.into()) } else { Ok(()) }
    }

    fn look(&self, each: &mut (dyn FnMut(Check) + Send)) -> Result<(), StartError> {
        const CONFIGURATION: &str = "configuration";
        let loaded = match self.common.read(false) {
            Ok(loaded) => loaded,
            Err(error) => {
                for reason in error.to_string().lines() {
                    each(Check::failed(
                        CONFIGURATION,
                        reason,
                        "change the key (packaging/manual/configuration.md)",
                    ));
                }
                return Ok(());
            }
        };
        for warning in &loaded.warnings {
            each(Check::warning(CONFIGURATION, warning, "see packaging/manual/configuration.md"));
        }
        if loaded.warnings.is_empty() {
            each(Check::ok(CONFIGURATION, format!("data directory {}", loaded.home.display())));
        }
        block_on(async {
            let uri: DbUri = match loaded.config.str("SQLALCHEMY_DATABASE_URI").parse() {
                Ok(uri) => uri,
                Err(error) => {
                    let error: infra::db::UriError = error;
                    each(Check::failed("database", error.to_string(), "set SQLALCHEMY_DATABASE_URI"));
                    return Ok(());
                }
            };
            let reached = doctor::reached(&uri).await;
            let usable = reached.state == State::Ok;
            each(reached);
            if !usable {
                return Ok(());
            }
            let db = Db::connect(&uri, 2).await?;
            each(doctor::schema(&db).await);
            let app = Arc::new(Services::new(loaded.config, db));
            doctor::look(&app, &loaded.home, each).await;
            Ok(())
        })
    }
}

fn line(check: &Check) -> String {
    let state = match check.state {
        State::Ok => "ok",
        State::Off => "off",
        State::Warning => "look at",
        State::Failed => "FAILED",
    };
    let found = check.found.replace('\n', " ");
    let advice = check.advice.as_ref().map(|advice| format!("{:>8}  → {advice}\n", "")).unwrap_or_default();
    format!("{state:>8}  {}: {found}\n{advice}", check.name)
}
