//! Trying a connection before it is stored (`superset.commands.database.test_connection`).

use std::time::Duration;

use daos::database;
use infra::{
    Error, Result,
    engine_specs::url::Url,
    engines::{Engine, EngineError, Source},
};

use super::DatabaseFields;
use crate::connect::{errors, oauth2, secrets, tunnel};
use crate::{
    Caller, Services,
    connect::{arguments_of, effective_name, impersonate, mutate, source},
    state::functions,
};

/// What a connection of these fields is made with.
pub fn candidate(
    caller: &Caller,
    url: Url,
    fields: &DatabaseFields,
    encrypted_extra: Option<&str>,
) -> Source {
    let mut source = Source {
        arguments: arguments_of(&url, fields.extra.text(), encrypted_extra),
        url,
        server_cert: fields.server_cert.filled().map(str::to_owned),
        token: None,
        oauth2_redirect: None,
        tunnel: None,
    };
    if source.spec().caps.supports_oauth2 {
        let uri = source.url.text();
        let client = oauth2::Client::find(&caller.app, &uri, encrypted_extra, &caller.user.origin);
        source.oauth2_redirect = client.and_then(|client| oauth2::redirect(caller, &client, None));
    }
    if fields.impersonate_user.get() == Some(true)
        && let Some(name) = effective_name(caller)
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
pub async fn test_connection(caller: &Caller, fields: &DatabaseFields) -> Result<()> {
    let stored = match fields.database_name.text() {
        Some(name) => database::find_by_name(caller.app.db.exec(), name).await?,
        None => None,
    };
    let uri = fields.sqlalchemy_uri.text().unwrap_or_default();
    let mut url =
        Url::parse(uri).ok_or_else(|| errors::command_error(422, "Database parameters are invalid."))?;
    let mut encrypted = fields.secret().map(str::to_owned);
    if let Some(stored) = &stored {
        if stored.sqlalchemy_uri == uri {
            url = source(&caller.app, stored)?.url;
        }
        encrypted = secrets::unmasked(&caller.app, stored, encrypted);
    }
    functions::validate_uri(&caller.app.config, &url.text())?;
    let mut source = candidate(caller, url, fields, encrypted.as_deref());
    if let Some(body) = fields.ssh_tunnel.value().filter(|tunnel| tunnel.is_filled()) {
        tunnel::raise_unless_possible(&caller.app, &source)?;
        source.tunnel = Some(tunnel::candidate(caller, body).await?);
    }
    mutate(caller, &mut source)?;
    try_source(&caller.app, &source).await
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
        Some(Err(error @ EngineError::OAuth2Redirect(_))) => Err(error.into_answer(Error::internal)),
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
