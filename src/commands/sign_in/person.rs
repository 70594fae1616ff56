//! Somebody whom others vouch for becomes a user, or is one.

use chrono::Local;
use daos::{
    security::{self, Credentials, Named, Role},
    user,
    write::Values,
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

/// Somebody who may be let in: a user, or what others say of a person, or both.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub user: Option<Box<Credentials>>,
    pub person: Option<Person>,
}

/// What a function of the configuration has decided of somebody instead.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    /// All roles.
    pub roles: Option<Vec<i64>>,
    /// Names and address.
    pub columns: Vec<(&'static str, String)>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.roles.is_none() && self.columns.is_empty()
    }

    fn values(&self) -> Values {
        self.columns.iter().map(|(name, value)| (*name, value.clone().into())).collect()
    }
}

/// The roles that somebody would have; none when nobody new is let in.
pub(super) async fn prospects(app: &Services, candidate: &Candidate) -> Result<Option<Vec<Role>>> {
    let db = app.db.exec();
    Ok(match (&candidate.user, &candidate.person) {
        (Some(_), Some(person)) if app.config.bool("AUTH_ROLES_SYNC_AT_LOGIN") => {
            Some(roles::of_person(db, &app.config, person).await?)
        }
        (Some(user), _) => Some(user::direct_roles(db, user.user.id).await?),
        (None, Some(person)) if app.config.bool("AUTH_USER_REGISTRATION") => {
            Some(roles::of_person(db, &app.config, person).await?)
        }
        (None, _) => None,
    })
}

/// Lets a user in, whose roles become the person's where they are synchronised, or makes the person a user.
/// None when nobody new is let in, or when the address is somebody else's.
pub(super) async fn admit(
    app: &Services,
    candidate: Candidate,
    changes: &Changes,
) -> Result<Option<Credentials>> {
    let now = Local::now().naive_local();
    let synchronised = app.config.bool("AUTH_ROLES_SYNC_AT_LOGIN");
    match (candidate.user, candidate.person) {
        (Some(user), person) if !changes.is_empty() || (synchronised && person.is_some()) => {
            let tx = app.db.begin().await?;
            let roles = match (&changes.roles, &person) {
                (Some(roles), _) => Some(roles.clone()),
                (None, Some(person)) if synchronised => {
                    Some(ids(roles::of_person(tx.exec(), &app.config, person).await?))
                }
                _ => None,
            };
            if let Some(roles) = roles {
                user::set_roles(tx.exec(), user.user.id, &roles).await?;
            }
            if !changes.columns.is_empty()
                && let Err(error) = user::update(tx.exec(), user.user.id, changes.values()).await
            {
                return unfit(error);
            }
            security::record_login(tx.exec(), user.user.id, now).await?;
            tx.commit().await?;
            Ok(Some(*user))
        }
        (Some(user), _) => {
            unless_full(security::record_login(app.db.exec(), user.user.id, now).await);
            Ok(Some(*user))
        }
        (None, Some(person)) if app.config.bool("AUTH_USER_REGISTRATION") => {
            register(app, &person, changes).await
        }
        (None, _) => Ok(None),
    }
}

fn ids(roles: Vec<Role>) -> Vec<i64> {
    roles.into_iter().map(|role| role.id).collect()
}

/// The address is taken, or something is too long for its column: nobody gets in.
fn unfit(error: DbError) -> Result<Option<Credentials>> {
    match error {
        DbError::Unavailable(_) => Err(error.into()),
        error => {
            tracing::warn!(%error, "a person is not made a user");
            Ok(None)
        }
    }
}

async fn register(app: &Services, person: &Person, changes: &Changes) -> Result<Option<Credentials>> {
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
    let mut values: Values = vec![
        ("username", person.username.clone().into()),
        ("first_name", person.first_name.clone().into()),
        ("last_name", person.last_name.clone().into()),
        ("email", email.into()),
        ("password", password.into()),
        ("active", true.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
    ];
    values.retain(|(name, _)| !changes.columns.iter().any(|(changed, _)| changed == name));
    values.extend(changes.values());
    let tx = app.db.begin().await?;
    let made = async {
        let id = user::insert(tx.exec(), values).await?;
        let roles = match &changes.roles {
            Some(roles) => roles.clone(),
            None => ids(roles::of_person(tx.exec(), &app.config, person).await?),
        };
        user::set_roles(tx.exec(), id, &roles).await?;
        security::record_login(tx.exec(), id, now).await?;
        security::user_with_roles(tx.exec(), id, None).await
    };
    match made.await {
        Ok(found) => {
            tx.commit().await?;
            Ok(found.map(|known| known.credentials))
        }
        Err(error) => unfit(error),
    }
}
