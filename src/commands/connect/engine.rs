//! From a row of `dbs` to a database that answers (`superset.models.core:Database`).

use daos::database::Database;
use infra::{
    Error, Result,
    engine_specs::{EngineSpec, facts::CatalogPlace, url::Url},
    engines::{Engine, EngineError, QueryOptions, Source},
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value};

use crate::{
    Caller, Services,
    connect::{oauth2, secrets, tunnel},
    state::functions,
};

/// The database of a row for somebody, whose name it is entered under when the connection says so, in a catalog.
pub async fn engine_as(caller: &Caller, database: &Database, catalog: Option<&str>) -> Result<Engine> {
    let source = source_as(caller, database, catalog).await?;
    caller.app.engines.open(database.id, &version(database), &source).map_err(refused)
}

/// What [`engine_as`] opens.
pub async fn source_as(caller: &Caller, database: &Database, catalog: Option<&str>) -> Result<Source> {
    let mut source = source(&caller.app, database)?;
    functions::validate_uri(&caller.app.config, &source.url.text())?;
    add_agent(caller, database, &mut source);
    let client = oauth2_client(caller, database);
    if database.impersonate_user == Some(true)
        && let Some(name) = effective_name(caller)
    {
        impersonate(&mut source, name);
        if let (Some(client), Some(user_id)) = (&client, caller.user.user_id()) {
            source.token = oauth2::access_token(&caller.app, client, database.id, user_id).await?;
        }
    }
    source.oauth2_redirect = client.and_then(|client| oauth2::redirect(caller, &client, Some(database.id)));
    select_catalog(&mut source, catalog);
    mutate(caller, &mut source)?;
    Ok(source)
}

/// `USER_AGENT_FUNC`: how connections call themselves, where the driver has an argument for it and none is given.
fn add_agent(caller: &Caller, database: &Database, source: &mut Source) {
    let Some(argument) = &source.spec().connection.agent_argument else { return };
    if !source.arguments.contains_key(argument)
        && let Some(name) = functions::user_agent(caller, database)
    {
        let argument = argument.clone();
        source.arguments.insert(argument, name.into());
    }
}

/// `DB_CONNECTION_MUTATOR`.
pub fn mutate(caller: &Caller, source: &mut Source) -> Result<()> {
    let (url, arguments) = (source.url.text(), source.arguments.clone());
    let name = effective_name(caller).map(str::to_owned);
    let Some((url, arguments)) = functions::mutate_connection(caller, url, arguments, name.as_deref())?
    else {
        return Ok(());
    };
    source.url = Url::parse(&url)
        .ok_or_else(|| refused(EngineError::Uri("DB_CONNECTION_MUTATOR returned no address".into())))?;
    source.arguments = arguments;
    Ok(())
}

/// The client that gets people's tokens for a database, where its driver has a use for them.
pub fn oauth2_client(caller: &Caller, database: &Database) -> Option<oauth2::Client> {
    let spec = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
    if !spec.caps.supports_oauth2 {
        return None;
    }
    oauth2::Client::for_database(&caller.app, database, &caller.user.origin)
}

/// What a statement on behalf of somebody may take: `MAX_RESULT_MB` (512) bounds its result in memory.
pub fn limits(app: &Services) -> QueryOptions {
    let most = app.config.int("MAX_RESULT_MB").and_then(|mb| usize::try_from(mb).ok()).filter(|mb| *mb > 0);
    let default = QueryOptions::default();
    QueryOptions { max_bytes: most.map_or(default.max_bytes, |mb| mb.saturating_mul(1 << 20)), ..default }
}

/// What of a row decides whether connections to it are still good.
fn version(database: &Database) -> String {
    format!("{:?}", database.changed_on)
}

/// Name of the engine as the SQL builder knows it.
pub fn engine_name(database: &Database) -> &'static str {
    &infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri).engine
}

fn refused(e: EngineError) -> Error {
    Error::sip40(422, SupersetError::new(ErrorType::GenericDbEngineError, e.to_string()))
}

/// The connection string with its password and the driver's options (`get_sqla_engine`).
pub fn source(app: &Services, database: &Database) -> Result<Source> {
    let mut url = Url::parse(&database.sqlalchemy_uri)
        .ok_or_else(|| refused(EngineError::Uri("the stored connection string cannot be read".into())))?;
    let clear = |stored: &Option<Vec<u8>>| match stored.as_deref().filter(|s| !s.is_empty()) {
        Some(stored) => secrets::cipher(app).decrypt(stored).map(Some),
        None => Ok(None),
    };
    if let Some(password) = clear(&database.password)? {
        url.password = Some(password);
    }
    let secret = clear(&database.encrypted_extra)?;
    Ok(Source {
        arguments: arguments_of(&url, database.extra.as_deref(), secret.as_deref()),
        url,
        server_cert: clear(&database.server_cert)?,
        tunnel: database.ssh_tunnel.as_ref().map(|row| tunnel::gateway(app, row)).transpose()?,
        token: None,
        oauth2_redirect: None,
    })
}

/// `connect_args` of `extra`, or those of `encrypted_extra`, which take their place.
fn arguments(extra: Option<&str>, encrypted_extra: Option<&str>) -> Map<String, Value> {
    let read = |text: Option<&str>| serde_json::from_str::<Value>(text?).ok();
    let secret = read(encrypted_extra).and_then(|e| e.get("connect_args")?.as_object().cloned());
    let public = || read(extra)?.get("engine_params")?.get("connect_args")?.as_object().cloned();
    secret.or_else(public).unwrap_or_default()
}

/// The same for a connection string: Trino takes from `encrypted_extra` only how to authenticate
/// (`TrinoEngineSpec.update_params_from_encrypted_extra`).
pub fn arguments_of(url: &Url, extra: Option<&str>, encrypted_extra: Option<&str>) -> Map<String, Value> {
    let connection = &infra::engine_specs::spec(url.backend(), url.driver()).connection;
    if !connection.engine_arguments.is_empty() {
        return engine_arguments(&connection.engine_arguments, extra, encrypted_extra);
    }
    if !connection.secret_is_auth {
        return arguments(extra, encrypted_extra);
    }
    let mut all = arguments(extra, None);
    // of public options none may pass for what is secret
    all.remove("auth");
    let secret =
        encrypted_extra.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    if secret.get("auth_method").and_then(Value::as_str).is_some_and(|method| !method.is_empty()) {
        all.insert("http_scheme".to_owned(), "https".into());
        all.insert("auth".to_owned(), secret);
    }
    all
}

/// The same with parameters of the engine itself: `engine_params` and, stronger, `encrypted_extra`.
fn engine_arguments(
    names: &[String],
    extra: Option<&str>,
    encrypted_extra: Option<&str>,
) -> Map<String, Value> {
    let mut all = arguments(extra, encrypted_extra);
    // none of the options of a connection may pass for one
    all.retain(|key, _| !names.contains(key));
    let read = |text: Option<&str>| serde_json::from_str::<Value>(text?).ok();
    let public = read(extra).and_then(|mut extra| extra.get_mut("engine_params").map(Value::take));
    for given in [public, read(encrypted_extra)].into_iter().flatten() {
        for name in names {
            if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
                all.insert(name.clone(), value.clone());
            }
        }
    }
    all
}

/// `get_effective_user`, with the part of the address before the at sign where the flag wants that.
pub fn effective_name(caller: &Caller) -> Option<&str> {
    let user = caller.user.user.as_ref()?;
    let address = user.email.split('@').next().filter(|a| !a.is_empty());
    match address {
        Some(address) if caller.app.config.flag("IMPERSONATE_WITH_EMAIL_PREFIX") => Some(address),
        _ => Some(&user.username),
    }
}

/// `impersonate_user`: where the engine has a notion of acting for somebody the login stays, elsewhere the login is
/// theirs.
pub fn impersonate(source: &mut Source, name: &str) {
    match &source.spec().connection.impersonation_argument {
        Some(argument) => {
            source.arguments.insert(argument.clone(), name.into());
        }
        None => source.url.username = Some(name.to_owned()),
    }
}

/// `adjust_engine_params`: on PostgreSQL a catalog is a database of its own.
fn select_catalog(source: &mut Source, catalog: Option<&str>) {
    let Some(catalog) = catalog.filter(|c| !c.is_empty()) else { return };
    let spec: &EngineSpec = source.spec();
    source.url.database = Some(match spec.connection.catalog {
        CatalogPlace::Fixed => return,
        CatalogPlace::Option => {
            source.arguments.remove("catalog");
            source.url.set_option("catalog", catalog);
            return;
        }
        CatalogPlace::Host => {
            source.url.host = Some(catalog.to_owned());
            source.url.database = None;
            return;
        }
        CatalogPlace::Database => catalog.to_owned(),
        CatalogPlace::FirstPart => {
            let encoded = infra::engine_specs::url::quoted(catalog);
            let database = source.url.database.as_deref();
            match database.and_then(|d| d.split_once('/')) {
                Some((_, schema)) => format!("{encoded}/{schema}"),
                None => encoded,
            }
        }
    });
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
        let trino = Url::parse("trino://h/d").unwrap();
        let secret = r#"{"auth_method": "jwt", "auth_params": {"token": "t"}, "connect_args": {"a": 1}}"#;
        let found = arguments_of(
            &trino,
            Some(r#"{"engine_params": {"connect_args": {"auth": 1, "b": 2}}}"#),
            Some(secret),
        );
        assert_eq!((found["auth"]["auth_method"].as_str(), found["b"].as_i64()), (Some("jwt"), Some(2)));
        assert!(!found.contains_key("a"));
    }
}
