//! Flask-AppBuilder's own lists and forms: users, roles, groups (which the frontend has replaced and no longer links
//! to) and plugins. Pages of our own in the old layout, with the addresses, field names and messages of the original.

mod definitions;
mod form;
mod handlers;
mod render;

use crate::routes::{Access, Rule, rule};

use definitions::{ModelView, VIEWS};

/// Rules of these files.
pub(super) fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = VIEWS.iter().flat_map(of_view).collect();
    let userinfo = Access::Page("can_userinfo", "UserDBModelView");
    rules.push(
        rule(&["GET"], "/users/userinfo/", userinfo, handlers::userinfo).endpoint("UserDBModelView.userinfo"),
    );
    rules
}

fn of_view(view: &'static ModelView) -> Vec<Rule> {
    let path = |rest: &str| format!("{}{rest}", view.base);
    // a view behind a feature flag asks for the flag first, and for the permission in its handler
    let page = |permission| match view.flag {
        Some(_) => Access::Open,
        None => Access::Page(permission, view.view_menu),
    };
    const BOTH: &[&str] = &["GET", "POST"];
    vec![
        rule(&["GET"], path("/list/"), page("can_list"), move |cx| handlers::list(cx, view)),
        rule(&["GET"], path("/show/<pk>"), page("can_show"), move |cx| handlers::show(cx, view)),
        rule(BOTH, path("/add"), page("can_add"), move |cx| handlers::add(cx, view)),
        rule(BOTH, path("/edit/<pk>"), page("can_edit"), move |cx| handlers::edit(cx, view)),
        rule(BOTH, path("/delete/<pk>"), page(view.delete_permission), move |cx| handlers::delete(cx, view)),
        rule(BOTH, path("/action/<name>/<pk>"), Access::Open, move |cx| handlers::action(cx, view)),
        rule(&["POST"], path("/action_post"), Access::Open, move |cx| handlers::action_post(cx, view)),
        rule(&["GET"], path("/download/<filename>"), page("can_download"), move |cx| {
            handlers::download(cx, view)
        }),
    ]
}
