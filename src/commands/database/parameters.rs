//! Checking the connection form while it is filled in (`superset.commands.database.validate`).

use daos::database;
use infra::{
    Error, Result,
    engine_specs::{self, facts::Form},
    engines,
    error::{ErrorType, SupersetError},
    net,
};
use serde_json::{Map, Value, json};

use super::{
    DatabaseFields,
    test::{candidate, ping},
};
use crate::connect::{
    errors, secrets,
    uri::{build, has_basic_form, has_duckdb_form, masked},
};
use crate::{
    Caller,
    access::lists,
    connect::{mutate, source},
    state::functions,
};

/// Checks the parameters one after the other, then connects.
pub async fn validate_parameters(caller: &Caller, fields: &DatabaseFields) -> Result<()> {
    let engine = fields.engine.text().unwrap_or_default();
    let spec = engine_specs::spec(engine, fields.driver.text());
    if spec.connection.form_unchecked {
        return Ok(());
    }
    if spec.parameters_schema.is_none() {
        let text = format!("Engine \"{engine}\" cannot be configured through parameters.");
        return Err(Error::sip40(422, SupersetError::new(ErrorType::GenericDbEngineError, text)));
    }
    let nothing = Map::new();
    let parameters = fields.parameters.value().unwrap_or(&nothing);
    if has_basic_form(spec) {
        let errors = match spec.connection.form {
            Form::Clickhouse => clickhouse(parameters).await,
            Form::Basic | Form::Bigquery | Form::Duckdb | Form::Snowflake => basic(parameters).await,
        };
        if !errors.is_empty() {
            return Err(Error::Sip40 { status: 422, errors });
        }
    }
    let stored = match fields.id.get() {
        Some(id) => {
            database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?
        }
        None => None,
    };
    if has_duckdb_form(spec) {
        let text = |key: &str| parameters.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("database").contains("md:") && text("access_token").is_empty() {
            let message = "One or more parameters are missing: access_token";
            let error =
                SupersetError::new(ErrorType::ConnectionMissingParametersError, message).level("warning");
            let errors = vec![error.extra("missing", json!(["access_token"]))];
            return Err(Error::Sip40 { status: 422, errors });
        }
    }
    let mut secret = fields.secret().map(str::to_owned);
    let mut url = build(spec, parameters);
    if let Some(stored) = &stored {
        secret = secrets::unmasked(&caller.app, stored, secret);
        if url.text() == masked(&stored.sqlalchemy_uri) {
            url = source(&caller.app, stored)?.url;
        }
    }
    functions::validate_uri(&caller.app.config, &url.text())?;
    let mut source = candidate(caller, url, fields, secret.as_deref());
    mutate(caller, &mut source)?;
    let target = match caller.app.engines.make(&source) {
        Ok(target) => target,
        Err(error @ engines::EngineError::NoDriver { .. }) => return Err(errors::no_driver(&error)),
        Err(error) => {
            let errors = errors::explained(spec, &source, &error.to_string());
            return Err(Error::Sip40 { status: 400, errors });
        }
    };
    match ping(&caller.app, &target).await {
        None => Err(errors::timed_out(&source)),
        // whoever asks it anything can get a token then
        Some(Ok(()) | Err(engines::EngineError::OAuth2Redirect(_))) => Ok(()),
        Some(Err(error)) => {
            let errors = errors::explained(spec, &source, &target.failure_text(&error));
            Err(Error::Sip40 { status: 400, errors })
        }
    }
}

/// `ClickHouseConnectEngineSpec.validate_parameters`: only the host is asked for, and the first fault is the only one.
async fn clickhouse(parameters: &Map<String, Value>) -> Vec<SupersetError> {
    let host = parameters.get("host").and_then(Value::as_str).unwrap_or_default();
    if host.is_empty() {
        let error = SupersetError::new(ErrorType::ConnectionMissingParametersError, "Hostname is required");
        return vec![error.level("warning").extra("missing", json!(["host"]))];
    }
    let invalid = |kind: ErrorType, text: &str, field: &str| {
        vec![SupersetError::new(kind, text).extra("invalid", json!([field]))]
    };
    if net::address(host).await.is_none() {
        let text = "The hostname provided can't be resolved.";
        return invalid(ErrorType::ConnectionInvalidHostnameError, text, "host");
    }
    let encrypted = parameters.get("encryption").is_some_and(crate::connect::describe::truthy);
    let port = match parameters.get("port") {
        None | Some(Value::Null) => Some(if encrypted { 8443 } else { 8123 }),
        Some(Value::Number(n)) => n.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let port = port.and_then(|p| u16::try_from(p).ok()).filter(|p| (1..65_535).contains(p));
    let Some(port) = port else {
        let text = "Port must be a valid integer between 0 and 65535 (inclusive).";
        return invalid(ErrorType::ConnectionInvalidPortError, text, "port");
    };
    if net::port_is_open(host, port).await {
        return Vec::new();
    }
    invalid(ErrorType::ConnectionPortClosedError, "The port is closed.", "port")
}

/// `BasicParametersMixin.validate_parameters`: as far as there is something to check.
async fn basic(parameters: &Map<String, Value>) -> Vec<SupersetError> {
    let mut errors = Vec::new();
    let given = |key: &str| parameters.get(key).filter(|v| crate::connect::describe::truthy(v));
    let missing: Vec<&str> =
        ["database", "host", "port", "username"].into_iter().filter(|k| given(k).is_none()).collect();
    if !missing.is_empty() {
        let text = format!("One or more parameters are missing: {}", missing.join(", "));
        let error = SupersetError::new(ErrorType::ConnectionMissingParametersError, text).level("warning");
        errors.push(error.extra("missing", json!(missing)));
    }
    let invalid = |kind: ErrorType, text: &str, field: &str| {
        SupersetError::new(kind, text).extra("invalid", json!([field]))
    };
    let Some(host) = given("host") else { return errors };
    let host = host.as_str().map_or_else(|| host.to_string(), str::to_owned);
    if net::address(&host).await.is_none() {
        let text = "The hostname provided can't be resolved.";
        errors.push(invalid(ErrorType::ConnectionInvalidHostnameError, text, "host"));
        return errors;
    }
    let Some(port) = given("port") else { return errors };
    let number = match port {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
        Value::String(text) => text.trim().parse::<i64>().ok(),
        _ => None,
    };
    if number.is_none() {
        errors.push(invalid(ErrorType::ConnectionInvalidPortError, "Port must be a valid integer.", "port"));
    }
    match number.and_then(|n| u16::try_from(n).ok()) {
        None => {
            let text = "The port must be an integer between 0 and 65535 (inclusive).";
            errors.push(invalid(ErrorType::ConnectionInvalidPortError, text, "port"));
        }
        Some(port) => {
            if !net::port_is_open(&host, port).await {
                errors.push(invalid(ErrorType::ConnectionPortClosedError, "The port is closed.", "port"));
            }
        }
    }
    errors
}
