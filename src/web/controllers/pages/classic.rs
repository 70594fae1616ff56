//! Flask-AppBuilder's own pages, which the frontend has replaced and no longer links to: the address leads to the
//! page that took its place, for whoever was allowed to see the old one.

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Old path, endpoint, permission, view menu, new path.
const MOVED: [(&str, &str, &str, &str, &str); 6] = [
    ("/users/list/", "UserDBModelView.list", "can_list", "UserDBModelView", "/users/"),
    ("/users/userinfo/", "UserDBModelView.userinfo", "can_userinfo", "UserDBModelView", "/user_info/"),
    ("/roles/list/", "RoleModelView.list", "can_list", "RoleModelView", "/roles/"),
    ("/groups/list/", "UserGroupModelView.list", "can_list", "UserGroupModelView", "/list_groups/"),
    (
        "/resetmypassword/form",
        "ResetMyPasswordView.this_form_get",
        "can_this_form_get",
        "ResetMyPasswordView",
        "/user_info/",
    ),
    (
        "/userinfoeditview/form",
        "UserInfoEditView.this_form_get",
        "can_this_form_get",
        "UserInfoEditView",
        "/user_info/",
    ),
];

pub(super) fn rules() -> Vec<Rule> {
    MOVED
        .iter()
        .map(|&(path, endpoint, permission, view_menu, to)| {
            rule(&["GET"], path, Access::Page(permission, view_menu), move |cx| moved(cx, to))
                .endpoint(endpoint)
        })
        .collect()
}

async fn moved(cx: Cx, to: &'static str) -> Handled {
    Ok(Answer::redirect(302, format!("{}{to}", commands::bootstrap::application_root(&cx.app.config))))
}
