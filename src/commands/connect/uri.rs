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

/// What the form of DuckDB proposes in the place of a token.
const NO_TOKEN: &str = "https://app.motherduck.com/token-request?appName=Superset&close=y";

/// `get_parameters_from_uri` for engines with a form; the others have none.
pub fn parameters(uri: &str) -> Value {
    let Some(url) = Url::parse(uri).map(Url::masked) else { return json!({}) };
    let spec = infra::engine_specs::spec(url.backend(), url.driver());
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
        let form = parameters(uri);
        assert_eq!(
            form,
            json!({"username": "u", "password": MASK, "host": "h", "port": 5432, "database": "d",
                   "query": {"x": "1"}, "encryption": true})
        );
        let mut form = form.as_object().cloned().unwrap();
        form.insert("password".into(), json!("p@ss"));
        assert_eq!(build(infra::engine_specs::spec("postgresql", None), &form).text(), uri);
        assert_eq!(parameters("sqlite:////a/b.db"), json!({}));
        let duck = json!({"access_token": "", "database": "/a/b.db", "query": {"threads": "2"}});
        assert_eq!(parameters("duckdb:////a/b.db?threads=2"), duck);
        let spec = infra::engine_specs::spec("duckdb", None);
        assert_eq!(build(spec, duck.as_object().unwrap()).text(), "duckdb:////a/b.db?threads=2");
        assert_eq!(build(spec, &Map::new()).text(), "duckdb:///:memory:");
        let cloud = json!({"access_token": "t", "database": "mine"});
        assert_eq!(build(spec, cloud.as_object().unwrap()).text(), "duckdb:///md:mine?motherduck_token=t");
        let form = json!({"host": "h", "encryption": true, "query": {"a": 1}});
        let house = build(infra::engine_specs::spec("clickhousedb", None), form.as_object().unwrap()).text();
        assert_eq!(house, "clickhousedb+connect://h/__default__?a=1&secure=true");
        let back = parameters("clickhousedb+connect://h/__default__?a=1&secure=false");
        assert_eq!(
            (&back["database"], &back["encryption"], &back["query"]),
            (&json!(""), &json!(false), &json!({"a": "1"}))
        );
        assert_eq!(masked("postgresql://u:p@h/d"), "postgresql://u:XXXXXXXXXX@h/d");
    }
}
