//! Reading results that were kept (`SqlExecutionResultsCommand`).

use daos::{database, query};
use indexmap::IndexMap;
use infra::Result;
use infra::error::ErrorType;
use serde_json::value::RawValue;

use super::error::sip40;
use crate::{Caller, query_run::raise_for_past};

/// The payload of a result, of more than `rows` rows only the first.
pub async fn read(caller: &Caller, key: &str, rows: Option<usize>) -> Result<Vec<u8>> {
    let lost = |status, text: &str| sip40(status, ErrorType::ResultsBackendError, text);
    let Some(query) = query::find_by_results_key(caller.app.db.exec(), key).await? else {
        // there is no key but of queries in the background; the words are the original's for a place without results
        let text = "Results backend is not configured.";
        return Err(sip40(500, ErrorType::ResultsBackendNotConfiguredError, text));
    };
    let gone = || lost(404, "The database of the query could not be found.");
    let database = database::find(caller.app.db.exec(), query.database_id).await?.ok_or_else(gone)?;
    raise_for_past(caller, &query, &database).await?;
    let Some(payload) = caller.app.sql_lab.results.get(key).await else {
        return Err(lost(
            410,
            "Data could not be retrieved from the results backend. You need to re-run the original query.",
        ));
    };
    let Some(rows) = rows.filter(|rows| *rows > 0) else { return Ok(payload) };
    let cut = infra::compute::run_blocking(move || first_rows(&payload, rows)).await?;
    cut.ok_or_else(|| {
        lost(
            404,
            "Data could not be deserialized from the results backend. The storage format might have changed, \
             rendering the old data stake. You need to re-run the original query.",
        )
    })
}

/// The payload with fewer rows; none when it is no payload.
fn first_rows(payload: &[u8], rows: usize) -> Option<Vec<u8>> {
    let members: IndexMap<String, &RawValue> = serde_json::from_slice(payload).ok()?;
    let data: Vec<&RawValue> = serde_json::from_str(members.get("data")?.get()).ok()?;
    if data.len() <= rows {
        return Some(payload.to_vec());
    }
    let mut out = Vec::new();
    for (name, value) in &members {
        out.extend_from_slice(if out.is_empty() { b"{" } else { b", " });
        out.extend_from_slice(format!("\"{name}\": ").as_bytes());
        if name == "data" {
            let shown: Vec<&str> = data.iter().take(rows).map(|record| record.get()).collect();
            out.extend_from_slice(format!("[{}]", shown.join(", ")).as_bytes());
        } else {
            out.extend_from_slice(value.get().as_bytes());
        }
    }
    out.extend_from_slice(b", \"displayLimitReached\": true}");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_rows_are_said_to_be_fewer() {
        let payload = br#"{"status": "success", "data": [{"a": 1}, {"a": 2}], "query": {"rows": 2}}"#;
        let cut = String::from_utf8(first_rows(payload, 1).unwrap()).unwrap();
        assert_eq!(
            cut,
            r#"{"status": "success", "data": [{"a": 1}], "query": {"rows": 2}, "displayLimitReached": true}"#
        );
        assert_eq!(first_rows(payload, 2).unwrap(), payload);
        assert!(first_rows(b"[]", 1).is_none());
    }
}
