//! What happens before the server listens: the metadata database is looked at, and made if it is our own.

use std::{
    fs::{File, Permissions, TryLockError},
    io::{ErrorKind, IsTerminal, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use commands::user_admin::{self, NewUser};
use infra::{
    config::Loaded,
    db::{Db, DbUri, migrate},
};

use crate::app::StartError;

/// Options of a first start; on an installation that exists they have no effect.
#[derive(Debug)]
pub struct FirstStart {
    /// Password of the administrator; generated when not given.
    pub admin_password: Option<String>,
    /// Create the example dashboards.
    pub examples: bool,
    /// Create a database for uploads.
    pub uploads: bool,
}

/// A metadata database that can be served.
#[derive(Debug)]
pub struct Prepared {
    /// Keeps a second server away from a SQLite file.
    _lock: Option<File>,
    /// Settings of the new installation were written: the configuration is another one than was read.
    pub has_new_settings: bool,
}

/// The file of the administrator's first password, where there is no terminal to show it on.
const PASSWORD_FILE: &str = "admin-password";

/// Settings that liteset makes for an installation of its own, for the operator to change.
const OWN_SETTINGS: &str = r#"# liteset's settings: the keys of superset_config.py.
# packaging/manual/configuration.md has all ways to set them.

# Results of chart queries, in memory. Without this every view of a chart asks the database again.
[DATA_CACHE_CONFIG]
CACHE_TYPE = "SimpleCache"
CACHE_DEFAULT_TIMEOUT = 86400

# What queries in the background (GLOBAL_ASYNC_QUERIES) were asked, in memory.
[CACHE_CONFIG]
CACHE_TYPE = "SimpleCache"
CACHE_DEFAULT_TIMEOUT = 86400
"#;

impl FirstStart {
    /// Makes sure that there is a metadata database of the right version.
    pub async fn prepare(&self, loaded: &Loaded) -> Result<Prepared, StartError> {
        let uri = loaded.config.str("SQLALCHEMY_DATABASE_URI");
        let uri = uri.parse::<DbUri>().map_err(|e| format!("SQLALCHEMY_DATABASE_URI: {e}"))?;
        if let DbUri::Sqlite { path } = &uri
            && !loaded.own_database
            && !path.exists()
        {
            return Err(format!(
                "SQLALCHEMY_DATABASE_URI names {}, which does not exist. Nothing was made: correct the path, or leave \
                 the key out for a new installation in {}",
                path.display(),
                loaded.home.display()
            )
            .into());
        }
        let lock = match &uri {
            DbUri::Sqlite { path } => lock(path)?,
            DbUri::Postgres(_) | DbUri::Mysql(_) => None,
        };
        let state = migrate::inspect(&uri).await;
        let state = state.map_err(|e| format!("SQLALCHEMY_DATABASE_URI: {e}"))?;
        let fresh = state == migrate::SchemaState::Empty && loaded.own_database;
        if !fresh {
            if let Some(refusal) = state.refusal() {
                return Err(refusal.into());
            }
            if !loaded.own_database {
                return Ok(Prepared { _lock: lock, has_new_settings: false });
            }
        }
        let mut has_new_settings = false;
        let db = Db::connect(&uri, 2).await?;
        if fresh {
            close_folder(&loaded.home);
            migrate::create(&db).await?;
            has_new_settings = write_settings(&loaded.home)?;
        }
        // Also after a start that was cut short: each step does nothing when it is done already.
        if user_admin::nobody(&db).await? {
            commands::init::sync_roles(&db, &loaded.config).await?;
            let admin = self.create_admin(&db, &loaded.home).await?;
            if self.examples {
                commands::examples::create(&db, &loaded.home.join("examples.db"), admin).await?;
            }
            if self.uploads {
                commands::database::own::make_uploads(&db, &loaded.config, admin).await?;
            }
        }
        Ok(Prepared { _lock: lock, has_new_settings })
    }

    async fn create_admin(&self, db: &Db, home: &Path) -> Result<i64, StartError> {
        let password = match &self.admin_password {
            Some(given) => given.clone(),
            None => Self::made_password(home)?,
        };
        let admin = NewUser {
            username: "admin".into(),
            first_name: "Superset".into(),
            last_name: "Admin".into(),
            email: "admin@localhost".into(),
            password,
            role: "Admin".into(),
        };
        Ok(user_admin::create_user(db, admin).await?)
    }

    /// A password that is told in one place: on the terminal, or in a file of its owner's alone. Never in the log.
    fn made_password(home: &Path) -> Result<String, StartError> {
        let password = infra::crypto::random::alphanumeric(20);
        let mut terminal = std::io::stderr();
        if terminal.is_terminal() {
            writeln!(
                terminal,
                "\n  Log in as admin with the password {password}\n  It is not stored and not shown again; \
                 `liteset users set-password admin` sets another one.\n"
            )?;
            return Ok(password);
        }
        let path = home.join(PASSWORD_FILE);
        keep(&path, &password).map_err(|e| format!("{}: {e}", path.display()))?;
        tracing::warn!(
            file = %path.display(),
            "the password of admin is in this file: log in, choose another one, and remove the file"
        );
        Ok(password)
    }
}

/// Writes a password into a file of its owner's alone.
fn keep(path: &Path, password: &str) -> std::io::Result<()> {
    // one that is there may be open to others
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}

/// Two servers on one SQLite file would run every scheduled job twice.
fn lock(database: &Path) -> Result<Option<File>, StartError> {
    if let Some(parent) = database.parent() {
        std::fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
    }
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    // A directory that cannot be written to is not a reason to refuse: the database may be read.
    let Ok(file) = File::options().create(true).append(true).open(&path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another liteset serves {} already", database.display()).into())
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// What a fresh installation has made so far, or was given.
const OWN_FILES: [&str; 9] = [
    "admin-password",
    "secrets.toml",
    "secrets.toml.lock",
    "liteset.toml",
    "superset_config.py",
    "superset.db",
    "superset.db.lock",
    "superset.db-wal",
    "superset.db-shm",
];

/// A folder that holds nothing but a fresh installation is nobody else's to look into; one that was there before, with
/// other things in it, stays as it is.
fn close_folder(home: &Path) {
    let Ok(mut entries) = std::fs::read_dir(home) else { return };
    let own = entries.all(|entry| {
        entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(|name| OWN_FILES.contains(&name)))
    });
    if own && let Err(error) = std::fs::set_permissions(home, Permissions::from_mode(0o700)) {
        tracing::warn!(%error, folder = %home.display(), "others may look into the data directory");
    }
}

/// Writes the settings of a new installation, unless there are some; whether it did.
fn write_settings(home: &Path) -> Result<bool, StartError> {
    let path = home.join("liteset.toml");
    if path.exists() {
        return Ok(false);
    }
    std::fs::write(&path, OWN_SETTINGS).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(true)
}
