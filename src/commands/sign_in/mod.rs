//! Who gets in (`flask_appbuilder.security.manager:auth_user_*`): a password of the table, a person whom a directory
//! or a provider knows, or whom a proxy names; and who becomes a user by that, with which roles.

mod custom;
mod kind;
mod ldap;
pub mod oauth;
mod password;
mod person;
mod remote_user;
mod roles;

pub use kind::Kind;
pub use password::{Allowed, allowed, by_api, by_form};
pub use person::Person;
pub use remote_user::by_name;
