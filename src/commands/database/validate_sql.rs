//! Checking SQL without executing it (`superset.commands.database.validate_sql`).

use daos::database;
use infra::{Error, Result, error::SupersetError};
use serde_json::{Value, json};

use crate::{Principal, Services, access::lists, databases};

/// What is wrong with a text, by line. PostgreSQL reads it itself, where the original asks a program of its
/// distribution; only its grammar counts, not which tables there are.
pub async fn validate_sql(app: &Services, user: &Principal, id: i64, sql: &str) -> Result<Value> {
    let found = database::find_where(app.db.exec(), id, lists::databases(user, "d")).await?;
    let found = found.ok_or_else(Error::not_found)?;
    let spec = infra::engines::spec_for_uri(&found.sqlalchemy_uri);
    let fail = |text: String| Error::sip40(422, SupersetError::new("GENERIC_DB_ENGINE_ERROR", text));
    let validator = app.config.get("SQL_VALIDATORS_BY_ENGINE").get(&spec.engine).and_then(Value::as_str);
    let Some(validator) = validator else {
        return Err(fail(format!("no SQL validator is configured for {}", spec.engine)));
    };
    if validator != "PostgreSQLValidator" {
        let text =
            format!("No validator named {validator} found (configured for the {} engine)", spec.engine);
        return Err(fail(text));
    }
    let target = databases::engine_as(app, user, &found, None).await?;
    let unable = |error: infra::engines::EngineError| {
        fail(format!(
            "{validator} was unable to check your query.\nPlease recheck your query.\nException: {error}"
        ))
    };
    let wrong = target.syntax_error(sql).await.map_err(unable)?;
    let annotation = |(line, message): (usize, String)| json!({"line_number": line, "start_column": null, "end_column": null, "message": format!("ERROR: {message}")});
    Ok(wrong.map(annotation).into_iter().collect())
}
