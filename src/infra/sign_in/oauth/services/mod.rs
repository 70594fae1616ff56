//! How services that have a name shape what they know of people
//! (`flask_appbuilder.security.manager:get_oauth_user_info`): a file each, a line here.

mod auth0;
mod authentik;
mod azure;
mod github;
mod google;
mod keycloak;
mod linkedin;
mod okta;
mod openid;
mod openshift;

use serde_json::{Map, Value};

use super::{Knowledge, Provider, Refusal, Tokens};

pub use openid::OPENID;

/// Where a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// At an address of its API.
    Api(&'static str),
    /// At the address that the discovery document names.
    UserInfo,
    /// Nowhere: the `id_token` says it.
    IdToken,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Names of entries that mean it.
    pub names: &'static [&'static str],
    /// Where it is asked.
    pub source: Source,
    /// What its answer says: `username`, `email`, `first_name`, `last_name`, `role_keys`. None when it names nobody.
    pub read: fn(&Value) -> Option<Map<String, Value>>,
}

/// All of them.
const SERVICES: &[&Service] = &[
    &auth0::AUTH0,
    &authentik::AUTHENTIK,
    &azure::AZURE,
    &github::GITHUB,
    &google::GOOGLE,
    &keycloak::KEYCLOAK,
    &linkedin::LINKEDIN,
    &okta::OKTA,
    &openshift::OPENSHIFT,
];

/// The service that an entry of `OAUTH_PROVIDERS` means by its name.
pub fn named(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.names.contains(&name)).copied()
}

impl Provider {
    /// What it says of the person whose tokens these are.
    pub async fn person(
        &self,
        known: &Knowledge,
        tokens: &Tokens,
        now: i64,
    ) -> Result<Map<String, Value>, Refusal> {
        let service = if self.issuer.is_some() { Some(&OPENID) } else { named(&self.name) };
        let service = service.ok_or_else(|| {
            Refusal::Unknown("no service of this name is known, so nobody knows how it names people".into())
        })?;
        let answer = match service.source {
            Source::Api(path) => self.api(known, path, tokens).await?,
            Source::UserInfo => self.user_info(known, tokens).await?,
            Source::IdToken => Value::Object(self.claims(known, tokens, now).await?),
        };
        let person = (service.read)(&answer);
        let mut person = person
            .ok_or_else(|| Refusal::Unknown("the answer does not name a person as it should".into()))?;
        if let Some(claim) = &self.roles_claim {
            person.insert("role_keys".into(), claim_of(&answer, claim).cloned().unwrap_or_default());
        }
        Ok(person)
    }
}

/// A claim by its name, or by its way through objects (`realm_access.roles`).
fn claim_of<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    answer.get(name).or_else(|| name.split('.').try_fold(answer, |value, part| value.get(part)))
}

/// A text, or a number as one; none when there is nothing.
fn text(answer: &Value, key: &str) -> Option<String> {
    match answer.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What is said of somebody with this name.
fn person(username: String) -> Map<String, Value> {
    Map::from_iter([("username".to_owned(), username.into())])
}

/// Takes texts over under other names; what is not there becomes empty.
fn take(person: &mut Map<String, Value>, answer: &Value, names: &[(&str, &str)]) {
    for (own, theirs) in names {
        person.insert((*own).to_owned(), text(answer, theirs).unwrap_or_default().into());
    }
}

/// Takes groups over; what is not there becomes an empty list.
fn take_groups(person: &mut Map<String, Value>, answer: &Value, claim: &str) {
    person.insert(
        "role_keys".to_owned(),
        answer.get(claim).cloned().unwrap_or_else(|| Value::Array(Vec::new())),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_as_services_name_them() {
        let read = |name: &str, answer: Value| named(name).and_then(|s| (s.read)(&answer)).map(Value::Object);
        let full =
            json!({"given_name": "A", "family_name": "B", "email": "a@x", "sub": "1", "groups": ["g"]});
        let names = json!({"username": "okta_1", "first_name": "A", "last_name": "B", "email": "a@x"});
        let mut okta = names;
        okta["role_keys"] = json!(["g"]);
        assert_eq!(read("okta", full), Some(okta));
        assert_eq!(
            read("github", json!({"login": "a", "email": "a@x"})),
            Some(json!({"username": "github_a"}))
        );
        let id = read("google", json!({"id": 7, "email": "a@x"})).unwrap();
        assert_eq!(
            (&id["username"], &id["email"], &id["first_name"]),
            (&json!("google_7"), &json!("a@x"), &json!(""))
        );
        // nobody is called by the prefix alone
        for (service, answer) in [
            ("google", json!({"sub": "1", "email": "a@x"})),
            ("linkedin", json!({"email-address": "a@x"})),
            ("github", json!({"id": 7})),
            ("okta", json!({"sub": "1"})),
            ("okta", json!({"error": "x", "sub": "1", "email": "a@x"})),
            ("azure", json!({"upn": "a@x"})),
            ("azure", json!({"oid": "1"})),
            ("authentik", json!({"preferred_username": "a"})),
            ("openshift", json!({"metadata": null})),
            ("keycloak", json!({"email": "a@x"})),
        ] {
            assert_eq!(read(service, answer), None, "{service}");
        }
        assert!(named("cognito").is_none() && named("keycloak_before_17").is_some());
    }

    #[test]
    fn claims_within_claims() {
        let answer = json!({"a.b": 1, "realm_access": {"roles": ["x"]}});
        assert_eq!(claim_of(&answer, "a.b"), Some(&json!(1)));
        assert_eq!(claim_of(&answer, "realm_access.roles"), Some(&json!(["x"])));
        assert_eq!(claim_of(&answer, "nothing.here"), None);
    }
}
