//! `liteset users`: accounts.

use commands::user_admin::{self, NewUser, create_user};

use super::{Common, ask, block_on};
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
    Create(Create),
    /// List all users with their roles.
    List(List),
    /// Delete a user who owns and has made nothing.
    Delete(Delete),
    /// Set a user's password; every log-in of the user ends.
    SetPassword(SetPassword),
    /// Give a user these roles and no others.
    SetRoles(SetRoles),
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    common: Common,
    /// Role of the user.
    #[arg(long, default_value = "Gamma")]
    role: String,
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
    /// Password [default: asked for, or a line of standard input].
    #[arg(long)]
    password: Option<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    common: Common,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Delete {
    #[command(flatten)]
    common: Common,
    /// Login name.
    username: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct SetPassword {
    #[command(flatten)]
    common: Common,
    /// Login name.
    username: String,
    /// The new password [default: asked for, or a line of standard input].
    #[arg(long)]
    password: Option<String>,
}

#[derive(Debug, clap::Args)]
struct SetRoles {
    #[command(flatten)]
    common: Common,
    /// Login name.
    username: String,
    /// Names of roles; none takes all away.
    roles: Vec<String>,
}

impl Users {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        match self.verb {
            Verb::Create(verb) => verb.run(),
            Verb::List(verb) => verb.run(),
            Verb::Delete(verb) => verb.run(),
            Verb::SetPassword(verb) => verb.run(),
            Verb::SetRoles(verb) => verb.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), StartError> {
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
                role: self.role,
            };
            let name = user.username.clone();
            let id = create_user(&db, user).await?;
            tracing::info!(id, user = name, "user created");
            Ok(())
        })
    }
}

impl List {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let users = user_admin::list(&db).await?;
            if self.json {
                return ask::say(&(serde_json::to_string_pretty(&users)? + "\n"));
            }
            let mut text = String::new();
            for user in users {
                let (name, email, roles) = (user.username, user.email, user.roles.join(", "));
                let off = if user.active { "" } else { "  (may not log in)" };
                text.push_str(&format!("{:>5}  {name:<24} {email:<32} {roles}{off}\n", user.id));
            }
            ask::say(&text)
        })
    }
}

impl Delete {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        if !self.yes && !ask::confirm(&format!("Delete the user {}?", self.username))? {
            return Err(ask::Aborted.into());
        }
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            user_admin::delete(&db, &self.username, loaded.config.str("AUTH_ROLE_ADMIN")).await?;
            tracing::info!(user = self.username, "user deleted");
            Ok(())
        })
    }
}

impl SetPassword {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let password = password(self.password)?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            user_admin::reset_password(&db, &self.username, password).await?;
            tracing::info!(user = self.username, "password set");
            Ok(())
        })
    }
}

impl SetRoles {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            user_admin::set_roles(&db, &self.username, &self.roles).await?;
            tracing::info!(user = self.username, roles = self.roles.join(", "), "roles set");
            Ok(())
        })
    }
}

/// A password that is not empty: given, typed, or a line of standard input.
fn password(given: Option<String>) -> Result<String, StartError> {
    match given {
        Some(given) if given.is_empty() => Err("a password is needed".into()),
        given => ask::new_password(given),
    }
}
