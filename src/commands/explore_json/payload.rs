//! The answer to a legacy chart (`BaseViz.get_payload`).

use chrono::NaiveDateTime;
use infra::{Error, Result, error::SupersetError};
use query::{
    encode::json::{write_colnames, write_records, write_value},
    form_data::FormData,
    frame::{Frame, coltypes},
    legacy_viz::LegacyViz,
    query_object::QueryObject,
};
use serde_json::{Map, Value, json};

use super::viz::{Explored, Outcome};
use crate::access::guest::without_sql;
use crate::query_run::{QueryRows, QueryRun, column_hint, epoch_ms};

/// An answer on its way to the wire.
#[derive(Debug)]
pub struct Payload {
    /// Members in the order of the original.
    pub body: Map<String, Value>,
    /// The query failed: status 400.
    pub failed: bool,
}

impl Payload {
    /// Takes the SQL out, for guests.
    pub(super) fn hide_sql(&mut self) {
        self.body.shift_remove("query");
        for key in ["error", "stacktrace"] {
            if let Some(Value::String(text)) = self.body.get_mut(key) {
                *text = without_sql(text).to_owned();
            }
        }
        let errors = self.body.get_mut("errors").and_then(Value::as_array_mut);
        for error in errors.into_iter().flatten() {
            if let Some(Value::String(text)) = error.get_mut("message") {
                *text = without_sql(text).to_owned();
            }
        }
    }

    /// The wire form.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = b"{".to_vec();
        for (i, (name, value)) in self.body.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            write_value(&mut out, &json!(name));
            out.extend_from_slice(b": ");
            write_value(&mut out, value);
        }
        out.push(b'}');
        out
    }
}

/// Rows with what is told about them.
pub(super) struct Rows {
    /// None after an exception, empty after a refusal of the database.
    pub frame: Option<Frame>,
    head: Head,
    rowcount: usize,
    colnames: Value,
    coltypes: Value,
    applied: Vec<Value>,
    rejected: Vec<Value>,
}

/// The members that do not depend on rows.
#[derive(Default)]
pub(super) struct Head {
    pub cache_key: Option<String>,
    pub cached: Option<NaiveDateTime>,
    pub cache_timeout: i64,
    pub errors: Vec<SupersetError>,
    pub query: String,
    pub status: Option<&'static str>,
}

impl Rows {
    /// Puts the exceptions of earlier queries of the chart before its own.
    pub(super) fn prepend_errors(&mut self, mut errors: Vec<SupersetError>) {
        errors.append(&mut self.head.errors);
        self.head.errors = errors;
    }

    pub(super) fn new(
        of: &Explored,
        outcome: Outcome,
        frame: Option<Frame>,
        query: QueryObject,
    ) -> Result<Self> {
        let dataset = &of.sql.dataset.description;
        let ok = outcome.errors.is_empty();
        let run = match outcome.run {
            Some(run) => run,
            None => QueryRun::failed(String::new()).into(),
        };
        let head = Head {
            cache_key: Some(outcome.cache_key),
            cached: outcome.cached,
            cache_timeout: of.cache_timeout(),
            errors: outcome.errors,
            query: run.query.clone(),
            status: Some(if ok { "success" } else { "failed" }),
        };
        let mut names = Value::Null;
        let mut types = Value::Null;
        if let Some(frame) = &frame {
            let mut out = Vec::new();
            write_colnames(&mut out, frame);
            names = serde_json::from_slice(&out).map_err(Error::internal)?;
            let found = coltypes(frame, |label| column_hint(dataset, label))
                .map_err(|e| Error::Legacy { status: 500, error: e.to_string() })?;
            types = json!(found.into_iter().map(|t| t as u8).collect::<Vec<_>>());
        }
        let mut query = query;
        query.applied_time_extras = match of.viz.form_data.get("applied_time_extras") {
            Some(Value::Object(extras)) => extras.clone(),
            _ => Map::new(),
        };
        let (applied, rejected) = QueryRows::filters_of(&run, dataset, &query.applied_time_extras);
        let rowcount = frame.as_ref().map_or(0, Frame::row_count);
        Ok(Self { frame, head, rowcount, colnames: names, coltypes: types, applied, rejected })
    }

    /// The query failed.
    pub(super) fn failed(&self) -> bool {
        !self.head.errors.is_empty()
    }

    pub(super) fn into_payload(self, viz: LegacyViz, data: Option<Value>) -> Result<Payload> {
        let colnames = match self.colnames {
            // no rows, no work on them
            Value::Array(labels) if data.as_ref().is_some_and(|data| !data.is_null()) => {
                Value::Array(viz.labels_after(labels))
            }
            other => other,
        };
        let mut payload = head(
            self.head,
            viz.form_data,
            (viz.from_dttm, viz.to_dttm),
            (self.rowcount, colnames, self.coltypes),
        );
        if let Some(data) = data {
            payload.body.insert("data".into(), data);
        }
        payload.body.insert("applied_filters".into(), Value::Array(self.applied));
        payload.body.insert("rejected_filters".into(), Value::Array(self.rejected));
        Ok(payload)
    }

    /// Rows alone (results, samples).
    pub(super) fn raw(self) -> Result<Vec<u8>> {
        let frame = self.frame.unwrap_or_default();
        let mut out = b"{\"data\": ".to_vec();
        write_records(&mut out, &frame).map_err(|e| Error::Legacy { status: 500, error: e.to_string() })?;
        out.extend_from_slice(b", \"colnames\": ");
        write_value(&mut out, &self.colnames);
        out.extend_from_slice(b", \"coltypes\": ");
        write_value(&mut out, &self.coltypes);
        // the legacy path never learns how many rows the SQL gave
        let rest = format!(", \"rowcount\": {}, \"sql_rowcount\": null}}", self.rowcount);
        out.extend_from_slice(rest.as_bytes());
        Ok(out)
    }
}

/// The members up to `coltypes`.
pub(super) fn head(
    head: Head,
    form_data: FormData,
    (from, to): (Option<NaiveDateTime>, Option<NaiveDateTime>),
    (rowcount, colnames, coltypes): (usize, Value, Value),
) -> Payload {
    let failed = head.status == Some("failed") || !head.errors.is_empty();
    let errors: Vec<Value> = head.errors.iter().map(SupersetError::to_json).collect();
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("cache_key", json!(head.cache_key));
    put("cached_dttm", json!(head.cached.map(|t| t.format("%Y-%m-%dT%H:%M:%S").to_string())));
    put("cache_timeout", json!(head.cache_timeout));
    put("errors", Value::Array(errors));
    put("form_data", Value::Object(form_data));
    put("is_cached", json!(head.cached.is_some()));
    put("query", json!(head.query));
    put("from_dttm", epoch_ms(from));
    put("to_dttm", epoch_ms(to));
    put("status", json!(head.status));
    put("stacktrace", Value::Null);
    put("rowcount", json!(rowcount));
    put("colnames", colnames);
    put("coltypes", coltypes);
    Payload { body, failed }
}
