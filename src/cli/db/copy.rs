//! `liteset db copy`: the installation moves to another database.

use std::io::Write as _;

use infra::db::{Db as Pool, DbUri, migrate};

use super::super::{Common, block_on, progress::Line};
use crate::app::StartError;

/// Options of `db copy`.
#[derive(Debug, clap::Args)]
pub struct Copy {
    #[command(flatten)]
    common: Common,
    /// Where to: a SQLAlchemy URI like that of SQLALCHEMY_DATABASE_URI, of a new file or an empty database.
    #[arg(long, value_name = "URI", env = "LITESET_COPY_TO", hide_env_values = true)]
    to: String,
    /// Print tables and rows as JSON.
    #[arg(long)]
    json: bool,
}

impl Copy {
    /// Runs the verb.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        block_on(async {
            let uri: DbUri = loaded.config.str("SQLALCHEMY_DATABASE_URI").parse()?;
            let to: DbUri = self.to.parse()?;
            if let Some(refusal) = migrate::inspect(&uri).await?.refusal() {
                return Err(refusal.into());
            }
            let from = Pool::connect(&uri, 2).await?;
            let mut line = Line::new();
            let mut progress = |verb: &str, table: &str, rows: u64| {
                line.show(|| format!("{table}: {rows} rows {verb}"));
            };
            let copied = commands::db_copy::copy(&from, &to, &mut progress).await?;
            drop(line);
            for table in &copied.left_out {
                tracing::info!(table, "not a table of Superset: left out");
            }
            let mut text = String::new();
            if self.json {
                let tables: serde_json::Map<_, _> =
                    copied.tables.iter().map(|(name, rows)| (name.clone(), (*rows).into())).collect();
                text = serde_json::to_string_pretty(&tables)? + "\n";
            } else {
                for (name, rows) in copied.tables.iter().filter(|(_, rows)| *rows > 0) {
                    text.push_str(&format!("{rows:>10}  {name}\n"));
                }
            }
            std::io::stdout().write_all(text.as_bytes())?;
            tracing::info!(
                tables = copied.tables.len(),
                rows = copied.rows(),
                "copied and compared: set SQLALCHEMY_DATABASE_URI to the new database"
            );
            Ok(())
        })
    }
}
