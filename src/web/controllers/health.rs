//! `/health`, `/healthcheck`, `/ping` (`superset.views.health`), and `/readyz`, which also asks the database.

use commands::state::readiness::Ready;

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> =
        ["/health", "/healthcheck", "/ping"].map(|path| rule(&["GET"], path, Access::Open, health)).into();
    rules.push(rule(&["GET"], "/readyz", Access::Open, ready));
    rules
}

async fn health(_: Cx) -> Handled {
    Ok(Answer::html(200, "OK"))
}

/// liteset's own: 200 when everything works, else 503 with what is not ready; why is only logged.
async fn ready(cx: Cx) -> Handled {
    Ok(match cx.caller.app.readiness.look(&cx.caller.app).await {
        Ready::Yes => Answer::html(200, "OK"),
        Ready::Stopping => Answer::html(503, "stopping"),
        Ready::NoDatabase => Answer::html(503, "metadata database unavailable"),
        Ready::NoWrites => {
            Answer::html(503, "metadata database: reading works, writing does not: is a disk full?")
        }
        Ready::NoDisk => Answer::html(503, "data directory: writing does not work: is the disk full?"),
    })
}
