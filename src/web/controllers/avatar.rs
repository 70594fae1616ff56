//! `/api/v1/user/<id>/avatar.png` (`superset.views.users.api.UserRestApi`).

use commands::user;

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let path = "/api/v1/user/<int:user_id>/avatar.png";
    vec![rule(&["GET"], path, Access::Open, avatar).endpoint("UserRestApi.avatar")]
}

async fn avatar(cx: Cx) -> Handled {
    match user::avatar(&cx.caller.app, cx.req.int_param("user_id")).await? {
        None => Err(infra::Error::not_found().into()),
        Some(Some(url)) if !url.is_empty() => Ok(Answer::redirect(301, url)),
        // the frontend draws the initials instead
        Some(_) => Ok(Answer::html(204, "")),
    }
}
