//! Where the configuration comes from: defaults < file < environment < flags.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use serde_json::Value;

use super::{Config, honoured, python, secrets};

/// What the command line and the process give.
#[derive(Debug, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--home`.
    pub home: Option<PathBuf>,
    /// The process environment.
    pub environment: HashMap<String, String>,
    /// Keys given as flags.
    pub flags: IndexMap<String, Value>,
}

/// The configuration and what there is to say about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration in force.
    pub config: Config,
    /// The data directory.
    pub home: PathBuf,
    /// The metadata database is liteset's own, in the data directory: it may be created.
    pub own_database: bool,
    /// Things to tell the operator, each once.
    pub warnings: Vec<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file is not what its name promises.
    #[error("{}, line {line}: {text}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// The parser's sentence.
        text: String,
    },
    /// A key that liteset honours has a value that would have to be computed by Python.
    #[error(
        "{}, line {line}: {key}: {text}. liteset reads the file and does not run it: write the value literally, \
         or set LITESET_{key} in the environment", path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// The configuration key.
        key: String,
        /// What could not be read.
        text: String,
    },
    /// A secret that anybody can know.
    #[error("{0}")]
    WeakSecret(String),
    /// Neither `--home` nor `SUPERSET_HOME` nor `HOME` is there.
    #[error("no data directory: give --home or set SUPERSET_HOME")]
    NoHome,
}

/// Variables that Superset 6.0.0 reads besides its secret and feature flags, and the keys that they set.
const VARIABLES: &[(&str, &str)] = &[
    ("SUPERSET_SECRET_KEY", "SECRET_KEY"),
    ("SUPERSET__SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URI"),
    ("SUPERSET__SQLALCHEMY_EXAMPLES_URI", "SQLALCHEMY_EXAMPLES_URI"),
    ("MAPBOX_API_KEY", "MAPBOX_API_KEY"),
    ("TALISMAN_ENABLED", "TALISMAN_ENABLED"),
    ("SUPERSET_APP_ROOT", "APPLICATION_ROOT"),
];

/// `LITESET_…` variables that are not configuration keys.
const OWN_VARIABLES: &[&str] =
    &["LITESET_LOG", "LITESET_ADMIN_PASSWORD", "LITESET_ASSETS_SOURCE", "LITESET_CONFIG"];

/// Loads the configuration.
pub fn load(sources: Sources) -> Result<Loaded, ConfigError> {
    let environment = &sources.environment;
    let home = data_directory(&sources)?;
    let mut warnings = Vec::new();
    let defaults = Config::defaults();
    let mut values = IndexMap::new();
    values.insert("DATA_DIR".to_owned(), Value::from(home.to_string_lossy().into_owned()));

    let given = sources.file.clone().or_else(|| environment.get("SUPERSET_CONFIG_PATH").map(PathBuf::from));
    let own_file = home.join("liteset.toml");
    match given {
        Some(path) => values.extend(read_file(&path, environment, &defaults, &mut warnings)?),
        None if own_file.exists() => {
            values.extend(read_file(&own_file, environment, &defaults, &mut warnings)?)
        }
        None => {}
    }
    let mut flags =
        values.swap_remove("FEATURE_FLAGS").and_then(|v| v.as_object().cloned()).unwrap_or_default();
    apply_environment(environment, &defaults, &mut values, &mut flags, &mut warnings);
    values.insert("FEATURE_FLAGS".into(), Value::Object(flags));
    values.extend(sources.flags);

    let own_database = !values.contains_key("SQLALCHEMY_DATABASE_URI");
    if own_database {
        let uri = format!("sqlite:///{}", home.join("superset.db").display());
        values.insert("SQLALCHEMY_DATABASE_URI".into(), uri.into());
    }
    // liteset's own key: a copied cookie must not outlive the log-out. An adopted installation keeps Superset's
    // behaviour, whose sessions it shares, unless it asks for ours.
    values.entry("SESSION_REVOKE_ON_LOGOUT".into()).or_insert(Value::Bool(own_database));
    secrets::check(&values)?;
    if own_database || values.get("SECRET_KEY").is_some_and(|v| v.as_str().is_some_and(|s| !s.is_empty())) {
        secrets::fill(&home, own_database, &mut values)?;
    } else {
        return Err(ConfigError::WeakSecret(
            "SECRET_KEY is not set. It decrypts the passwords in the metadata database and signs its sessions: \
             put the SECRET_KEY of that installation into the configuration file or into SUPERSET_SECRET_KEY"
                .into(),
        ));
    }
    let config = Config::over(defaults, values);
    Ok(Loaded { config, home, own_database, warnings })
}

fn data_directory(sources: &Sources) -> Result<PathBuf, ConfigError> {
    let environment = &sources.environment;
    sources
        .home
        .clone()
        .or_else(|| environment.get("SUPERSET_HOME").map(PathBuf::from))
        .or_else(|| environment.get("HOME").map(|h| Path::new(h).join(".liteset")))
        .map(|p| std::path::absolute(&p).unwrap_or(p))
        .ok_or(ConfigError::NoHome)
}

fn read_file(
    path: &Path,
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<IndexMap<String, Value>, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.into(), source })?;
    let values = if path.extension().is_some_and(|e| e == "toml") {
        read_toml(path, &text)?
    } else {
        read_python(path, &text, environment, defaults, warnings)?
    };
    for key in values.keys().filter(|k| !defaults.contains_key(*k) && !honoured::is(k)) {
        warnings
            .push(format!("{}: {key} is not a key of Superset 6.0.0 or liteset: ignored", path.display()));
    }
    Ok(values)
}

fn read_toml(path: &Path, text: &str) -> Result<IndexMap<String, Value>, ConfigError> {
    let syntax = |line, text| ConfigError::Syntax { path: path.into(), line, text };
    let table: toml::Table = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |s| text.get(..s.start).map_or(1, |t| t.matches('\n').count() + 1));
        syntax(line, e.message().to_owned())
    })?;
    match serde_json::to_value(table) {
        Ok(Value::Object(map)) => Ok(map.into_iter().collect()),
        Ok(_) => Ok(IndexMap::new()),
        Err(e) => Err(syntax(1, e.to_string())),
    }
}

fn read_python(
    path: &Path,
    text: &str,
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<IndexMap<String, Value>, ConfigError> {
    let read = python::read(text, environment, defaults).map_err(|p| ConfigError::Syntax {
        path: path.into(),
        line: p.line,
        text: p.text,
    })?;
    for problem in read.problems {
        let python::Problem { line, key, text } = problem;
        let overridden = |key: &str| environment.contains_key(&format!("LITESET_{key}"));
        match key {
            // a place that liteset cannot reach is no reason not to start: results are kept in this process
            Some(key) if honoured::is(&key) && !overridden(&key) && key != "RESULTS_BACKEND" => {
                return Err(ConfigError::Unreadable { path: path.into(), line, key, text });
            }
            Some(key) => warnings.push(format!("{}, line {line}: {key}: {text}; ignored", path.display())),
            None => warnings.push(format!("{}, line {line}: {text}", path.display())),
        }
    }
    Ok(read.values)
}

fn apply_environment(
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Value>,
    values: &mut IndexMap<String, Value>,
    flags: &mut serde_json::Map<String, Value>,
    warnings: &mut Vec<String>,
) {
    let truthy =
        |text: &str| matches!(text.to_ascii_lowercase().as_str(), "y" | "yes" | "t" | "true" | "on" | "1");
    for (variable, key) in VARIABLES {
        if let Some(text) = environment.get(*variable).filter(|t| !t.is_empty()) {
            values.insert((*key).to_owned(), typed(text, defaults.get(*key)));
        }
    }
    if environment.get("SUPERSET_ENV").is_some_and(|v| v == "production") {
        values.entry("RATELIMIT_ENABLED".into()).or_insert(Value::Bool(true));
    }
    if let Some(text) = environment.get("FLASK_DEBUG") {
        values.insert("DEBUG".into(), Value::Bool(truthy(text)));
    }
    let mut names: Vec<_> = environment.keys().collect();
    names.sort();
    for name in names {
        let text = environment.get(name).map_or("", String::as_str);
        if let Some(flag) = name.strip_prefix("SUPERSET_FEATURE_") {
            flags.insert(flag.to_owned(), Value::Bool(truthy(text)));
        } else if let Some(key) =
            name.strip_prefix("LITESET_").filter(|_| !OWN_VARIABLES.contains(&name.as_str()))
        {
            if !defaults.contains_key(key) && !honoured::is(key) {
                warnings.push(format!("{name}: {key} is not a key of Superset 6.0.0 or liteset: ignored"));
                continue;
            }
            let value = typed(text, defaults.get(key));
            match value {
                Value::Object(map) if key == "FEATURE_FLAGS" => flags.extend(map),
                value => {
                    values.insert(key.to_owned(), value);
                }
            }
        }
    }
}

/// A variable's text as the type that the default has: text stays text, the rest is JSON or a Python literal.
fn typed(text: &str, default: Option<&Value>) -> Value {
    if matches!(default, Some(Value::String(_))) {
        return Value::String(text.to_owned());
    }
    match text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}
