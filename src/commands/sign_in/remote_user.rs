//! People whom a proxy in front names (`flask_appbuilder.security.manager:auth_user_remote_user`).

use daos::security::Credentials;
use infra::Result;

use super::person::{Known, Person, admit, known};
use crate::Services;

/// Who gets in under a name. Somebody new is called by it thrice; roles of the proxy are not known.
pub async fn by_name(app: &Services, name: &str) -> Result<Option<Credentials>> {
    match known(app, name).await? {
        Known::User(user) => admit(app, Some(user), None).await,
        Known::Nobody => {
            let person = Person {
                username: name.to_owned(),
                first_name: name.to_owned(),
                last_name: "-".to_owned(),
                ..Person::default()
            };
            admit(app, None, Some(&person)).await
        }
        Known::Refused => Ok(None),
    }
}
