//! People whom a proxy in front names (`flask_appbuilder.security.manager:auth_user_remote_user`).

use daos::security::Credentials;
use infra::Result;

use super::{
    custom,
    person::{Candidate, Known, Person, known},
};
use crate::Services;

/// Who gets in under a name.
pub async fn by_name(app: &Services, name: &str) -> Result<Option<Credentials>> {
    custom::admit(app, "auth_user_remote_user", &[name]).await
}

/// Whom a name stands for. Somebody new is called by it thrice; roles of the proxy are not known.
pub(super) async fn candidate(app: &Services, name: &str) -> Result<Option<Candidate>> {
    Ok(match known(app, name).await? {
        Known::User(user) => Some(Candidate { user: Some(user), person: None }),
        Known::Nobody => {
            let person = Person {
                username: name.to_owned(),
                first_name: name.to_owned(),
                last_name: "-".to_owned(),
                ..Person::default()
            };
            Some(Candidate { user: None, person: Some(person) })
        }
        Known::Refused => None,
    })
}
