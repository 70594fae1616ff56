//! Google.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, text};

/// `google_` and the number of the account.
pub static GOOGLE: Service = Service { names: &["google"], source: Source::Api("userinfo"), read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    // without a number everybody would be `google_`
    let mut person = person(format!("google_{}", text(answer, "id")?));
    let names = [("first_name", "given_name"), ("last_name", "family_name"), ("email", "email")];
    take(&mut person, answer, &names);
    Some(person)
}
