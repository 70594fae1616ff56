//! `liteset users create`.

use commands::user_admin::{NewUser, create_user};

use super::{Common, block_on};
use crate::app::{self, StartError};

/// Users.
#[derive(Debug, clap::Args)]
pub struct Users {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Create a user.
    Create {
        /// Role of the user.
        #[arg(long, default_value = "Gamma")]
        role: String,
        #[command(flatten)]
        person: Person,
    },
}

/// Who is to be created.
#[derive(Debug, clap::Args)]
pub struct Person {
    #[command(flatten)]
    common: Common,
    /// Login name.
    #[arg(long)]
    username: String,
    /// First name.
    #[arg(long, default_value = "")]
    firstname: String,
    /// Last name.
    #[arg(long, default_value = "")]
    lastname: String,
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// Password [default: read from standard input].
    #[arg(long)]
    password: Option<String>,
}

impl Users {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let Verb::Create { role, person } = self.verb;
        person.create(role)
    }
}

impl Person {
    /// Creates the user with a role.
    pub fn create(self, role: String) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let password = password(self.password)?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let user = NewUser {
                username: self.username,
                first_name: self.firstname,
                last_name: self.lastname,
                email: self.email,
                password,
                role,
            };
            let name = user.username.clone();
            let id = create_user(&db, user).await?;
            tracing::info!(id, user = name, "user created");
            Ok(())
        })
    }
}

/// The given password, or a line of standard input: not in the list of processes, not in the shell's history.
pub fn password(given: Option<String>) -> Result<String, StartError> {
    let password = match given {
        Some(password) => password,
        None => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if password.is_empty() {
        Err("a password is needed: --password or a line on standard input".into())
    } else {
        Ok(password)
    }
}
