//! `liteset fab create-admin` and `fab reset-password`, under their Superset names.

use super::{
    Common, block_on,
    users::{Person, password},
};
use crate::app::{self, StartError};

/// Flask-AppBuilder's commands.
#[derive(Debug, clap::Args)]
pub struct Fab {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Create an administrator.
    CreateAdmin(Person),
    /// Set a user's password.
    ResetPassword {
        #[command(flatten)]
        common: Common,
        /// Login name.
        #[arg(long)]
        username: String,
        /// The new password [default: read from standard input].
        #[arg(long)]
        password: Option<String>,
    },
}

impl Fab {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        match self.verb {
            Verb::CreateAdmin(person) => person.create("Admin".into()),
            Verb::ResetPassword { common, username, password: given } => {
                let loaded = common.load()?;
                let password = password(given)?;
                block_on(async {
                    let db = app::connect(&loaded.config).await?;
                    commands::user_admin::reset_password(&db, &username, password).await?;
                    tracing::info!(user = username, "password set");
                    Ok(())
                })
            }
        }
    }
}
