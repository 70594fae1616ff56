//! Old addresses of charts and of SQL Lab, which lead to the new ones (`superset.views.core`).

use daos::chart;
use serde_json::json;

use crate::{
    Answer, Cx, Handled, error_pages,
    routes::{Access, Rule, rule},
    spa,
};

pub(super) fn rules() -> Vec<Rule> {
    let explore = || Access::Page("can_explore", "Superset");
    vec![
        rule(&["GET"], "/superset/slice/<int:slice_id>/", Access::Page("can_slice", "Superset"), slice)
            .endpoint("Superset.slice"),
        rule(&["GET"], "/superset/explore/", explore(), to_explore).endpoint("Superset.explore"),
        rule(&["GET"], "/superset/explore/<datasource_type>/<int:datasource_id>/", explore(), to_explore)
            .endpoint("Superset.explore"),
        rule(
            &["GET"],
            "/superset/sqllab/history/",
            Access::Page("can_sqllab_history", "Superset"),
            |cx: Cx| async move { Ok(Answer::redirect(302, format!("{}/sqllab/history/", root(&cx)))) },
        )
        .endpoint("Superset.sqllab_history"),
    ]
}

fn root(cx: &Cx) -> &str {
    commands::bootstrap::application_root(&cx.app.config)
}

/// The form data is quoted twice: once by hand, once as a query argument.
async fn slice(cx: Cx) -> Handled {
    let id = cx.req.int_param("slice_id");
    if chart::find(cx.app.db.exec(), id).await?.is_none() {
        return Ok(error_pages::abort(&cx.req, 404));
    }
    let quote = |text: &str| percent_encoding::utf8_percent_encode(text, super::welcome::QUOTED).to_string();
    let form_data = quote(&quote(&infra::json::dumps(&json!({"slice_id": id}))));
    let standalone = if spa::is_standalone(&cx) { "&standalone=true" } else { "" };
    Ok(Answer::redirect(302, format!("{}/explore/?form_data={form_data}{standalone}", root(&cx))))
}

/// `Superset.get_redirect_url`: the same path and query below `/explore`.
async fn to_explore(cx: Cx) -> Handled {
    let path = cx.req.path.replacen("/superset/explore", "/explore", 1);
    let path = percent_encoding::utf8_percent_encode(&path, PATH).to_string();
    let query =
        if cx.req.query_string.is_empty() { String::new() } else { format!("?{}", cx.req.query_string) };
    Ok(Answer::redirect(302, format!("{}{path}{query}", root(&cx))))
}

const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'%')
    .add(b'\\');
