//! `/static/…`: the frontend bundle (`superset.app:SupersetApp.send_static_file`).

use crate::{
    Answer, Cx, Handled, error_pages,
    files::{CachePolicy, send},
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    vec![rule(&["GET"], "/static/<path:filename>", Access::Open, file).endpoint("static")]
}

async fn file(cx: Cx) -> Handled {
    let filename = cx.req.param("filename");
    let keep =
        CachePolicy::MaxAge(cx.caller.app.config.int("SEND_FILE_MAX_AGE_DEFAULT").unwrap_or(31_536_000));
    Ok(match send(&cx.req, &format!("static/{filename}"), &keep) {
        Some(answer) => answer,
        // a browser with webpack's development client asks for these and complains about a 404
        None if filename.contains(".hot-update.") => Answer::html(204, ""),
        None => error_pages::abort(&cx.req, 404),
    })
}
