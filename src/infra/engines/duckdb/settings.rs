//! What a connection may set: of DuckDB's options those that reach no file, no network and no code.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engines::{Source, error::EngineError};

/// Settings that are passed on to DuckDB, by all their names.
const PASSED: &[&str] = &[
    "default_null_order",
    "default_order",
    "max_memory",
    "max_temp_directory_size",
    "memory_limit",
    "null_order",
    "preserve_insertion_order",
    "schema",
    "search_path",
    "threads",
    "worker_threads",
];

/// Memory of one database unless its connection says otherwise; DuckDB would take most of the machine's.
const MEMORY: &str = "2GB";
/// Threads of one database unless its connection says otherwise.
const THREADS: usize = 4;

/// How a database is opened.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    /// Names and values for `SET`.
    pub set: Vec<(String, String)>,
    /// Directories whose files are tables: those that the connection asks for and the operator offers.
    pub directories: Vec<PathBuf>,
    /// Where large intermediate results go; without it they fail above the memory limit.
    pub temp_directory: Option<PathBuf>,
    /// The connection refuses to write.
    pub read_only: bool,
    /// Sent to MotherDuck by the original, shown by `PRAGMA user_agent`.
    pub user_agent: Option<String>,
}

impl Settings {
    /// The options of the connection string over those of `connect_args.config`. `offered` are the directories of
    /// the operator, `metadata` is a file that none of them may hold.
    pub fn read(source: &Source, metadata: Option<&Path>, offered: &[PathBuf]) -> Result<Self, EngineError> {
        let mut settings = Self { read_only: truthy(source.option("read_only")), ..Self::default() };
        let config = source.arguments.get("config").and_then(Value::as_object).into_iter().flatten();
        let known = ["config", "database", "read_only"];
        if let Some(other) = source.arguments.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(forbidden(other));
        }
        for (key, value) in config {
            settings.take(key, &texts(value), metadata, offered)?;
        }
        for (key, value) in source.url.query.iter().filter(|(k, _)| k != "read_only") {
            settings.take(key, std::slice::from_ref(value), metadata, offered)?;
        }
        let has = |names: &[&str]| settings.set.iter().any(|(k, _)| names.contains(&k.as_str()));
        let (memory, threads) = (has(&["memory_limit", "max_memory"]), has(&["threads", "worker_threads"]));
        if !memory {
            settings.set.push(("memory_limit".to_owned(), MEMORY.to_owned()));
        }
        if !threads {
            let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
            settings.set.push(("threads".to_owned(), threads.to_string()));
        }
        Ok(settings)
    }

    fn take(
        &mut self,
        key: &str,
        values: &[String],
        metadata: Option<&Path>,
        offered: &[PathBuf],
    ) -> Result<(), EngineError> {
        let one = || values.first().cloned().unwrap_or_default();
        let key = key.to_lowercase();
        match key.as_str() {
            "access_mode" => self.read_only = one().eq_ignore_ascii_case("read_only"),
            "custom_user_agent" => self.user_agent = Some(one()),
            "allowed_directories" => {
                let all: Result<_, _> = values.iter().map(|v| within(v, metadata, offered)).collect();
                self.directories = all?;
            }
            "temp_directory" => {
                self.temp_directory =
                    if one().is_empty() { None } else { Some(within(&one(), metadata, offered)?) };
            }
            // what these are set to here cannot be loosened, and asking for it is no mistake
            "autoinstall_known_extensions" | "autoload_known_extensions" | "enable_external_access"
                if !truthy(Some(one())) => {}
            "lock_configuration" if truthy(Some(one())) => {}
            key if PASSED.contains(&key) => {
                self.set.retain(|(known, _)| known != key);
                self.set.push((key.to_owned(), one()));
            }
            _ => return Err(forbidden(&key)),
        }
        Ok(())
    }
}

fn forbidden(key: &str) -> EngineError {
    EngineError::Uri(format!("DuckDB's setting \"{key}\" cannot be made by a connection"))
}

fn truthy(text: Option<String>) -> bool {
    text.is_some_and(|t| matches!(t.to_lowercase().as_str(), "true" | "1" | "yes" | "on"))
}

/// A value of the configuration as texts; only lists have several.
fn texts(value: &Value) -> Vec<String> {
    let one = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match value {
        Value::Array(all) => all.iter().map(one).collect(),
        other => vec![one(other)],
    }
}

/// A directory that lies in one of those that the operator offers, without detours, and does not hold the metadata
/// database.
fn within(path: &str, metadata: Option<&Path>, offered: &[PathBuf]) -> Result<PathBuf, EngineError> {
    let refused = || {
        EngineError::Uri(format!(
            "the directory \"{path}\" is not offered to DuckDB: DUCKDB_FILE_DIRECTORIES of the configuration names \
             those that are"
        ))
    };
    let real = std::fs::canonicalize(path).map_err(|_| refused())?;
    let inside = offered.iter().filter_map(|o| std::fs::canonicalize(o).ok()).any(|o| real.starts_with(o));
    let holds = metadata.and_then(|m| std::fs::canonicalize(m).ok()).is_some_and(|m| m.starts_with(&real));
    if real.is_dir() && inside && !holds { Ok(real) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine_specs::url::Url;

    fn read(
        uri: &str,
        config: Value,
        offered: &[PathBuf],
        metadata: Option<&Path>,
    ) -> Result<Settings, String> {
        let arguments = json!({"config": config}).as_object().cloned().unwrap();
        let source = Source { url: Url::parse(uri).unwrap(), arguments, ..Source::default() };
        Settings::read(&source, metadata, offered).map_err(|e| e.to_string())
    }

    #[test]
    fn only_harmless_settings() {
        let found =
            read("duckdb:///x?threads=2&access_mode=READ_ONLY", json!({"memory_limit": "1GB"}), &[], None);
        let found = found.unwrap();
        assert!(found.read_only);
        let set: Vec<String> = found.set.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(set, ["memory_limit=1GB", "threads=2"]);
        for wrong in [
            json!({"allow_unsigned_extensions": true}),
            json!({"enable_external_access": true}),
            json!({"custom_extension_repository": "http://h"}),
            json!({"secret_directory": "/tmp"}),
            json!({"home_directory": "/tmp"}),
            json!({"log_query_path": "/tmp/x"}),
            json!({"lock_configuration": false}),
            json!({"extension_directory": "/tmp"}),
        ] {
            assert!(read("duckdb:///x", wrong.clone(), &[], None).is_err(), "{wrong}");
        }
        let source = Source {
            url: Url::parse("duckdb:///x").unwrap(),
            arguments: json!({"preload_extensions": ["httpfs"]}).as_object().cloned().unwrap(),
            ..Source::default()
        };
        assert!(Settings::read(&source, None, &[]).is_err());
    }

    #[test]
    fn directories_that_the_operator_offers() {
        let root = std::env::temp_dir().join(format!("liteset-duckdb-dirs-{}", std::process::id()));
        let (files, home) = (root.join("files/deep"), root.join("home"));
        std::fs::create_dir_all(&files).unwrap();
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("meta.db"), b"").unwrap();
        let (offered, metadata) = ([root.join("files"), home.clone()], home.join("meta.db"));
        let ask = |dir: &Path| {
            read("duckdb://", json!({"allowed_directories": [dir.to_str()]}), &offered, Some(&metadata))
        };
        assert_eq!(ask(&files).unwrap().directories, [std::fs::canonicalize(&files).unwrap()]);
        assert!(ask(&home).is_err(), "it holds the metadata database");
        assert!(ask(&root).is_err(), "it is not offered");
        assert!(ask(&root.join("files/../home")).is_err());
        assert!(ask(Path::new("/nowhere")).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
