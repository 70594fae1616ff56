//! Any provider of OpenID Connect, as `OIDC_ISSUER` names it: the standard's own claims. Not known by a name of
//! `OAUTH_PROVIDERS`: entries of others are refused there, as in the original.

use serde_json::{Map, Value};

use super::{Service, Source, person, take, take_groups, text};

/// The name that people choose there, else the subject.
pub static OPENID: Service = Service { names: &[], source: Source::UserInfo, read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    let mut person = person(text(answer, "preferred_username").or_else(|| text(answer, "sub"))?);
    let names = [("first_name", "given_name"), ("last_name", "family_name"), ("email", "email")];
    take(&mut person, answer, &names);
    take_groups(&mut person, answer, "groups");
    Some(person)
}
