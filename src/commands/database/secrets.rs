//! Encrypted columns of a connection, as far as they may be shown.

use daos::database::Database;
use infra::crypto::encrypted::{Cipher, FieldCipher};
use serde_json::{Map, Value, json};

use super::uri::MASK;
use crate::Services;

/// What the connection dialog shows of the encrypted columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// `encrypted_extra` with its values masked.
    pub masked_encrypted_extra: Option<String>,
    /// The server's certificate: public.
    pub server_cert: Option<String>,
}

/// The clear text of an encrypted column; `None` when it cannot be decrypted.
pub fn decrypt(app: &Services, stored: &[u8]) -> Option<String> {
    let cipher = FieldCipher::new(app.config.str("SECRET_KEY"), Cipher::default());
    cipher
        .decrypt(stored)
        .inspect_err(|error| tracing::warn!(%error, "a secret of the metadata database cannot be read"))
        .ok()
}

/// Decrypts and masks.
pub fn shown(app: &Services, database: &Database) -> Shown {
    let clear = |stored: &Option<Vec<u8>>| stored.as_deref().and_then(|v| decrypt(app, v));
    Shown {
        masked_encrypted_extra: clear(&database.encrypted_extra).map(|text| mask(&text)),
        server_cert: clear(&database.server_cert),
    }
}

/// Every value of the outer object masked: a stricter form of the engine's list of secret paths.
fn mask(text: &str) -> String {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(map) => {
            let masked = map.into_iter().map(|(k, v)| (k, if v.is_null() { v } else { json!(MASK) }));
            infra::json::dumps(&Value::Object(masked.collect()))
        }
        // what is no object cannot be told apart into secret and public
        Err(_) => MASK.to_owned(),
    }
}
