//! Where the configuration comes from: defaults < file < environment < flags.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Config, app_root, checks, engine_options, honoured, keys, python, secrets, sign_in, talisman, tls, types,
};

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
    /// A new installation is begun: its secrets are made and kept. Otherwise nothing is written.
    pub makes_secrets: bool,
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

impl Loaded {
    /// Makes the secrets of a new installation; those that the data directory has are there already.
    pub fn with_secrets(mut self) -> Result<Self, ConfigError> {
        secrets::fill(&self.home, self.own_database, true, &mut self.config.values)?;
        Ok(self)
    }
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
    /// Parts of the configuration cannot be honoured: all of them.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
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
    (app_root::KEY, app_root::KEY),
];

/// `LITESET_…` variables that are not configuration keys.
const OWN_VARIABLES: &[&str] =
    &["LITESET_LOG", "LITESET_ADMIN_PASSWORD", "LITESET_ASSETS_SOURCE", "LITESET_CONFIG", "LITESET_COPY_TO"];

/// What the configuration file gives.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// The file; none was given.
    path: Option<PathBuf>,
    /// The operator named it: it is not the one in liteset's own data directory.
    pub is_named: bool,
    /// Its upper-case names.
    values: IndexMap<String, Value>,
    /// Parts of it that were not understood.
    pub problems: Vec<python::Problem>,
    /// Names that it uses itself.
    pub used: HashSet<String>,
    /// Names of Superset's defaults.
    known: HashSet<String>,
    /// Keys that are functions or hold some.
    pub functions: IndexMap<String, python::Function>,
    /// Where its names got their values.
    origins: HashMap<String, (PathBuf, usize)>,
}

impl Given {
    /// The file's name, for messages.
    pub fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "the environment".to_owned(), |p| p.display().to_string())
    }
    /// The place of a key, for messages.
    pub fn place(&self, key: &str) -> String {
        match self.origins.get(key) {
            Some((file, line)) => format!("{}, line {line}", file.display()),
            None => self.name(),
        }
    }
    /// A key of Superset's defaults.
    pub fn defaults_have(&self, key: &str) -> bool {
        self.known.contains(key)
    }
}

/// Loads the configuration.
pub fn load(sources: Sources) -> Result<Loaded, ConfigError> {
    let environment = &sources.environment;
    let home = data_directory(&sources)?;
    let mut warnings = Vec::new();
    let defaults = Config::defaults();
    let mut values = IndexMap::new();
    values.insert("DATA_DIR".to_owned(), Value::from(home.to_string_lossy().into_owned()));

    let mut given = read_given(&sources, &home, &defaults)?;
    values.extend(std::mem::take(&mut given.values));
    let mut flags =
        values.swap_remove("FEATURE_FLAGS").and_then(|v| v.as_object().cloned()).unwrap_or_default();
    let mut origins: HashMap<String, String> =
        values.keys().map(|key| (key.clone(), given.place(key))).collect();
    let overridden = apply_environment(environment, &defaults, &mut values, &mut flags, &mut warnings);
    values.insert("FEATURE_FLAGS".into(), Value::Object(flags));
    origins.extend(
        overridden.iter().map(|(key, variable)| (key.clone(), format!("the environment, {variable}"))),
    );
    origins.extend(sources.flags.keys().map(|key| (key.clone(), "the command line".to_owned())));
    let mut overridden: HashSet<String> = overridden.into_keys().collect();
    overridden.extend(sources.flags.keys().cloned());
    values.extend(sources.flags);
    given.functions.retain(|key, _| !overridden.contains(key));
    let place = |key: &str| origins.get(key).cloned().unwrap_or_else(|| given.name());
    let types = types::adapt(&mut values, &defaults, place);
    warnings.extend(types.warnings);
    sign_in::fill(&mut values);
    let misplaced = app_root::apply(&mut values);
    let filled = tls::fill(&mut values).into_iter();
    origins.extend(
        filled.map(|key| (key.to_owned(), "TLS_CERTIFICATE or ACME_DOMAINS, which are set".to_owned())),
    );

    let mut merged = Config::over(defaults.clone(), values.clone()).values;
    talisman::apply_to_cookies(&mut merged);
    let findings = checks::check(&given, &merged, &defaults, &overridden);
    warnings.extend(findings.warnings);
    let mut complaints = findings.complaints;
    complaints.extend(types.complaints);
    complaints.extend(misplaced);
    let own_database = !values.contains_key("SQLALCHEMY_DATABASE_URI");
    // a file whose error was told has perhaps the key after it
    let is_broken = given.problems.iter().any(|p| p.subject == python::Subject::Failure);
    if !own_database
        && !is_broken
        && values.get("SECRET_KEY").and_then(Value::as_str).is_none_or(str::is_empty)
    {
        complaints.push(
            "SECRET_KEY is not set. It decrypts the passwords in the metadata database and signs its sessions: \
             put the SECRET_KEY of that installation into the configuration file or into SUPERSET_SECRET_KEY"
                .into(),
        );
    }
    if !complaints.is_empty() {
        return Err(ConfigError::Refused(complaints));
    }
    if own_database {
        // pictures survive a restart, within a bound
        let thumbnails = serde_json::json!({
            "CACHE_TYPE": "FileSystemCache",
            "CACHE_DIR": home.join("thumbnails"),
            "CACHE_DEFAULT_TIMEOUT": 604_800,
        });
        values.entry("THUMBNAIL_CACHE_CONFIG".into()).or_insert(thumbnails);
        // liteset's own key: files that may be data sources
        let files = Value::from(home.join("files").to_string_lossy().into_owned());
        values.entry("LOCAL_FILES_FOLDER".into()).or_insert(files);
        let uri = format!("sqlite:///{}", home.join("superset.db").display());
        values.insert("SQLALCHEMY_DATABASE_URI".into(), uri.into());
    }
    // liteset's own key: a copied cookie must not outlive the log-out. An adopted installation keeps Superset's
    // behaviour, whose sessions it shares, unless it asks for ours.
    values.entry("SESSION_REVOKE_ON_LOGOUT".into()).or_insert(Value::Bool(own_database));
    for key in secrets::fill(&home, own_database, sources.makes_secrets, &mut values)? {
        origins.insert(key.to_owned(), home.join("secrets.toml").display().to_string());
    }
    engine_options::apply(&mut values);
    let mut config = Config::over(defaults, values);
    talisman::apply_to_cookies(&mut config.values);
    config.functions = given.functions.into_iter().collect();
    config.origins = origins;
    config.addons = config.read_addons();
    let (folder, uri) = (config.str("LOCAL_FILES_FOLDER"), config.str("SQLALCHEMY_DATABASE_URI"));
    if !folder.is_empty() && uri.strip_prefix("sqlite:///").is_some_and(|p| Path::new(p).starts_with(folder))
    {
        warnings.push(format!(
            "LOCAL_FILES_FOLDER = {folder} holds the metadata database: no file in it can be connected"
        ));
    }
    Ok(Loaded { config, home, own_database, warnings })
}

/// The file that `--config` or the environment names, `superset_config.py` on `PYTHONPATH` as Superset finds it, or
/// liteset's own.
fn read_given(
    sources: &Sources,
    home: &Path,
    defaults: &IndexMap<String, Value>,
) -> Result<Given, ConfigError> {
    let environment = &sources.environment;
    let named = sources.file.clone().or_else(|| environment.get("SUPERSET_CONFIG_PATH").map(PathBuf::from));
    let on_path = || {
        let folders = std::env::split_paths(environment.get("PYTHONPATH")?).collect::<Vec<_>>();
        folders.into_iter().map(|f| f.join("superset_config.py")).find(|file| file.is_file())
    };
    let own_file = || Some(home.join("liteset.toml")).filter(|file| file.exists());
    let named = named.or_else(on_path);
    let is_named = named.is_some();
    let known = defaults.keys().cloned().collect();
    let Some(path) = named.or_else(own_file) else { return Ok(Given { known, ..Given::default() }) };
    let text =
        std::fs::read_to_string(&path).map_err(|source| ConfigError::File { path: path.clone(), source })?;
    let mut read = if path.extension().is_some_and(|e| e == "toml") {
        python::PythonConfig { values: read_toml(&path, &text)?, ..python::PythonConfig::default() }
    } else {
        python::read(&path, &text, environment, defaults).map_err(|p| ConfigError::Syntax {
            path: p.file,
            line: p.line,
            text: p.text,
        })?
    };
    if read.values.contains_key(app_root::KEY) && path.extension().is_some_and(|e| e == "py") {
        // the original asks the environment for it: in its file it is a variable like any other
        read.values.shift_remove(app_root::KEY);
    }
    Ok(Given {
        path: Some(path),
        is_named,
        values: read.values,
        problems: read.problems,
        used: read.used,
        known,
        functions: read.functions,
        origins: read.origins,
    })
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

/// Puts what the environment says over the file; the keys that it sets, with the variables.
fn apply_environment(
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Value>,
    values: &mut IndexMap<String, Value>,
    flags: &mut serde_json::Map<String, Value>,
    warnings: &mut Vec<String>,
) -> HashMap<String, String> {
    let mut set = HashMap::new();
    let truthy =
        |text: &str| matches!(text.to_ascii_lowercase().as_str(), "y" | "yes" | "t" | "true" | "on" | "1");
    for (variable, key) in VARIABLES {
        if let Some(text) = environment.get(*variable).filter(|t| !t.is_empty()) {
            let value =
                if is_text(key) { Value::from(text.as_str()) } else { typed(text, defaults.get(*key)) };
            values.insert((*key).to_owned(), value);
            set.insert((*key).to_owned(), (*variable).to_owned());
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
        } else if name == "LITESET_ACCEPT_IGNORED" {
            values.insert(name.clone(), Value::from(text));
        } else if let Some(key) =
            name.strip_prefix("LITESET_").filter(|_| !OWN_VARIABLES.contains(&name.as_str()))
        {
            let is_known = defaults.contains_key(key) || honoured::is(key) || keys::is_of_a_library(key);
            if !is_known && keys::effect(key) == keys::Effect::Idle {
                warnings.push(format!("{name}: {key} is not a key of Superset 6.0.0 or liteset: ignored"));
                continue;
            }
            set.insert(key.to_owned(), name.clone());
            let value = if is_text(key) && text != "None" {
                Value::from(text)
            } else {
                typed(text, defaults.get(key))
            };
            match value {
                Value::Object(map) if key == "FEATURE_FLAGS" => flags.extend(map),
                value => {
                    values.insert(key.to_owned(), value);
                }
            }
        }
    }
    set
}

/// Keys whose value is a text although no default says so: a secret or a name of digits is no number.
fn is_text(key: &str) -> bool {
    const SWITCHES: &[&str] = &[
        "OIDC_LOGOUT",
        "AUTH_LDAP_ALLOW_SELF_SIGNED",
        "AUTH_LDAP_SEARCH_SCOPE",
        "AUTH_LDAP_TLS_DEMAND",
        "AUTH_LDAP_USE_TLS",
    ];
    let is_secret =
        ["PASSWORD", "SECRET", "SECRET_KEY", "PRIVATE_KEY", "TOKEN"].iter().any(|end| key.ends_with(end));
    let is_of_sign_in = key.starts_with("OIDC_") || key.starts_with("AUTH_LDAP_");
    // a port alone is a text, too
    key == app_root::KEY || key == "TLS_REDIRECT" || (is_secret || is_of_sign_in) && !SWITCHES.contains(&key)
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
