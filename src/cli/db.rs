//! `liteset db upgrade`: the schema of an empty metadata database.

use infra::db::{Db as Pool, DbUri, migrate};

use super::{Common, block_on};
use crate::app::StartError;

/// The metadata database.
#[derive(Debug, clap::Args)]
pub struct Db {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Create the schema of Superset 6.0.0 in an empty database; a database at its head is left as it is.
    Upgrade(Common),
}

impl Db {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let Verb::Upgrade(common) = self.verb;
        let loaded = common.load()?;
        block_on(async {
            let uri: DbUri = loaded.config.str("SQLALCHEMY_DATABASE_URI").parse()?;
            match migrate::inspect(&uri).await? {
                migrate::SchemaState::Empty => {
                    migrate::create(&Pool::connect(&uri, 2).await?).await?;
                    tracing::info!(revision = migrate::HEAD, "schema created");
                }
                migrate::SchemaState::Head => tracing::info!(revision = migrate::HEAD, "nothing to do"),
                other => return Err(other.refusal().unwrap_or_default().into()),
            }
            Ok(())
        })
    }
}
