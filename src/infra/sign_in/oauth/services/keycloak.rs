//! Keycloak, by both names that the original knows; the addresses differ by `api_base_url` alone.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// The name there.
pub static KEYCLOAK: Service = Service {
    names: &["keycloak", "keycloak_before_17"],
    source: Source::Api("openid-connect/userinfo"),
    read,
};

fn read(answer: &Value) -> Option<Map<String, Value>> {
    let mut person = person(text(answer, "preferred_username")?);
    let names = [("first_name", "given_name"), ("last_name", "family_name"), ("email", "email")];
    take(&mut person, answer, &names);
    take_groups(&mut person, answer, "groups");
    Some(person)
}
