//! From a row of `dbs` to a database that answers (`superset.models.core:Database`).

use daos::database::Database;
use infra::{
    Error, Result,
    crypto::encrypted::{Cipher, FieldCipher},
    engines::{Engine, EngineError},
    error::SupersetError,
};
use serde_json::Value;

use crate::Services;

/// What stands in a stored connection string for the password.
const MASK: &str = "XXXXXXXXXX";

/// The database of a row, ready to be asked.
pub fn engine(app: &Services, database: &Database) -> Result<Engine> {
    app.engines.open(&uri(app, database)?).map_err(refused)
}

/// Name of the engine as the SQL builder knows it.
pub fn engine_name(database: &Database) -> &'static str {
    &infra::engines::spec_for_uri(&database.sqlalchemy_uri).engine
}

fn refused(e: EngineError) -> Error {
    Error::sip40(422, SupersetError::new("GENERIC_DB_ENGINE_ERROR", e.to_string()))
}

/// The connection string with its password and with the driver's options of `extra`.
fn uri(app: &Services, database: &Database) -> Result<String> {
    let mut uri = database.sqlalchemy_uri.clone();
    if let Some(stored) = database.password.as_deref().filter(|p| !p.is_empty()) {
        let secret = app.config.str("SECRET_KEY");
        let password = FieldCipher::new(secret, Cipher::default()).decrypt(stored)?;
        uri = with_password(&uri, &password);
    }
    let extra = database.extra_json();
    let arguments = extra.get("engine_params").and_then(|p| p.get("connect_args")).and_then(Value::as_object);
    for (key, value) in arguments.into_iter().flatten() {
        let Some(value) = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()))
        else {
            continue;
        };
        if matches!(key.as_str(), "sslmode" | "connect_timeout" | "options" | "application_name") {
            uri.push(if uri.contains('?') { '&' } else { '?' });
            uri.push_str(&format!("{key}={}", escaped(&value)));
        }
    }
    Ok(uri)
}

/// Puts the password in the place of the mask.
fn with_password(uri: &str, password: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let Some((credentials, address)) = authority.rsplit_once('@') else { return uri.to_owned() };
    match credentials.split_once(':') {
        Some((user, MASK | "")) => format!("{scheme}://{user}:{}@{address}{tail}", escaped(password)),
        Some(_) => uri.to_owned(),
        None => format!("{scheme}://{credentials}:{}@{address}{tail}", escaped(password)),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_return_to_their_place() {
        let masked = "postgresql+psycopg2://u:XXXXXXXXXX@db:5432/x?sslmode=disable";
        let whole = with_password(masked, "p@/w");
        assert_eq!(whole, "postgresql+psycopg2://u:p%40%2Fw@db:5432/x?sslmode=disable");
        assert_eq!(with_password("sqlite:////a.db", "x"), "sqlite:////a.db");
    }
}
