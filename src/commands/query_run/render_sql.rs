//! Jinja in SQL that belongs to no chart: SQL Lab, row-level rules of the tables in it.

use std::sync::{Arc, Mutex};

use infra::engine_specs::EngineSpec;
use query::{QueryError, build_sql::Templates as _, template::Processor};
use serde_json::{Map, Value};

use super::{
    Clock, LoadedDataset, SqlContext, TemplateScope,
    templates::{MAX_LOOKUPS, MacroAnswer, MacroQuestion, bare_context, connect, lock},
};
use crate::Caller;

/// A text with its templates rendered; `params` are its variables. Datasets and metrics that it names are looked up.
pub(crate) async fn render_sql(
    caller: &Caller,
    spec: &'static EngineSpec,
    text: &str,
    params: &Map<String, Value>,
) -> Result<String, QueryError> {
    let scope = Arc::new(TemplateScope::default());
    let clock = Clock::new(&caller.app.config);
    let mut lookups = 0;
    loop {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let outcome = {
            let mut context = bare_context(caller, &scope, spec, Vec::new(), &clock);
            context.variables.clone_from(params);
            // filters to try the template with, as they would come from a chart
            if let Some(filters @ Value::Array(_)) = params.get("_filters") {
                context.form_data.insert("filters".into(), filters.clone());
            }
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
            let found = look_up(caller, &scope, &clock, &wanted).await?;
            lock(&scope.found).insert(wanted, found);
        }
    }
}

async fn look_up(
    caller: &Caller,
    scope: &Arc<TemplateScope>,
    clock: &Clock,
    wanted: &MacroQuestion,
) -> Result<MacroAnswer, QueryError> {
    let missing = |text: String| Ok(MacroAnswer { text: Err(text), key: Vec::new() });
    let id = match wanted {
        MacroQuestion::Dataset { id, .. } | MacroQuestion::Metric { dataset_id: Some(id), .. } => *id,
        MacroQuestion::Metric { key, dataset_id: None } => {
            return missing(format!(
                "Please specify the Dataset ID for the ``{key}`` metric in the Jinja macro."
            ));
        }
    };
    let Some(dataset) = LoadedDataset::find(caller, id).await? else {
        return missing(match wanted {
            MacroQuestion::Dataset { .. } => format!("Dataset {id} not found!"),
            MacroQuestion::Metric { .. } => format!("Dataset ID {id} not found."),
        });
    };
    let context = SqlContext {
        caller: caller.clone(),
        dataset,
        clock: clock.clone(),
        scope: scope.clone(),
        memory: None,
    };
    context.look_up(wanted).await
}

/// A row-level rule with its templates rendered.
pub(crate) fn render_clause(
    caller: &Caller,
    spec: &'static EngineSpec,
    clause: &str,
) -> Result<String, QueryError> {
    let scope = TemplateScope::default();
    Processor::new(bare_context(caller, &scope, spec, Vec::new(), &Clock::new(&caller.app.config)))
        .render(clause)
}
