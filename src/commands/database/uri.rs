//! Connection strings as they are shown: without passwords, and taken apart for the connection form; and put together
//! from the form again (`superset.db_engine_specs.base:BasicParametersMixin`).

use infra::engines::{EngineSpec, url::Url};
use serde_json::{Map, Value, json};

pub use infra::engines::url::MASK;

/// A connection string whose password is masked.
pub fn masked(uri: &str) -> String {
    Url::parse(uri).map_or_else(|| uri.to_owned(), |url| url.masked().text())
}

/// The form of host, port, user and so on that most engines have.
pub fn has_basic_form(spec: &EngineSpec) -> bool {
    spec.parameters_schema.as_ref().is_some_and(|s| s.pointer("/properties/host").is_some())
}

/// `get_parameters_from_uri` for engines with the basic form; the others have none.
pub fn parameters(uri: &str) -> Value {
    let Some(url) = Url::parse(uri).map(Url::masked) else { return json!({}) };
    let spec = infra::engines::spec(url.backend(), url.driver());
    if !has_basic_form(spec) {
        return json!({});
    }
    let demanded = &spec.encryption_parameters;
    let encryption = demanded.iter().all(|pair| url.query.contains(pair));
    let query: Map<String, Value> = url
        .query
        .iter()
        .filter(|pair| !demanded.contains(pair))
        .map(|(k, v)| (k.clone(), json!(v)))
        .collect();
    json!({
        "username": url.username,
        "password": url.password,
        "host": url.host,
        "port": url.port,
        "database": url.database,
        "query": query,
        "encryption": encryption,
    })
}

/// `build_sqlalchemy_uri` of the basic form; the parameters are checked by their schema.
pub fn build(spec: &EngineSpec, parameters: &Map<String, Value>) -> Url {
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
        assert_eq!(build(infra::engines::spec("postgresql", None), &form).text(), uri);
        assert_eq!(parameters("sqlite:////a/b.db"), json!({}));
        assert_eq!(masked("postgresql://u:p@h/d"), "postgresql://u:XXXXXXXXXX@h/d");
    }
}
