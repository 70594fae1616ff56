//! `liteset fab`: Flask-AppBuilder's commands under their names, with their answers (`flask_appbuilder.cli`). What goes
//! wrong with a user is said on standard output and is no failure, as there.

use std::path::{Path, PathBuf};

use commands::{
    fab::{self, Change},
    user_admin::{self, NewUser},
};
use infra::{db::Db, json};

use super::{
    Common, ask, block_on,
    refused::{self, Refused},
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
    /// Creates an admin user.
    CreateAdmin(CreateAdmin),
    /// Create a user.
    CreateUser(CreateUser),
    /// Resets a user's password.
    ResetPassword(ResetPassword),
    /// List all users on the database.
    ListUsers(Common),
    /// List all registered views.
    ListViews(Common),
    /// Exports roles with permissions and view menus to JSON file.
    ExportRoles(ExportRoles),
    /// Imports roles with permissions and view menus from JSON file.
    ImportRoles(ImportRoles),
    /// Creates all permissions and add them to the ADMIN Role.
    CreatePermissions(Common),
    /// Cleanup unused permissions from views and roles.
    SecurityCleanup(Common),
    /// Converges security deletes previous_class_permission_name.
    SecurityConverge(SecurityConverge),
    /// Flask-AppBuilder package version.
    Version(Common),
    #[command(hide = true)]
    CreateDb(Refused),
    #[command(hide = true)]
    CreateApp(Refused),
    #[command(hide = true)]
    CreateAddon(Refused),
    #[command(hide = true)]
    CollectStatic(Refused),
    #[command(hide = true)]
    BabelExtract(Refused),
    #[command(hide = true)]
    BabelCompile(Refused),
}

impl Fab {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        match self.verb {
            Verb::CreateAdmin(verb) => verb.run(),
            Verb::CreateUser(verb) => verb.run(),
            Verb::ResetPassword(verb) => verb.run(),
            Verb::ListUsers(common) => list_users(&common),
            Verb::ListViews(_) => ask::say(&(headline("List of registered views") + fab::VIEWS)),
            Verb::ExportRoles(verb) => verb.run(),
            Verb::ImportRoles(verb) => verb.run(),
            Verb::CreatePermissions(common) => create_permissions(&common),
            Verb::SecurityCleanup(common) => cleanup(&common),
            Verb::SecurityConverge(verb) => verb.run(),
            Verb::Version(_) => ask::say(&format!("F.A.B Version: {}.\n", fab::VERSION)),
            Verb::CreateDb(_) => refused::because("`liteset db upgrade` makes the tables"),
            Verb::CreateApp(_) | Verb::CreateAddon(_) => {
                refused::because("liteset is no framework: it has no skeleton of an application")
            }
            Verb::CollectStatic(_) => refused::because("liteset has no static files of Flask-AppBuilder"),
            Verb::BabelExtract(_) | Verb::BabelCompile(_) => {
                refused::because("translations are part of the program and not made here")
            }
        }
    }
}

fn headline(title: &str) -> String {
    format!("{title}\n{}\n", "-".repeat(title.len()))
}

/// Creates a user and says so, or says that it failed; the log has the reason. Either way the verb ends with 0.
async fn create(db: &Db, user: NewUser, created: &str, failed: &str) -> Result<(), StartError> {
    let username = user.username.clone();
    match user_admin::create_user(db, user).await {
        Ok(_) => ask::say(&format!("{created} {username} created.\n")),
        Err(error) => {
            tracing::error!("{error}");
            ask::say(&format!("{failed}\n"))
        }
    }
}

/// Options of `fab create-admin`.
#[derive(Debug, clap::Args)]
struct CreateAdmin {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    firstname: Option<String>,
    #[arg(long)]
    lastname: Option<String>,
    #[arg(long)]
    email: Option<String>,
    /// Password [default: asked for, or a line of standard input].
    #[arg(long)]
    password: Option<String>,
}

impl CreateAdmin {
    fn run(self) -> Result<(), StartError> {
        let username = ask::text(self.username, "Username", Some("admin"))?;
        let first_name = ask::text(self.firstname, "User first name", Some("admin"))?;
        let last_name = ask::text(self.lastname, "User last name", Some("user"))?;
        let email = ask::text(self.email, "Email", Some("admin@fab.org"))?;
        let password = ask::new_password(self.password)?;
        let loaded = self.common.load()?;
        let kind = match loaded.config.int("AUTH_TYPE") {
            Some(1) => "Database Authentications",
            Some(2) => "LDAP Authentication",
            Some(3) => "WebServer REMOTE_USER Authentication",
            Some(4) => "OAuth Authentication",
            _ => "No Auth method",
        };
        let role = loaded.config.str("AUTH_ROLE_ADMIN").to_owned();
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            ask::say(&format!("Recognized {kind}.\n"))?;
            if user_admin::is_taken(&db, &username, &email).await? {
                return ask::say(&format!("Error! User already exists {username}\n"));
            }
            let user = NewUser { username, first_name, last_name, email, password, role };
            create(&db, user, "Admin User", "No user created an error occurred").await
        })
    }
}

/// Options of `fab create-user`.
#[derive(Debug, clap::Args)]
struct CreateUser {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    role: Option<String>,
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    firstname: Option<String>,
    #[arg(long)]
    lastname: Option<String>,
    #[arg(long)]
    email: Option<String>,
    /// Password [default: asked for, or a line of standard input].
    #[arg(long)]
    password: Option<String>,
}

impl CreateUser {
    fn run(self) -> Result<(), StartError> {
        let role = ask::text(self.role, "Role", Some("Public"))?;
        let username = ask::text(self.username, "Username", None)?;
        let first_name = ask::text(self.firstname, "User first name", None)?;
        let last_name = ask::text(self.lastname, "User last name", None)?;
        let email = ask::text(self.email, "Email", None)?;
        let password = ask::new_password(self.password)?;
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            if user_admin::is_taken(&db, &username, &email).await? {
                return ask::say(&format!("Error! User already exists {username}\n"));
            }
            if !user_admin::has_role(&db, &role).await? {
                return ask::say(&format!("Error! Role not found {role}\n"));
            }
            let user = NewUser { username, first_name, last_name, email, password, role };
            create(&db, user, "User", "Error! No user created").await
        })
    }
}

/// Options of `fab reset-password`.
#[derive(Debug, clap::Args)]
struct ResetPassword {
    #[command(flatten)]
    common: Common,
    /// Resets the password for a particular user.
    #[arg(long)]
    username: Option<String>,
    /// The new password [default: asked for, or a line of standard input].
    #[arg(long)]
    password: Option<String>,
}

impl ResetPassword {
    fn run(self) -> Result<(), StartError> {
        let username = ask::text(self.username, "The username", Some("admin"))?;
        let password = ask::new_password(self.password)?;
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            if !user_admin::exists(&db, &username).await? {
                return ask::say(&format!("User {username} not found.\n"));
            }
            user_admin::reset_password(&db, &username, password).await?;
            ask::say(&format!("User {username} reseted.\n"))
        })
    }
}

fn list_users(common: &Common) -> Result<(), StartError> {
    let loaded = common.load()?;
    block_on(async {
        let db = app::connect(&loaded.config).await?;
        let mut text = headline("List of users");
        for user in user_admin::list(&db).await? {
            let roles = user.roles.join(", ");
            text.push_str(&format!("username:{} | email:{} | role:[{roles}]\n", user.username, user.email));
        }
        ask::say(&text)
    })
}

/// Options of `fab export-roles`.
#[derive(Debug, clap::Args)]
struct ExportRoles {
    #[command(flatten)]
    common: Common,
    /// Specify filepath to export roles to.
    #[arg(long)]
    path: Option<PathBuf>,
    /// Specify indent of generated JSON file.
    #[arg(long, allow_hyphen_values = true)]
    indent: Option<String>,
}

impl ExportRoles {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let stamp = chrono::Local::now().format("%Y%m%dT%H%M%S");
        let path = self.path.unwrap_or_else(|| PathBuf::from(format!("roles_export_{stamp}.json")));
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            let roles = fab::export(&db).await?;
            let text = match self.indent {
                None => json::dumps(&roles),
                Some(indent) => {
                    let spaces = indent.parse::<i64>().map(|n| usize::try_from(n).unwrap_or(0).min(64));
                    json::dumps_indented(&roles, &spaces.map_or(indent, |n| " ".repeat(n)))
                }
            };
            std::fs::write(&path, text).map_err(|e| of_file(&path, &e))
        })
    }
}

fn of_file(path: &Path, error: &std::io::Error) -> StartError {
    format!("{}: {error}", path.display()).into()
}

/// Options of `fab import-roles`.
#[derive(Debug, clap::Args)]
struct ImportRoles {
    #[command(flatten)]
    common: Common,
    /// Path to a JSON file containing roles.
    #[arg(long, short)]
    path: PathBuf,
}

impl ImportRoles {
    fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let text = std::fs::read(&self.path).map_err(|e| of_file(&self.path, &e))?;
        let roles = serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", self.path.display()))?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            Ok(fab::import(&db, roles).await?)
        })
    }
}

fn create_permissions(common: &Common) -> Result<(), StartError> {
    let loaded = common.load()?;
    block_on(async {
        let db = app::connect(&loaded.config).await?;
        fab::create_permissions(&db, &loaded.config).await?;
        ask::say("Created all permissions\n")
    })
}

fn cleanup(common: &Common) -> Result<(), StartError> {
    let loaded = common.load()?;
    block_on(async {
        let db = app::connect(&loaded.config).await?;
        fab::cleanup(&db).await?;
        ask::say("Finished security cleanup\n")
    })
}

/// Options of `fab security-converge`.
#[derive(Debug, clap::Args)]
struct SecurityConverge {
    #[command(flatten)]
    common: Common,
    /// Dry run & print state transitions.
    #[arg(long, short)]
    dry_run: bool,
}

impl SecurityConverge {
    fn run(self) -> Result<(), StartError> {
        if self.dry_run {
            return ask::say(&transitions());
        }
        let loaded = self.common.load()?;
        block_on(async {
            let db = app::connect(&loaded.config).await?;
            fab::converge(&db).await?;
            ask::say("Finished security converge\n")
        })
    }
}

/// As Python prints dictionaries and tuples.
fn transitions() -> String {
    let pair = |(view, permission): (&str, &str)| format!("('{view}', '{permission}')");
    let mut parts = ["Add to Roles:", "Del from Roles:", "Remove views:", "Remove permissions:"]
        .map(|title| format!("{title}\n"));
    for change in fab::changes() {
        let (part, line) = match change {
            Change::Add(old, new) => {
                let new = new.into_iter().map(pair).collect::<Vec<_>>().join(", ");
                (0, format!("Where {} add {{{new}}}", pair(old)))
            }
            Change::Revoke(view, permission) => (1, pair((view, permission))),
            Change::View(name) => (2, name.to_owned()),
            Change::Permission(name) => (3, name.to_owned()),
        };
        if let Some(text) = parts.get_mut(part) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    format!("Computed security converge:\n{}", parts.concat())
}
