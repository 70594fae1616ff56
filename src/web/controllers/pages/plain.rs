//! Pages that differ in nothing but the permission that they demand: what they show is the frontend's business.

use serde_json::{Map, Value};

use crate::{
    Answer, Cx, Handled, error_pages,
    routes::{Access, Rule, rule},
    spa,
};

/// Path, endpoint, permission, view menu.
const PAGES: [(&str, &str, &str, &str); 23] = [
    ("/actionlog/list", "ActionLogView.list", "can_read", "security"),
    ("/annotationlayer/<int:pk>/annotation", "AnnotationLayerView.get", "can_read", "Annotation"),
    ("/annotationlayer/list/", "AnnotationLayerView.list", "can_read", "Annotation"),
    ("/chart/add", "SliceModelView.add", "can_write", "Chart"),
    ("/chart/list/", "SliceModelView.list", "can_read", "Chart"),
    ("/csstemplatemodelview/list/", "CssTemplateModelView.list", "can_read", "CssTemplate"),
    ("/dashboard/list/", "DashboardModelView.list", "can_read", "Dashboard"),
    ("/databaseview/list/", "DatabaseView.list", "can_read", "Database"),
    ("/dataset/add/", "DatasetEditor.root", "can_read", "Dataset"),
    ("/explore/", "ExploreView.root", "can_read", "Explore"),
    ("/list_groups/", "GroupsListView.list", "can_read", "security"),
    ("/registrations/", "UserRegistrationsView.list", "can_read", "security"),
    ("/roles/", "RolesListView.list", "can_read", "security"),
    ("/rowlevelsecurity/list/", "RowLevelSecurityView.list", "can_read", "RowLevelSecurity"),
    ("/savedqueryview/list/", "SavedQueryView.list", "can_list", "SavedQuery"),
    ("/sqllab/history/", "SqllabView.history", "can_read", "SQLLab"),
    ("/sqllab/p/<permalink>/", "SqllabView.permalink_view", "can_read", "SQLLab"),
    ("/superset/explore/p/<key>/", "ExplorePermalinkView.permalink", "can_read", "Explore"),
    ("/tablemodelview/list/", "TableModelView.list", "can_read", "Dataset"),
    ("/theme/list/", "ThemeModelView.list", "can_read", "Theme"),
    ("/user_info/", "UserInfoView.list", "can_read", "user"),
    ("/users/", "UsersListView.list", "can_read", "security"),
    ("/dataset/<pk>", "DatasetEditor.show", "can_read", "Dataset"),
];

/// The same for pages of a feature; the second flag says what answers when it is off.
const FEATURE_PAGES: [(&str, &str, &str, &str, &str, u16); 6] = [
    ("/alert/<pk>/log/", "AlertView.log", "can_read", "ReportSchedule", "ALERT_REPORTS", 404),
    ("/alert/list/", "AlertView.list", "can_read", "ReportSchedule", "ALERT_REPORTS", 404),
    ("/report/<pk>/log/", "ReportView.log", "can_read", "ReportSchedule", "ALERT_REPORTS", 404),
    ("/report/list/", "ReportView.list", "can_read", "ReportSchedule", "ALERT_REPORTS", 404),
    // without the feature Superset falls back to a list of Flask-AppBuilder's that fails
    ("/superset/all_entities/", "TaggedObjectsModelView.list", "can_list", "Tags", "TAGGING_SYSTEM", 500),
    ("/superset/tags/", "TagModelView.list", "can_list", "Tags", "TAGGING_SYSTEM", 500),
];

pub(super) fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = PAGES
        .iter()
        .map(|&(path, endpoint, permission, view_menu)| {
            let handler = if path == "/dataset/<pk>" { Handler::Dataset } else { Handler::Plain };
            rule(&["GET"], path, Access::Page(permission, view_menu), move |cx| show(cx, handler))
                .endpoint(endpoint)
        })
        .collect();
    rules.extend(FEATURE_PAGES.iter().map(|&(path, endpoint, permission, view_menu, flag, otherwise)| {
        // the permission is checked before the feature: an anonymous visitor is sent to the login
        let handler = Handler::Feature(flag, otherwise);
        rule(&["GET"], path, Access::Page(permission, view_menu), move |cx| show(cx, handler))
            .endpoint(endpoint)
    }));
    let sqllab = rule(&["GET", "POST"], "/sqllab/", Access::Page("can_read", "SQLLab"), sqllab);
    rules.push(sqllab.endpoint("SqllabView.root"));
    rules
}

#[derive(Clone, Copy)]
enum Handler {
    Plain,
    Dataset,
    Feature(&'static str, u16),
}

async fn show(cx: Cx, handler: Handler) -> Handled {
    match handler {
        Handler::Feature(flag, otherwise) if !cx.caller.app.config.flag(flag) => {
            Ok(error_pages::abort(&cx.req, otherwise))
        }
        // the page of one dataset is unfinished in Superset: it is only shown to who asks for it this way
        Handler::Dataset if cx.req.arg("testing").is_none() => Ok(Answer::redirect(302, "/")),
        _ => spa::render(&cx, Map::new()).await,
    }
}

/// SQL Lab; a form may bring the query to start with.
async fn sqllab(cx: Cx) -> Handled {
    let mut extra = Map::new();
    if let Some(query) = cx.req.field("form_data").and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        extra.insert("requested_query".into(), query);
    }
    spa::render(&cx, extra).await
}
