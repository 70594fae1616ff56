//! The rows of a past query as CSV (`SqlResultExportCommand`), written while they arrive.

use crate::connect;
use infra::error::ErrorType;
use std::time::Duration;

use ::query::{
    encode::csv::{CsvOptions, to_csv},
    frame::{Frame, FrameError},
};
use bytes::Bytes;
use daos::{
    database::{self, Database},
    query::{self, Query},
};
use futures_util::{Stream, stream};
use infra::{
    Result, clock,
    config::Config,
    encoding::Encoding,
    engines::{Batches, EngineError, QueryOptions, column::ResultSet},
    sql,
};

use super::{error::sip40, script::rules_of};
use crate::query_run::{csv_encoding, query_access::Place, raise_for_past, unread};
use crate::{Caller, connect::describe};

/// Values that pandas formats alike, and that are held at a time.
const CELLS: usize = 100_000;

/// A file under way.
pub struct Export {
    /// Its name.
    pub filename: String,
    first: ResultSet,
    rest: Batches,
    options: CsvOptions,
    encoding: Encoding,
}

/// Begins to execute the query again; its first rows are there when this returns.
pub async fn export(caller: &Caller, client_id: &str) -> Result<Export> {
    let found = query::find_by_client_id(caller.app.db.exec(), client_id).await?;
    let lost = || {
        let text = "The query associated with these results could not be found. You need to re-run the original query.";
        sip40(404, ErrorType::ResultsBackendError, text)
    };
    let query = found.ok_or_else(lost)?;
    let database = database::find(caller.app.db.exec(), query.database_id).await?.ok_or_else(lost)?;
    raise_for_past(caller, &query, &database).await?;
    let spec = describe::engine(&database);
    let selects = query.select_sql.clone().filter(|sql| !sql.is_empty());
    let stored = match &selects {
        Some(sql) => sql.clone(),
        None => query.executed_sql.clone().filter(|sql| !sql.is_empty()).ok_or_else(lost)?,
    };
    let text = with_rules(caller, &query, &database, stored).await?;
    let max_rows = if selects.is_some() { None } else { rows_of(&query, &text, &spec.engine) };
    let seconds = caller.app.config.int("SQLLAB_ASYNC_TIME_LIMIT_SEC").unwrap_or(21_600).clamp(1, 604_800);
    let options = QueryOptions {
        schema: query.schema.clone().filter(|s| !s.is_empty() && spec.caps.supports_dynamic_schema),
        max_rows,
        timeout: Duration::from_secs(seconds.unsigned_abs()),
        ..connect::limits(&caller.app)
    };
    let engine = connect::engine_as(caller, &database, query.catalog.as_deref()).await?;
    let mut rest = engine.batches(&text, &options, CELLS);
    let first = match rest.recv().await {
        Some(Ok(first)) => first,
        Some(Err(e)) => {
            return Err(e.into_answer(|e| sip40(500, ErrorType::GenericBackendError, e.to_string())));
        }
        None => ResultSet::default(),
    };
    Ok(Export {
        filename: filename(&query),
        first,
        rest,
        options: options_of(&caller.app.config),
        encoding: csv_encoding(&caller.app.config),
    })
}

/// The SQL with the row-level rules that hold now for whoever exports; the author's of then may stand in it already.
async fn with_rules(caller: &Caller, query: &Query, database: &Database, text: String) -> Result<String> {
    if !caller.app.config.flag("RLS_IN_SQLLAB") {
        return Ok(text);
    }
    let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
    let mut script = unread::read(caller, &place, &text).await??;
    let rules = rules_of(caller, &place, &script).await?;
    if rules.is_empty() {
        return Ok(text);
    }
    script.apply_rls(&rules)?;
    Ok(script.format())
}

/// The limit in the SQL that was executed, without the row that only told that there were more.
fn rows_of(query: &Query, text: &str, engine: &str) -> Option<usize> {
    let script = sql::parse(text, engine).ok()?;
    let limit = usize::try_from(script.statements().last()?.limit_value()?).ok()?;
    let cut = matches!(query.limiting_factor.as_deref(), Some("QUERY" | "DROPDOWN" | "QUERY_AND_DROPDOWN"));
    Some(if cut { limit.saturating_sub(1) } else { limit })
}

/// `sqllab_<tab>_<time>.csv`.
fn filename(query: &Query) -> String {
    let tab = query.tab_name.as_deref().filter(|t| !t.is_empty()).unwrap_or("notab");
    let tab: String =
        tab.replace(' ', "_").to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    format!("sqllab_{tab}_{}.csv", clock::now().format("%Y%m%dT%H%M%S"))
}

fn options_of(config: &Config) -> CsvOptions {
    let options = CsvOptions { index: false, ..CsvOptions::export(&Frame::default()) };
    match config.get("CSV_EXPORT").as_object() {
        Some(own) => options.with_config(own),
        None => options,
    }
}

enum Step {
    Batch(Box<ResultSet>, Batches, CsvOptions),
    Next(Batches, CsvOptions),
}

impl Export {
    /// The text piece by piece; no more than a few batches are held. An error in the middle ends it.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, EngineError>> + Send + 'static {
        let encoding = self.encoding;
        let start = Step::Batch(Box::new(self.first), self.rest, self.options);
        stream::unfold(Some(start), move |step| async move {
            match step? {
                Step::Batch(batch, rest, options) => {
                    let text = written(*batch, options.clone(), encoding, true).await;
                    Some((text, Some(Step::Next(rest, CsvOptions { header: false, ..options }))))
                }
                Step::Next(mut rest, options) => match rest.recv().await? {
                    Ok(batch) => {
                        let text = written(batch, options.clone(), encoding, false).await;
                        Some((text, Some(Step::Next(rest, options))))
                    }
                    Err(e) => Some((Err(e), None)),
                },
            }
        })
    }
}

async fn written(
    batch: ResultSet,
    options: CsvOptions,
    encoding: Encoding,
    is_first: bool,
) -> Result<Bytes, EngineError> {
    let failed = |e: &dyn std::fmt::Display| EngineError::Connect(e.to_string());
    let written = infra::compute::run_blocking(move || {
        let text = to_csv(&Frame::from(batch), &options)?;
        let text = encoding.encode(text, is_first).map_err(|e| FrameError::unexpected(e.to_string()))?;
        Ok(Bytes::from(text))
    });
    written.await.map_err(|e| failed(&e))?.map_err(|e: FrameError| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let query = Query { tab_name: Some("My Tab! é".into()), ..Query::default() };
        assert!(filename(&query).starts_with("sqllab_my_tab_é_2"));
    }

    #[test]
    fn the_row_that_told_of_more_is_left_out() {
        let rows = |factor: &str| {
            let query = Query { limiting_factor: Some(factor.into()), ..Query::default() };
            rows_of(&query, "SELECT 1 LIMIT 101", "sqlite")
        };
        assert_eq!(rows("DROPDOWN"), Some(100));
        assert_eq!(rows("NOT_LIMITED"), Some(101));
    }
}
