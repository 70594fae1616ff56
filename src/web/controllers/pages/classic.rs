//! Flask-AppBuilder's layout, for the few pages that are made on the server.

use commands::bootstrap::{self, Language};
use serde_json::Value;

use crate::{Answer, Cx, flash, html::escape, locale, spa};

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
         <ul class=\"nav navbar-nav\">\n{}</ul>\n</div></div>\n<div class=\"container\">\n{}{content}</div>\n</body>\n</html>\n",
        navigation(cx),
        messages(cx),
    ));
    Answer::html(200, out)
}

/// What the request before had to say.
fn messages(cx: &Cx) -> String {
    let mut out = String::new();
    for message in flash::take(cx).as_array().into_iter().flatten() {
        let part = |at: usize| escape(message.get(at).and_then(Value::as_str).unwrap_or_default());
        out.push_str(&format!("<div class=\"alert alert-{}\">{}</div>\n", part(0), part(1)));
    }
    out
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
