//! The form of people who ask for an account (`flask_appbuilder.security.registerviews:RegisterUserDBView`).

use std::sync::Arc;

use commands::registration::{Application, Captcha, apply, captcha, has_captcha, taken};
use infra::{
    Error,
    error::{ErrorType, SupersetError},
};

use super::{
    account_forms::{Field, page},
    password_complaint,
};
use crate::{
    Answer, Cx, Handled, error_pages, flash,
    guards::{host, login_limit::LoginLimit},
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules(limit: &Arc<LoginLimit>) -> Vec<Rule> {
    let limit = limit.clone();
    vec![
        rule(&["POST"], "/register/form", Access::Open, move |cx| register(cx, limit.clone()))
            .endpoint("RegisterUserDBView.this_form_post"),
    ]
}

const REQUIRED: &str = "This field is required.";
const TAKEN: &str = "Already exists.";
const LATER: &str = "Not possible to register you at the moment, try again later";

async fn register(cx: Cx, limit: Arc<LoginLimit>) -> Handled {
    let app = &cx.caller.app;
    if !app.config.bool("AUTH_USER_REGISTRATION") {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    let field = |name: &str| cx.req.field(name).unwrap_or_default().trim();
    let who = Application {
        username: field("username").to_owned(),
        first_name: field("first_name").to_owned(),
        last_name: field("last_name").to_owned(),
        email: field("email").to_owned(),
        password: field("password").to_owned(),
    };
    // where no captcha keeps programs off, an address has but a few requests; none is forgiven
    let _counted = if has_captcha(&app.config) {
        None
    } else {
        match limit.admit(&cx, "\0register").await {
            Ok(attempt) => Some(attempt),
            Err(refusal) => return Ok(refusal),
        }
    };
    let complaint = password_complaint(&app.config, &who.password)?;
    let mut errors: Vec<&str> = complaints(&who, field("conf_password"));
    if let Some(complaint) = &complaint {
        errors.push(complaint);
    }
    if errors.is_empty() {
        let (name, email) = taken(app, &who.username, &who.email).await?;
        errors.extend([name, email].iter().filter(|taken| **taken).map(|_| TAKEN));
    }
    if has_captcha(&app.config) {
        match field("g-recaptcha-response") {
            "" => errors.push("The response parameter is missing."),
            answer if errors.is_empty() => match captcha(&app.config, answer, &cx.req.remote_addr).await {
                Captcha::Passed => {}
                Captcha::Failed => errors.push("Invalid reCAPTCHA, please try again."),
                Captcha::Broken(status) => return Err(broken(status).into()),
            },
            _ => {}
        }
    }
    if !errors.is_empty() {
        return Ok(again(&cx, &who, &errors));
    }
    // the link leads to this site as far as it is known which one that is
    let sent = cx.req.origin.is_some() && apply(app, &who, &host::link(&cx.req, "")).await?;
    if sent {
        flash::add(&cx, "info", "Registration sent to your email");
    } else {
        flash::add(&cx, "danger", LATER);
    }
    Ok(Answer::redirect(302, cx.req.url_for("/")))
}

fn complaints(who: &Application, again: &str) -> Vec<&'static str> {
    let mut errors = Vec::new();
    for value in [&who.username, &who.first_name, &who.last_name, &who.email, &who.password] {
        if value.is_empty() || value.contains('\0') {
            errors.push(REQUIRED);
        }
    }
    if !who.email.is_empty() && !is_address(&who.email) {
        errors.push("Invalid email address.");
    }
    if who.password != again {
        errors.push("Passwords must match");
    }
    errors.dedup();
    errors
}

/// Something before an `@`, and a domain with a dot (`wtforms.validators:Email`); nothing that a mail server reads as
/// more than an address.
fn is_address(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let in_name = |c: char| !c.is_control() && !c.is_whitespace() && !r#"@<>()[],;:\""#.contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(in_name)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && domain.contains('.')
        && domain.len() <= 255
        && domain.split('.').all(is_label)
}

fn again(cx: &Cx, who: &Application, errors: &[&str]) -> Answer {
    let fields = [
        Field::text("username", "User Name", &who.username),
        Field::text("first_name", "First Name", &who.first_name),
        Field::text("last_name", "Last Name", &who.last_name),
        Field::text("email", "Email", &who.email),
        Field::password("password", "Password"),
        Field::password("conf_password", "Confirm Password"),
    ];
    page(cx, "Fill out the registration form", &fields, errors, &[])
}

/// The original lets the error of its HTTP client through.
fn broken(status: Option<u16>) -> Error {
    let text = match status {
        Some(500) => "HTTP Error 500: Internal Server Error".to_owned(),
        Some(status) => format!("HTTP Error {status}"),
        None => "The server of the captcha does not answer".to_owned(),
    };
    Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["newbie@example.net", "d.o'neill+x@example.net", "a@b-c.de", "é@exämple.org"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "not-an-address",
            "a@b",
            "@b.c",
            "a@.c",
            "a b@c.de",
            "a@b.c\r\nBcc: x@y.z",
            "a..b@c.de",
            "<a@b.cd>",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn fields() {
        let who = Application {
            username: "a".into(),
            password: "b".into(),
            email: "x".into(),
            ..Application::default()
        };
        assert_eq!(complaints(&who, "c"), [REQUIRED, "Invalid email address.", "Passwords must match"]);
    }
}
