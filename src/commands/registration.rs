//! Asking for an account, and making a user of it once the address was confirmed
//! (`flask_appbuilder.security.registerviews:RegisterUserDBView`, `superset.views.auth:SupersetRegisterUserView`).

use chrono::Local;
use daos::{rows, user};
use infra::{
    Result,
    config::Config,
    crypto::password,
    db::DbError,
    mail::{self, Message, Settings},
    sign_in::http::Http,
};
use serde_json::Value;
use uuid::Uuid;

use crate::Services;

/// Who asks for an account.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Address.
    pub email: String,
    /// Password, in clear.
    pub password: String,
}

/// Somebody has the name, or waits for it; the same of the address.
pub async fn taken(app: &Services, username: &str, email: &str) -> Result<(bool, bool)> {
    let db = app.db.exec();
    Ok((user::is_name_used(db, username).await?, user::is_address_used(db, email).await?))
}

/// Books the request and mails the link below `origin` that confirms it; false when the mail does not leave: then the
/// request is forgotten.
pub async fn apply(app: &Services, who: &Application, origin: &str) -> Result<bool> {
    let hash = Uuid::new_v4().to_string();
    let stored = password::hash(who.password.clone()).await?;
    let values = vec![
        ("username", who.username.clone().into()),
        ("first_name", who.first_name.clone().into()),
        ("last_name", who.last_name.clone().into()),
        ("email", who.email.clone().into()),
        ("password", stored.into()),
        ("registration_date", Local::now().naive_local().into()),
        ("registration_hash", hash.clone().into()),
    ];
    let id = match user::insert_registration(app.db.exec(), values).await {
        Ok(id) => id,
        Err(error @ DbError::Unavailable(_)) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "a request for an account is not booked");
            return Ok(false);
        }
    };
    let message = confirmation(&app.config, who, &format!("{origin}/register/activation/{hash}"));
    let Err(error) = Box::pin(mail::send(&mail_settings(&app.config), &message)).await else {
        return Ok(true);
    };
    tracing::error!(%error, "the mail for a registration is not sent");
    rows::delete_where(app.db.exec(), "ab_register_user", "id", &[id]).await?;
    Ok(false)
}

/// `MAIL_*` as Flask-Mail reads them; where they are not set, the server of the reports.
fn mail_settings(config: &Config) -> Settings {
    if config.str("MAIL_SERVER").is_empty() {
        return Settings::from_config(config);
    }
    let (user, secret) = (config.str("MAIL_USERNAME"), config.str("MAIL_PASSWORD"));
    Settings {
        host: config.str("MAIL_SERVER").to_owned(),
        port: config.int("MAIL_PORT").and_then(|port| u16::try_from(port).ok()).unwrap_or(25),
        login: (!user.is_empty() && !secret.is_empty()).then(|| (user.to_owned(), secret.to_owned())),
        tls: config.bool("MAIL_USE_SSL"),
        starttls: config.bool("MAIL_USE_TLS"),
        verify: true,
    }
}

fn sender(config: &Config) -> String {
    match config.get("MAIL_DEFAULT_SENDER") {
        Value::String(address) if !address.is_empty() => address.clone(),
        Value::Array(pair) => match pair.iter().filter_map(Value::as_str).collect::<Vec<_>>()[..] {
            [name, address] => format!("{name} <{address}>"),
            _ => config.str("SMTP_MAIL_FROM").to_owned(),
        },
        _ => config.str("SMTP_MAIL_FROM").to_owned(),
    }
}

fn confirmation(config: &Config, who: &Application, link: &str) -> Message {
    let greeting = markup(&format!("{} {}", who.first_name, who.last_name));
    let html = format!(
        "<p>Hello {greeting},</p>\n<p>an account was asked for with this address. To activate it, follow <a \
         href=\"{link}\">this link</a>.</p>\n<p>If you did not ask for it, do nothing.</p>\n"
    );
    let date = Local::now();
    Message {
        from: sender(config),
        subject: "Account activation".to_owned(),
        to: vec![who.email.clone()],
        cc: None,
        bcc: Vec::new(),
        html,
        files: Vec::new(),
        pictures: Vec::new(),
        id: mail::content_id("liteset", date),
        fields: None,
        date,
    }
}

/// A text of a stranger as HTML, in ASCII: nothing in it is more than a letter.
fn markup(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.');
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("&#{};", u32::from(c)) }).collect()
}

/// What the server of the captcha says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captcha {
    /// A person, or nobody is asked: there is no captcha.
    Passed,
    /// Not a person.
    Failed,
    /// It does not answer as it should: with this status, if it answers.
    Broken(Option<u16>),
}

/// `RECAPTCHA_VERIFY_SERVER` of Flask-WTF.
const GOOGLE: &str = "https://www.google.com/recaptcha/api/siteverify";

/// A captcha is configured.
pub fn has_captcha(config: &Config) -> bool {
    !config.str("RECAPTCHA_PUBLIC_KEY").is_empty()
}

/// Asks whether the answer to the captcha is a person's (`flask_wtf.recaptcha.validators`).
pub async fn captcha(config: &Config, answer: &str, address: &str) -> Captcha {
    if !has_captcha(config) {
        return Captcha::Passed;
    }
    let server = Some(config.str("RECAPTCHA_VERIFY_SERVER")).filter(|s| !s.is_empty()).unwrap_or(GOOGLE);
    let Ok(http) = Http::new(None) else { return Captcha::Broken(None) };
    let fields =
        [("secret", config.str("RECAPTCHA_PRIVATE_KEY")), ("remoteip", address), ("response", answer)];
    match http.post_form(server, &fields, None).await {
        Ok(said) => match said.good_json().and_then(|said| said.get("success")?.as_bool()) {
            Some(true) => Captcha::Passed,
            Some(false) => Captcha::Failed,
            None => Captcha::Broken(Some(said.status)),
        },
        Err(error) => {
            tracing::error!(%error, "the server of the captcha does not answer");
            Captcha::Broken(None)
        }
    }
}

/// Who has just become a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// Login name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// Why nobody became a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotActivated {
    /// No registration waits for this hash.
    Unknown,
    /// The name or the address is taken by now.
    Taken,
}

/// Turns the registration with a hash into a user with the role of `AUTH_USER_REGISTRATION_ROLE`.
pub async fn activate(app: &Services, hash: &str) -> Result<std::result::Result<Activated, NotActivated>> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let Some(waiting) = user::find_registration(db, hash).await? else {
        return Ok(Err(NotActivated::Unknown));
    };
    let who = Activated {
        username: waiting.username,
        first_name: waiting.first_name,
        last_name: waiting.last_name,
    };
    let now = chrono::Local::now().naive_local();
    let values = vec![
        ("username", who.username.clone().into()),
        ("first_name", who.first_name.clone().into()),
        ("last_name", who.last_name.clone().into()),
        ("email", waiting.email.into()),
        ("password", waiting.password.into()),
        ("active", true.into()),
        ("created_on", now.into()),
        ("changed_on", now.into()),
    ];
    let user_id = match user::insert(db, values).await {
        Ok(id) => id,
        Err(DbError::Integrity(_)) => return Ok(Err(NotActivated::Taken)),
        Err(error) => return Err(error.into()),
    };
    let role = daos::security::role_by_name(db, app.config.str("AUTH_USER_REGISTRATION_ROLE")).await?;
    if let Some(role) = role {
        user::add_role(db, user_id, role.id).await?;
    }
    rows::delete_where(db, "ab_register_user", "id", &[waiting.id]).await?;
    tx.commit().await?;
    Ok(Ok(who))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_are_letters_in_a_mail() {
        assert_eq!(markup("Dóra <b>"), "D&#243;ra &#60;b&#62;");
        let config = Config::with(indexmap::IndexMap::from([(
            "MAIL_DEFAULT_SENDER".to_owned(),
            serde_json::json!(["BI", "bi@example.org"]),
        )]));
        assert_eq!(sender(&config), "BI <bi@example.org>");
    }
}
