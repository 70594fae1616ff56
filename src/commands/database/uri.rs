//! Connection strings as they are shown: without passwords, and taken apart for the connection form.

use daos::database::Database;
use serde_json::{Map, Value, json};

use super::describe::engine;

/// What stands for a secret that is there.
pub const MASK: &str = "XXXXXXXXXX";

/// A connection string whose password is masked.
pub fn masked(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, tail) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let Some((credentials, host)) = authority.rsplit_once('@') else { return uri.to_owned() };
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{MASK}@{host}{tail}"),
        None => uri.to_owned(),
    }
}

/// `get_parameters_from_uri` for engines whose form has host, port, user and so on; the others have none.
pub fn parameters(database: &Database) -> Value {
    let spec = engine(database);
    let has_form = spec.parameters_schema.as_ref().is_some_and(|s| s.pointer("/properties/host").is_some());
    let uri = masked(&database.sqlalchemy_uri);
    let Some((_, rest)) = uri.split_once("://").filter(|_| has_form) else { return json!({}) };
    let (body, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = body.split_once('/').map_or((body, None), |(a, n)| (a, Some(n)));
    let (credentials, address) = authority.rsplit_once('@').map_or((None, authority), |(c, a)| (Some(c), a));
    let (user, password) = match credentials.map(|c| c.split_once(':').unwrap_or((c, ""))) {
        Some((user, "")) => (Some(user), None),
        Some((user, password)) => (Some(user), Some(password)),
        None => (None, None),
    };
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse::<u16>().ok()),
        _ => (address, None),
    };
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect();
    let demanded = &spec.encryption_parameters;
    let encryption = demanded.iter().all(|pair| pairs.contains(pair));
    let query: Map<String, Value> =
        pairs.into_iter().filter(|pair| !demanded.contains(pair)).map(|(k, v)| (k, json!(v))).collect();
    json!({
        "username": user.map(decode),
        "password": password.map(decode),
        "host": host.trim_matches(['[', ']']),
        "port": port,
        "database": name.map(decode),
        "query": query,
        "encryption": encryption,
    })
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let rest = bytes.clone();
                let digits: Vec<u8> = rest.take(2).collect();
                let value = std::str::from_utf8(&digits).ok().and_then(|d| u8::from_str_radix(d, 16).ok());
                match value.filter(|_| digits.len() == 2) {
                    Some(value) => {
                        out.push(value);
                        bytes.next();
                        bytes.next();
                    }
                    None => out.push(b),
                }
            }
            b => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked() {
        assert_eq!(masked("postgresql://u:p@ss@h:5432/d?x=1"), "postgresql://u:XXXXXXXXXX@h:5432/d?x=1");
        assert_eq!(masked("postgresql://u@h/d"), "postgresql://u@h/d");
        assert_eq!(masked("sqlite:////a/b.db"), "sqlite:////a/b.db");
        assert_eq!(decode("a%20b%zz+c"), "a b%zz c");
    }
}
