//! `liteset set-database-uri` and `test-db`.

use super::{Common, ask, assets::application, block_on};
use crate::app::StartError;

/// Options of `set-database-uri`.
#[derive(Debug, clap::Args)]
pub struct SetDatabaseUri {
    #[command(flatten)]
    common: Common,
    /// Database name to change.
    #[arg(long = "database_name", short)]
    database_name: Option<String>,
    /// Database URI to change.
    #[arg(long, short)]
    uri: Option<String>,
    /// Do not create the database if it doesn't exist.
    #[arg(long = "skip_create", short)]
    skip_create: bool,
}

impl SetDatabaseUri {
    /// Sets the connection string.
    pub fn run(self) -> Result<(), StartError> {
        let name = self.database_name.ok_or("a name of a database is needed: -d NAME")?;
        let uri = self.uri.ok_or("a connection string is needed: -u URI")?;
        let loaded = self.common.load()?;
        block_on(async {
            let app = application(loaded.config).await?;
            match commands::database::set_uri::set_uri(&app, &name, &uri, !self.skip_create).await? {
                Some(id) => tracing::info!(id, database = name, "connection string set"),
                None => tracing::info!(database = name, "there is no such database"),
            }
            Ok(())
        })
    }
}

/// Options of `test-db`.
#[derive(Debug, clap::Args)]
pub struct TestDb {
    #[command(flatten)]
    common: Common,
    /// Connection string.
    #[arg(id = "sqlalchemy_uri", value_name = "SQLALCHEMY_URI")]
    uri: String,
    /// Connect args as JSON.
    #[arg(long = "connect-args", short)]
    connect_args: Option<String>,
}

impl TestDb {
    /// Connects as a chart would. The original also prints what its engine specifications say of themselves, for who
    /// writes one.
    pub fn run(self) -> Result<(), StartError> {
        let arguments = match self.connect_args {
            Some(given) => Some(given),
            None if ask::confirm("> Do you want to configure connection arguments?")? => {
                ask::say("Please paste the engine_kwargs as JSON and press CTRL-D when finished\n")?;
                Some(std::io::read_to_string(std::io::stdin())?)
            }
            None => None,
        };
        let loaded = self.common.load()?;
        block_on(async {
            let app = application(loaded.config).await?;
            let tested =
                commands::database::test_uri::test_uri(&app, &self.uri, arguments.as_deref()).await?;
            ask::say(&format!("Found DB engine spec: {}\nConnected successfully!\n", tested.engine))
        })
    }
}
