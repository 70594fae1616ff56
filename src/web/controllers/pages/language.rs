//! Languages: choosing one, and the catalogue that the frontend loads.

use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled, error_pages,
    files::{CachePolicy, send_as},
    guards::next_url::same_origin,
    locale,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/lang/<locale>", Access::Open, choose)
            .endpoint("SupersetIndexView.patch_flask_locale"),
        rule(
            &["GET"],
            "/superset/language_pack/<lang>/",
            Access::Page("can_language_pack", "Superset"),
            language_pack,
        )
        .endpoint("Superset.language_pack"),
    ]
}

/// Sets the language and goes back to where the request came from.
async fn choose(cx: Cx) -> Handled {
    let wanted = cx.req.param("locale");
    if !locale::is_offered(&cx.caller.app.config, wanted) {
        // Superset means to answer 404 here, but fails while it does
        return Ok(error_pages::abort(&cx.req, 500));
    }
    {
        let mut session = cx.session.lock();
        session.values.insert("locale".into(), Value::from(wanted));
        session.modified = true;
    }
    let here = cx.req.origin.as_deref().unwrap_or_default();
    let back = cx.req.header("referer").filter(|url| same_origin(url, here));
    Ok(Answer::redirect(302, back.map_or_else(|| cx.req.url_for("/"), str::to_owned)))
}

async fn language_pack(cx: Cx) -> Handled {
    let lang = cx.req.param("lang");
    if !is_language_code(lang) {
        return Ok(error_pages::abort_with(&cx.req, 400, "Invalid language code"));
    }
    let keep =
        CachePolicy::MaxAge(cx.caller.app.config.int("SEND_FILE_MAX_AGE_DEFAULT").unwrap_or(31_536_000));
    Ok(send_as(&cx.req, &format!("translations/{lang}.json"), "messages.json", &keep)
        .unwrap_or_else(|| Answer::json(404, &json!({"error": "Language pack doesn't exist on the server"}))))
}

/// `^[a-z]{2,3}(_[A-Z]{2})?$`
fn is_language_code(text: &str) -> bool {
    let (language, country) = text.split_once('_').map_or((text, None), |(l, c)| (l, Some(c)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && country.is_none_or(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for good in ["en", "pt_BR", "fil"] {
            assert!(is_language_code(good), "{good}");
        }
        for bad in ["", "e", "EN", "en_us", "en_USA", "../x", "en_", "pt-BR"] {
            assert!(!is_language_code(bad), "{bad}");
        }
    }
}
