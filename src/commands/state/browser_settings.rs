//! How Chromium is run: `WEBDRIVER_*`, and keys of our own.

use std::{path::PathBuf, time::Duration};

use infra::{browser::BrowserSettings, config::Config};
use serde_json::Value;

/// Pages that are open at the same time, where the configuration names no number: as many as there are processors,
/// and not more than this.
const MOST_PAGES: usize = 4;
/// Megabytes of all processes of Chromium together, where the configuration names no number.
const MAX_MB: u64 = 2_048;
/// Seconds that Chromium stays without anything to do, where the configuration names no number.
const IDLE_SECONDS: u64 = 30;

/// Reads them.
pub(super) fn read(config: &Config) -> BrowserSettings {
    let number = |key: &str| config.int(key).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pages = number("BROWSER_MAX_PAGES").and_then(|n| usize::try_from(n).ok());
    let arguments = config.get("WEBDRIVER_OPTION_ARGS").as_array().into_iter().flatten();
    BrowserSettings {
        program: program(config),
        arguments: arguments.filter_map(Value::as_str).map(str::to_owned).collect(),
        pages: pages.unwrap_or_else(|| cores.clamp(1, MOST_PAGES)).min(64),
        idle: Duration::from_secs(number("BROWSER_IDLE_SECONDS").unwrap_or(IDLE_SECONDS).min(86_400)),
        max_mb: number("BROWSER_MAX_MB").unwrap_or(MAX_MB),
    }
}

/// `CHROMIUM` (`LITESET_CHROMIUM`), else the one that the configuration of a Superset names, if it is one.
fn program(config: &Config) -> Option<PathBuf> {
    let own = config.str("CHROMIUM");
    if !own.is_empty() {
        return Some(own.into());
    }
    let named = config.get("WEBDRIVER_CONFIGURATION").pointer("/options/binary_location")?.as_str()?;
    let file = named.rsplit('/').next().unwrap_or_default().to_lowercase();
    (config.str("WEBDRIVER_TYPE") == "chrome" && file.contains("chrom")).then(|| named.into())
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn program_of(keys: &[(&str, Value)]) -> Option<PathBuf> {
        let keys: IndexMap<_, _> = keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        read(&Config::with(keys)).program
    }

    #[test]
    fn the_program_of_another_browser_is_not_taken() {
        let named = |path: &str| ("WEBDRIVER_CONFIGURATION", json!({"options": {"binary_location": path}}));
        let chrome = ("WEBDRIVER_TYPE", json!("chrome"));
        assert_eq!(program_of(&[named("/opt/chrome"), chrome.clone()]), Some("/opt/chrome".into()));
        assert_eq!(program_of(&[named("/opt/firefox"), chrome.clone()]), None);
        assert_eq!(program_of(&[named("/opt/chrome")]), None);
        assert_eq!(program_of(&[("CHROMIUM", json!("/c")), named("/opt/chrome"), chrome]), Some("/c".into()));
        assert_eq!(program_of(&[]), None);
    }
}
