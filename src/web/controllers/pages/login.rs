//! The login and registration pages (`superset.views.auth`); the form itself is posted to `/login/`.

use commands::registration::{self, NotActivated};
use serde_json::{Map, json};

use crate::{
    Answer, Cx, Handled, flash, locale,
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
    let answer = if cx.user.user.is_some() {
        Answer::redirect(302, "/")
    } else {
        spa::render(&cx, Map::new()).await?
    };
    Ok(never_kept(answer))
}

async fn register(cx: Cx) -> Handled {
    Ok(never_kept(spa::render(&cx, Map::new()).await?))
}

/// The address in the e-mail that a registration is confirmed with.
async fn activation(cx: Cx) -> Handled {
    let problem = match registration::activate(&cx.app, cx.req.param("activation_hash")).await? {
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
    flash::add(&cx, "danger", &locale::translate(&locale::of(&cx), problem));
    Ok(Answer::redirect(302, "/"))
}

fn never_kept(answer: Answer) -> Answer {
    answer
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0")
}
