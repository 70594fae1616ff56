//! Authentik.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// The nickname; the name there is taken for the address.
pub static AUTHENTIK: Service = Service { names: &["authentik"], source: Source::IdToken, read };

fn read(claims: &Value) -> Option<Map<String, Value>> {
    let mut person = person(text(claims, "nickname")?);
    take(&mut person, claims, &[("first_name", "given_name")]);
    person.insert("email".into(), text(claims, "preferred_username")?.into());
    take_groups(&mut person, claims, "groups");
    Some(person)
}
