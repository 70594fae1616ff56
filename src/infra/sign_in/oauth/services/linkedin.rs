//! LinkedIn.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, text};

/// `linkedin_` and the number of the account.
pub static LINKEDIN: Service = Service {
    names: &["linkedin"],
    source: Source::Api("people/~:(id,email-address,first-name,last-name)?format=json"),
    read,
};

fn read(answer: &Value) -> Option<Map<String, Value>> {
    // without a number everybody would be `linkedin_`
    let mut person = person(format!("linkedin_{}", text(answer, "id")?));
    let names = [("email", "email-address"), ("first_name", "firstName"), ("last_name", "lastName")];
    take(&mut person, answer, &names);
    Some(person)
}
