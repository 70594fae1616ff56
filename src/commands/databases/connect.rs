//! From a row of `dbs` to a database that answers (`superset.models.core:Database`).

use daos::database::Database;
use infra::{
    Error, Result,
    crypto::encrypted::{Cipher, FieldCipher},
    engines::{Engine, EngineError, EngineSpec, Source, url::Url},
    error::SupersetError,
};
use serde_json::{Map, Value};

use crate::{Principal, Services};

/// The database of a row, ready to be asked, as the connection's own user.
pub fn engine(app: &Services, database: &Database) -> Result<Engine> {
    engine_as(app, None, database, None)
}

/// The database of a row for somebody, whose name it is entered under when the connection says so, in a catalog.
pub fn engine_as(
    app: &Services,
    user: Option<&Principal>,
    database: &Database,
    catalog: Option<&str>,
) -> Result<Engine> {
    let mut source = source(app, database)?;
    if database.impersonate_user == Some(true)
        && let Some(name) = user.and_then(|u| effective_name(app, u))
    {
        impersonate(&mut source, name);
    }
    select_catalog(&mut source, catalog);
    app.engines.open(database.id, &version(database), &source).map_err(refused)
}

/// What of a row decides whether connections to it are still good.
fn version(database: &Database) -> String {
    format!("{:?}", database.changed_on)
}

/// Name of the engine as the SQL builder knows it.
pub fn engine_name(database: &Database) -> &'static str {
    &infra::engines::spec_for_uri(&database.sqlalchemy_uri).engine
}

fn refused(e: EngineError) -> Error {
    Error::sip40(422, SupersetError::new("GENERIC_DB_ENGINE_ERROR", e.to_string()))
}

/// The connection string with its password and the driver's options (`get_sqla_engine`).
pub fn source(app: &Services, database: &Database) -> Result<Source> {
    let mut url = Url::parse(&database.sqlalchemy_uri)
        .ok_or_else(|| refused(EngineError::Uri("the stored connection string cannot be read".into())))?;
    let clear = |stored: &Option<Vec<u8>>| match stored.as_deref().filter(|s| !s.is_empty()) {
        Some(stored) => {
            let cipher = FieldCipher::new(app.config.str("SECRET_KEY"), Cipher::default());
            cipher.decrypt(stored).map(Some)
        }
        None => Ok(None),
    };
    if let Some(password) = clear(&database.password)? {
        url.password = Some(password);
    }
    Ok(Source {
        url,
        arguments: arguments(database.extra.as_deref(), clear(&database.encrypted_extra)?.as_deref()),
        server_cert: clear(&database.server_cert)?,
    })
}

/// `connect_args` of `extra`, or those of `encrypted_extra`, which take their place.
pub fn arguments(extra: Option<&str>, encrypted_extra: Option<&str>) -> Map<String, Value> {
    let read = |text: Option<&str>| serde_json::from_str::<Value>(text?).ok();
    let secret = read(encrypted_extra).and_then(|e| e.get("connect_args")?.as_object().cloned());
    let public = || read(extra)?.get("engine_params")?.get("connect_args")?.as_object().cloned();
    secret.or_else(public).unwrap_or_default()
}

/// `get_effective_user`, with the part of the address before the at sign where the flag wants that.
pub fn effective_name<'a>(app: &Services, user: &'a Principal) -> Option<&'a str> {
    let user = user.user.as_ref()?;
    let address = user.email.split('@').next().filter(|a| !a.is_empty());
    match address {
        Some(address) if app.config.flag("IMPERSONATE_WITH_EMAIL_PREFIX") => Some(address),
        _ => Some(&user.username),
    }
}

/// `impersonate_user`: where the engine has a notion of acting for somebody the login stays, elsewhere the login is
/// theirs.
pub fn impersonate(source: &mut Source, name: &str) {
    match source.url.backend() {
        "trino" => {
            source.arguments.insert("user".to_owned(), name.into());
        }
        "presto" => {
            source.arguments.insert("principal_username".to_owned(), name.into());
        }
        _ => source.url.username = Some(name.to_owned()),
    }
}

/// `adjust_engine_params`: on PostgreSQL a catalog is a database of its own.
fn select_catalog(source: &mut Source, catalog: Option<&str>) {
    let Some(catalog) = catalog.filter(|c| !c.is_empty()) else { return };
    let spec: &EngineSpec = source.spec();
    if spec.caps.supports_dynamic_catalog && spec.dialect == "postgres" {
        source.url.database = Some(catalog.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_arguments_take_the_place_of_public_ones() {
        let extra = r#"{"engine_params": {"connect_args": {"sslmode": "require"}}}"#;
        assert_eq!(arguments(Some(extra), None)["sslmode"], "require");
        assert_eq!(arguments(Some(extra), Some("{}"))["sslmode"], "require");
        assert_eq!(arguments(Some(extra), Some(r#"{"connect_args": {"a": 1}}"#))["a"], 1);
        assert!(arguments(Some("nope"), None).is_empty());
    }
}
