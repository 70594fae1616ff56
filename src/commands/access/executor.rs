//! As whom scheduled work runs (`superset.tasks.utils:get_executor`).

use daos::{security, user};
use infra::{Result, config::Config};
use serde_json::Value;

use super::load::principal;
use crate::{Principal, Services};

/// Who belongs to an object: ids and names.
#[derive(Debug, Clone, Default)]
pub struct RelatedUsers {
    /// Its owners in their order.
    pub owners: Vec<(i64, String)>,
    /// Who made it.
    pub created_by: Option<(i64, String)>,
    /// Who changed it last.
    pub changed_by: Option<(i64, String)>,
}

/// Why nobody was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoExecutor {
    /// No entry of the list leads to somebody (`ExecutorNotFoundError`).
    #[error("Scheduled task executor not found")]
    NotFound,
    /// An entry that is none (`InvalidExecutorError`).
    #[error("Invalid executor type")]
    Invalid,
}

/// The name of the user that a list of executors (`ALERT_REPORTS_EXECUTORS`) leads to, and the kind of the entry.
/// Entries are the values of `ExecutorType`, or `{"username": …}` and `fixed:…` for a `FixedExecutor`.
pub fn choose<'a>(
    config: &'a Config,
    key: &str,
    related_users: &'a RelatedUsers,
    current_user: Option<&'a str>,
) -> Result<(&'a str, &'a str), NoExecutor> {
    let is_owner = |id: i64| related_users.owners.iter().find(|(owner, _)| *owner == id);
    let name = |person: &'a (i64, String)| person.1.as_str();
    let made = related_users.created_by.as_ref();
    let changed = related_users.changed_by.as_ref();
    for entry in config.get(key).as_array().into_iter().flatten() {
        if let Some(fixed) = fixed(entry) {
            return Ok(("fixed_user", fixed));
        }
        let kind = entry.as_str().unwrap_or_default();
        let found = match kind {
            "fixed_user" => return Err(NoExecutor::Invalid),
            "current_user" => current_user,
            "creator_owner" => made.and_then(|p| is_owner(p.0)).map(name),
            "creator" => made.map(name),
            "modifier_owner" => changed.and_then(|p| is_owner(p.0)).map(name),
            "modifier" => changed.map(name),
            "owner" => match related_users.owners.as_slice() {
                [] => None,
                [only] => Some(name(only)),
                [first, ..] => {
                    let among = |person: Option<&(i64, String)>| person.and_then(|p| is_owner(p.0));
                    Some(name(among(changed).or_else(|| among(made)).unwrap_or(first)))
                }
            },
            _ => None,
        };
        if let Some(found) = found {
            return Ok((kind, found));
        }
    }
    Err(NoExecutor::NotFound)
}

fn fixed(entry: &Value) -> Option<&str> {
    entry.get("username").and_then(Value::as_str).or_else(|| entry.as_str()?.strip_prefix("fixed:"))
}

/// The user of a name with all rights, also one who may not log in; none when there is no such user.
pub async fn find_user(app: &Services, username: &str) -> Result<Option<Principal>> {
    let db = app.db.exec();
    let Some(id) = user::find_id(db, username).await? else { return Ok(None) };
    match security::user_with_roles(db, id, None).await? {
        Some(known) => principal(app, known).await.map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: i64) -> (i64, String) {
        (id, format!("user{id}"))
    }

    fn chosen(list: Value, related_users: &RelatedUsers) -> Result<String, NoExecutor> {
        let config = Config::with([("ALERT_REPORTS_EXECUTORS".to_owned(), list)].into_iter().collect());
        choose(&config, "ALERT_REPORTS_EXECUTORS", related_users, None).map(|(_, name)| name.to_owned())
    }

    #[test]
    fn among_several_owners_the_modifier_comes_before_the_creator_before_the_first() {
        let owners = vec![person(1), person(2), person(3)];
        let of = |created_by, changed_by| RelatedUsers { owners: owners.clone(), created_by, changed_by };
        let owner = || serde_json::json!(["owner"]);
        assert_eq!(chosen(owner(), &of(Some(person(2)), Some(person(3)))), Ok("user3".into()));
        assert_eq!(chosen(owner(), &of(Some(person(2)), Some(person(9)))), Ok("user2".into()));
        assert_eq!(chosen(owner(), &of(Some(person(8)), Some(person(9)))), Ok("user1".into()));
        assert_eq!(chosen(owner(), &RelatedUsers::default()), Err(NoExecutor::NotFound));
        assert_eq!(chosen(serde_json::json!(["fixed_user"]), &of(None, None)), Err(NoExecutor::Invalid));
        let list = serde_json::json!(["creator_owner", "current_user", {"username": "bot"}]);
        assert_eq!(chosen(list, &of(Some(person(9)), None)), Ok("bot".into()));
    }
}
