//! `liteset db current` and its kin: what Flask-Migrate tells of the schema.

use infra::db::{DbUri, migrate};

use super::{
    Common, ask, block_on,
    refused::{self, Refused},
};
use crate::app::StartError;

/// Verbs that tell, and those that mean nothing here.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Shows the current revision of the database.
    Current(Common),
    /// Shows the head of the schema.
    Heads(Common),
    /// Shows which revisions there are: liteset knows its head only.
    History(Common),
    #[command(hide = true)]
    Branches(Refused),
    #[command(hide = true)]
    Downgrade(Refused),
    #[command(hide = true)]
    Stamp(Refused),
    #[command(hide = true)]
    Migrate(Refused),
    #[command(hide = true)]
    Revision(Refused),
    #[command(hide = true)]
    Merge(Refused),
    #[command(hide = true)]
    Edit(Refused),
    #[command(hide = true)]
    Init(Refused),
    #[command(hide = true)]
    Check(Refused),
    #[command(hide = true)]
    Show(Refused),
}

impl Verb {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        match self {
            Self::Current(common) => current(&common),
            Self::Heads(_) => ask::say(&format!("{} (head)\n", migrate::HEAD)),
            Self::History(_) => ask::say(&format!("{} (head), Superset 6.0.0\n", migrate::HEAD)),
            Self::Branches(_) => Ok(()),
            Self::Downgrade(_) => {
                refused::because("the schema is never taken back: restore the backup from before the upgrade")
            }
            Self::Stamp(_) => refused::because(
                "a revision is what the schema is, not what is written into it: nothing is stamped",
            ),
            Self::Migrate(_) | Self::Revision(_) | Self::Merge(_) | Self::Edit(_) | Self::Init(_) => {
                refused::because("migrations are part of the program and not made here")
            }
            Self::Check(_) | Self::Show(_) => refused::because(
                "`liteset db current` tells the revision, `liteset doctor` compares the schema",
            ),
        }
    }
}

fn current(common: &Common) -> Result<(), StartError> {
    let loaded = common.load()?;
    block_on(async {
        let uri: DbUri = loaded.config.str("SQLALCHEMY_DATABASE_URI").parse()?;
        match migrate::inspect(&uri).await? {
            migrate::SchemaState::Head => ask::say(&format!("{} (head)\n", migrate::HEAD)),
            migrate::SchemaState::Revision(revisions) => ask::say(&format!("{}\n", revisions.join("\n"))),
            migrate::SchemaState::Empty | migrate::SchemaState::Foreign => Ok(()),
        }
    })
}
