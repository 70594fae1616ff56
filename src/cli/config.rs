//! `liteset config`: what the configuration is, without starting anything.

use clap::Subcommand;
use infra::config::{Config as Configuration, Loaded};

use super::Common;
use crate::app::StartError;

/// Options of `config`.
#[derive(Debug, clap::Args)]
pub struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what a start would say about the configuration: what stops it, and what has no effect.
    Check(Check),
    /// Say the value of a key, where it comes from and what becomes of it.
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// The key, such as ROW_LIMIT.
    key: String,
    #[command(flatten)]
    common: Common,
}

/// Parts of names of keys whose values are not printed.
const SECRETS: &[&str] = &[
    "SECRET",
    "PASSWORD",
    "TOKEN",
    "PRIVATE",
    "API_KEY",
    "OAUTH",
    "_URI",
    "REDIS",
    "CACHE_CONFIG",
    "TLS_KEY",
];

impl Config {
    /// Says it on standard output; the log has nothing more.
    pub fn run(self) -> Result<(), StartError> {
        match self.verb {
            Verb::Check(verb) => {
                let loaded = verb.common.read(false)?;
                let says = if loaded.warnings.is_empty() { "" } else { "; a start would say this much:" };
                println(&format!("The configuration is good{says}"));
                loaded.warnings.iter().for_each(|warning| println(&format!("- {warning}")));
                Ok(())
            }
            Verb::Explain(verb) => {
                let loaded = verb.common.read(false)?;
                explain(&verb.key, &loaded);
                Ok(())
            }
        }
    }
}

fn explain(key: &str, loaded: &Loaded) {
    let config = &loaded.config;
    let is_secret = SECRETS.iter().any(|part| key.contains(part));
    let value = match (config.function(key), config.get(key)) {
        (Some(_), _) => "a function".to_owned(),
        (None, value) if is_secret && !value.is_null() && value.as_str() != Some("") => {
            "(not shown)".to_owned()
        }
        (None, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    println(&format!("{key} = {value}\nfrom {}\n{}", config.origin(key), Configuration::meaning(key)));
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn println(text: &str) {
    println!("{text}");
}
