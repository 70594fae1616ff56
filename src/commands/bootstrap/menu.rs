//! The navigation bar (`flask_appbuilder.menu`, `superset.initialization`, `superset.views.base:menu_data`).

use infra::config::Config;
use serde_json::{Map, Value, json};

use super::{Language, application_root, conf::is_set};
use crate::Principal;

/// When an item is there at all, before anybody's rights are looked at.
#[derive(Clone, Copy)]
enum When {
    Always,
    Flag(&'static str),
    /// Keys of the configuration that must all be true.
    Set(&'static [&'static str]),
}

struct Item {
    /// View menu on which `menu_access` is demanded.
    name: &'static str,
    label: &'static str,
    icon: &'static str,
    to: To,
    when: When,
}

enum To {
    /// A page of a view: its address is made for the request (`url_for`).
    Path(&'static str),
    /// A page of the frontend, behind `APPLICATION_ROOT`.
    Frontend(&'static str),
    /// A page of the frontend, whose address is written as it is.
    Bare(&'static str),
    Category(&'static [Item]),
}

const fn link(name: &'static str, label: &'static str, icon: &'static str, path: &'static str) -> Item {
    Item { name, label, icon, to: To::Path(path), when: When::Always }
}
const fn frontend(name: &'static str, label: &'static str, icon: &'static str, path: &'static str) -> Item {
    Item { name, label, icon, to: To::Frontend(path), when: When::Always }
}
const fn link_when(
    when: When,
    name: &'static str,
    label: &'static str,
    icon: &'static str,
    path: &'static str,
) -> Item {
    Item { name, label, icon, to: To::Path(path), when }
}
const fn category(
    name: &'static str,
    label: &'static str,
    icon: &'static str,
    items: &'static [Item],
) -> Item {
    Item { name, label, icon, to: To::Category(items), when: When::Always }
}

/// An entry of this name is a line between two others.
const SEPARATOR: &str = "-";
const SECURITY_VIEWS: When = When::Set(&["SUPERSET_SECURITY_VIEW_MENU"]);

/// In the order in which Superset registers its views.
const MENU: &[Item] = &[
    category(
        "Security",
        "Security",
        "fa-cogs",
        &[
            link(SEPARATOR, SEPARATOR, "", ""),
            link_when(SECURITY_VIEWS, "List Roles", "List Roles", "", "/roles/"),
            link_when(
                When::Set(&["AUTH_USER_REGISTRATION"]),
                "User Registrations",
                "User Registrations",
                "",
                "/registrations/",
            ),
            link_when(SECURITY_VIEWS, "List Users", "List Users", "", "/users/"),
            link_when(SECURITY_VIEWS, "List Groups", "List Groups", "", "/list_groups/"),
            link_when(
                When::Set(&["FAB_ADD_SECURITY_VIEWS", "SUPERSET_LOG_VIEW"]),
                "Action Log",
                "Action Log",
                "fa-list-ol",
                "/actionlog/list",
            ),
            link("Row Level Security", "Row Level Security", "fa-lock", "/rowlevelsecurity/list/"),
        ],
    ),
    Item {
        name: "Home",
        label: "Home",
        icon: "",
        to: To::Bare("/superset/welcome/"),
        when: When::Set(&["LOGO_TARGET_PATH"]),
    },
    category(
        "Data",
        "Data",
        "",
        &[link("Databases", "Database Connections", "fa-database", "/databaseview/list/")],
    ),
    link("Dashboards", "Dashboards", "fa-dashboard", "/dashboard/list/"),
    link("Charts", "Charts", "fa-bar-chart", "/chart/list/"),
    frontend("Datasets", "Datasets", "fa-table", "/tablemodelview/list/"),
    category(
        "Manage",
        "Manage",
        "",
        &[
            link_when(
                When::Flag("DYNAMIC_PLUGINS"),
                "Plugins",
                "Plugins",
                "fa-puzzle-piece",
                "/dynamic-plugins/list/",
            ),
            link_when(
                When::Flag("CSS_TEMPLATES"),
                "CSS Templates",
                "CSS Templates",
                "fa-css3",
                "/csstemplatemodelview/list/",
            ),
            Item {
                name: "Themes",
                label: "Themes",
                icon: "fa-palette",
                to: To::Bare("/theme/list/"),
                when: When::Always,
            },
            link_when(When::Flag("TAGGING_SYSTEM"), "Tags", "Tags", "", "/superset/tags/"),
            link_when(
                When::Flag("ALERT_REPORTS"),
                "Alerts & Report",
                "Alerts & Reports",
                "fa-exclamation-triangle",
                "/alert/list/",
            ),
            link("Annotation Layers", "Annotation Layers", "fa-comment", "/annotationlayer/list/"),
        ],
    ),
    category(
        "SQL Lab",
        "SQL",
        "fa-flask",
        &[
            frontend("SQL Editor", "SQL Lab", "fa-flask", "/sqllab/"),
            frontend("Saved Queries", "Saved Queries", "fa-save", "/savedqueryview/list/"),
            frontend("Query Search", "Query History", "fa-search", "/sqllab/history/"),
        ],
    ),
];

/// The menu as the caller may see it (`Menu.get_data`).
pub fn menu(config: &Config, user: &Principal, language: &Language<'_>) -> Value {
    render(MENU, config, user, language)
}

fn render(items: &[Item], config: &Config, user: &Principal, language: &Language<'_>) -> Value {
    let mut shown = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let there = match item.when {
            When::Always => true,
            When::Flag(flag) => config.flag(flag),
            // the security views are shown unless the configuration says otherwise
            When::Set(keys) => keys.iter().all(|key| {
                let value = config.get(key);
                is_set(value) || (*key == "SUPERSET_SECURITY_VIEW_MENU" && value.is_null())
            }),
        };
        if !there {
            continue;
        }
        if item.name == SEPARATOR && i + 1 < items.len() {
            shown.push(SEPARATOR.into());
        } else if user.can_access("menu_access", item.name) {
            let mut entry = Map::new();
            entry.insert("name".into(), item.name.into());
            entry.insert("icon".into(), item.icon.into());
            entry.insert("label".into(), (language.translate)(item.label).into());
            let (key, value) = match item.to {
                To::Path(path) => ("url", format!("{}{path}", user.script_root).into()),
                To::Frontend(path) => ("url", format!("{}{path}", application_root(config, user)).into()),
                To::Bare(path) => ("url", path.into()),
                To::Category(items) => ("childs", render(items, config, user, language)),
            };
            entry.insert(key.into(), value);
            shown.push(Value::Object(entry));
        }
    }
    Value::Array(shown)
}

/// The key `menu_data` of the common bootstrap data.
pub(super) fn menu_data(config: &Config, user: &Principal, language: &Language<'_>) -> Value {
    let root = &user.script_root;
    let get = |key: &str| config.get(key).clone();
    let icon = config.str("APP_ICON");
    let target = config.get("LOGO_TARGET_PATH");
    let target = if is_set(target) { target.clone() } else { format!("{root}/superset/welcome/").into() };
    let languages = languages(config, root);
    let picker = languages.len() > 1;
    let user_info = if config.flag("MENU_HIDE_USER_INFO") { Value::Null } else { "/user_info/".into() };
    json!({
        "menu": menu(config, user, language),
        "brand": {
            "path": target,
            "icon": icon,
            "alt": get("APP_NAME"),
            "tooltip": get("LOGO_TOOLTIP"),
            "text": get("LOGO_RIGHT_TEXT"),
        },
        "environment_tag": environment_tag(config),
        "navbar_right": {
            "show_watermark": !icon.contains("superset-logo-horiz"),
            "bug_report_url": get("BUG_REPORT_URL"),
            "bug_report_icon": get("BUG_REPORT_ICON"),
            "bug_report_text": get("BUG_REPORT_TEXT"),
            "documentation_url": get("DOCUMENTATION_URL"),
            "documentation_icon": get("DOCUMENTATION_ICON"),
            "documentation_text": get("DOCUMENTATION_TEXT"),
            "version_string": get("VERSION_STRING"),
            "version_sha": get("VERSION_SHA"),
            "build_number": get("BUILD_NUMBER"),
            "languages": languages,
            "show_language_picker": picker,
            "user_is_anonymous": user.is_anonymous(),
            "user_info_url": user_info,
            "user_logout_url": format!("{root}/logout/"),
            "user_login_url": format!("{root}/login/"),
            "locale": language.locale,
        },
    })
}

/// `LANGUAGES`, or English when none is configured (`flask_appbuilder.babel.manager`).
fn languages(config: &Config, root: &str) -> Map<String, Value> {
    let configured = config.get("LANGUAGES").as_object().filter(|l| !l.is_empty()).cloned();
    let mut languages = configured.unwrap_or_else(|| {
        let english = json!({"flag": "us", "name": "English"});
        Map::from_iter([("en".to_owned(), english)])
    });
    for (code, language) in &mut languages {
        if let Some(language) = language.as_object_mut() {
            language.insert("url".into(), format!("{root}/lang/{code}").into());
        }
    }
    languages
}

/// The coloured tag in the bar: chosen by an environment variable, or `debug`.
fn environment_tag(config: &Config) -> Value {
    let tags = config.get("ENVIRONMENT_TAG_CONFIG");
    let chosen = tags.get("variable").and_then(Value::as_str).and_then(|name| std::env::var(name).ok());
    let tag = |name: &str| tags.get("values").and_then(|values| values.get(name)).cloned();
    let debug = || config.bool("DEBUG").then(|| tag("debug")).flatten();
    chosen.and_then(|name| tag(&name)).or_else(debug).unwrap_or_else(|| json!({}))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn user(view_menus: &[&str]) -> Principal {
        let granted = view_menus.iter().map(|v| ("menu_access".to_owned(), (*v).to_owned()));
        Principal { permissions: Arc::new(granted.collect()), ..Principal::default() }
    }
    const ENGLISH: Language<'_> = Language { locale: "en", translate: &|s: &str| s.to_owned() };

    #[test]
    fn only_granted_items_are_shown() {
        let config = Config::with(Default::default());
        assert_eq!(menu(&config, &user(&[]), &ENGLISH), json!([]));
        let shown = menu(&config, &user(&["Data", "Charts", "Alerts & Report", "Manage"]), &ENGLISH);
        assert_eq!(
            shown,
            json!([
                {"name": "Data", "icon": "", "label": "Data", "childs": []},
                {"name": "Charts", "icon": "fa-bar-chart", "label": "Charts", "url": "/chart/list/"},
                {"name": "Manage", "icon": "", "label": "Manage", "childs": []},
            ])
        );
        let shown = menu(&config, &user(&["Security", "List Roles"]), &ENGLISH);
        assert_eq!(shown[0]["childs"][0], "-");
        assert_eq!(shown[0]["childs"][1]["url"], "/roles/");
    }

    #[test]
    fn a_prefix_and_languages() {
        let overrides = [
            ("APPLICATION_ROOT".to_owned(), json!("/bi")),
            ("LANGUAGES".to_owned(), json!({"en": {"name": "English"}, "fr": {"name": "French"}})),
        ];
        let config = Config::with(overrides.into_iter().collect());
        let mut user = user(&["Charts", "Datasets"]);
        let urls = |data: &Value| [0, 1].map(|at| data["menu"][at]["url"].clone());
        let data = menu_data(&config, &user, &ENGLISH);
        assert_eq!(urls(&data), ["/chart/list/", "/bi/tablemodelview/list/"]);
        assert_eq!(data["brand"]["path"], "/superset/welcome/");
        user.script_root = "/bi".into();
        let data = menu_data(&config, &user, &ENGLISH);
        assert_eq!(urls(&data), ["/bi/chart/list/", "/bi/tablemodelview/list/"]);
        assert_eq!(data["navbar_right"]["languages"]["fr"]["url"], "/bi/lang/fr");
        assert_eq!(data["navbar_right"]["show_language_picker"], true);
        assert_eq!(data["brand"]["path"], "/bi/superset/welcome/");
    }
}
