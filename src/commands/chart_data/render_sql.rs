//! Jinja in SQL that belongs to no chart: SQL Lab, row-level rules of the tables in it.

use std::sync::{Arc, Mutex};

use infra::engines::EngineSpec;
use query::{QueryError, build_sql::Templates as _, template::Processor};
use serde_json::{Map, Value};

use super::{
    Clock, LoadedDataset, SqlContext, TemplateScope,
    templates::{Found, MAX_LOOKUPS, Wanted, bare_context, connect, lock},
};
use crate::{Principal, Services};

/// A text with its templates rendered; `params` are its variables. Datasets and metrics that it names are looked up.
pub(crate) async fn render_sql(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    spec: &'static EngineSpec,
    text: &str,
    params: &Map<String, Value>,
) -> Result<String, QueryError> {
    let scope = Arc::new(TemplateScope::of_user(user));
    let clock = Clock::new(&app.config);
    let mut lookups = 0;
    loop {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let outcome = {
            let mut context = bare_context(app, &scope, spec, Vec::new(), &clock);
            context.variables.clone_from(params);
            connect(&mut context, &scope, &asked, &Arc::default(), (None, None));
            Processor::new(context).render(text)
        };
        let wanted = std::mem::take(&mut *lock(&asked));
        if wanted.is_empty() {
            return outcome;
        }
        for wanted in wanted {
            lookups += 1;
            if lookups > MAX_LOOKUPS {
                return Err(QueryError::generic("the templates name too many datasets"));
            }
            let found = look_up(app, user, &scope, &clock, &wanted).await?;
            lock(&scope.found).insert(wanted, found);
        }
    }
}

async fn look_up(
    app: &Arc<Services>,
    user: &Principal,
    scope: &Arc<TemplateScope>,
    clock: &Clock,
    wanted: &Wanted,
) -> Result<Found, QueryError> {
    let missing = |text: String| Ok(Found { text: Err(text), key: Vec::new() });
    let id = match wanted {
        Wanted::Dataset { id, .. } | Wanted::Metric { dataset_id: Some(id), .. } => *id,
        Wanted::Metric { key, dataset_id: None } => {
            return missing(format!(
                "Please specify the Dataset ID for the ``{key}`` metric in the Jinja macro."
            ));
        }
    };
    let Some(dataset) = LoadedDataset::find(app, user, id).await? else {
        return missing(match wanted {
            Wanted::Dataset { .. } => format!("Dataset {id} not found!"),
            Wanted::Metric { .. } => format!("Dataset ID {id} not found."),
        });
    };
    let context = SqlContext { app: app.clone(), dataset, clock: clock.clone(), scope: scope.clone() };
    context.look_up(wanted).await
}

/// A row-level rule with its templates rendered.
pub(crate) fn render_clause(
    app: &Services,
    user: &Arc<Principal>,
    spec: &'static EngineSpec,
    clause: &str,
) -> Result<String, QueryError> {
    let scope = TemplateScope::of_user(user);
    Processor::new(bare_context(app, &scope, spec, Vec::new(), &Clock::new(&app.config))).render(clause)
}
