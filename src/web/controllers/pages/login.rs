//! The login and registration pages (`superset.views.auth`); the form itself is posted to `/login/`.

use commands::{
    registration::{self, NotActivated},
    sign_in,
};
use serde_json::{Map, json};

use crate::{
    Answer, Cx, Handled,
    error::Failure,
    flash,
    guards::{
        identity, next_url,
        remote_user::{self, Said},
    },
    locale,
    routes::{Access, Rule, rule},
    spa,
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/login/", Access::Open, login).endpoint("SupersetAuthView.login"),
        rule(&["GET"], "/register/", Access::Open, register).endpoint("SupersetRegisterUserView.register"),
        rule(&["GET"], "/register/activation/<activation_hash>", Access::Open, activation)
            .endpoint("SupersetRegisterUserView.activation"),
    ]
}

async fn login(cx: Cx) -> Handled {
    let answer = if cx.caller.user.user.is_some() {
        Answer::redirect(302, cx.req.url_for("/"))
    } else if let Some(answer) = by_proxy(&cx).await? {
        answer
    } else {
        spa::render(&cx, Map::new()).await?
    };
    Ok(never_kept(answer))
}

/// With `AUTH_REMOTE_USER` a trusted proxy says who is there (`AuthRemoteUserView.login`). In the original by
/// configuration alone, the page hides this view. A refusal goes to `next` all the same; whoever is sent back from
/// there sees the page with the message, and is not sent round and round.
async fn by_proxy(cx: &Cx) -> Result<Option<Answer>, Failure> {
    let config = &cx.caller.app.config;
    let name = match remote_user::said(config, &cx.req) {
        Said::Nothing => return Ok(None),
        Said::Nobody => None,
        Said::Name(name) => Some(name),
    };
    let next = next_url::safe(config, &cx.req, cx.req.arg("next").unwrap_or_default());
    let found = match name {
        Some(name) => sign_in::by_name(&cx.caller.app, name).await?,
        None => None,
    };
    if let Some(found) = found {
        identity::log_in(cx, found.user.id, &found.password.unwrap_or_default()).await?;
    } else if flash::waits(cx, INVALID) {
        return Ok(None);
    } else {
        flash::add(cx, "warning", INVALID);
    }
    Ok(Some(Answer::redirect(302, next)))
}

const INVALID: &str = "Invalid login. Please try again.";

async fn register(cx: Cx) -> Handled {
    Ok(never_kept(spa::render(&cx, Map::new()).await?))
}

/// The address in the e-mail that a registration is confirmed with.
async fn activation(cx: Cx) -> Handled {
    let problem = match registration::activate(&cx.caller.app, cx.req.param("activation_hash")).await? {
        Ok(who) => {
            let mut extra = Map::new();
            extra.insert("username".into(), json!(who.username));
            extra.insert("first_name".into(), json!(who.first_name));
            extra.insert("last_name".into(), json!(who.last_name));
            return spa::render(&cx, extra).await;
        }
        Err(NotActivated::Unknown) => "Registration not found",
        Err(NotActivated::Taken) => "Not possible to register you at the moment, try again later",
    };
    flash::add(&cx, "danger", &locale::translate(&locale::for_request(&cx), problem));
    Ok(Answer::redirect(302, cx.req.url_for("/")))
}

fn never_kept(answer: Answer) -> Answer {
    answer
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0")
}
