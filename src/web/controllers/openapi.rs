//! The description of the REST API (`flask_appbuilder.api.manager.OpenApi`).
//!
//! Superset generates it from its Python classes; what it generates for 6.0.0 is the contract that we keep, so the
//! text itself is part of the binary.

use serde_json::json;

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Without `servers`, which depends on the request.
const DOCUMENT: &str = include_str!("openapi.json");

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let access = Access::Protect("can_get", "OpenApi");
    vec![rule(&["GET"], "/api/<version>/_openapi", access, openapi).endpoint("OpenApi.get")]
}

async fn openapi(cx: Cx) -> Handled {
    if cx.req.param("version") != "v1" {
        return Err(infra::Error::not_found().into());
    }
    let root = commands::bootstrap::application_root(&cx.app.config);
    let servers = json!([{"url": format!("{}://{}{root}/", cx.req.scheme, cx.req.host)}]);
    // `servers` is the last key in alphabetical order
    let body = DOCUMENT.trim_end().strip_suffix('}').map(|open| format!("{open},\"servers\":{servers}}}\n"));
    Ok(Answer::new(200, "application/json; charset=utf-8", body.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_json_and_names_no_host() {
        let document: serde_json::Value = serde_json::from_str(super::DOCUMENT).unwrap();
        assert_eq!(document["info"]["version"], "v1");
        assert!(document.get("servers").is_none());
        assert!(document["paths"].as_object().unwrap().len() > 150);
    }
}
