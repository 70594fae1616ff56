//! Whether `SECRET_KEY` is the one that the metadata database was written with.

use daos::encrypted;
use infra::{
    Result,
    config::Config,
    crypto::encrypted::{Cipher, FieldCipher},
    db::Db,
};

/// Values that are looked at in each column.
const SAMPLES: i64 = 20;

/// Why the server must not start: nothing that is encrypted can be read, so that every connection would fail and
/// whatever is saved would be lost to the installation's own key.
pub async fn refusal(db: &Db, config: &Config) -> Result<Option<String>> {
    let stored = encrypted::some(db.exec(), SAMPLES).await?;
    let cipher = FieldCipher::new(config.str("SECRET_KEY"), Cipher::default());
    let unread = stored.iter().filter(|value| cipher.decrypt(value).is_err()).count();
    if unread == 0 || config.accepts("SECRET_KEY") {
        return Ok(None);
    }
    if unread < stored.len() {
        tracing::warn!(unread, of = stored.len(), "some secrets of the metadata database cannot be read");
        return Ok(None);
    }
    Ok(Some(
        "SECRET_KEY is not the key of this metadata database: none of the passwords that are encrypted in it can be \
         read. Put the SECRET_KEY of that installation into the configuration file or into SUPERSET_SECRET_KEY; if it \
         is lost, add SECRET_KEY to LITESET_ACCEPT_IGNORED and enter the passwords of the databases anew"
            .to_owned(),
    ))
}
