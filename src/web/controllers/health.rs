//! `/health`, `/healthcheck`, `/ping` (`superset.views.health`), and `/readyz`, which also asks the database.

use std::time::Duration;

use infra::db::{Executor, Sql};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// A metadata database that answers later than this does not count as ready.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// liteset's own: 200 when the metadata database answers, 503 otherwise; the reason is only logged.
async fn ready(cx: Cx) -> Handled {
    let asked =
        tokio::time::timeout(PATIENCE, cx.app.db.query(Sql::new("SELECT version_num FROM alembic_version")));
    match asked.await {
        Ok(Ok(_)) => Ok(Answer::html(200, "OK")),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Ok(Answer::html(503, "metadata database unavailable"))
        }
        Err(_) => {
            tracing::warn!("not ready: the metadata database does not answer");
            Ok(Answer::html(503, "metadata database unavailable"))
        }
    }
}
