//! `liteset version`, as Superset prints it, and what this binary was made from.

use infra::engine_specs::url::Url;

use super::{Common, ask};
use crate::app::StartError;

/// The version of Superset whose place this takes.
const SUPERSET: &str = "6.0.0";

/// What `--version` prints behind the name. There is no time in it: the same source makes the same binary.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nSuperset 6.0.0\ncommit   ",
    env!("LITESET_COMMIT"),
    "\ntarget   ",
    env!("LITESET_TARGET"),
    "\nprofile  ",
    env!("LITESET_PROFILE"),
    "\nfeatures ",
    env!("LITESET_FEATURES"),
);

/// Options of `version`.
#[derive(Debug, clap::Args)]
pub struct Version {
    #[command(flatten)]
    common: Common,
    /// Show extra information.
    #[arg(long, short)]
    verbose: bool,
}

impl Version {
    /// Prints the current version number.
    pub fn run(self) -> Result<(), StartError> {
        let line = "-=".repeat(15);
        let mut text =
            format!("\u{1b}[34m{line}\n\u{1b}[33mSuperset \u{1b}[36m{SUPERSET}\n\u{1b}[34m{line}\n");
        if self.verbose {
            let loaded = self.common.load()?;
            let uri = loaded.config.str("SQLALCHEMY_DATABASE_URI");
            let shown = Url::parse(uri).map(|mut url| {
                if url.password.is_some() {
                    url.password = Some("***".to_owned());
                }
                url.text()
            });
            text.push_str(&format!("[DB] : Engine({})\n", shown.unwrap_or_default()));
        }
        ask::say(&(text + "\u{1b}[0m\n"))
    }
}
