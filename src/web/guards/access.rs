//! The permission that a rule demands, and the three ways in which its lack is answered.

use std::sync::Arc;

use commands::access::load_anonymous;
use serde_json::json;

use super::{
    bearer::{self, Kind},
    next_url,
};
use crate::{
    Answer, Cx,
    error::Failure,
    error_pages, flash,
    routes::{Access, Rule},
};

/// Refuses a caller who may not use a rule; a caller with a JSON Web Token becomes known here.
pub async fn check(cx: &mut Cx, rule: &Rule) -> Result<(), Answer> {
    match rule.access {
        Access::Open => Ok(()),
        Access::Protect(permission, view_menu) => protect(cx, permission, view_menu).await,
        Access::Page(permission, view_menu) => page(cx, permission, view_menu),
        Access::PageApi(permission, view_menu) if cx.caller.user.can_access(permission, view_menu) => Ok(()),
        Access::PageApi(..) => {
            let status = if cx.caller.user.is_anonymous() { 401 } else { 403 };
            Err(Answer::jsonify(status, &json!({"message": "Access is Denied", "severity": "danger"})))
        }
    }
}

/// `flask_appbuilder.security.decorators:has_access`: the log-in page for who is not logged in, 403 for others.
pub fn page(cx: &Cx, permission: &str, view_menu: &str) -> Result<(), Answer> {
    if cx.caller.user.can_access(permission, view_menu) {
        return Ok(());
    }
    if cx.caller.user.is_anonymous() {
        flash::add(cx, "danger", "Access is Denied");
        return Err(Answer::redirect(302, next_url::login_from(&cx.req)));
    }
    Err(error_pages::abort(&cx.req, 403))
}

/// `flask_appbuilder.security.decorators:protect`.
async fn protect(cx: &mut Cx, permission: &str, view_menu: &str) -> Result<(), Answer> {
    if cx.caller.user.can_access(permission, view_menu) {
        return Ok(());
    }
    let failed = |e: infra::Error| Failure(e).into_answer();
    if !cx.caller.user.is_anonymous() {
        // what the Public role may do, everybody may do
        let public = load_anonymous(&cx.caller.app).await.map_err(failed)?;
        return if public.can_access(permission, view_menu) { Ok(()) } else { Err(forbidden()) };
    }
    let (_, user) = bearer::user(&cx.caller.app, &cx.req, Kind::Access).await?;
    cx.caller.user = Arc::new(user);
    if cx.caller.user.can_access(permission, view_menu) { Ok(()) } else { Err(forbidden()) }
}

fn forbidden() -> Answer {
    Answer::fab(403, &json!({"message": "Forbidden"}))
}
