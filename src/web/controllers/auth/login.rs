//! The login form and the logout (`flask_appbuilder.security.views:AuthDBView`).

use std::sync::Arc;

use commands::sign_in::{self, oauth};

use super::account_forms::{Field, page};
use crate::{
    Answer, Cx, Handled, flash,
    guards::{host, identity, login_limit::LoginLimit, next_url},
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules(limit: &Arc<LoginLimit>) -> Vec<Rule> {
    let limit = limit.clone();
    vec![
        rule(&["POST"], "/login/", Access::Open, move |cx| login(cx, limit.clone()))
            .endpoint("AuthDBView.login"),
        rule(&["GET"], "/logout/", Access::Open, logout).endpoint("AuthDBView.logout"),
        rule(&["GET"], "/login/logout/", Access::Open, logout).endpoint("SupersetAuthView.logout"),
    ]
}

async fn login(cx: Cx, limit: Arc<LoginLimit>) -> Handled {
    Ok(sign_in(&cx, &limit)
        .await?
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0"))
}

async fn sign_in(cx: &Cx, limit: &LoginLimit) -> Handled {
    // every field is trimmed, the password too (`superset.views.base:bind_field`)
    let filled = |name: &str| cx.req.field(name).map(str::trim).filter(|v| !v.is_empty());
    let attempt = match limit.admit(cx, filled("username").unwrap_or_default()).await {
        Ok(attempt) => attempt,
        Err(refusal) => return Ok(refusal),
    };
    if cx.caller.user.user.is_some() {
        // counted all the same, as `AUTH_RATE_LIMIT` counts requests; where it was to go is not asked
        attempt.empty();
        return Ok(Answer::redirect(302, cx.req.url_for("/")));
    }
    let next = next_url::safe(&cx.caller.app.config, &cx.req, cx.req.arg("next").unwrap_or_default());
    let (Some(name), Some(password)) = (filled("username"), filled("password")) else {
        attempt.empty();
        let fields = [Field::text("username", "Username", ""), Field::password("password", "Password")];
        return Ok(page(cx, "Sign In", &fields, &["This field is required."], &[]));
    };
    match sign_in::by_form(&cx.caller.app, name, password).await? {
        Some(found) => {
            attempt.succeeded();
            identity::log_in(cx, found.user.id, &found.password.unwrap_or_default()).await?;
            Ok(Answer::redirect(302, next))
        }
        None => {
            attempt.failed();
            flash::add(cx, "warning", "Invalid login. Please try again.");
            Ok(Answer::redirect(302, cx.req.url_for(&format!("/login/?next={next}"))))
        }
    }
}

async fn logout(cx: Cx) -> Handled {
    let was_in = cx.caller.user.user.is_some();
    identity::log_out(&cx).await;
    if was_in
        && cx.req.origin.is_some()
        && let Some(address) = oauth::log_out(&cx.caller.app, &host::link(&cx.req, "")).await
    {
        return Ok(Answer::redirect(302, address));
    }
    let target = cx.caller.app.config.get("LOGOUT_REDIRECT_URL").as_str().map(str::to_owned);
    Ok(Answer::redirect(302, target.unwrap_or_else(|| cx.req.url_for("/"))))
}
