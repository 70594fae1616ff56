//! Flask-AppBuilder's own pages, which the frontend has replaced and no longer links to.
//!
//! Their addresses still answer whoever was allowed to see them, in the old look, with the way to the page that took
//! their place. They change nothing: everything is written through the REST API.

use commands::bootstrap::{self, Language, application_root};
use serde_json::Value;

use crate::{
    Answer, Cx, Handled, error_pages, flash,
    html::escape,
    locale,
    routes::{Access, Rule, rule},
    spa,
};

/// Base path, endpoint class (also its view menu), table, page that took its place.
const VIEWS: [(&str, &str, &str, &str); 3] = [
    ("/users", "UserDBModelView", "ab_user", "/users/"),
    ("/roles", "RoleModelView", "ab_role", "/roles/"),
    ("/groups", "UserGroupModelView", "ab_group", "/list_groups/"),
];

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (base, view, table, to) in VIEWS {
        let page = |path: &str, permission| {
            rule(&["GET"], format!("{base}{path}"), Access::Page(permission, view), move |cx| moved(cx, to))
        };
        let item = |path: &str, permission| {
            let path = format!("{base}{path}");
            rule(&["GET"], path, Access::Page(permission, view), move |cx| moved_item(cx, table, to))
        };
        let back = |path: &str, access| rule(&["GET"], format!("{base}{path}"), access, back);
        let form = |path: &str, permission| {
            rule(&["POST"], format!("{base}{path}"), Access::Page(permission, view), move |cx| {
                refuse(cx, table, to)
            })
        };
        rules.extend([
            page("/list/", "can_list"),
            page("/add", "can_add"),
            item("/edit/<pk>", "can_edit"),
            item("/show/<pk>", "can_show"),
            back("/delete/<pk>", Access::Page("can_delete", view)),
            back("/action/<name>/<pk>", Access::Open),
            form("/add", "can_add"),
            form("/edit/<pk>", "can_edit"),
            form("/delete/<pk>", "can_delete"),
            rule(&["POST"], format!("{base}/action/<name>/<pk>"), Access::Open, refuse_action),
            rule(&["POST"], format!("{base}/action_post"), Access::Open, refuse_action),
            rule(
                &["GET"],
                format!("{base}/download/<filename>"),
                Access::Page("can_download", view),
                missing,
            ),
        ]);
    }
    let userinfo = Access::Page("can_userinfo", "UserDBModelView");
    rules.push(rule(&["GET"], "/users/userinfo/", userinfo, |cx| moved(cx, "/user_info/")));
    rules
}

/// The way to the page that took this one's place; browsers go it by themselves.
async fn moved(cx: Cx, to: &'static str) -> Handled {
    let url = escape(&format!("{}{to}", application_root(&cx.app.config)));
    let head = format!("<meta http-equiv=\"refresh\" content=\"0; url={url}\">\n");
    let body = format!("<div class=\"well\">This page is now at <a href=\"{url}\">{url}</a>.</div>\n");
    Ok(page(&cx, &head, &body, &[KEEP_TAB]))
}

async fn moved_item(cx: Cx, table: &'static str, to: &'static str) -> Handled {
    let found = match cx.req.param("pk").parse::<i64>() {
        Ok(id) => daos::security::exists(cx.app.db.exec(), table, id).await?,
        Err(_) => false,
    };
    if found { moved(cx, to).await } else { Ok(error_pages::abort(&cx.req, 404)) }
}

/// A form of old: nothing is written through it.
async fn refuse(cx: Cx, table: &'static str, to: &'static str) -> Handled {
    flash::add(&cx, "warning", UNCHANGED);
    if cx.req.params.contains_key("pk") { moved_item(cx, table, to).await } else { moved(cx, to).await }
}

/// An action on selected rows: nothing is written through it either.
async fn refuse_action(cx: Cx) -> Handled {
    match cx.req.params.contains_key("pk") || cx.req.field("action").is_some() {
        true => back(cx).await,
        false => Ok(error_pages::abort(&cx.req, 400)),
    }
}

const UNCHANGED: &str = "Nothing was changed: please use the lists of users, roles and groups";

/// What used to change something by its address alone.
async fn back(cx: Cx) -> Handled {
    flash::add(&cx, "warning", UNCHANGED);
    Ok(Answer::redirect(302, "/"))
}

async fn missing(cx: Cx) -> Handled {
    Ok(error_pages::abort(&cx.req, 404))
}

const STYLES: [&str; 11] = [
    "bootstrap.min.css",
    "fontawesome/fontawesome.min.css",
    "fontawesome/regular.min.css",
    "fontawesome/solid.min.css",
    "fontawesome/brands.min.css",
    "fontawesome/v4-shims.min.css",
    "bootstrap-datepicker/bootstrap-datepicker3.min.css",
    "select2/select2.min.css",
    "select2/select2-bootstrap.min.css",
    "flags/flags16.css",
    "ab.css",
];
const SCRIPTS: [&str; 7] = [
    "jquery-latest.js",
    "ab_filters.js",
    "ab_actions.js",
    "bootstrap.min.js",
    "bootstrap-datepicker/bootstrap-datepicker.min.js",
    "select2/select2.min.js",
    "ab.js",
];

/// The script of every page but the login.
pub(in crate::controllers) const KEEP_TAB: &str = "/static/appbuilder/js/ab_keep_tab.js";

fn prefix(cx: &Cx) -> String {
    escape(cx.app.config.str("STATIC_ASSETS_PREFIX"))
}

/// Flask-AppBuilder's layout: its style sheets and scripts, the navigation bar, the content.
pub(in crate::controllers) fn page(cx: &Cx, head: &str, content: &str, scripts: &[&str]) -> Answer {
    let prefix = prefix(cx);
    let nonce = escape(&spa::nonce(cx));
    let mut out = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<title>{}</title>\n",
        escape(cx.app.config.str("APP_NAME"))
    );
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">\n");
    for style in STYLES {
        out.push_str(&format!("<link href=\"{prefix}/static/appbuilder/css/{style}\" rel=\"stylesheet\">\n"));
    }
    out.push_str(head);
    for script in SCRIPTS
        .iter()
        .map(|s| format!("/static/appbuilder/js/{s}"))
        .chain(scripts.iter().map(|s| (*s).into()))
    {
        out.push_str(&format!("<script src=\"{prefix}{script}\" nonce=\"{nonce}\"></script>\n"));
    }
    let brand = escape(cx.app.config.str("APP_ICON"));
    out.push_str(&format!(
        "</head>\n<body>\n<div class=\"navbar navbar-inverse\" role=\"navigation\"><div class=\"container\">\n\
         <a class=\"navbar-brand\" href=\"/\"><img src=\"{prefix}{brand}\" height=\"100%\" alt=\"\"></a>\n\
         <ul class=\"nav navbar-nav\">\n{}</ul>\n</div></div>\n<div class=\"container\">\n{content}</div>\n</body>\n</html>\n",
        navigation(cx),
    ));
    Answer::html(200, out)
}

/// The menu of the caller; categories are shown as their first page.
fn navigation(cx: &Cx) -> String {
    let locale = locale::of(cx);
    let translate = |sentence: &str| locale::translate(&locale, sentence);
    let language = Language { locale: &locale, translate: &translate };
    let menu = bootstrap::menu(&cx.app.config, &cx.user, &language);
    let mut out = String::new();
    for item in menu.as_array().into_iter().flatten() {
        let first =
            item.get("childs").and_then(Value::as_array).into_iter().flatten().find(|c| c.is_object());
        let url = item.get("url").or_else(|| first?.get("url")).and_then(Value::as_str);
        if let (Some(url), Some(label)) = (url, item.get("label").and_then(Value::as_str)) {
            out.push_str(&format!("<li><a href=\"{}\">{}</a></li>\n", escape(url), escape(label)));
        }
    }
    out
}
