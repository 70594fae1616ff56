//! Trying a connection before it is stored (`superset.commands.database.test_connection`).

use std::time::Duration;

use daos::database;
use infra::{
    Error, Result,
    engines::{Engine, EngineError, Source, url::Url},
};
use serde_json::{Map, Value};

use super::{errors, oauth2, secrets, tunnel};
use crate::{
    Principal, Services,
    databases::{arguments_of, effective_name, impersonate, source},
};

/// Fields of a body, checked by their schema.
pub type Fields = Map<String, Value>;

/// The text of a field.
pub fn text<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

/// What a connection of these fields is made with.
pub fn candidate(
    app: &Services,
    user: &Principal,
    url: Url,
    fields: &Fields,
    encrypted_extra: Option<&str>,
) -> Source {
    let mut source = Source {
        arguments: arguments_of(&url, text(fields, "extra"), encrypted_extra),
        url,
        server_cert: text(fields, "server_cert").filter(|c| !c.is_empty()).map(str::to_owned),
        token: None,
        dance: None,
        tunnel: None,
    };
    if source.spec().caps.supports_oauth2 {
        let uri = source.url.text();
        let client = oauth2::Client::find(app, &uri, encrypted_extra, &user.origin);
        source.dance = client.and_then(|client| oauth2::dance(app, user, &client, None));
    }
    if fields.get("impersonate_user").and_then(Value::as_bool) == Some(true)
        && let Some(name) = effective_name(app, user)
    {
        impersonate(&mut source, name);
    }
    source
}

/// How long a connection may take to answer.
fn patience(app: &Services) -> Duration {
    let seconds = app.config.get("TEST_DATABASE_CONNECTION_TIMEOUT").as_f64().unwrap_or(30.0);
    Duration::from_secs_f64(seconds.clamp(1.0, 600.0))
}

/// Connects and asks for nothing; `None` when the time is over.
pub async fn ping(app: &Services, engine: &Engine) -> Option<Result<(), EngineError>> {
    tokio::time::timeout(patience(app), engine.ping()).await.ok()
}

/// Tries a connection (`TestConnectionDatabaseCommand`). Where the fields name a database that is stored and its
/// string was not changed, its password is used.
pub async fn test_connection(app: &Services, user: &Principal, fields: &Fields) -> Result<()> {
    let stored = match text(fields, "database_name") {
        Some(name) => database::find_by_name(app.db.exec(), name).await?,
        None => None,
    };
    let uri = text(fields, "sqlalchemy_uri").unwrap_or_default();
    let mut url =
        Url::parse(uri).ok_or_else(|| errors::command_error(422, "Database parameters are invalid."))?;
    let mut encrypted =
        fields.get("masked_encrypted_extra").map_or(Some("{}"), Value::as_str).map(str::to_owned);
    if let Some(stored) = &stored {
        if stored.sqlalchemy_uri == uri {
            url = source(app, stored)?.url;
        }
        encrypted = secrets::unmasked(app, stored, encrypted);
    }
    let mut source = candidate(app, user, url, fields, encrypted.as_deref());
    if let Some(body) = tunnel::wanted(fields) {
        tunnel::raise_unless_possible(app, &source)?;
        source.tunnel = Some(tunnel::candidate(app, user, body).await?);
    }
    try_source(app, &source).await
}

/// Tries a source; errors as `test_connection` words them.
pub async fn try_source(app: &Services, source: &Source) -> Result<()> {
    let spec = source.spec();
    let engine = match app.engines.make(source) {
        Ok(engine) => engine,
        Err(error @ EngineError::NoDriver { .. }) => return Err(errors::no_driver(&error)),
        Err(error) => {
            let errors = errors::explained(spec, source, &error.to_string());
            return Err(Error::Sip40 { status: 422, errors });
        }
    };
    match ping(app, &engine).await {
        None => Err(errors::timed_out(source)),
        Some(Ok(())) => Ok(()),
        Some(Err(error @ EngineError::SignIn(_))) => Err(error.into_answer(Error::internal)),
        Some(Err(error @ EngineError::Tunnel(_))) => {
            let errors = errors::explained(spec, source, &error.to_string());
            Err(Error::Sip40 { status: 422, errors })
        }
        Some(Err(error)) => {
            let errors = errors::explained(spec, source, &errors::wrapped(&engine, &error));
            Err(Error::Sip40 { status: 400, errors })
        }
    }
}
