//! Functions of the configuration, called where Superset calls them, with what of its objects is data.

use daos::database::Database;
use infra::{
    Error, Result,
    config::{
        Config,
        python::{Caller as Asker, Function, Input},
    },
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use super::{Caller, Principal};

/// `g.user` during a call.
fn user_data(user: &Principal) -> Option<Map<String, Value>> {
    let roles: Vec<Value> = user.roles.iter().map(|r| json!({"id": r.id, "name": r.name})).collect();
    let data = match (&user.user, &user.guest) {
        (Some(found), _) => json!({
            "id": found.id, "username": found.username, "first_name": found.first_name,
            "last_name": found.last_name, "email": found.email, "active": found.active,
            "is_active": found.active, "is_anonymous": false, "is_authenticated": true, "is_guest_user": false,
            "roles": roles,
        }),
        (None, Some(guest)) => {
            let mut data = json!({
                "id": null, "username": "guest_user", "first_name": "guest", "last_name": "user", "email": null,
                "active": true, "is_active": true, "is_anonymous": true, "is_authenticated": true,
                "is_guest_user": true, "roles": roles, "resources": guest.resources, "rls": guest.rls_rules,
            });
            if let (Some(data), Some(own)) = (data.as_object_mut(), guest.user.as_object()) {
                data.extend(own.clone());
            }
            data
        }
        (None, None) => return None,
    };
    data.as_object().cloned()
}

/// Who asks, for a call.
pub fn asker(user: &Principal) -> Asker {
    Asker { user: user_data(user) }
}

/// The user as an argument.
fn user_object(user: &Principal) -> Input {
    user_data(user).map_or(Input::Data(Value::Null), |data| Input::Object("user", data))
}

/// A database as an argument: what of it is no secret.
fn database_object(database: &Database) -> Input {
    let data = json!({
        "id": database.id, "database_name": database.database_name, "name": database.database_name,
        "backend": database.backend(), "sqlalchemy_uri": database.sqlalchemy_uri,
        "extra": database.extra, "cache_timeout": database.cache_timeout,
        "expose_in_sqllab": database.expose_in_sqllab, "allow_ctas": database.allow_ctas,
        "allow_cvas": database.allow_cvas, "allow_dml": database.allow_dml,
        "allow_run_async": database.allow_run_async, "allow_file_upload": database.allow_file_upload,
        "force_ctas_schema": database.force_ctas_schema, "impersonate_user": database.impersonate_user,
        "uuid": database.uuid.map(|id| id.to_string()), "perm": database.perm(),
    });
    Input::Object("database", data.as_object().cloned().unwrap_or_default())
}

/// `superset.security_manager`, as far as it is data: who asks, and their row by name.
fn security_manager(user: &Principal) -> Input {
    let current = user_data(user).map_or(Value::Null, Value::Object);
    Input::Object("security_manager", Map::from_iter([("current_user".to_owned(), current)]))
}

/// A function returned what nobody can use.
fn failed(function: &Function, error: &str) -> Error {
    tracing::error!(error, function = function.name(), "a function of the configuration failed");
    told(function)
}

/// What people are told when a function fails; the log has the reason.
fn told(function: &Function) -> Error {
    let text = format!("The function {} of the configuration failed.", function.name());
    Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text))
}

/// Calls a function; an error is told in fixed words.
fn call(
    function: &Function,
    positional: Vec<Input>,
    named: Vec<(&str, Input)>,
    user: &Principal,
) -> Result<Value> {
    function.call(positional, named, &asker(user)).map_err(|_| told(function))
}

/// `SQL_QUERY_MUTATOR` over one statement (`Database.mutate_sql_based_on_config`).
///
/// The original calls it once for a text or once for each of its statements, as `MUTATE_AFTER_SPLIT` says, but in SQL
/// Lab not at all in the latter case. Statements are executed one by one here, so that it is called once for each,
/// everywhere.
pub fn mutate_sql(caller: &Caller, database: &Database, sql: String) -> Result<String> {
    let Some(function) = caller.app.config.function("SQL_QUERY_MUTATOR") else { return Ok(sql) };
    let named =
        vec![("security_manager", security_manager(&caller.user)), ("database", database_object(database))];
    match call(function, vec![Input::Data(sql.into())], named, &caller.user)? {
        Value::String(sql) => Ok(sql),
        _ => Err(failed(function, "it returned something else than a text")),
    }
}

/// The statements of a changed text; one alone is left as it is, with its comments.
pub fn pieces(text: &str, engine: &str) -> Vec<String> {
    match infra::sql::parse(text, engine) {
        Ok(script) if script.statements().len() > 1 => {
            script.statements().iter().map(infra::sql::Statement::format).collect()
        }
        _ => vec![text.to_owned()],
    }
}

/// Whether statements are changed before they are executed.
pub fn mutates_sql(caller: &Caller) -> bool {
    caller.app.config.function("SQL_QUERY_MUTATOR").is_some()
}

/// `DB_CONNECTION_MUTATOR`: another address and other arguments of the driver.
pub fn mutate_connection(
    caller: &Caller,
    url: String,
    arguments: Map<String, Value>,
    username: Option<&str>,
) -> Result<Option<(String, Map<String, Value>)>> {
    let Some(function) = caller.app.config.function("DB_CONNECTION_MUTATOR") else { return Ok(None) };
    let positional = vec![
        Input::Url(url),
        Input::Data(json!({"connect_args": arguments})),
        Input::Data(json!(username)),
        security_manager(&caller.user),
        Input::Data(Value::Null),
    ];
    let changed = call(function, positional, Vec::new(), &caller.user)?;
    match changed.as_array().map(Vec::as_slice) {
        Some([Value::String(url), Value::Object(params)]) => {
            let arguments =
                params.get("connect_args").and_then(Value::as_object).cloned().unwrap_or_default();
            Ok(Some((url.clone(), arguments)))
        }
        _ => Err(failed(function, "it did not return an address and a dictionary")),
    }
}

/// `ALLOWED_USER_CSV_SCHEMA_FUNC`: schemas of a database that somebody may upload into, besides those of its row.
pub fn upload_schemas(caller: &Caller, database: &Database) -> Result<Vec<String>> {
    let Some(function) = caller.app.config.function("ALLOWED_USER_CSV_SCHEMA_FUNC") else {
        return Ok(Vec::new());
    };
    let positional = vec![database_object(database), user_object(&caller.user)];
    match call(function, positional, Vec::new(), &caller.user)? {
        Value::Array(all) => Ok(all.into_iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()),
        Value::Null => Ok(Vec::new()),
        _ => Err(failed(function, "it did not return a list")),
    }
}

/// `GUEST_TOKEN_VALIDATOR_HOOK`: whether a guest token may be issued; a failure means that it may not.
pub fn allows_guest_token(caller: &Caller, body: Value) -> Result<bool> {
    let Some(function) = caller.app.config.function("GUEST_TOKEN_VALIDATOR_HOOK") else { return Ok(true) };
    let answer = call(function, vec![Input::Data(body)], Vec::new(), &caller.user)?;
    Ok(infra::json::truthy(&answer))
}

/// `COMMON_BOOTSTRAP_OVERRIDES_FUNC`: what the frontend is told instead.
pub fn bootstrap_overrides(caller: &Caller, data: &Map<String, Value>) -> Result<Map<String, Value>> {
    let Some(function) = caller.app.config.function("COMMON_BOOTSTRAP_OVERRIDES_FUNC") else {
        return Ok(Map::new());
    };
    let given = vec![Input::Data(Value::Object(data.clone()))];
    match call(function, given, Vec::new(), &caller.user)? {
        Value::Object(overrides) => Ok(overrides),
        _ => Err(failed(function, "it did not return a dictionary")),
    }
}

/// `DB_SQLA_URI_VALIDATOR`: an address that it raises an exception for is not connected to, with its words.
pub fn validate_uri(config: &Config, url: &str) -> Result<()> {
    let Some(function) = config.function("DB_SQLA_URI_VALIDATOR") else { return Ok(()) };
    let judged = function.call(vec![Input::Url(url.to_owned())], Vec::new(), &Asker::default());
    let refused = |text: String| Error::sip40(422, SupersetError::new(ErrorType::GenericDbEngineError, text));
    match judged {
        Ok(_) => Ok(()),
        Err(error) => match error.exception.map(|exception| exception.1).filter(|text| !text.is_empty()) {
            Some(text) => Err(refused(text)),
            None => Err(refused("The connection is forbidden by DB_SQLA_URI_VALIDATOR.".to_owned())),
        },
    }
}

/// `USER_AGENT_FUNC`: how connections to a database call themselves. A failure leaves the usual name.
pub fn user_agent(caller: &Caller, database: &Database) -> Option<String> {
    let function = caller.app.config.function("USER_AGENT_FUNC")?;
    let positional = vec![database_object(database), Input::Data(Value::Null)];
    call(function, positional, Vec::new(), &caller.user).ok()?.as_str().map(str::to_owned)
}

/// `SQLLAB_CTAS_SCHEMA_NAME_FUNC`: where tables of SQL Lab are made.
pub fn ctas_schema(
    caller: &Caller,
    database: &Database,
    schema: Option<&str>,
    sql: &str,
) -> Result<Option<String>> {
    let Some(function) = caller.app.config.function("SQLLAB_CTAS_SCHEMA_NAME_FUNC") else { return Ok(None) };
    let positional = vec![
        database_object(database),
        user_object(&caller.user),
        Input::Data(json!(schema)),
        Input::Data(sql.into()),
    ];
    match call(function, positional, Vec::new(), &caller.user)? {
        Value::String(name) => Ok(Some(name).filter(|name| !name.is_empty())),
        Value::Null => Ok(None),
        _ => Err(failed(function, "it did not return a name")),
    }
}

/// `QUERY_COST_FORMATTERS_BY_ENGINE`: costs as an engine's function shows them, if it has one.
pub fn format_costs(config: &Config, engine: &str, costs: &[Value]) -> Option<Result<Vec<Value>>> {
    let function = config.function("QUERY_COST_FORMATTERS_BY_ENGINE")?.item(engine)?;
    let formatted = function.call(vec![Input::Data(costs.into())], Vec::new(), &Asker::default());
    Some(match formatted {
        Ok(Value::Array(costs)) => Ok(costs),
        Ok(_) => Err(failed(&function, "it did not return a list")),
        Err(_) => Err(told(&function)),
    })
}

/// `TRACKING_URL_TRANSFORMER` over a stored address; one that takes two arguments gets the query, too. A failure shows
/// no address.
pub fn tracking_url(config: &Config, url: Option<&str>, about: Value) -> Value {
    let (Some(url), Some(function)) =
        (url.filter(|url| !url.is_empty()), config.function("TRACKING_URL_TRANSFORMER"))
    else {
        return json!(url);
    };
    let mut positional = vec![Input::Data(url.into())];
    if function.parameters().len() > 1 {
        positional.push(Input::Object("query", about.as_object().cloned().unwrap_or_default()));
    }
    let changed = function.call(positional, Vec::new(), &Asker::default());
    changed.ok().filter(Value::is_string).unwrap_or_default()
}

/// `DATASET_HEALTH_CHECK`: what it says of a dataset; a failure says nothing.
pub fn dataset_health(config: &Config, dataset: &Map<String, Value>) -> Option<Value> {
    let function = config.function("DATASET_HEALTH_CHECK")?;
    let said = function.call(vec![Input::Object("dataset", dataset.clone())], Vec::new(), &Asker::default());
    said.ok().filter(Value::is_string)
}

/// `FAB_PASSWORD_COMPLEXITY_VALIDATOR`: what its exception says of a password, if there is such a function.
pub fn judge_password(config: &Config, password: &str) -> Option<Result<Option<String>>> {
    let function = config.function("FAB_PASSWORD_COMPLEXITY_VALIDATOR")?;
    let judged = function.call(vec![Input::Data(password.into())], Vec::new(), &Asker::default());
    Some(match judged {
        Ok(_) => Ok(None),
        Err(error) => match error.exception.map(|exception| *exception) {
            Some((kind, message)) if kind.ends_with("ValidationError") => Ok(Some(message)),
            _ => Err(told(function)),
        },
    })
}

/// `EMAIL_HEADER_MUTATOR`: other header fields of a mail, and with them other recipients. `about` is what the original
/// says of the report; without the key the fields stay as they are.
pub fn mutate_mail(
    config: &Config,
    fields: Vec<(String, String)>,
    about: Value,
    owners: Vec<Map<String, Value>>,
) -> Result<Vec<(String, String)>> {
    let Some(function) = config.function("EMAIL_HEADER_MUTATOR") else { return Ok(fields) };
    let mut named: Vec<(&str, Input)> = vec![("owners", Input::Objects("user", owners))];
    let about = about.as_object().cloned().unwrap_or_default();
    named.extend(about.iter().map(|(name, value)| (name.as_str(), Input::Data(value.clone()))));
    let changed = function.call(vec![Input::Message(fields)], named, &Asker::default());
    let changed = changed.map_err(|_| told(function))?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let read = |field: &Value| {
        let name = field.get(0).and_then(Value::as_str).map(str::to_owned).filter(is_name)?;
        Some((name, text(field.get(1)?)?))
    };
    let fields = changed.get("fields").and_then(Value::as_array);
    let fields: Option<Vec<_>> = fields.and_then(|all| all.iter().map(read).collect());
    fields.ok_or_else(|| failed(function, "it did not return the message with names and texts"))
}

/// The words of such an error.
pub fn words(error: &Error) -> String {
    match error {
        Error::Sip40 { errors, .. } => errors.first().map(|e| e.message.clone()).unwrap_or_default(),
        other => other.to_string(),
    }
}
