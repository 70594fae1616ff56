//! Flask-AppBuilder's layout, for the few pages that are made on the server.

use commands::bootstrap::{self, Language};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use crate::{Answer, Cx, flash, locale, spa};

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

/// Flask-AppBuilder's layout: its style sheets and scripts, the navigation bar, the content.
pub(in crate::controllers) fn page(cx: &Cx, head: &Markup, content: &Markup, scripts: &[&str]) -> Answer {
    let config = &cx.caller.app.config;
    let (prefix, nonce) = (spa::static_prefix(cx), spa::nonce(cx));
    let common = SCRIPTS.iter().map(|name| format!("/static/appbuilder/js/{name}"));
    let scripts = common.chain(scripts.iter().map(|path| (*path).to_owned()));
    let page = html! {
        (DOCTYPE)
        html {
            head {
                title { (config.str("APP_NAME")) }
                meta name="viewport" content="width=device-width, initial-scale=1.0";
                @for style in STYLES {
                    link href={(prefix) "/static/appbuilder/css/" (style)} rel="stylesheet";
                }
                (head)
                @for script in scripts {
                    script src={(prefix) (script)} nonce=(nonce) {}
                }
            }
            body {
                div class="navbar navbar-inverse" role="navigation" {
                    div class="container" {
                        a class="navbar-brand" href=(cx.req.url_for("/")) {
                            img src={(prefix) (config.str("APP_ICON"))} height="100%" alt="";
                        }
                        ul class="nav navbar-nav" { (navigation(cx)) }
                    }
                }
                div class="container" {
                    (messages(cx))
                    (content)
                }
            }
        }
    };
    Answer::html(200, page.into_string())
}

/// What the request before had to say.
fn messages(cx: &Cx) -> Markup {
    fn part(message: &Value, at: usize) -> &str {
        message.get(at).and_then(Value::as_str).unwrap_or_default()
    }
    html! {
        @for message in flash::take(cx).as_array().into_iter().flatten() {
            div class={"alert alert-" (part(message, 0))} { (part(message, 1)) }
        }
    }
}

/// The menu of the caller; categories are shown as their first page.
fn navigation(cx: &Cx) -> Markup {
    let locale = locale::for_request(cx);
    let translate = |sentence: &str| locale::translate(&locale, sentence);
    let language = Language { locale: &locale, translate: &translate };
    let menu = bootstrap::menu(&cx.caller.app.config, &cx.caller.user, &language);
    let links = menu.as_array().into_iter().flatten().filter_map(|item| {
        let first =
            item.get("childs").and_then(Value::as_array).into_iter().flatten().find(|c| c.is_object());
        let url = item.get("url").or_else(|| first?.get("url")).and_then(Value::as_str)?;
        Some((url, item.get("label").and_then(Value::as_str)?))
    });
    html! {
        @for (url, label) in links {
            li { a href=(url) { (label) } }
        }
    }
}
