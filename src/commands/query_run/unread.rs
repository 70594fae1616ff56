//! Texts that only the database can read: whoever may read all of it may run them.
//!
//! Superset refuses what sqlglot cannot parse. Here a query that the parser does not know is asked of the engine
//! (`EXPLAIN`), and runs if that knows it. Which tables it reads is not known then, so that it is for nobody who may
//! read single tables only, and nobody whom a row-level rule of the database binds. The lists of functions and tables
//! hold for every word of it, and its session cannot write.

use std::time::Duration;

use infra::{
    Result,
    engines::QueryOptions,
    sql::{self, ParseError, Script},
};

use super::query_access::Place;
use crate::{
    Caller,
    access::{
        rules_in_force::any_rule,
        sql_calls::{self, Reader},
    },
    connect::{self, describe},
};

/// Time that an engine may take to say whether it knows a text.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads SQL; the inner error is the parser's.
pub(crate) async fn read(
    caller: &Caller,
    place: &Place<'_>,
    text: &str,
) -> Result<std::result::Result<Script, ParseError>> {
    let spec = describe::engine(place.database);
    let error = match sql::parse(text, &spec.engine) {
        Ok(script) => return Ok(Ok(script)),
        Err(error) => error,
    };
    let Ok(script) = sql::parse_or_take_unread(text, &spec.engine) else { return Ok(Err(error)) };
    if !may_run(caller, place).await? {
        return Ok(Err(error));
    }
    // what is refused anyway is not shown to the engine
    let judged = sql_calls::check_listed(&caller.app.config, &spec.engine, &script, place.schema)
        .and_then(|()| sql_calls::check_effects(&script, sql_calls::Place::SqlLab, Reader::default()));
    if judged.is_err() || script.has_mutation() {
        return Ok(Ok(script));
    }
    let options = QueryOptions {
        schema: place
            .schema
            .filter(|s| !s.is_empty() && spec.caps.supports_dynamic_schema)
            .map(str::to_owned),
        timeout: PATIENCE,
        ..connect::limits(&caller.app)
    };
    let engine = connect::engine_as(caller, place.database, place.catalog).await?;
    match engine.query(&format!("EXPLAIN {}", script.format()), &options).await {
        Ok(_) => Ok(Ok(script)),
        Err(_) => Ok(Err(error)),
    }
}

/// Whether a text of which the tables are not known may run for somebody.
pub(crate) async fn may_run(caller: &Caller, place: &Place<'_>) -> Result<bool> {
    Ok(caller.user.can_access_database(place.database) && !any_rule(caller, place.database.id).await?)
}
