//! GitHub, and its server for companies.

use serde_json::{Map, Value};

use super::{Service, Source, person};

/// `github_` and the name there; nothing else is taken over.
pub static GITHUB: Service = Service { names: &["github", "githublocal"], source: Source::Api("user"), read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    // every account has one
    Some(person(format!("github_{}", answer.get("login")?.as_str()?)))
}
