//! Signing in by way of the methods of a `CUSTOM_SECURITY_MANAGER`.
//!
//! A method asks, and is called again with the answers ([`infra::config::python::manager`]). The original lets somebody
//! in while `super().auth_user_…()` runs; here that says who it would be, and the user is made, counted or changed when
//! the method has come to its end, in one transaction. A method that fails lets nobody in.

use std::{sync::Arc, time::Duration};

use daos::security::{self, Credentials, Role};
use infra::{
    Result,
    compute::run_blocking,
    config::{
        Config,
        python::{
            Function,
            manager::{Answers, Outcome, Question},
        },
    },
    sign_in::oauth::{Provider, Tokens},
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{
    Kind, oauth, password,
    person::{Candidate, Changes, Known, admit as let_in, known, prospects},
    remote_user, roles,
};
use crate::Services;

const KEY: &str = "CUSTOM_SECURITY_MANAGER";
/// For all that one method asks.
const PATIENCE: Duration = Duration::from_secs(40);
/// What a method may change of a user.
const COLUMNS: &[&str] = &["first_name", "last_name", "email"];

/// The class, if it has a method of its own that counts.
fn class<'a>(config: &'a Config, method: &str) -> Option<&'a Function> {
    let has = |class: &&Function| class.has_method(method) && !config.accepts(&format!("{KEY}.{method}"));
    config.function(KEY).filter(has)
}

/// The method that says who somebody is, if the class has one.
pub(super) fn oauth_method(config: &Config) -> Option<&'static str> {
    ["oauth_user_info", "get_oauth_user_info"].into_iter().find(|method| class(config, method).is_some())
}

/// What a method returns; none when it failed.
pub(super) async fn ask(
    app: &Services,
    method: &'static str,
    arguments: Vec<Value>,
    provider: &Provider,
    tokens: &Tokens,
) -> Result<Option<Value>> {
    let Some(class) = class(&app.config, method) else { return Ok(None) };
    Call::new(app, Some((provider, tokens))).run(class, method, arguments).await
}

/// Who gets in by what a provider says.
pub(super) async fn admit_from(
    app: &Services,
    provider: &Provider,
    tokens: &Tokens,
    said: Map<String, Value>,
) -> Result<Option<Credentials>> {
    match class(&app.config, "auth_user_oauth") {
        Some(class) => {
            let call = Call::new(app, Some((provider, tokens)));
            call.admit(class, "auth_user_oauth", vec![Value::Object(said)]).await
        }
        None => match oauth::candidate(app, provider, &said).await? {
            Some(candidate) => let_in(app, candidate, &Changes::default()).await,
            None => Ok(None),
        },
    }
}

/// Who gets in with a name, and a password where one is asked for.
pub(super) async fn admit(
    app: &Services,
    method: &'static str,
    arguments: &[&str],
) -> Result<Option<Credentials>> {
    let given: Vec<Value> = arguments.iter().map(|text| (*text).into()).collect();
    if let Some(class) = class(&app.config, method) {
        return Call::new(app, None).admit(class, method, given).await;
    }
    match Call::new(app, None).candidate(method, &given).await? {
        Some(candidate) => let_in(app, candidate, &Changes::default()).await,
        None => Ok(None),
    }
}

/// One sign-in.
struct Call<'a> {
    app: &'a Services,
    from: Option<(&'a Provider, &'a Tokens)>,
    /// Who was found, and how that was told.
    found: Vec<(Candidate, Value)>,
}

impl<'a> Call<'a> {
    fn new(app: &'a Services, from: Option<(&'a Provider, &'a Tokens)>) -> Self {
        Self { app, from, found: Vec::new() }
    }

    async fn run(
        &mut self,
        class: &Function,
        method: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Option<Value>> {
        let asking = async {
            let mut answers = Arc::new(Answers::new());
            loop {
                let (class, known, arguments) = (class.clone(), answers.clone(), arguments.clone());
                let manager = self.app.config.security_manager();
                let call = move || class.call_method(method, &manager, &arguments, &known);
                match run_blocking(call).await? {
                    Ok(Outcome::Done(value)) => return Ok(Some(value)),
                    // it is logged
                    Err(_) => return Ok(None),
                    Ok(Outcome::Asks(question)) => match self.answer(&question).await? {
                        Ok(answer) => Arc::make_mut(&mut answers).push((question, answer)),
                        Err(error) => {
                            tracing::error!(
                                error,
                                method,
                                "a method of CUSTOM_SECURITY_MANAGER has no answer"
                            );
                            return Ok(None);
                        }
                    },
                }
            }
        };
        timeout(PATIENCE, Box::pin(asking)).await.unwrap_or_else(|_| {
            tracing::error!(method, "a method of CUSTOM_SECURITY_MANAGER does not come to its end");
            Ok(None)
        })
    }

    async fn admit(
        mut self,
        class: &Function,
        method: &'static str,
        arguments: Vec<Value>,
    ) -> Result<Option<Credentials>> {
        let Some(result) = self.run(class, method, arguments).await? else { return Ok(None) };
        if result.is_null() {
            return Ok(None);
        }
        let name = result.get("username").and_then(Value::as_str).unwrap_or_default();
        let is_meant =
            |(_, told): &(Candidate, Value)| told.get("username").and_then(Value::as_str) == Some(name);
        let Some((candidate, told)) = self.found.iter().rev().find(|found| is_meant(found)).cloned() else {
            tracing::error!(method, "a method of CUSTOM_SECURITY_MANAGER returned no user that it was given");
            return Ok(None);
        };
        if result.get("active") != Some(&Value::Bool(true)) {
            return Ok(None);
        }
        match self.changes(&told, &result).await? {
            Some(changes) => let_in(self.app, candidate, &changes).await,
            None => {
                tracing::error!(
                    method,
                    "a method of CUSTOM_SECURITY_MANAGER gave a user what users do not have"
                );
                Ok(None)
            }
        }
    }

    /// What a method has changed of a user; none when it makes no sense.
    async fn changes(&self, told: &Value, result: &Value) -> Result<Option<Changes>> {
        let mut changes = Changes::default();
        for column in COLUMNS {
            if result.get(*column) != told.get(*column) {
                let Some(text) = result.get(*column).and_then(Value::as_str) else { return Ok(None) };
                changes.columns.push((column, text.to_owned()));
            }
        }
        let names = |value: &Value| -> Option<Vec<String>> {
            let roles = value.get("roles")?.as_array()?.iter().filter(|role| !role.is_null());
            let mut names: Vec<String> =
                roles.map(|role| role.get("name")?.as_str().map(str::to_owned)).collect::<Option<_>>()?;
            names.sort_unstable();
            names.dedup();
            Some(names)
        };
        let (had, Some(has)) = (names(told), names(result)) else { return Ok(None) };
        if had.as_ref() != Some(&has) {
            let found = security::roles_by_name(self.app.db.exec(), &has).await?;
            changes.roles = Some(found.into_iter().map(|role| role.id).collect());
        }
        Ok(Some(changes))
    }

    /// Whom the original would let in.
    async fn candidate(&self, method: &str, arguments: &[Value]) -> Result<Option<Candidate>> {
        let text = |at: usize| arguments.get(at).and_then(Value::as_str).unwrap_or_default();
        match method {
            "auth_user_db" => password::candidate(self.app, Kind::Database, text(0), text(1)).await,
            "auth_user_ldap" => password::candidate(self.app, Kind::Directory, text(0), text(1)).await,
            "auth_user_remote_user" => remote_user::candidate(self.app, text(0)).await,
            _ => match (self.from, arguments.first()) {
                (Some((provider, _)), Some(Value::Object(said))) => {
                    oauth::candidate(self.app, provider, said).await
                }
                _ => Ok(None),
            },
        }
    }

    async fn answer(&mut self, question: &Question) -> Result<Result<Value, String>> {
        Ok(match question {
            Question::Role(name) => {
                let role = security::role_by_name(self.app.db.exec(), name).await?;
                Ok(role.as_ref().map_or(Value::Null, role_data))
            }
            Question::RolesOfKeys(keys) => {
                let names = roles::mapped(&self.app.config, keys);
                let found = security::roles_by_name(self.app.db.exec(), &names).await?;
                Ok(found.iter().map(role_data).collect())
            }
            Question::User(name) => match known(self.app, name).await? {
                Known::User(user) => {
                    Ok(self.tell(Some(Candidate { user: Some(user), person: None })).await?)
                }
                Known::Nobody | Known::Refused => Ok(Value::Null),
            },
            Question::Admit { method, arguments } => {
                let candidate = Box::pin(self.candidate(method, arguments)).await?;
                Ok(self.tell(candidate).await?)
            }
            Question::Get { provider, path } => match self.asked(provider) {
                Err(error) => Err(error),
                Ok((provider, tokens)) => {
                    let answer = provider.get(&self.app.providers, path, tokens).await;
                    answer.map_err(|refusal| refusal.to_string()).map(|answer| {
                        json!({"status": answer.status, "text": String::from_utf8_lossy(&answer.body)})
                    })
                }
            },
            Question::UserInfo { provider } => match self.asked(provider) {
                Err(error) => Err(error),
                Ok((provider, tokens)) => {
                    let claims = provider.user_info(&self.app.providers, tokens).await;
                    claims.map_err(|refusal| refusal.to_string())
                }
            },
            Question::Person { provider } => match self.asked(provider) {
                Err(error) => Err(error),
                Ok((provider, tokens)) => {
                    let now = chrono::Utc::now().timestamp();
                    let person = Box::pin(provider.person(&self.app.providers, tokens, now)).await;
                    person.map(Value::Object).map_err(|refusal| refusal.to_string())
                }
            },
        })
    }

    /// The provider of this sign-in, if it is the one that is meant: its token is for no other.
    fn asked(&self, name: &str) -> Result<(&'a Provider, &'a Tokens), String> {
        let own = self.from.filter(|(provider, _)| provider.name == name);
        own.ok_or_else(|| "somebody else than the provider of this sign-in is asked".to_owned())
    }

    /// A user as a method sees one; null for nobody.
    async fn tell(&mut self, candidate: Option<Candidate>) -> Result<Value> {
        let Some(candidate) = candidate else { return Ok(Value::Null) };
        let Some(roles) = prospects(self.app, &candidate).await? else { return Ok(Value::Null) };
        let roles: Vec<Value> = roles.iter().map(role_data).collect();
        let told = match (&candidate.user, &candidate.person) {
            (Some(user), _) => user_data(
                Some(user.user.id),
                &user.user.username,
                [&user.user.first_name, &user.user.last_name, &user.user.email],
                roles,
            ),
            (None, Some(person)) => {
                let names = [&person.first_name, &person.last_name, &person.email];
                user_data(None, &person.username, names, roles)
            }
            (None, None) => Value::Null,
        };
        self.found.push((candidate, told.clone()));
        Ok(told)
    }
}

fn role_data(role: &Role) -> Value {
    json!({"id": role.id, "name": role.name})
}

fn user_data(id: Option<i64>, name: &str, [first, last, email]: [&String; 3], roles: Vec<Value>) -> Value {
    json!({
        "id": id, "username": name, "first_name": first, "last_name": last, "email": email, "active": true,
        "is_active": true, "is_anonymous": false, "is_authenticated": true, "roles": roles,
    })
}
