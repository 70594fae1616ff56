//! The language of a request (`flask_appbuilder.babel.manager`) and the published translations.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use assets::Encoding;
use infra::config::Config;
use parking_lot::Mutex;
use serde_json::Value;

use crate::Cx;

type Catalogue = HashMap<String, String>;

/// The locale: of the query argument `_l_`, else of the session, which gets the default on the first visit.
pub fn for_request(cx: &Cx) -> String {
    let config = &cx.caller.app.config;
    let default = config.get("BABEL_DEFAULT_LOCALE").as_str().unwrap_or("en");
    if let Some(wanted) = cx.req.arg("_l_") {
        return if is_offered(config, wanted) { wanted.to_owned() } else { default.to_owned() };
    }
    let mut session = cx.session.lock();
    if let Some(locale) = session.values.get("locale").and_then(Value::as_str).filter(|l| !l.is_empty()) {
        return locale.to_owned();
    }
    session.values.insert("locale".into(), default.into());
    session.modified = true;
    default.to_owned()
}

/// A locale of `LANGUAGES`; English when none is configured.
pub fn is_offered(config: &Config, locale: &str) -> bool {
    match config.get("LANGUAGES").as_object().filter(|l| !l.is_empty()) {
        Some(languages) => languages.contains_key(locale),
        None => locale == "en",
    }
}

/// A sentence in a language; unchanged when there is no translation of it.
pub fn translate(locale: &str, sentence: &str) -> String {
    if locale == "en" {
        return sentence.to_owned();
    }
    catalogue(locale).get(sentence).cloned().unwrap_or_else(|| sentence.to_owned())
}

/// The catalogue of a locale, or of its language, read once.
fn catalogue(locale: &str) -> Arc<Catalogue> {
    static READ: LazyLock<Mutex<HashMap<String, Arc<Catalogue>>>> = LazyLock::new(Mutex::default);
    if let Some(found) = READ.lock().get(locale) {
        return found.clone();
    }
    let names = [locale, locale.split('_').next().unwrap_or(locale)];
    let content =
        names.iter().find_map(|l| assets::read(&format!("translations/{l}.json"), Encoding::Identity));
    let found: Arc<Catalogue> = Arc::new(content.map(|json| parse(&json)).unwrap_or_default());
    // the locale comes from a session that we signed or from the configuration, so that the map stays small
    READ.lock().insert(locale.to_owned(), found.clone());
    found
}

/// Jed's form: `{"locale_data": {"superset": {sentence: [translation, …]}}}`.
fn parse(json: &[u8]) -> Catalogue {
    let value: Value = serde_json::from_slice(json).unwrap_or_default();
    let entries = value.pointer("/locale_data/superset").and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(sentence, forms)| {
            let translation = forms.get(0)?.as_str().filter(|t| !t.is_empty() && !sentence.is_empty())?;
            Some((sentence.clone(), translation.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_translated() {
        assert_eq!(translate("en", "Charts"), "Charts");
        assert_eq!(translate("fr", "Charts"), "Graphiques");
        assert_eq!(translate("fr_CA", "Charts"), "Graphiques");
        assert_eq!(translate("fr", "no such sentence"), "no such sentence");
        assert_eq!(translate("xx", "Charts"), "Charts");
    }
}
