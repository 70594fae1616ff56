//! Reading and checking the files of a bundle (`superset.commands.importers.v1.utils:load_configs`).

use std::collections::HashMap;

use daos::database;
use infra::{
    Error, Result,
    engine_specs::url::Url,
    python,
    yaml::{ErrorKind, Map, Yaml, load},
};
use serde_json::{Value, json};

use super::{
    super::{AssetKind, document::put},
    Progress,
    contents::{Contents, METADATA},
    failure::{Problems, exception},
    schema::{Invalid, class_of, uuid},
    schemas,
};
use crate::{
    Services,
    connect::{errors::command_error, secrets, uri::MASK},
};

/// Secrets that come beside a bundle, by file.
#[derive(Debug, Default, Clone)]
pub struct Secrets {
    /// `passwords`.
    pub passwords: HashMap<String, String>,
    /// `ssh_tunnel_passwords`.
    pub tunnel_passwords: HashMap<String, String>,
    /// `ssh_tunnel_private_keys`.
    pub tunnel_keys: HashMap<String, String>,
    /// `ssh_tunnel_private_key_passwords`.
    pub tunnel_key_passwords: HashMap<String, String>,
}

/// Files of a bundle whose content is right, and how to read them again.
pub struct Configs<'a> {
    app: &'a Services,
    contents: &'a Contents,
    secrets: &'a Secrets,
    /// Clear passwords of the databases that are there, by UUID.
    stored: HashMap<String, Option<String>>,
    /// In order.
    files: Vec<ConfigFile>,
}

/// A file that was found right, and what others must know of it: it is not read again for that.
pub struct ConfigFile {
    /// Its name.
    pub name: String,
    /// Its resource.
    pub kind: AssetKind,
    /// `uuid`.
    pub uuid: String,
    /// UUID of the dataset of a chart, or of the database of a dataset or saved query.
    pub parent: String,
    /// Its data come from elsewhere.
    pub has_data: bool,
}

impl ConfigFile {
    fn of(name: &str, kind: AssetKind, document: &Yaml) -> Self {
        let text = |key: &str| document.get(key).and_then(Yaml::as_str).unwrap_or_default().to_owned();
        let parent = match kind {
            AssetKind::Chart => text("dataset_uuid"),
            AssetKind::Dataset | AssetKind::SavedQuery => text("database_uuid"),
            AssetKind::Dashboard | AssetKind::Database | AssetKind::Theme => String::new(),
        };
        let has_data = !text("data").is_empty();
        Self { name: name.to_owned(), kind, uuid: text("uuid"), parent, has_data }
    }
}

/// Why the metadata are refused.
pub enum MetadataError {
    /// Another importer may know the format.
    Version,
    /// Something is wrong with them.
    Problem(Value),
    /// Something that nobody expected.
    Failed(Error),
}

/// Reads `metadata.yaml`; its `type`.
pub fn metadata(contents: &Contents) -> Result<Option<Yaml>, MetadataError> {
    if !contents.has(METADATA) {
        return Err(MetadataError::Version);
    }
    let text = contents.text(METADATA).map_err(MetadataError::Failed)?;
    let mut loaded = load(&text).map_err(|e| match e.kind {
        ErrorKind::Parser => MetadataError::Problem(json!("Not a valid YAML file")),
        _ => MetadataError::Failed(exception(e.text)),
    })?;
    match schemas::METADATA.load(&mut loaded) {
        Ok(()) => Ok(loaded.get("type").cloned()),
        Err(Invalid::Fields(errors)) if errors.contains_key("version") => Err(MetadataError::Version),
        Err(Invalid::Fields(errors)) => Err(MetadataError::Problem(Value::Object(errors))),
        Err(Invalid::Exception(text)) => Err(MetadataError::Failed(exception(text))),
    }
}

impl<'a> Configs<'a> {
    /// Reads and checks every file of the resources that an importer knows; what is wrong is noted.
    pub async fn check(
        app: &'a Services,
        contents: &'a Contents,
        secrets: &'a Secrets,
        kinds: &[AssetKind],
        problems: &mut Problems,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let mut stored = HashMap::new();
        for database in database::find_all(app.db.exec(), None).await? {
            let password = database.password.as_deref().and_then(|v| secrets::decrypt(app, v));
            stored.extend(database.uuid.map(|u| (u.to_string(), password)));
        }
        let mut configs = Self { app, contents, secrets, stored, files: Vec::new() };
        let mut any_loaded = false;
        let all = contents.names().count();
        for (n, name) in contents.names().enumerate() {
            progress.checked(n, all);
            // thousands of files hold up nobody else
            tokio::task::yield_now().await;
            let folder = name.split('/').next().unwrap_or_default();
            let Some(kind) = kinds.iter().find(|k| k.folder() == folder) else { continue };
            let text = contents.text(name)?;
            if text.is_empty() {
                continue;
            }
            let loaded = match load(&text) {
                Ok(loaded) => loaded,
                Err(e) if e.kind == ErrorKind::Parser => {
                    if !any_loaded {
                        // the original stumbles over its own log line
                        let text =
                            "cannot access local variable 'config' where it is not associated with a value";
                        return Err(exception(text));
                    }
                    problems.add(name, json!({name: "Not a valid YAML file"}));
                    continue;
                }
                Err(e) => return Err(exception(e.text)),
            };
            any_loaded = true;
            match configs.complete(name, *kind, loaded) {
                Ok(loaded) => configs.files.push(ConfigFile::of(name, *kind, &loaded)),
                Err(MetadataError::Problem(errors)) => problems.add(name, errors),
                Err(MetadataError::Failed(error)) => return Err(error),
                Err(MetadataError::Version) => {}
            }
        }
        Ok(configs)
    }

    /// No files at all.
    pub fn none(app: &'a Services, contents: &'a Contents, secrets: &'a Secrets) -> Self {
        Self { app, contents, secrets, stored: HashMap::new(), files: Vec::new() }
    }

    /// The content of a file that was found right, with the secrets that belong to it.
    pub fn read(&self, name: &str, kind: AssetKind) -> Result<Map> {
        let loaded = load(&self.contents.text(name)?).map_err(|e| exception(e.text))?;
        match self.complete(name, kind, loaded) {
            Ok(Yaml::Map(map)) => Ok(map),
            Err(MetadataError::Failed(error)) => Err(error),
            _ => Err(Error::internal("a file that was right is wrong now")),
        }
    }

    /// Names of the files of a resource, in order.
    pub fn files_of(&self, kind: AssetKind) -> Vec<String> {
        self.known(kind).map(|file| file.name.clone()).collect()
    }

    /// What is known of the files of a resource, in order.
    pub fn known(&self, kind: AssetKind) -> impl Iterator<Item = &ConfigFile> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    fn complete(&self, name: &str, kind: AssetKind, mut loaded: Yaml) -> Result<Yaml, MetadataError> {
        self.put_secrets(name, kind, &mut loaded)?;
        if kind == AssetKind::Dataset {
            data_url(&mut loaded)?;
        }
        let loading = schemas::for_kind(kind).load(&mut loaded);
        loading.map_err(|e| match e {
            Invalid::Fields(errors) => MetadataError::Problem(Value::Object(errors)),
            Invalid::Exception(text) => MetadataError::Failed(exception(text)),
        })?;
        if kind == AssetKind::Database
            && let Some(map) = loaded.as_map()
        {
            self.check_database(map)?;
        }
        Ok(loaded)
    }

    /// Passwords of the request, or of the database with the same UUID.
    fn put_secrets(&self, name: &str, kind: AssetKind, loaded: &mut Yaml) -> Result<(), MetadataError> {
        let failed = |text: String| MetadataError::Failed(exception(text));
        let class = class_of(loaded);
        let given = self.secrets.passwords.get(name).cloned();
        if given.is_some() || kind == AssetKind::Database {
            let index = "indices must be integers";
            let Some(map) = loaded.as_map_mut() else {
                return Err(failed(match class {
                    "str" => format!("string {index}, not 'str'"),
                    "list" => format!("list {index} or slices, not str"),
                    class => format!("'{class}' object is not subscriptable"),
                }));
            };
            match given {
                Some(password) => put(map, "password", password),
                None => {
                    let uuid = map.get("uuid").ok_or_else(|| failed("'uuid'".into()))?;
                    if let Some(stored) = uuid.as_str().and_then(|u| self.stored.get(u)) {
                        let stored = stored.clone();
                        put(map, "password", stored);
                    }
                }
            }
        }
        for (key, of) in [
            ("password", &self.secrets.tunnel_passwords),
            ("private_key", &self.secrets.tunnel_keys),
            ("private_key_password", &self.secrets.tunnel_key_passwords),
        ] {
            if let Some(secret) = of.get(name) {
                let tunnel = loaded.get_mut("ssh_tunnel").and_then(Yaml::as_map_mut);
                put(tunnel.ok_or_else(|| failed("'ssh_tunnel'".into()))?, key, secret.as_str());
            }
        }
        Ok(())
    }

    /// What a database that is new needs: its password, and what its tunnel is opened with.
    fn check_database(&self, map: &Map) -> Result<(), MetadataError> {
        let text = |key: &str| map.get(key).and_then(Yaml::as_str);
        let known = text("uuid").and_then(uuid).is_some_and(|u| self.stored.contains_key(&u.to_string()));
        if known {
            return Ok(());
        }
        let uri = text("sqlalchemy_uri").unwrap_or_default();
        let Some(url) = Url::parse(uri.trim()) else {
            return Err(MetadataError::Failed(command_error(422, "Database parameters are invalid.")));
        };
        let mut errors = Vec::new();
        if url.password.as_deref() == Some(MASK) && map.get("password").is_none_or(Yaml::is_null) {
            errors.push("Must provide a password for the database");
        }
        if let Some(tunnel) = map.get("ssh_tunnel").filter(|t| t.truthy()).and_then(Yaml::as_map) {
            errors.extend(self.check_tunnel(tunnel).map_err(MetadataError::Failed)?);
        }
        if errors.is_empty() { Ok(()) } else { Err(MetadataError::Problem(json!({"_schema": errors}))) }
    }

    fn check_tunnel(&self, tunnel: &Map) -> Result<Vec<&'static str>> {
        if !self.app.config.flag("SSH_TUNNELING") {
            return Err(command_error(400, "SSH Tunneling is not enabled"));
        }
        let of = |key: &str| tunnel.get(key).filter(|v| !v.is_null()).and_then(Yaml::as_str);
        let (key, key_password) = (of("private_key"), of("private_key_password"));
        if let Some(password) = of("password") {
            if key.is_some() || key_password.is_some() {
                return Err(command_error(422, "Cannot have multiple credentials for the SSH Tunnel"));
            }
            let masked = password == MASK;
            return Ok(masked.then_some("Must provide a password for the ssh tunnel").into_iter().collect());
        }
        if key.is_none() && key_password.is_none() {
            return Err(command_error(422, "Must provide credentials for the SSH Tunnel"));
        }
        let missing = |secret: Option<&str>| secret.is_none_or(|s| s == MASK);
        let mut errors = Vec::new();
        if missing(key) {
            errors.push("Must provide a private key for the ssh tunnel");
        }
        if missing(key_password) {
            errors.push("Must provide a private key password for the ssh tunnel");
        }
        Ok(errors)
    }
}

/// Where the data of the original's examples lie, unless the environment says otherwise.
const EXAMPLES: &str = "https://cdn.jsdelivr.net/gh/apache-superset/examples-data@master/";

/// `examples://…` is a place of its own (`normalize_example_data_url`).
fn data_url(loaded: &mut Yaml) -> Result<(), MetadataError> {
    let failed = |text: String| Err(MetadataError::Failed(exception(text)));
    match loaded {
        Yaml::Map(map) => {
            let Some(url) = map.get("data") else { return Ok(()) };
            let Some(text) = url.as_str() else {
                return failed(format!("'{}' object has no attribute 'startswith'", class_of(url)));
            };
            if let Some(path) = text.strip_prefix("examples://") {
                let url = format!("{EXAMPLES}{path}");
                put(map, "data", url);
            }
            Ok(())
        }
        Yaml::Text(_) | Yaml::List(_) | Yaml::Set(_) => Ok(()),
        other => failed(format!("argument of type {} is not iterable", python::str_repr(class_of(other)))),
    }
}
