//! Loading the bodies of connections (`superset.databases.schemas`).

use commands::{
    connect::{tunnel::TunnelFields, uri},
    database::DatabaseFields,
    schema::Sent,
};
use infra::{
    Error,
    config::Config,
    engine_specs::{self, url::Url},
    error::{ErrorType, SupersetError},
    json_error::json_error,
};
use serde_json::{Map, Value, json};

use crate::schemas::validate::both_bounds;
use crate::{
    Cx,
    controllers::crud::{Field, FieldKind},
    error::Failure,
    error_pages,
    schemas::validate::{self, FieldErrors},
};

/// `BasicParametersSchema`.
const FORM: &[Field] = &[
    Field::text("username").required(),
    Field::text("password"),
    Field::new("host", FieldKind::String).required(),
    Field::new("port", FieldKind::Integer).required(),
    Field::new("database", FieldKind::String).required(),
    Field::new("query", FieldKind::Other("Dict")),
    Field::new("encryption", FieldKind::Boolean),
    Field::new("ssh", FieldKind::Boolean),
];

/// `DuckDBParametersSchema`.
const DUCKDB_FORM: &[Field] = &[
    Field::text("access_token"),
    Field::new("database", FieldKind::String),
    Field::new("query", FieldKind::Other("Dict")),
];

/// `BigQueryParametersSchema`.
const BIGQUERY_FORM: &[Field] =
    &[Field::new("credentials_info", FieldKind::String), Field::new("query", FieldKind::Other("Dict"))];

/// How a body is loaded.
pub(crate) struct Loading {
    /// Fields of the schema.
    pub fields: &'static [Field],
    /// Keys beyond the schema are errors.
    pub strict: bool,
    /// Shortest connection string; none where the body has no string.
    pub uri: Option<usize>,
}

/// Loads an object: its fields as they are echoed, and as commands take them. The errors are marshmallow's.
pub(crate) fn load(
    config: &Config,
    mut body: Map<String, Value>,
    how: &Loading,
) -> Result<(Map<String, Value>, DatabaseFields), FieldErrors> {
    let mut errors = FieldErrors::new();
    if how.uri.is_some() {
        take_form(&mut body)?;
    }
    if let Some(secret) = body.remove("encrypted_extra") {
        body.insert("masked_encrypted_extra".to_owned(), secret);
    }
    if !how.strict {
        body.retain(|key, _| how.fields.iter().any(|f| f.name == key));
    }
    let body = Value::Object(body);
    let mut loaded = match validate::load(how.fields, &body) {
        Ok(loaded) => loaded,
        Err(found) => {
            errors = found;
            Map::new()
        }
    };
    both_bounds(&mut errors);
    let mut add = |key: &str, messages: Vec<String>| {
        if !messages.is_empty() && !errors.contains_key(key) {
            errors.insert(key.to_owned(), json!(messages));
        }
    };
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    if let (Some(shortest), Some(uri)) = (how.uri, text("sqlalchemy_uri")) {
        add("sqlalchemy_uri", uri_errors(config, uri, shortest));
    }
    add("extra", text("extra").map(extra_errors).unwrap_or_default());
    add("masked_encrypted_extra", text("masked_encrypted_extra").map(secret_errors).unwrap_or_default());
    if text("server_cert").is_some_and(|c| !c.is_empty() && !infra::pg::is_certificate(c)) {
        add("server_cert", vec!["Invalid certificate".to_owned()]);
    }
    if let Some(method) = body.get("configuration_method") {
        let known = matches!(method.as_str(), Some("sqlalchemy_form" | "dynamic_form"));
        if method.is_null() {
            add("configuration_method", vec!["Field may not be null.".to_owned()]);
        } else if !known {
            add("configuration_method", vec!["Must be one of: sqlalchemy_form, dynamic_form.".to_owned()]);
        }
    } else if how.uri.is_some() {
        loaded.insert("configuration_method".to_owned(), json!("sqlalchemy_form"));
    }
    for key in ["parameters", "catalog"] {
        if how.uri.is_none() && body.get(key).is_some_and(|v| !v.is_object()) {
            add(key, vec!["Not a valid mapping type.".to_owned()]);
        }
    }
    let mut fields = DatabaseFields::read(&loaded);
    if let Some(tunnel) = body.get("ssh_tunnel").filter(|t| !t.is_null()) {
        match validate::load(TunnelFields::SCHEMA, tunnel) {
            Ok(tunnel) => fields.ssh_tunnel = Sent::Value(TunnelFields::read(&tunnel)),
            Err(wrong) => drop(errors.insert("ssh_tunnel".to_owned(), Value::Object(wrong))),
        }
    }
    if errors.is_empty() { Ok((loaded, fields)) } else { Err(errors) }
}

/// `build_sqlalchemy_uri`: the form becomes a connection string.
fn take_form(body: &mut Map<String, Value>) -> Result<(), FieldErrors> {
    let mut parameters = match body.remove("parameters") {
        Some(Value::Object(parameters)) => parameters,
        _ => Map::new(),
    };
    let given = |value: Option<Value>| value.filter(commands::connect::describe::truthy);
    let engine = given(body.remove("engine"))
        .or_else(|| given(parameters.remove("engine")))
        .or_else(|| given(body.remove("backend")));
    let driver = body.remove("driver");
    if body.get("configuration_method").and_then(Value::as_str) != Some("dynamic_form") {
        return Ok(());
    }
    let wrong = |text: &str| FieldErrors::from_iter([("_schema".to_owned(), json!([text]))]);
    let Some(engine) = engine.as_ref().and_then(Value::as_str) else {
        return Err(wrong("An engine must be specified when passing individual parameters to a database."));
    };
    let spec = engine_specs::spec(engine, driver.as_ref().and_then(Value::as_str));
    if uri::has_duckdb_form(spec) {
        let loaded = validate::load(DUCKDB_FORM, &Value::Object(parameters))?;
        body.insert("sqlalchemy_uri".to_owned(), json!(uri::build(spec, &loaded).text()));
        return Ok(());
    }
    if uri::has_bigquery_form(spec) {
        let loaded = validate::load(BIGQUERY_FORM, &Value::Object(parameters))?;
        let secret = body.get("masked_encrypted_extra").or_else(|| body.get("encrypted_extra"));
        let built = uri::build_bigquery(spec, &loaded, secret.and_then(Value::as_str)).map_err(wrong)?;
        body.insert("sqlalchemy_uri".to_owned(), json!(built));
        return Ok(());
    }
    if !uri::has_basic_form(spec) {
        return Err(wrong(
            "Engine spec \"InvalidEngine\" does not support being configured via individual parameters.",
        ));
    }
    let loaded = validate::load(FORM, &Value::Object(parameters))?;
    if let Some(port) = loaded.get("port").and_then(Value::as_i64)
        && !(0..65_536).contains(&port)
    {
        let text = "Must be greater than or equal to 0 and less than 65536.";
        return Err(FieldErrors::from_iter([("port".to_owned(), json!([text]))]));
    }
    body.insert("sqlalchemy_uri".to_owned(), json!(uri::build(spec, &loaded).text()));
    Ok(())
}

fn uri_errors(config: &Config, text: &str, shortest: usize) -> Vec<String> {
    let mut messages = Vec::new();
    if !(shortest..=1024).contains(&text.chars().count()) {
        messages.push(format!("Length must be between {shortest} and 1024."));
    }
    match Url::parse(text) {
        None => messages.push(
            "Invalid connection string, a valid string usually follows: \
             backend+driver://user:password@database-host/database-name"
                .to_owned(),
        ),
        Some(url) => messages.extend(uri::refusal(config, &url)),
    }
    messages
}

fn extra_errors(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(message) = json_error(text) {
        return vec![format!("Field cannot be decoded by JSON. {message}")];
    }
    let extra: Value = serde_json::from_str(text).unwrap_or_default();
    let known = ["bind", "schema", "quote_schema", "naming_convention", "info"];
    let parameters = extra.get("metadata_params").and_then(Value::as_object);
    let wrong = parameters.and_then(|p| p.keys().find(|k| !known.contains(&k.as_str())));
    let text = |key: &String| {
        format!("The metadata_params in Extra field is not configured correctly. The key {key} is invalid.")
    };
    wrong.map(text).into_iter().collect()
}

fn secret_errors(text: &str) -> Vec<String> {
    let error = if text.is_empty() { None } else { json_error(text) };
    error.map(|message| format!("Field cannot be decoded by JSON. {message}")).into_iter().collect()
}

/// The JSON object of a body that no `@safe` catches: what is none ends as in the original.
pub(crate) fn object_body(cx: &Cx) -> Result<Map<String, Value>, Failure> {
    if !cx.req.is_json() {
        let error = SupersetError::new(ErrorType::InvalidPayloadFormatError, "Request is not JSON");
        return Err(Error::sip40(400, error).into());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&cx.req.body) else {
        return Err(Error::sip40(400, error_pages::error(400)).into());
    };
    let kind = match body {
        Value::Object(map) => return Ok(map),
        Value::Array(_) => "pop expected at most 1 argument, got 2".to_owned(),
        Value::Null => attribute("NoneType"),
        Value::String(_) => attribute("str"),
        Value::Bool(_) => attribute("bool"),
        Value::Number(n) if n.is_f64() => attribute("float"),
        Value::Number(_) => attribute("int"),
    };
    Err(Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, kind)).into())
}

fn attribute(kind: &str) -> String {
    format!("'{kind}' object has no attribute 'pop'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(body: Value, how: &Loading) -> Value {
        let config = Config::with(Default::default());
        Value::Object(load(&config, body.as_object().cloned().unwrap(), how).unwrap_err())
    }

    #[test]
    fn unsafe_sources_by_any_driver() {
        let how = Loading { fields: DatabaseFields::TEST, strict: true, uri: Some(1) };
        for uri in ["sqlite:////tmp/x.db", "sqlite+pysqlite://", "sqlite+other://x", "shillelagh://"] {
            let found = errors(json!({"sqlalchemy_uri": uri}), &how);
            assert!(found["sqlalchemy_uri"][0].as_str().unwrap().contains("security reasons"), "{found}");
        }
        let found = errors(json!({"sqlalchemy_uri": "mysql://h/d", "nope": 1}), &how);
        assert_eq!(found, json!({"nope": ["Unknown field."]}));
    }

    #[test]
    fn forms_become_strings() {
        let how = Loading { fields: DatabaseFields::POST, strict: false, uri: Some(1) };
        let config = Config::with(Default::default());
        let body = json!({
            "database_name": "x", "configuration_method": "dynamic_form", "engine": "postgresql", "x": 1,
            "parameters": {"host": "h", "port": 5432, "username": "u", "password": "p", "database": "d"},
        });
        let (echo, fields) = load(&config, body.as_object().cloned().unwrap(), &how).unwrap();
        assert_eq!(echo["sqlalchemy_uri"], "postgresql+psycopg2://u:p@h:5432/d");
        assert_eq!(fields.sqlalchemy_uri.text(), echo["sqlalchemy_uri"].as_str());
        let found = errors(
            json!({"database_name": "x", "configuration_method": "dynamic_form", "engine": "postgresql",
                "parameters": {}}),
            &how,
        );
        assert_eq!(found["host"], json!(["Missing data for required field."]));
        let found = errors(json!({"database_name": "x", "extra": "{bad"}), &how);
        assert!(
            found["extra"][0].as_str().unwrap().starts_with("Field cannot be decoded by JSON. Expecting")
        );
    }
}
