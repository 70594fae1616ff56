//! `/health`, `/healthcheck`, `/ping` (`superset.views.health`).

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    ["/health", "/healthcheck", "/ping"].map(|path| rule(&["GET"], path, Access::Open, health)).into()
}

async fn health(_: Cx) -> Handled {
    Ok(Answer::html(200, "OK"))
}
