//! What is kept in the data directory, for its owner alone: the account, and the certificate with its key in one file,
//! so that no end of the process leaves one without the other.

use std::{
    fs,
    io::{Result as IoResult, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize};

use super::{Acme, Identity};

/// An account at an authority.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAccount {
    /// Whose account it is.
    pub directory: String,
    /// Whom the authority knows.
    pub contact: Option<String>,
    /// Its number and key.
    pub credentials: AccountCredentials,
}

fn account_file(folder: &Path) -> PathBuf {
    folder.join("account.json")
}

/// One file for each authority: who has tried an authority for tests gets another certificate from the real one.
fn certificate_file(folder: &Path, settings: &Acme) -> PathBuf {
    let host = settings.directory.trim_start_matches("https://");
    let name: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    folder.join(format!("certificate-{}.pem", name.chars().take(100).collect::<String>()))
}

/// The certificate that an authority gave.
pub(super) fn certificate(folder: &Path, settings: &Acme) -> Option<Result<Identity, String>> {
    let path = certificate_file(folder, settings);
    path.exists().then(|| Identity::read(&path, &path))
}

/// Keeps a certificate with its key, if they belong together.
pub(super) fn keep_certificate(
    folder: &Path,
    settings: &Acme,
    chain: &str,
    key: &str,
) -> Result<Identity, String> {
    let path = certificate_file(folder, settings);
    let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes(), &path, &path)?;
    if let Some(missing) = settings.domains.iter().find(|name| !identity.facts.covers(name)) {
        return Err(format!("the certificate that came is not for {missing}"));
    }
    let text = format!("{}\n{}", key.trim_end(), chain);
    write(folder, &path, text.as_bytes()).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(identity)
}

/// The account at an authority; none where there is none, or one of another authority.
pub(super) fn account(folder: &Path, directory: &str) -> Result<Option<StoredAccount>, String> {
    let path = account_file(folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    match serde_json::from_str::<StoredAccount>(&text) {
        Ok(stored) => Ok(Some(stored).filter(|stored| stored.directory == directory)),
        // the reason would have a part of the key in it
        Err(_) => {
            tracing::warn!(file = %path.display(), "the account of an authority cannot be read: another one is made");
            Ok(None)
        }
    }
}

pub(super) fn keep_account(folder: &Path, stored: &StoredAccount) -> Result<(), String> {
    let path = account_file(folder);
    let text = serde_json::to_vec_pretty(stored).map_err(|e| e.to_string())?;
    write(folder, &path, &text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Writes the whole file or nothing.
fn write(folder: &Path, path: &Path, content: &[u8]) -> IoResult<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
