//! `liteset routes` and `update-api-docs`: what is served.

use super::{Common, ask};
use crate::app::StartError;

/// Options of `routes`.
#[derive(Debug, clap::Args)]
pub struct Routes {
    #[command(flatten)]
    common: Common,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Routes {
    /// Prints every route that is served with this configuration.
    pub fn run(self) -> Result<(), StartError> {
        let config = self.common.load()?.config;
        let table = web::router::table_of(&config);
        let mut rules: Vec<(&str, String, &str)> =
            table.rules().map(|rule| (rule.rule.as_str(), rule.methods.join(", "), rule.endpoint)).collect();
        rules.sort();
        if self.json {
            let listed: Vec<_> = rules
                .iter()
                .map(|(rule, methods, endpoint)| {
                    serde_json::json!({"rule": rule, "methods": methods, "endpoint": endpoint})
                })
                .collect();
            return ask::say(&(serde_json::to_string_pretty(&listed)? + "\n"));
        }
        let mut text = format!("{:<44} {:<12} {}\n", "Endpoint", "Methods", "Rule");
        for (rule, methods, endpoint) in rules {
            text.push_str(&format!("{endpoint:<44} {methods:<12} {rule}\n"));
        }
        ask::say(&text)
    }
}
