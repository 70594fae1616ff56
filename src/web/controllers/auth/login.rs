//! The login form and the logout (`flask_appbuilder.security.views:AuthDBView`).

use std::sync::{Arc, OnceLock};

use commands::login::authenticate;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::account_forms::{Field, page};
use crate::{
    Answer, Cx, Handled, error_pages, flash,
    guards::{identity, next_url, rate_limit::Limiter},
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let limit = Arc::new(LoginLimit::default());
    vec![
        rule(&["POST"], "/login/", Access::Open, move |cx| login(cx, limit.clone()))
            .endpoint("AuthDBView.login"),
        rule(&["GET"], "/logout/", Access::Open, logout).endpoint("AuthDBView.logout"),
        rule(&["GET"], "/login/logout/", Access::Open, logout).endpoint("SupersetAuthView.logout"),
    ]
}

/// How often an address may try (`AUTH_RATE_LIMIT`). With `RATELIMIT_ENABLED` every try counts, as in the original;
/// without it, only those that fail.
pub(super) struct LoginLimit {
    limiter: OnceLock<Option<Limiter>>,
    /// Tries under way; fewer than may fail in one window, so that right passwords sent at once do not shut each
    /// other out. The rest wait their turn.
    gate: Semaphore,
}

impl Default for LoginLimit {
    fn default() -> Self {
        Self { limiter: OnceLock::new(), gate: Semaphore::new(4) }
    }
}

impl LoginLimit {
    fn limiter(&self, cx: &Cx) -> Option<&Limiter> {
        let config = &cx.app.config;
        let make = || {
            config.bool("AUTH_RATE_LIMITED").then(|| Limiter::parse(config.str("AUTH_RATE_LIMIT"))).flatten()
        };
        self.limiter.get_or_init(make).as_ref()
    }

    /// To be asked before a password is looked at, and held until that is done; the error is the answer for an
    /// address that has had its share. Tries under way count too, so that nobody gets past it by asking many times
    /// at once.
    pub(super) async fn admit(&self, cx: &Cx) -> Result<Option<SemaphorePermit<'_>>, Answer> {
        let permit = self.gate.acquire().await.ok();
        match self.limiter(cx) {
            Some(limiter) if !limiter.hit(&cx.req.remote_addr) => {
                Err(error_pages::abort_with(&cx.req, 429, &limiter.describe()))
            }
            _ => Ok(permit),
        }
    }

    /// To be told of a try that was none of guessing.
    pub(super) fn succeeded(&self, cx: &Cx) {
        if !cx.app.config.bool("RATELIMIT_ENABLED")
            && let Some(limiter) = self.limiter(cx)
        {
            limiter.forgive(&cx.req.remote_addr);
        }
    }
}

async fn login(cx: Cx, limit: Arc<LoginLimit>) -> Handled {
    let _turn = match limit.admit(&cx).await {
        Ok(turn) => turn,
        Err(refusal) => return Ok(refusal),
    };
    let next = next_url::safe(&cx.app.config, &cx.req, cx.req.arg("next").unwrap_or_default());
    let answer =
        if cx.user.user.is_some() { Answer::redirect(302, next) } else { sign_in(&cx, next, &limit).await? };
    Ok(answer
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0"))
}

async fn sign_in(cx: &Cx, next: &str, limit: &LoginLimit) -> Handled {
    let filled = |name: &str| cx.req.field(name).filter(|v| !v.trim().is_empty());
    let (Some(name), Some(password)) = (filled("username"), filled("password")) else {
        limit.succeeded(cx);
        let fields = [Field::text("username", "Username", ""), Field::password("password", "Password")];
        return Ok(page(cx, "Sign In", &fields, &["This field is required."], &[]));
    };
    match authenticate(&cx.app, name, password).await? {
        Some(found) => {
            limit.succeeded(cx);
            let hash = found.password.unwrap_or_default();
            identity::log_in(&cx.app.config, &cx.req, &mut cx.session.lock(), found.user.id, &hash);
            Ok(Answer::redirect(302, next))
        }
        None => {
            flash::add(cx, "warning", "Invalid login. Please try again.");
            Ok(Answer::redirect(302, format!("/login/?next={next}")))
        }
    }
}

async fn logout(cx: Cx) -> Handled {
    identity::log_out(&cx.app, &cx.req, &mut cx.session.lock());
    let target = cx.app.config.get("LOGOUT_REDIRECT_URL").as_str().unwrap_or("/");
    Ok(Answer::redirect(302, target))
}
