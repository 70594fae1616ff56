//! Names and passwords, of the form and of the API (`flask_appbuilder.security.api:SecurityApi.login`).

use daos::security::{self, Credentials, Named};
use infra::{Error, Result, config::Config};

use super::{Kind, custom, ldap, person::Candidate};
use crate::{Services, login};

/// Who gets in with what was typed into the form.
pub async fn by_form(app: &Services, name: &str, password: &str) -> Result<Option<Credentials>> {
    match Kind::from_config(&app.config) {
        Kind::Database => custom::admit(app, "auth_user_db", &[name, password]).await,
        Kind::Directory => custom::admit(app, "auth_user_ldap", &[name, password]).await,
        Kind::RemoteUser | Kind::OAuth => Ok(None),
    }
}

/// What may be asked of the API's log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Its provider, if it exists.
    Yes,
    /// Another provider (`validate_provider`).
    OtherProvider,
}

/// Whether the API may be asked for a provider. Beside single sign-on none is complained about, and none lets in.
pub fn allowed(config: &Config, provider: &str) -> Allowed {
    let own = match Kind::from_config(config) {
        Kind::Database => "db",
        Kind::Directory => "ldap",
        Kind::RemoteUser | Kind::OAuth => return Allowed::Yes,
    };
    if provider == own || allows_several(config) { Allowed::Yes } else { Allowed::OtherProvider }
}

fn allows_several(config: &Config) -> bool {
    config.bool("AUTH_API_LOGIN_ALLOW_MULTIPLE_PROVIDERS")
}

/// Who gets in with a name and a password of a provider.
pub async fn by_api(
    app: &Services,
    provider: &str,
    name: &str,
    password: &str,
) -> Result<Option<Credentials>> {
    let config = &app.config;
    let is_single_sign_on = matches!(Kind::from_config(config), Kind::RemoteUser | Kind::OAuth);
    if is_single_sign_on && !allows_several(config) {
        // a password that is left in the table would pass the provider by; the original lets it
        book_failure(app, name).await?;
        return Ok(None);
    }
    match provider {
        "db" => custom::admit(app, "auth_user_db", &[name, password]).await,
        "ldap" if config.str("AUTH_LDAP_SERVER").is_empty() => {
            Err(Error::internal("no directory is configured"))
        }
        "ldap" => custom::admit(app, "auth_user_ldap", &[name, password]).await,
        _ => Ok(None),
    }
}

/// Whom a name and a password stand for.
pub(super) async fn candidate(
    app: &Services,
    kind: Kind,
    name: &str,
    password: &str,
) -> Result<Option<Candidate>> {
    match kind {
        Kind::Database => {
            let found = login::check(app, name, password).await?;
            Ok(found.map(|user| Candidate { user: Some(Box::new(user)), person: None }))
        }
        Kind::Directory => ldap::candidate(app, name, password).await,
        Kind::RemoteUser | Kind::OAuth => Ok(None),
    }
}

async fn book_failure(app: &Services, name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 320 || name.contains('\0') {
        return Ok(());
    }
    let ignore_case = app.config.get("AUTH_USERNAME_CI").as_bool().unwrap_or(true);
    if let Named::One(found) = security::find_named(app.db.exec(), name, ignore_case).await?
        && found.user.active
    {
        login::unless_full(security::record_failed_login(app.db.exec(), Some(found.user.id)).await);
    }
    Ok(())
}
