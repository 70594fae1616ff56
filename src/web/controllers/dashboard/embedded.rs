//! `GET /api/v1/embedded_dashboard/<uuid>` (`superset.embedded.api`).

use daos::embedded;
use infra::Error;
use uuid::Uuid;

use super::item::embedded_json;
use crate::controllers::parse::result;
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(
            &["GET"],
            "/api/v1/embedded_dashboard/<uuid>",
            Access::Protect("can_read", "EmbeddedDashboard"),
            get,
        )
        .flag("EMBEDDED_SUPERSET")
        .endpoint("EmbeddedDashboardRestApi.get"),
    ]
}

async fn get(cx: Cx) -> Handled {
    let Ok(uuid) = Uuid::parse_str(cx.req.param("uuid")) else { return Err(Error::not_found().into()) };
    let embedded = embedded::find(cx.caller.app.db.exec(), uuid).await?.ok_or_else(Error::not_found)?;
    Ok(result(embedded_json(&cx, &embedded).await?))
}
