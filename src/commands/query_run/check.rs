//! What the SQL of a chart may call and read.

use ::query::QueryError;
use infra::sql::Script;

use super::SqlContext;
use crate::access::{
    rules_in_force::any_rule,
    sql_calls::{self, Place, Reader},
};

impl SqlContext {
    /// Refuses what the configuration forbids, and what does more than to compute. The expressions of the request have
    /// been judged alone when the SQL was built; here are those that are stored, too, and the query of a virtual
    /// dataset.
    pub(crate) async fn check(&self, script: &Script) -> Result<(), QueryError> {
        let description = &self.dataset.description;
        let schema = description.schema().or_else(|| self.dataset.looked_up_schema());
        let engine = &description.engine.engine;
        let refused = |refused: sql_calls::Refused| QueryError::validation(refused.message());
        sql_calls::check_listed(&self.caller.app.config, engine, script, schema).map_err(refused)?;
        let has_rules =
            sql_calls::needs_rules(script) && any_rule(&self.caller, self.dataset.database.id).await?;
        let reader = Reader { by_table: false, has_rules };
        sql_calls::check_effects(script, Place::Dataset, reader).map_err(refused)?;
        // only the author of a virtual dataset may name what is opaque
        let authored = description.sql.as_deref().unwrap_or_default().to_lowercase();
        let foreign = |(name, effect): &(String, _)| {
            sql_calls::refuses(*effect, Place::Chart, reader) && !authored.contains(name.as_str())
        };
        match script.effects().into_iter().find(foreign) {
            Some((name, _)) => Err(refused(sql_calls::Refused::Functions(vec![name]))),
            None => Ok(()),
        }
    }
}
