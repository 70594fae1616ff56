//! Which roles somebody has of whom others vouch (`_ldap_calculate_user_roles`, `_oauth_calculate_user_roles`).

use daos::security::{self, Role};
use infra::{
    config::Config,
    db::{DbError, Executor},
};
use serde_json::Value;

use super::Person;

/// The roles of a person: those that `AUTH_ROLES_MAPPING` gives for the keys, and the one for new people. What does not
/// exist is left out.
pub(super) async fn of_person(
    db: &dyn Executor,
    config: &Config,
    person: &Person,
) -> Result<Vec<Role>, DbError> {
    let wanted = names(config, person);
    let found = security::roles_by_name(db, &wanted).await?;
    for missing in wanted.iter().filter(|name| !found.iter().any(|role| role.name == **name)) {
        tracing::warn!(role = missing, "a role that people are to have does not exist");
    }
    Ok(found)
}

/// The roles that `AUTH_ROLES_MAPPING` gives for some keys.
pub(super) fn mapped(config: &Config, keys: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for (key, roles) in config.get("AUTH_ROLES_MAPPING").as_object().into_iter().flatten() {
        if keys.contains(key) {
            let roles = roles.as_array().into_iter().flatten();
            names.extend(roles.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    names
}

fn names(config: &Config, person: &Person) -> Vec<String> {
    let mut names = person.role_names.clone();
    names.extend(mapped(config, &person.role_keys));
    if config.bool("AUTH_USER_REGISTRATION") {
        match &person.registration_role {
            Some(computed) => names.extend(computed.clone()),
            None => names.push(config.str("AUTH_USER_REGISTRATION_ROLE").to_owned()),
        }
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_become_roles() {
        let mapping = json!({"a": ["Alpha", "sql_lab"], "b": ["Admin"], "text": "Admin"});
        let keys = [("AUTH_ROLES_MAPPING", mapping), ("AUTH_USER_REGISTRATION", json!(true))];
        let mut keys: IndexMap<_, _> = keys.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let person = Person { role_keys: vec!["a".into(), "text".into()], ..Person::default() };
        assert_eq!(names(&Config::with(keys.clone()), &person), ["Alpha", "Public", "sql_lab"]);
        let computed = Person { registration_role: Some(None), ..person.clone() };
        assert_eq!(names(&Config::with(keys.clone()), &computed), ["Alpha", "sql_lab"]);
        keys.insert("AUTH_USER_REGISTRATION".into(), json!(false));
        assert!(names(&Config::with(keys), &Person::default()).is_empty());
    }
}
