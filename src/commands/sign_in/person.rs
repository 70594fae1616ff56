//! Somebody whom others vouch for becomes a user, or is one.

use chrono::Local;
use daos::{
    security::{self, Credentials, Named},
    user,
};
use infra::{Result, crypto::random, db::DbError};

use super::roles;
use crate::{Services, login::unless_full};

/// What is known of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Name here.
    pub username: String,
    /// First name; empty when it is not known.
    pub first_name: String,
    /// Last name; empty when it is not known.
    pub last_name: String,
    /// Address; empty when it is not known.
    pub email: String,
    /// What `AUTH_ROLES_MAPPING` makes roles of.
    pub role_keys: Vec<String>,
    /// Roles by their own names.
    pub role_names: Vec<String>,
    /// The role for new people, where it is not `AUTH_USER_REGISTRATION_ROLE`: none when an expression gives none.
    pub registration_role: Option<Option<String>>,
}

/// What the table knows of a name.
pub(super) enum Known {
    /// A user who may sign in.
    User(Box<Credentials>),
    /// Nothing.
    Nobody,
    /// A user who may not, several users, or what is no name.
    Refused,
}

/// Looks a name up.
pub(super) async fn known(app: &Services, name: &str) -> Result<Known> {
    // longer ones are in no database; PostgreSQL would refuse a NUL
    if name.is_empty() || name.len() > 320 || name.contains('\0') {
        return Ok(Known::Refused);
    }
    let ignore_case = app.config.get("AUTH_USERNAME_CI").as_bool().unwrap_or(true);
    Ok(match security::find_named(app.db.exec(), name, ignore_case).await? {
        Named::One(user) if user.user.active => Known::User(user),
        Named::Nobody => Known::Nobody,
        Named::One(_) | Named::Several => Known::Refused,
    })
}

/// Lets a user in, whose roles become the person's where they are synchronised, or makes the person a user.
/// None when nobody new is let in, or when the address is somebody else's.
pub async fn admit(
    app: &Services,
    user: Option<Box<Credentials>>,
    person: Option<&Person>,
) -> Result<Option<Credentials>> {
    let now = Local::now().naive_local();
    let synchronised = app.config.bool("AUTH_ROLES_SYNC_AT_LOGIN");
    match (user, person) {
        (Some(user), Some(person)) if synchronised => {
            let tx = app.db.begin().await?;
            let roles = roles::of_person(tx.exec(), &app.config, person).await?;
            user::set_roles(tx.exec(), user.user.id, &roles).await?;
            security::record_login(tx.exec(), user.user.id, now).await?;
            tx.commit().await?;
            Ok(Some(*user))
        }
        (Some(user), _) => {
            unless_full(security::record_login(app.db.exec(), user.user.id, now).await);
            Ok(Some(*user))
        }
        (None, Some(person)) if app.config.bool("AUTH_USER_REGISTRATION") => register(app, person).await,
        (None, _) => Ok(None),
    }
}

async fn register(app: &Services, person: &Person) -> Result<Option<Credentials>> {
    if person.username.trim() != person.username {
        tracing::warn!("nobody becomes a user whose name begins or ends with a blank");
        return Ok(None);
    }
    let now = Local::now().naive_local();
    let email = match person.email.as_str() {
        "" => format!("{}@email.notfound", person.username),
        email => email.to_owned(),
    };
    // no password opens it, where the original stores the hash of an empty one
    let password = format!("!{}", random::url_safe::<24>());
    let values = vec![
        ("username", person.username.clone().into()),
        ("first_name", person.first_name.clone().into()),
        ("last_name", person.last_name.clone().into()),
        ("email", email.into()),
        ("password", password.into()),
        ("active", true.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
    ];
    let tx = app.db.begin().await?;
    let made = async {
        let id = user::insert(tx.exec(), values).await?;
        user::set_roles(tx.exec(), id, &roles::of_person(tx.exec(), &app.config, person).await?).await?;
        security::record_login(tx.exec(), id, now).await?;
        security::user_with_roles(tx.exec(), id, None).await
    };
    match made.await {
        Ok(found) => {
            tx.commit().await?;
            Ok(found.map(|known| known.credentials))
        }
        Err(error @ DbError::Unavailable(_)) => Err(error.into()),
        Err(error) => {
            // the address is taken, or something is too long for its column
            tracing::warn!(%error, "a person is not made a user");
            Ok(None)
        }
    }
}
