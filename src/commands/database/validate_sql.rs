//! Checking SQL without executing it (`superset.commands.database.validate_sql`).

use std::time::Duration;

use crate::connect;
use daos::database;
use infra::{
    Error, Result,
    engines::EngineError,
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{Caller, access::lists};

/// What is wrong with a text, by line. PostgreSQL reads it itself, where the original asks a program of its
/// distribution; only its grammar counts, not which tables there are.
pub async fn validate_sql(caller: &Caller, id: i64, sql: &str) -> Result<Value> {
    let found = database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?;
    let found = found.ok_or_else(Error::not_found)?;
    let spec = infra::engine_specs::spec_for_uri(&found.sqlalchemy_uri);
    let fail = |text: String| Error::sip40(422, SupersetError::new(ErrorType::GenericDbEngineError, text));
    let validator =
        caller.app.config.get("SQL_VALIDATORS_BY_ENGINE").get(&spec.engine).and_then(Value::as_str);
    let Some(validator) = validator else {
        return Err(fail(format!("no SQL validator is configured for {}", spec.engine)));
    };
    if validator != "PostgreSQLValidator" {
        let text =
            format!("No validator named {validator} found (configured for the {} engine)", spec.engine);
        return Err(fail(text));
    }
    let target = connect::engine_as(caller, &found, None).await?;
    let unable = |error: EngineError| {
        fail(format!(
            "{validator} was unable to check your query.\nPlease recheck your query.\nException: {error}"
        ))
    };
    let seconds = caller.app.config.int("SQLLAB_VALIDATION_TIMEOUT").unwrap_or(10).clamp(1, 3600);
    let late = || EngineError::Connect(format!("The query exceeded the {seconds} seconds timeout."));
    let asked = timeout(Duration::from_secs(seconds.unsigned_abs()), target.syntax_error(sql)).await;
    let wrong = asked.unwrap_or_else(|_| Err(late())).map_err(unable)?;
    let annotation = |(line, message): (usize, String)| {
        json!({"line_number": line, "start_column": null,
        "end_column": null, "message": format!("ERROR: {message}")})
    };
    Ok(wrong.map(annotation).into_iter().collect())
}
