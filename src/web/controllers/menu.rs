//! `/api/v1/menu/` (`flask_appbuilder.menu.MenuApi`).

use commands::bootstrap::{self, Language};
use serde_json::json;

use crate::{
    Answer, Cx, Handled, locale,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let access = Access::Protect("can_get", "MenuApi");
    vec![rule(&["GET"], "/api/v1/menu/", access, menu).endpoint("MenuApi.get_menu_data")]
}

async fn menu(cx: Cx) -> Handled {
    let locale = locale::for_request(&cx);
    let translate = |sentence: &str| locale::translate(&locale, sentence);
    let language = Language { locale: &locale, translate: &translate };
    let result = bootstrap::menu(&cx.caller.app.config, &cx.caller.user, &language);
    Ok(Answer::fab(200, &json!({"result": result})))
}
