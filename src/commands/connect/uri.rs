//! Connection strings as they are shown: without passwords, and taken apart for the connection form; and put together
//! from the form again (`superset.db_engine_specs.base:BasicParametersMixin`).

use infra::engine_specs::{EngineSpec, facts::Form, url::Url};
use serde_json::{Map, Value, json};

use super::local_files;
use crate::state::local_files::{KEY, folder};

pub use infra::engine_specs::url::MASK;

/// A connection string whose password is masked.
pub fn masked(uri: &str) -> String {
    Url::parse(uri).map_or_else(|| uri.to_owned(), |url| url.masked().text())
}

/// The form of host, port, user and so on that most engines have.
pub fn has_basic_form(spec: &EngineSpec) -> bool {
    spec.parameters_schema.as_ref().is_some_and(|s| s.pointer("/properties/host").is_some())
}

/// The form of DuckDB and MotherDuck (`superset.db_engine_specs.duckdb:DuckDBParametersMixin`).
pub fn has_duckdb_form(spec: &EngineSpec) -> bool {
    spec.connection.form == Form::Duckdb
}

/// The form of BigQuery, whose credentials are kept among the secrets.
pub fn has_bigquery_form(spec: &EngineSpec) -> bool {
    spec.connection.form == Form::Bigquery
}

/// `BigQueryEngineSpec.build_sqlalchemy_uri`: the project stands in the credentials.
pub fn build_bigquery(
    spec: &EngineSpec,
    parameters: &Map<String, Value>,
    encrypted_extra: Option<&str>,
) -> Result<String, &'static str> {
    let secret: Value = encrypted_extra.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let secret =
        secret.as_object().filter(|secret| !secret.is_empty()).ok_or("Missing service credentials")?;
    let info = match secret.get("credentials_info") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        other => other.cloned().unwrap_or_default(),
    };
    let project = info.get("project_id").and_then(Value::as_str).filter(|project| !project.is_empty());
    let project = project.ok_or("Invalid service credentials")?;
    let mut url = Url { drivername: spec.engine.clone(), host: Some(project.to_owned()), ..Url::default() };
    for (key, value) in parameters.get("query").and_then(Value::as_object).into_iter().flatten() {
        url.set_option(key, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    // a slash follows the project, and the mark of a query even where there is none
    let text = url.text();
    let (_, query) = text.split_once('?').unwrap_or((&text, ""));
    Ok(format!("{}://{project}/?{query}", spec.engine))
}

/// What the form of DuckDB proposes in the place of a token.
const NO_TOKEN: &str = "https://app.motherduck.com/token-request?appName=Superset&close=y";

/// `get_parameters_from_uri` for engines with a form; the others have none. Of the secrets what is not masked is shown.
pub fn parameters(uri: &str, masked_encrypted_extra: Option<&str>) -> Value {
    let Some(url) = Url::parse(uri).map(Url::masked) else { return json!({}) };
    let spec = infra::engine_specs::spec(url.backend(), url.driver());
    if has_bigquery_form(spec) {
        let secret = masked_encrypted_extra.and_then(|text| serde_json::from_str(text).ok());
        let Some(Value::Object(mut shown)) = secret else { return json!({}) };
        if shown.is_empty() {
            return json!({});
        }
        let query: Map<String, Value> = url.query.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
        shown.insert("query".to_owned(), Value::Object(query));
        return Value::Object(shown);
    }
    if has_duckdb_form(spec) {
        let query: Map<String, Value> = url
            .query
            .iter()
            .filter(|(k, _)| k != "motherduck_token")
            .map(|(k, v)| (k.clone(), json!(v)))
            .collect();
        let token = url.option("motherduck_token").unwrap_or_default();
        return json!({"access_token": token, "database": url.database, "query": query});
    }
    if spec.connection.form == Form::Snowflake {
        return json!({
            "username": url.username,
            "password": url.password,
            "account": url.host,
            "database": url.database,
            "role": url.option("role"),
            "warehouse": url.option("warehouse"),
        });
    }
    if !has_basic_form(spec) {
        return json!({});
    }
    let demanded = &spec.encryption_parameters;
    let encryption = demanded.iter().all(|pair| url.query.contains(pair));
    let house = spec.connection.form == Form::Clickhouse;
    let query: Map<String, Value> = url
        .query
        .iter()
        .filter(|pair| !(demanded.contains(pair) || house && pair.0 == "secure"))
        .map(|(k, v)| (k.clone(), json!(v)))
        .collect();
    json!({
        "username": url.username,
        "password": url.password,
        "host": url.host,
        "port": url.port,
        "database": if house && url.database.as_deref() == Some(USERS_OWN) {
            Some(String::new())
        } else {
            url.database
        },
        "query": query,
        "encryption": encryption,
    })
}

/// What stands in ClickHouse's connection strings for the user's own database.
const USERS_OWN: &str = "__default__";

/// A database in a file, in memory, or at MotherDuck.
fn build_duckdb(spec: &EngineSpec, parameters: &Map<String, Value>) -> Url {
    let text = |key: &str| parameters.get(key).and_then(Value::as_str);
    let database = text("database").unwrap_or(":memory:");
    let token = text("access_token").filter(|t| !t.is_empty() && *t != NO_TOKEN);
    let drivername = spec.connection.form_engine.as_ref().unwrap_or(&spec.engine).clone();
    let mut url = Url { drivername, database: Some(database.to_owned()), ..Url::default() };
    for (key, value) in parameters.get("query").and_then(Value::as_object).into_iter().flatten() {
        url.set_option(key, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    if let Some(token) = token {
        if !database.starts_with("md:") {
            url.database = Some(format!("md:{database}"));
        }
        url.set_option("motherduck_token", token);
    }
    url
}

/// `build_sqlalchemy_uri` of the engine's form; the parameters are checked by their schema.
pub fn build(spec: &EngineSpec, parameters: &Map<String, Value>) -> Url {
    if has_duckdb_form(spec) {
        return build_duckdb(spec, parameters);
    }
    let text = |key: &str| match parameters.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    if spec.connection.form == Form::Snowflake {
        let mut url = Url {
            drivername: spec.engine.clone(),
            username: text("username"),
            password: text("password"),
            host: text("account"),
            database: text("database"),
            ..Url::default()
        };
        for key in ["role", "warehouse"] {
            text(key).into_iter().for_each(|value| url.set_option(key, value));
        }
        return url;
    }
    let driver = spec.default_driver.as_deref().unwrap_or_default();
    let mut url = Url {
        drivername: format!("{}+{driver}", spec.engine).trim_end_matches('+').to_owned(),
        username: text("username"),
        password: text("password"),
        host: text("host"),
        port: text("port").and_then(|p| p.trim().parse().ok()),
        database: text("database"),
        query: Vec::new(),
    };
    if spec.connection.form == Form::Clickhouse && url.database.as_deref().unwrap_or_default().is_empty() {
        url.database = Some(USERS_OWN.to_owned());
    }
    for (key, value) in parameters.get("query").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.set_option(key, value);
    }
    if parameters.get("encryption") == Some(&Value::Bool(true)) {
        for (key, value) in &spec.encryption_parameters {
            url.set_option(key, value);
        }
    }
    url
}

/// `check_sqlalchemy_uri`: what reads files of the server's machine, by whatever driver, is no data source, unless they
/// lie where the operator has put files for that. The sentence says where.
pub fn refusal(config: &infra::config::Config, url: &Url) -> Option<String> {
    if !config.bool("PREVENT_UNSAFE_DB_CONNECTIONS") {
        return None;
    }
    let spec = infra::engine_specs::spec(url.backend(), url.driver());
    let is_safe = spec.connection.safe_with_flag.as_ref().is_some_and(|flag| config.flag(flag));
    let dialect =
        spec.unsafe_dialect(url).filter(|_| !is_safe && !local_files::may_be_opened(config, url))?;
    let mut text = format!("{dialect} cannot be used as a data source for security reasons.");
    // where no folder is named, as in an adopted installation, it is the original's sentence
    if let Some(folder) = folder(config) {
        let (folder, key) = (folder.display(), KEY);
        text.push_str(&format!(
            " SQLite files below {folder} ({key}) can be connected, by their whole path; others only where \
             PREVENT_UNSAFE_DB_CONNECTIONS is off."
        ));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_and_the_string() {
        let uri = "postgresql+psycopg2://u:p%40ss@h:5432/d?sslmode=require&x=1";
        let form = parameters(uri, None);
        assert_eq!(
            form,
            json!({"username": "u", "password": MASK, "host": "h", "port": 5432, "database": "d",
                   "query": {"x": "1"}, "encryption": true})
        );
        let mut form = form.as_object().cloned().unwrap();
        form.insert("password".into(), json!("p@ss"));
        assert_eq!(build(infra::engine_specs::spec("postgresql", None), &form).text(), uri);
        assert_eq!(parameters("sqlite:////a/b.db", None), json!({}));
        let duck = json!({"access_token": "", "database": "/a/b.db", "query": {"threads": "2"}});
        assert_eq!(parameters("duckdb:////a/b.db?threads=2", None), duck);
        let spec = infra::engine_specs::spec("duckdb", None);
        assert_eq!(build(spec, duck.as_object().unwrap()).text(), "duckdb:////a/b.db?threads=2");
        assert_eq!(build(spec, &Map::new()).text(), "duckdb:///:memory:");
        let cloud = json!({"access_token": "t", "database": "mine"});
        assert_eq!(build(spec, cloud.as_object().unwrap()).text(), "duckdb:///md:mine?motherduck_token=t");
        let form = json!({"host": "h", "encryption": true, "query": {"a": 1}});
        let house = build(infra::engine_specs::spec("clickhousedb", None), form.as_object().unwrap()).text();
        assert_eq!(house, "clickhousedb+connect://h/__default__?a=1&secure=true");
        let back = parameters("clickhousedb+connect://h/__default__?a=1&secure=false", None);
        assert_eq!(
            (&back["database"], &back["encryption"], &back["query"]),
            (&json!(""), &json!(false), &json!({"a": "1"}))
        );
        let snow = "snowflake://ann:s%40w@xy1.eu-central-1/SALES?role=r&warehouse=w";
        let form = json!({"username": "ann", "password": "s@w", "account": "xy1.eu-central-1",
                          "database": "SALES", "role": "r", "warehouse": "w"});
        let spec = infra::engine_specs::spec("snowflake", None);
        assert_eq!(build(spec, form.as_object().unwrap()).text(), snow);
        assert_eq!(parameters(snow, None)["account"], json!("xy1.eu-central-1"));
        assert_eq!(parameters(snow, None)["password"], json!(MASK));
        let google = infra::engine_specs::spec("bigquery", None);
        let secret = r#"{"credentials_info": {"project_id": "p-1", "private_key": "XXXXXXXXXX"}}"#;
        let form = json!({"query": {"location": "EU"}});
        let uri = build_bigquery(google, form.as_object().unwrap(), Some(secret)).unwrap();
        assert_eq!(uri, "bigquery://p-1/?location=EU");
        assert_eq!(build_bigquery(google, &Map::new(), Some(secret)).unwrap(), "bigquery://p-1/?");
        assert_eq!(build_bigquery(google, &Map::new(), None), Err("Missing service credentials"));
        let shown = parameters(&uri, Some(secret));
        assert_eq!(shown["credentials_info"]["project_id"], "p-1");
        assert_eq!(shown["query"], json!({"location": "EU"}));
        assert_eq!(masked("postgresql://u:p@h/d"), "postgresql://u:XXXXXXXXXX@h/d");
    }
}
