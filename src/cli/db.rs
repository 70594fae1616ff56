//! `liteset db`: the schema of the metadata database, and the way to another one.

mod copy;
mod upgrade;

use super::db_revisions;
use crate::app::StartError;

/// The metadata database.
#[derive(Debug, clap::Args)]
pub struct Db {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Create the schema in an empty database, or bring that of Superset 4.1 or 5.0 to 6.0.0.
    Upgrade(upgrade::Upgrade),
    /// Copy the installation into another, empty database, and compare what it holds then.
    Copy(copy::Copy),
    #[command(flatten)]
    Revisions(db_revisions::Verb),
}

impl Db {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        match self.verb {
            Verb::Upgrade(verb) => verb.run(),
            Verb::Copy(verb) => verb.run(),
            Verb::Revisions(verb) => verb.run(),
        }
    }
}
