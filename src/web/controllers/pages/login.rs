//! The login and registration pages (`superset.views.auth`); the form itself is posted to `/login/`.

use serde_json::Map;

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
    spa,
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/login/", Access::Open, login).endpoint("SupersetAuthView.login"),
        rule(&["GET"], "/register/", Access::Open, register).endpoint("SupersetRegisterUserView.register"),
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

fn never_kept(answer: Answer) -> Answer {
    answer
        .header("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
        .header("pragma", "no-cache")
        .header("expires", "0")
}
