//! Okta.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// `okta_` and the subject; without an address nobody gets in.
pub static OKTA: Service = Service { names: &["okta"], source: Source::Api("userinfo"), read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    if answer.get("error").is_some() {
        return None;
    }
    text(answer, "email")?;
    let mut person = person(format!("okta_{}", text(answer, "sub")?));
    let names = [("first_name", "given_name"), ("last_name", "family_name"), ("email", "email")];
    take(&mut person, answer, &names);
    take_groups(&mut person, answer, "groups");
    Some(person)
}
