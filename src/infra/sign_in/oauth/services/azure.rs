//! Microsoft's Azure Active Directory.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// The number of the account; without an address nobody gets in.
pub static AZURE: Service = Service { names: &["azure"], source: Source::IdToken, read };

fn read(claims: &Value) -> Option<Map<String, Value>> {
    let mut person = person(text(claims, "oid")?);
    take(&mut person, claims, &[("first_name", "given_name"), ("last_name", "family_name")]);
    person.insert("email".into(), text(claims, "upn").or_else(|| text(claims, "email"))?.into());
    take_groups(&mut person, claims, "roles");
    Some(person)
}
