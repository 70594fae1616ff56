//! Encrypted columns of a connection, as far as they may be shown.

use daos::database::Database;
use infra::{
    Result,
    crypto::encrypted::{Cipher, FieldCipher},
    engine_specs::spec_for_uri,
};
use serde_json::{Value, json};

use super::uri::MASK;
use crate::Services;

/// What the connection dialog shows of the encrypted columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskedSecrets {
    /// `encrypted_extra` with its values masked.
    pub masked_encrypted_extra: Option<String>,
    /// The server's certificate: public.
    pub server_cert: Option<String>,
}

/// What encrypts columns of the metadata database.
pub fn cipher(app: &Services) -> FieldCipher {
    FieldCipher::new(app.config.str("SECRET_KEY"), Cipher::default())
}

/// The clear text of an encrypted column; `None` when it cannot be decrypted.
pub fn decrypt(app: &Services, stored: &[u8]) -> Option<String> {
    cipher(app)
        .decrypt(stored)
        .inspect_err(|error| tracing::warn!(%error, "a secret of the metadata database cannot be read"))
        .ok()
}

/// What is stored of a text in an encrypted column.
pub fn encrypt(app: &Services, text: &str) -> Result<Vec<u8>> {
    Ok(cipher(app).encrypt(text)?.into_bytes())
}

/// Decrypts and masks.
pub fn masked_secrets(app: &Services, database: &Database) -> MaskedSecrets {
    let clear = |stored: &Option<Vec<u8>>| stored.as_deref().and_then(|v| decrypt(app, v));
    MaskedSecrets {
        masked_encrypted_extra: clear(&database.encrypted_extra)
            .map(|t| masked(&database.sqlalchemy_uri, &t)),
        server_cert: clear(&database.server_cert),
    }
}

/// `mask_encrypted_extra`: what the engine calls sensitive is masked; that is every outer value, if it names nothing.
pub fn masked(uri: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let Ok(mut document) = serde_json::from_str::<Value>(text) else {
        // what is no JSON cannot be told apart into secret and public
        return MASK.to_owned();
    };
    for path in &spec_for_uri(uri).sensitive_fields {
        for place in places(&document, path) {
            if let Some(value) = document.pointer_mut(&place) {
                *value = json!(MASK);
            }
        }
    }
    infra::json::dumps(&document)
}

/// `unmask_encrypted_extra`: masks that come back stand for what is stored.
pub fn unmasked(app: &Services, database: &Database, new: Option<String>) -> Option<String> {
    let old = database.encrypted_extra.as_deref().and_then(|v| decrypt(app, v));
    let (Some(old), Some(text)) = (old, new.as_deref()) else { return new };
    let (Ok(old), Ok(mut document)) =
        (serde_json::from_str::<Value>(&old), serde_json::from_str::<Value>(text))
    else {
        return new;
    };
    for path in &spec_for_uri(&database.sqlalchemy_uri).sensitive_fields {
        for place in places(&document, path) {
            if let (Some(value), Some(known)) = (document.pointer_mut(&place), old.pointer(&place))
                && *value == json!(MASK)
            {
                *value = known.clone();
            }
        }
    }
    Some(infra::json::dumps(&document))
}

/// JSON pointers of what a path of the specs names: `$.*` or `$.a.b`.
fn places(document: &Value, path: &str) -> Vec<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    if path == "$.*" {
        let keys = document.as_object().into_iter().flat_map(|o| o.keys());
        return keys.map(|k| format!("/{}", escaped(k))).collect();
    }
    let mut pointer = String::new();
    for key in path.trim_start_matches("$.").split('.') {
        // a text in the place of a document may hold the secret as well: unlike the original, all of it is masked
        if !pointer.is_empty() && document.pointer(&pointer).is_some_and(Value::is_string) {
            return vec![pointer];
        }
        pointer.push('/');
        pointer.push_str(&escaped(key));
    }
    if document.pointer(&pointer).is_some() { vec![pointer] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sensitive_depends_on_the_engine() {
        let text = r#"{"a": {"b": 1}, "c": null}"#;
        assert_eq!(masked("postgresql://h", text), r#"{"a": "XXXXXXXXXX", "c": "XXXXXXXXXX"}"#);
        let google = r#"{"credentials_info": {"private_key": "k", "project_id": "p"}}"#;
        assert_eq!(
            masked("bigquery://p", google),
            r#"{"credentials_info": {"private_key": "XXXXXXXXXX", "project_id": "p"}}"#
        );
        let texts = r#"{"credentials_base64": "a2V5", "credentials_info": "{\"private_key\": \"k\"}"}"#;
        assert_eq!(
            masked("bigquery://p", texts),
            r#"{"credentials_base64": "XXXXXXXXXX", "credentials_info": "XXXXXXXXXX"}"#
        );
        assert_eq!(masked("postgresql://h", "not json"), MASK);
    }
}
