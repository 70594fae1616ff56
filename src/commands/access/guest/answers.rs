//! Guests see no SQL, also not where a database or the parser quotes it.

use infra::Error;
use serde_json::Value;

/// The words of an error in front of the statement that they quote.
pub fn without_sql(message: &str) -> &str {
    let quotes = ["\nLINE ", "[SQL:", "\n[SQL"];
    let end = quotes.iter().filter_map(|quote| message.find(quote)).min().unwrap_or(message.len());
    message.get(..end).unwrap_or_default().trim_end()
}

/// The same refusal without SQL.
pub fn error_without_sql(error: Error) -> Error {
    match error {
        Error::Message { status, message: Value::String(text) } => {
            Error::message(status, without_sql(&text).to_owned())
        }
        Error::Legacy { status, error } => Error::Legacy { status, error: without_sql(&error).to_owned() },
        Error::Sip40 { status, mut errors } => {
            for error in &mut errors {
                error.message = without_sql(&error.message).to_owned();
                if let Some(extra) = &mut error.extra {
                    extra.shift_remove("sql");
                }
            }
            Error::Sip40 { status, errors }
        }
        other => other,
    }
}

/// The refusal of a request that was not understood: to a guest it is a request that no chart makes, where the original
/// fails with 500.
pub fn refusal(error: Error) -> Error {
    match error {
        Error::Sip40 { status: 500, .. } | Error::Legacy { status: 500, .. } => super::modified(),
        other => error_without_sql(other),
    }
}

#[cfg(test)]
mod tests {
    use super::without_sql;

    #[test]
    fn statements_are_cut_off() {
        assert_eq!(
            without_sql("column \"x\" does not exist\nLINE 1: SELECT x"),
            "column \"x\" does not exist"
        );
        assert_eq!(without_sql("(E) no such column\n[SQL: SELECT x]\n(Background)"), "(E) no such column");
        assert_eq!(without_sql("no such column: x"), "no such column: x");
    }
}
