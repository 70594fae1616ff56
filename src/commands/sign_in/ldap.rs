//! People of a directory (`flask_appbuilder.security.manager:auth_user_ldap`).
//!
//! The table is asked first: whom it does not let in is not asked for. Names are escaped wherever they go; an empty
//! password never reaches the directory.

use std::time::Duration;

use daos::security;
use infra::{
    Result,
    config::Config,
    sign_in::ldap::{Connection, Entry, LdapError, Settings, escape_dn, escape_filter},
};
use tokio::time::timeout;

use super::person::{Candidate, Known, Person, known};
use crate::{Services, login::unless_full};

/// For all of a conversation.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the directory says.
enum Verdict {
    /// The password is the person's, and this is the person's entry, if it was looked for.
    Right(Option<Entry>),
    /// It is not, or there is nobody of that name to bind as.
    Wrong,
    /// Nobody, or several, are found.
    NotFound,
}

/// Whom a name and a password stand for.
pub(super) async fn candidate(app: &Services, name: &str, password: &str) -> Result<Option<Candidate>> {
    let user = match known(app, name).await? {
        Known::User(user) => Some(user),
        Known::Nobody if app.config.bool("AUTH_USER_REGISTRATION") => None,
        Known::Nobody | Known::Refused => return Ok(None),
    };
    let asked = timeout(PATIENCE, ask(&app.config, name, password)).await;
    let verdict = asked.unwrap_or(Err(LdapError::Answer("it did not come in time")));
    match verdict {
        Ok(Verdict::Right(entry)) => {
            let person = entry.and_then(|entry| person(&app.config, name, &entry));
            if user.is_none() && person.is_none() {
                tracing::info!(
                    "a person of the directory is not made a user: the entry is not read, or not theirs"
                );
            }
            Ok(Some(Candidate { user, person }))
        }
        Ok(Verdict::Wrong) => {
            if let Some(user) = user {
                let booked = security::record_failed_login(app.db.exec(), Some(user.user.id)).await;
                unless_full(booked);
            }
            Ok(None)
        }
        Ok(Verdict::NotFound) => Ok(None),
        Err(error) => {
            tracing::error!(%error, "nobody is let in by the directory");
            Ok(None)
        }
    }
}

async fn ask(config: &Config, name: &str, password: &str) -> Result<Verdict, LdapError> {
    let settings = Settings::from_config(config);
    let settings = settings.map_err(|why| LdapError::Unreachable("of the configuration".into(), why))?;
    let mut directory = Connection::open(&settings).await?;
    let verdict = converse(&mut directory, config, name, password).await;
    directory.close().await;
    verdict
}

async fn converse(
    directory: &mut Connection,
    config: &Config,
    name: &str,
    password: &str,
) -> Result<Verdict, LdapError> {
    let (reader, base) = (config.str("AUTH_LDAP_BIND_USER"), config.str("AUTH_LDAP_SEARCH"));
    if reader.is_empty() {
        if !directory.bind(&bind_name(config, name), password).await? {
            return Ok(Verdict::Wrong);
        }
        if base.is_empty() {
            return Ok(Verdict::Right(None));
        }
        return Ok(search(directory, config, base, name)
            .await?
            .map_or(Verdict::NotFound, |entry| Verdict::Right(Some(entry))));
    }
    if !directory.bind(reader, config.str("AUTH_LDAP_BIND_PASSWORD")).await? {
        tracing::error!("AUTH_LDAP_BIND_USER and AUTH_LDAP_BIND_PASSWORD are refused by the directory");
        return Ok(Verdict::NotFound);
    }
    if base.is_empty() {
        tracing::error!("AUTH_LDAP_BIND_USER is set without AUTH_LDAP_SEARCH: nobody is found");
        return Ok(Verdict::NotFound);
    }
    let Some(entry) = search(directory, config, base, name).await? else { return Ok(Verdict::NotFound) };
    let is_right = directory.bind(&entry.dn, password).await?;
    Ok(if is_right { Verdict::Right(Some(entry)) } else { Verdict::Wrong })
}

/// As whom a person binds: `AUTH_LDAP_USERNAME_FORMAT` around the name with `AUTH_LDAP_APPEND_DOMAIN`. In a format that
/// is a distinguished name, the name is but a value.
fn bind_name(config: &Config, name: &str) -> String {
    let (domain, format) = (config.str("AUTH_LDAP_APPEND_DOMAIN"), config.str("AUTH_LDAP_USERNAME_FORMAT"));
    let name = if domain.is_empty() { name.to_owned() } else { format!("{name}@{domain}") };
    let Some((before, after)) = format.split_once("%s") else { return name };
    let name = if before.contains('=') { escape_dn(&name) } else { name };
    format!("{}{name}{}", before.replace("%%", "%"), after.replace("%%", "%"))
}

fn field<'a>(config: &'a Config, key: &str, default: &'static str) -> &'a str {
    config.get(key).as_str().filter(|name| !name.is_empty()).unwrap_or(default)
}

fn uid_field(config: &Config) -> &str {
    field(config, "AUTH_LDAP_UID_FIELD", "uid")
}

fn group_field(config: &Config) -> &str {
    field(config, "AUTH_LDAP_GROUP_FIELD", "memberOf")
}

/// The one entry of a name.
async fn search(
    directory: &mut Connection,
    config: &Config,
    base: &str,
    name: &str,
) -> Result<Option<Entry>, LdapError> {
    let uid = uid_field(config);
    let is_name = format!("({uid}={})", escape_filter(name));
    let filter = match config.str("AUTH_LDAP_SEARCH_FILTER") {
        "" => is_name,
        more => format!("(&{more}{is_name})"),
    };
    let mut attributes = vec![
        uid,
        field(config, "AUTH_LDAP_FIRSTNAME_FIELD", "givenName"),
        field(config, "AUTH_LDAP_LASTNAME_FIELD", "sn"),
        field(config, "AUTH_LDAP_EMAIL_FIELD", "mail"),
    ];
    if config.get("AUTH_ROLES_MAPPING").as_object().is_some_and(|mapping| !mapping.is_empty()) {
        attributes.push(group_field(config));
    }
    let mut found = directory.search(base, &filter, &attributes).await?;
    if found.len() > 1 {
        tracing::error!(base, "several entries of the directory have a name that was typed");
        return Ok(None);
    }
    Ok(found.pop())
}

/// Who an entry is. None when its name is not the one that was typed: directories compare without accents, blanks and
/// case, and each spelling would become a user of its own.
fn person(config: &Config, name: &str, entry: &Entry) -> Option<Person> {
    let names = entry.values(uid_field(config));
    if !names.is_empty() && !names.iter().any(|own| own.to_lowercase() == name.to_lowercase()) {
        return None;
    }
    let first = |key: &str, default| entry.first(field(config, key, default)).to_owned();
    Some(Person {
        username: name.to_owned(),
        first_name: first("AUTH_LDAP_FIRSTNAME_FIELD", "givenName"),
        last_name: first("AUTH_LDAP_LASTNAME_FIELD", "sn"),
        email: first("AUTH_LDAP_EMAIL_FIELD", "mail"),
        role_keys: entry.values(group_field(config)).to_vec(),
        ..Person::default()
    })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(keys: &[(&str, &str)]) -> Config {
        Config::with(keys.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<IndexMap<_, _>>())
    }

    #[test]
    fn whom_a_name_binds_as() {
        let format = ("AUTH_LDAP_USERNAME_FORMAT", "uid=%s,ou=people,dc=example");
        let domain = ("AUTH_LDAP_APPEND_DOMAIN", "corp.example");
        let of = |keys: &[(&str, &str)], name: &str| bind_name(&config(keys), name);
        assert_eq!(of(&[], "alice"), "alice");
        assert_eq!(of(&[domain], "alice"), "alice@corp.example");
        assert_eq!(of(&[format], "carol,ou=c"), "uid=carol\\,ou\\=c,ou=people,dc=example");
        assert_eq!(of(&[format, domain], "a"), "uid=a@corp.example,ou=people,dc=example");
        assert_eq!(of(&[("AUTH_LDAP_USERNAME_FORMAT", "CORP\\%s")], "o'neill"), "CORP\\o'neill");
    }

    #[test]
    fn another_spelling_is_nobody_new() {
        let entry = Entry {
            dn: "uid=Alice".into(),
            attributes: vec![("uid".into(), vec!["Alice".into()]), ("sn".into(), vec!["Archer".into()])],
        };
        let found = person(&config(&[]), "aLICE", &entry).unwrap();
        assert_eq!(
            (found.username.as_str(), found.last_name.as_str(), found.email.as_str()),
            ("aLICE", "Archer", "")
        );
        for other in ["alice ", "alice\u{a0}", "alicé"] {
            assert!(person(&config(&[]), other, &entry).is_none(), "{other:?}");
        }
        let without_name = Entry { attributes: vec![], ..entry };
        assert!(person(&config(&[]), "alice", &without_name).is_some());
    }
}
