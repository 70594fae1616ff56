//! The way in: `/`, the welcome page, and `/back`.

use commands::user;
use serde_json::Map;

use crate::{
    Answer, Cx, Handled,
    context::Req,
    guards::next_url,
    routes::{Access, Rule, rule},
    spa,
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/", Access::Open, index).endpoint("SupersetIndexView.index"),
        rule(&["GET"], "/superset/welcome/", Access::Open, welcome).endpoint("Superset.welcome"),
        // only Flask-AppBuilder's own lists, which there are none of here, write the history that it goes back in
        rule(&["GET"], "/back", Access::Open, |cx: Cx| async move {
            Ok(Answer::redirect(302, cx.req.url_for("/")))
        })
        .endpoint("UtilView.back"),
    ]
}

async fn index(cx: Cx) -> Handled {
    Ok(Answer::redirect(302, cx.req.url_for("/superset/welcome/")))
}

async fn welcome(cx: Cx) -> Handled {
    let Some(user_id) = cx.caller.user.user_id() else { return Ok(to_login(&cx.req)) };
    if let Some(id) = user::welcome_dashboard(&cx.caller.app, user_id).await? {
        return super::dashboard::show(cx, &id.to_string()).await;
    }
    spa::render(&cx, Map::new()).await
}

/// The login page that leads back here.
pub(super) fn to_login(req: &Req) -> Answer {
    Answer::redirect(302, next_url::login_with(req))
}
