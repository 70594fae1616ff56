//! Secrets: never a known one, never a default; our own are made once and kept in a file of mode 0600.

use std::{
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use indexmap::IndexMap;
use rand::Rng;
use serde_json::Value;

use super::load::ConfigError;

/// Keys that hold a secret which a forger could use.
const KEYS: &[&str] =
    &["SECRET_KEY", "GUEST_TOKEN_JWT_SECRET", "GLOBAL_ASYNC_QUERIES_JWT_SECRET", "JWT_SECRET_KEY"];

/// Secrets that were published: in Superset's source, documentation, containers and charts (CVE-2023-27524).
const PUBLISHED: &[&str] = &[
    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "CHANGE_ME_SECRET_KEY",
    "\u{2}\u{1}thisismyscretkey\u{1}\u{2}\\e\\y\\y\\h",
    "\\2\\1thisismyscretkey\\1\\2\\e\\y\\y\\h",
    "thisismyscretkey",
    "thisISaSECRET_1234",
    "TEST_NON_DEV_SECRET",
    "YOUR_OWN_RANDOM_GENERATED_SECRET_KEY",
    "USE_YOUR_OWN_SECURE_RANDOM_KEY",
    "YOUR_OWN_RANDOM_GENERATED_STRING",
    "test-guest-secret-change-me",
    "test-secret-change-me",
];

/// A shorter secret can be guessed.
const MIN_LENGTH: usize = 16;

/// Complaints about secrets that anybody can know (T1, T2).
pub(super) fn weak(values: &IndexMap<String, Value>) -> Vec<String> {
    let mut complaints = Vec::new();
    for key in KEYS {
        let Some(secret) = values.get(*key).and_then(Value::as_str).filter(|s| !s.is_empty()) else {
            continue;
        };
        let why = if PUBLISHED.contains(&secret) {
            "is a published example value: anybody can forge a session with it"
        } else if secret.len() < MIN_LENGTH {
            "is too short: it can be guessed from one cookie"
        } else if secret.bytes().all(|b| Some(b) == secret.bytes().next()) {
            "is one character repeated: it can be guessed from one cookie"
        } else {
            continue;
        };
        complaints.push(format!(
            "{key} {why}. Make one with `openssl rand -base64 42`; on an existing installation rotate the key with \
             `superset re-encrypt-secrets` first, because it also encrypts the stored database passwords"
        ));
    }
    complaints
}

/// Supplies the secrets that are not configured from `secrets.toml` in the data directory, which with `makes` is made
/// when it is needed; tells their keys. The file's `SECRET_KEY` is used for liteset's own database only.
pub(super) fn fill(
    home: &Path,
    own: bool,
    makes: bool,
    values: &mut IndexMap<String, Value>,
) -> Result<Vec<&'static str>, ConfigError> {
    let missing = |values: &IndexMap<String, Value>, key: &str| {
        values.get(key).and_then(Value::as_str).is_none_or(str::is_empty)
    };
    let wanted: Vec<&'static str> =
        ["SECRET_KEY", "GUEST_TOKEN_JWT_SECRET", "GLOBAL_ASYNC_QUERIES_JWT_SECRET"]
            .into_iter()
            .filter(|key| missing(values, key) && (own || *key != "SECRET_KEY"))
            .collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let path = home.join("secrets.toml");
    let error = |source| ConfigError::File { path: path.clone(), source };
    let mut stored = read(&path)?;
    if makes && wanted.iter().any(|key| known(&stored, key).is_none()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(error)?;
        // Of several processes that start on a new home at once one makes the secrets, and the others read its file.
        let lock = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(home.join("secrets.toml.lock"))
            .map_err(error)?;
        // a file system without locks is no reason to stay down
        let _ = lock.lock();
        stored = read(&path)?;
        let before = stored.len();
        for key in &wanted {
            if known(&stored, key).is_none() {
                stored.insert((*key).to_owned(), random_secret().into());
            }
        }
        if stored.len() > before {
            write(home, &path, &stored).map_err(error)?;
        }
    }
    let mut filled = Vec::new();
    for key in wanted {
        if let Some(secret) = known(&stored, key) {
            values.insert(key.to_owned(), secret.into());
            filled.push(key);
        }
    }
    Ok(filled)
}

fn known<'a>(stored: &'a toml::Table, key: &str) -> Option<&'a str> {
    stored.get(key).and_then(toml::Value::as_str)
}

fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|e| ConfigError::Syntax {
            path: path.to_owned(),
            line: 1,
            text: e.message().to_owned(),
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(toml::Table::new()),
        Err(source) => Err(ConfigError::File { path: path.to_owned(), source }),
    }
}

/// Written beside and renamed: a crash leaves the old file or the new one, never half of one.
fn write(home: &Path, path: &Path, stored: &toml::Table) -> std::io::Result<()> {
    let fresh = home.join("secrets.toml.new");
    let text = format!("# Made by liteset. Whoever has these can log in as anybody.\n{stored}");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
    std::fs::rename(&fresh, path)
}

/// 256 random bits as text.
fn random_secret() -> String {
    use base64::Engine;
    let mut bytes = [0_u8; 42];
    rand::rng().fill_bytes(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_starts_at_once_has_the_same_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("new");
        let made = std::thread::scope(|scope| {
            let start = || {
                let mut values = IndexMap::new();
                fill(&home, true, true, &mut values).unwrap();
                values
            };
            let starts: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(made.iter().all(|values| values.len() == 3 && *values == made[0]), "{made:?}");
    }
}
