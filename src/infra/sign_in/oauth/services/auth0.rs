//! Auth0.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// `auth0_` and the subject; without an address nobody gets in.
pub static AUTH0: Service = Service { names: &["auth0"], source: Source::UserInfo, read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    text(answer, "email")?;
    let mut person = person(format!("auth0_{}", text(answer, "sub")?));
    let names = [("first_name", "given_name"), ("last_name", "family_name"), ("email", "email")];
    take(&mut person, answer, &names);
    take_groups(&mut person, answer, "groups");
    Some(person)
}
