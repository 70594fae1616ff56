//! People of providers (`flask_appbuilder.security.manager:auth_user_oauth`, `AuthOAuthView`).
//!
//! Nothing is made, counted or replaced before the way back has proved to be the end of a log-in that was begun in the
//! same browser, and before the provider's answers are verified.

use daos::security::Credentials;
use infra::{
    Result,
    config::Config,
    jmespath::Expression,
    sign_in::oauth::{Back, Pending, Provider, Refusal, Tokens, Way, providers},
};
use serde_json::{Map, Value};

use super::{
    custom,
    person::{Candidate, Known, Person, known},
};
use crate::Services;

/// What became of a log-in.
#[derive(Debug)]
pub enum Outcome {
    /// Somebody gets in.
    In(Box<Credentials>),
    /// The provider, or its answer, says no.
    Denied,
    /// The address is on no list.
    NotAuthorized,
    /// Nobody is known, or nobody new is let in.
    Invalid,
}

/// The provider of a name.
pub fn provider(config: &Config, name: &str) -> Option<Provider> {
    // what makes no sense has stopped the start
    providers(config).unwrap_or_default().into_iter().find(|provider| provider.name == name)
}

/// The way to a provider, from this site and, in the end, to `next`; none when it cannot be had.
pub async fn way(app: &Services, name: &str, origin: &str, next: String) -> Option<Way> {
    let provider = provider(&app.config, name)?;
    let back = format!("{origin}/oauth-authorized/{name}");
    match provider.way(&app.providers, back, next).await {
        Ok(way) => Some(way),
        Err(error) => {
            tracing::error!(provider = name, %error, "nobody can be sent to the provider");
            None
        }
    }
}

/// The way back.
pub async fn arrive(
    app: &Services,
    provider: &Provider,
    back: Back<'_>,
    pending: &Pending,
) -> Result<Outcome> {
    let now = chrono::Utc::now().timestamp();
    let tokens = match Box::pin(provider.tokens(&app.providers, back, pending, now)).await {
        Ok(tokens) => tokens,
        Err(refusal) => return Ok(refused(provider, &refusal)),
    };
    let said = match said(app, provider, &tokens, now).await? {
        Ok(said) => said,
        Err(refusal) => return Ok(refused(provider, &refusal)),
    };
    if let Some(list) = &provider.whitelist {
        let address = said.get("email").and_then(Value::as_str);
        if !address.is_some_and(|address| list.iter().any(|pattern| pattern.is_match(address))) {
            return Ok(Outcome::NotAuthorized);
        }
    }
    Ok(match custom::admit_from(app, provider, &tokens, said).await? {
        Some(user) => Outcome::In(Box::new(user)),
        None => Outcome::Invalid,
    })
}

fn refused(provider: &Provider, refusal: &Refusal) -> Outcome {
    tracing::error!(provider = provider.name, error = %refusal, "nobody is let in by the provider");
    match refusal {
        Refusal::Denied(_) => Outcome::Denied,
        Refusal::Unknown(_) => Outcome::Invalid,
    }
}

/// What is known of the person: what a function of the configuration makes of the provider's answers, or what is
/// usual for a provider of its name.
async fn said(
    app: &Services,
    provider: &Provider,
    tokens: &Tokens,
    now: i64,
) -> Result<Result<Map<String, Value>, Refusal>> {
    let Some(method) = custom::oauth_method(&app.config) else {
        return Ok(Box::pin(provider.person(&app.providers, tokens, now)).await);
    };
    let unknown = |why: &str| Err(Refusal::Unknown(format!("{method} of CUSTOM_SECURITY_MANAGER {why}")));
    let arguments = vec![provider.name.clone().into(), response(tokens, now)];
    Ok(match custom::ask(app, method, arguments, provider, tokens).await? {
        Some(Value::Object(said)) if !said.is_empty() => Ok(said),
        Some(_) => unknown("says nothing of the person"),
        None => unknown("has failed"),
    })
}

/// The answer with the tokens as Authlib hands it on.
fn response(tokens: &Tokens, now: i64) -> Value {
    let mut all = tokens.answer.clone();
    if let Some(seconds) = all.get("expires_in").and_then(Value::as_i64)
        && !all.contains_key("expires_at")
    {
        all.insert("expires_at".to_owned(), now.saturating_add(seconds).into());
    }
    if let Some(claims) = &tokens.claims {
        all.insert("userinfo".to_owned(), Value::Object(claims.clone()));
    }
    Value::Object(all)
}

/// Whom it stands for.
pub(super) async fn candidate(
    app: &Services,
    provider: &Provider,
    said: &Map<String, Value>,
) -> Result<Option<Candidate>> {
    let Some(person) = person(&app.config, provider, said) else { return Ok(None) };
    Ok(match known(app, &person.username).await? {
        Known::User(user) => Some(Candidate { user: Some(user), person: Some(person) }),
        Known::Nobody => Some(Candidate { user: None, person: Some(person) }),
        Known::Refused => None,
    })
}

/// Who is meant by what a provider says.
fn person(config: &Config, provider: &Provider, said: &Map<String, Value>) -> Option<Person> {
    let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let username = if said.contains_key("username") { text("username") } else { text("email") };
    if username.is_empty() {
        return None;
    }
    let mut person = Person {
        username,
        first_name: text("first_name"),
        last_name: text("last_name"),
        email: text("email"),
        role_keys: keys(provider, said.get("role_keys")),
        ..Person::default()
    };
    let is_mapped = config.get("AUTH_ROLES_MAPPING").as_object().is_some_and(|mapping| !mapping.is_empty());
    if provider.roles_claim.is_some() && !is_mapped {
        person.role_names = std::mem::take(&mut person.role_keys);
    }
    let expression = config.str("AUTH_USER_REGISTRATION_ROLE_JMESPATH");
    if !expression.is_empty() {
        match Expression::parse(expression).and_then(|e| e.of(&Value::Object(said.clone()))) {
            Ok(role) => person.registration_role = Some(role.as_str().map(str::to_owned)),
            Err(error) => {
                tracing::error!(error, "AUTH_USER_REGISTRATION_ROLE_JMESPATH cannot be computed");
                return None;
            }
        }
    }
    Some(person)
}

/// The keys of a list. A text is none in the original, which looks for each of its letters; where the claim is named by
/// a key of our own, it is one key.
fn keys(provider: &Provider, claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) if provider.roles_claim.is_some() => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Where a log-out goes on at the provider of `OIDC_ISSUER` (`OIDC_LOGOUT`).
pub async fn log_out(app: &Services, origin: &str) -> Option<String> {
    if !app.config.bool("OIDC_LOGOUT") {
        return None;
    }
    let provider = providers(&app.config).unwrap_or_default().into_iter().find(|p| p.issuer.is_some())?;
    provider.log_out(&app.providers, &format!("{origin}/login/")).await
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(more: &[(&str, Value)]) -> Config {
        let keys = [("OIDC_ISSUER", json!("https://id")), ("OIDC_CLIENT_ID", json!("c"))];
        let all = keys.iter().chain(more).map(|(k, v)| ((*k).to_owned(), v.clone()));
        Config::with(all.collect::<IndexMap<_, _>>())
    }

    #[test]
    fn people() {
        let said = json!({"username": "a", "email": "a@x", "role_keys": ["Alpha", 1, "x"]});
        let of = |config: &Config, said: &Value| {
            person(config, &provider(config, "oidc").unwrap(), said.as_object().unwrap())
        };
        let plain = of(&config(&[]), &said).unwrap();
        assert_eq!((plain.role_keys.len(), plain.role_names.len()), (2, 0));
        let named = config(&[("OIDC_ROLES_CLAIM", json!("roles"))]);
        assert_eq!(of(&named, &said).unwrap().role_names, ["Alpha", "x"]);
        assert_eq!(
            of(&named, &json!({"username": "a", "role_keys": "Alpha"})).unwrap().role_names,
            ["Alpha"]
        );
        let mapped =
            config(&[("OIDC_ROLES_CLAIM", json!("roles")), ("AUTH_ROLES_MAPPING", json!({"x": ["Alpha"]}))]);
        assert_eq!(of(&mapped, &said).unwrap().role_keys, ["Alpha", "x"]);
        let computed = config(&[("AUTH_USER_REGISTRATION_ROLE_JMESPATH", json!("email && 'Gamma'"))]);
        assert_eq!(of(&computed, &said).unwrap().registration_role, Some(Some("Gamma".to_owned())));
        assert_eq!(of(&config(&[]), &json!({"email": "a@x"})).unwrap().username, "a@x");
        assert!(of(&config(&[]), &json!({"username": "", "email": "a@x"})).is_none());
        assert!(of(&config(&[]), &json!({"first_name": "A"})).is_none());
    }
}
