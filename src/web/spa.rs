//! The one HTML page of the frontend (`superset/templates/superset/spa.html`).
//!
//! The page carries scripts of one webpack entry point and, in an attribute, the bootstrap data. Style sheets of the
//! manifest are not linked: the scripts inject them.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use assets::Encoding;
use commands::bootstrap::{self, Language};
use infra::{config::Config, json::dumps};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Answer, Cx, Handled, flash, guards::csrf, html::MarkupSafe, locale, websocket::own_address};

/// What differs between pages.
#[derive(Debug, Default)]
pub struct Page {
    /// Entry point of the manifest.
    pub entry: &'static str,
    /// Title; only dashboards have one.
    pub title: String,
    /// Without navigation (`?standalone=1`).
    pub standalone: bool,
    /// The bootstrap data as JSON.
    pub bootstrap: String,
}

/// The page of the single-page application for the caller, with `extra` keys in its bootstrap data.
pub async fn render(cx: &Cx, extra: Map<String, Value>) -> Handled {
    application(cx, String::new(), false, extra).await
}

/// The same with the title of a dashboard; only dashboards are shown without navigation on demand.
pub async fn render_dashboard(cx: &Cx, title: String) -> Handled {
    application(cx, title, is_standalone(cx), Map::new()).await
}

async fn application(cx: &Cx, title: String, standalone: bool, extra: Map<String, Value>) -> Handled {
    let user = bootstrap::user_text(&cx.caller).await?;
    let common = common(cx).await?;
    let own = format!("{{\"user\": {user}, \"common\": {common}}}");
    let bootstrap = joined(&[&own, &dumps(&Value::Object(extra))]);
    Ok(shell(cx, &Page { entry: "spa", title, standalone, bootstrap }))
}

/// One object with the members of several, in order; no name is in two of them.
pub fn joined(objects: &[&str]) -> String {
    let members = objects.iter().filter_map(|text| text.strip_prefix('{')?.strip_suffix('}'));
    let members: Vec<&str> = members.filter(|members| !members.is_empty()).collect();
    format!("{{{}}}", members.join(", "))
}

/// The key `common` of the bootstrap data as JSON; takes the flash messages out of the session.
pub async fn common(cx: &Cx) -> Result<Arc<str>, infra::Error> {
    let locale = locale::for_request(cx);
    let translate = |sentence: &str| locale::translate(&locale, sentence);
    let language = Language { locale: &locale, translate: &translate };
    bootstrap::common_text(&cx.caller, &language, flash::take(cx), own_address(cx)).await
}

/// `ReservedUrlParameters.is_standalone_mode`.
pub fn is_standalone(cx: &Cx) -> bool {
    !matches!(cx.req.arg("standalone"), None | Some("" | "false" | "0"))
}

/// The page as HTML.
pub fn shell(cx: &Cx, page: &Page) -> Answer {
    let config = &cx.caller.app.config;
    Answer::html(200, document(config, static_prefix(cx), page, &nonce(cx), &csrf::token(cx)))
}

/// What addresses of static files begin with.
pub(crate) fn static_prefix(cx: &Cx) -> &str {
    bootstrap::static_prefix(&cx.caller.app.config, &cx.req.script_root)
}

pub(crate) fn nonce(cx: &Cx) -> String {
    cx.req.nonce.clone()
}

// Style and script stand in the page as they are: no character of them may need escaping.
const HEAD_STYLE: &str = "
body { background: #fff; color: #000; }
@media (prefers-color-scheme: dark) { body { background: #000; color: #fff; } }
";

/// Style sheets that were only preloaded come into force when the page stands.
const PRELOADED_STYLES: &str = "
document.addEventListener('DOMContentLoaded', function () {
  document.querySelectorAll('link[rel=preload][as=style]').forEach(function (link) {
    link.rel = 'stylesheet';
  });
});
";

fn document(config: &Config, prefix: &str, page: &Page, nonce: &str, csrf_token: &str) -> String {
    let theme = scripts("theme");
    let of_page: Vec<&String> = scripts(page.entry).iter().filter(|file| !theme.contains(file)).collect();
    let markup = html! {
        (DOCTYPE)
        html {
            head {
                title { (MarkupSafe(&page.title)) }
                style { (HEAD_STYLE) }
                (links(config, prefix))
                (bundle(theme, prefix, nonce))
                input type="hidden" name="csrf_token" id="csrf_token" value=(csrf_token);
            }
            body class=[page.standalone.then_some("standalone")] {
                div id="app" data-bootstrap=(MarkupSafe(&page.bootstrap)) {
                    img src={(prefix) "/static/assets/images/loading.gif"} alt="" aria-label="Loading"
                        style="width: 50px; position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%);";
                }
                (bundle(of_page, prefix, nonce))
                script nonce=(nonce) { (PRELOADED_STYLES) }
            }
        }
    };
    markup.into_string()
}

fn links(config: &Config, prefix: &str) -> Markup {
    let urls = config.get("CUSTOM_FONT_URLS").as_array().into_iter().flatten().filter_map(Value::as_str);
    html! {
        @for icon in config.get("FAVICONS").as_array().into_iter().flatten() {
            (favicon(icon, prefix))
        }
        link rel="preload" type="text/css" href={(prefix) "/static/appbuilder/css/flags/flags16.css"} as="style";
        @for url in urls {
            link rel="stylesheet" href=(url);
        }
    }
}

fn favicon(icon: &Value, prefix: &str) -> Markup {
    let text = |key: &str| icon.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
    let href = text("href").unwrap_or_default();
    let prefix = if href.starts_with("http") { "" } else { prefix };
    html! {
        link rel=(text("rel").unwrap_or("icon")) type=(text("type").unwrap_or("image/png")) sizes=[text("sizes")]
            href={(prefix) (href)};
    }
}

fn bundle<'a>(files: impl IntoIterator<Item = &'a String>, prefix: &str, nonce: &str) -> Markup {
    html! {
        @for file in files {
            script src={(prefix) (file)} async nonce=(nonce) {}
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    entrypoints: HashMap<String, EntryPoint>,
}

#[derive(Debug, Deserialize)]
struct EntryPoint {
    js: Vec<String>,
}

/// Scripts of an entry point of webpack's manifest; none for an entry point that it does not have.
fn scripts(entry: &str) -> &'static [String] {
    static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
        let json = assets::read("static/assets/manifest.json", Encoding::Identity).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    MANIFEST.entrypoints.get(entry).map(|e| e.js.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(title: &str, bootstrap: Value) -> String {
        let config = Config::with(Default::default());
        let bootstrap = dumps(&bootstrap);
        let page = Page { entry: "spa", title: title.into(), standalone: true, bootstrap };
        document(&config, "", &page, "n\"0", "t'0")
    }

    #[test]
    fn hostile_text_stays_text() {
        let html = page("</title><script>alert(1)</script>", json!({"a": "\"><script>alert(2)</script>'&"}));
        assert!(!html.contains("alert(1)</script>") && !html.contains("alert(2)</script>"));
        assert!(html.contains("data-bootstrap=\"{&#34;a&#34;: &#34;\\&#34;&gt;&lt;script&gt;"));
        assert!(html.contains("value=\"t'0\"") && html.contains("nonce=\"n&quot;0\""));
        assert!(html.contains(HEAD_STYLE) && html.contains(PRELOADED_STYLES));
        assert!(html.contains("<body class=\"standalone\">"));
    }

    #[test]
    fn objects_are_joined() {
        assert_eq!(
            joined(&["{}", "{\"a\": {}}", "{}", "{\"b\": 1, \"c\": 2}"]),
            r#"{"a": {}, "b": 1, "c": 2}"#
        );
        assert_eq!(joined(&["{}"]), "{}");
    }

    #[test]
    fn scripts_come_once() {
        let html = page("", json!({}));
        let theme = scripts("theme").first().unwrap();
        assert_eq!(html.matches(theme.as_str()).count(), 1);
        assert_eq!(html.matches("<script src=").count(), scripts("theme").len() + scripts("spa").len());
        assert!(scripts("spa").len() > 10);
        assert!(scripts("explore").is_empty());
        assert!(!html.contains(".entry.css"));
    }
}
