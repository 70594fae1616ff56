//! `liteset db upgrade`: the schema of an empty metadata database, and that of an older Superset.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use infra::db::{Db as Pool, DbUri, migrate};

use super::super::{Common, block_on};
use crate::app::StartError;

/// Options of `db upgrade`.
#[derive(Debug, clap::Args)]
pub struct Upgrade {
    #[command(flatten)]
    common: Common,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    plan: bool,
    /// There is a backup: make none (SQLite), and go ahead (servers).
    #[arg(long)]
    no_backup: bool,
}

impl Upgrade {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let uri: DbUri = loaded.config.str("SQLALCHEMY_DATABASE_URI").parse()?;
            match migrate::inspect(&uri).await? {
                migrate::SchemaState::Empty if self.plan => {
                    writeln!(
                        std::io::stdout(),
                        "The database is empty: the schema of Superset 6.0.0 is made."
                    )?;
                    return Ok(());
                }
                migrate::SchemaState::Empty => {
                    migrate::create(&Pool::connect(&uri, 2).await?).await?;
                    tracing::info!(revision = migrate::HEAD, "schema created");
                    return Ok(());
                }
                migrate::SchemaState::Foreign => {
                    return Err(migrate::SchemaState::Foreign.refusal().unwrap_or_default().into());
                }
                migrate::SchemaState::Head | migrate::SchemaState::Revision(_) => {}
            }
            let db = Pool::connect_for_schema(&uri).await?;
            let Some(plan) = commands::upgrade::plan(&db).await? else {
                tracing::info!(revision = migrate::HEAD, "nothing to do");
                return Ok(());
            };
            write!(std::io::stdout(), "{plan}")?;
            if self.plan {
                return Ok(());
            }
            match &uri {
                _ if self.no_backup => {}
                DbUri::Sqlite { path } => backup(path).await?,
                _ => {
                    return Err("a backup of the database is needed first: make one with the tools of its server, then \
                                run this command again with --no-backup. Nothing was changed"
                        .into());
                }
            }
            plan.apply(&db, &loaded.config).await?;
            tracing::info!(
                "now run `liteset init`: new pages need permissions that the roles do not have yet"
            );
            Ok(())
        })
    }
}

/// Copies a SQLite file beside itself.
async fn backup(path: &Path) -> Result<(), StartError> {
    let stamp = chrono::Local::now().format("%Y%m%d-%H%M%S");
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".backup-{stamp}"));
    let to = PathBuf::from(name);
    if to.exists() {
        return Err(format!("{} is there already", to.display()).into());
    }
    Pool::copy_sqlite(path, &to).await?;
    tracing::info!(path = %to.display(), "backup made");
    Ok(())
}
