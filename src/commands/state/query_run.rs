//! The outcome of a query, and its bytes for caches outside this process.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDateTime};
use infra::cache::Stored;
use query::{
    QueryError,
    dataset::Dataset,
    encode::json::{write_colnames, write_indexnames, write_records},
    frame::{ColumnHint, Frame, GenericType, Label, Reader, Writer, coltypes},
};
use serde_json::{Value, json};

/// The outcome of executing a query object, shared by all who asked for it.
pub struct QueryRun {
    /// Rows after post-processing; labels with their separators unescaped.
    pub frame: Frame,
    /// Labels before unescaping.
    pub escaped: Vec<String>,
    /// The SQL shown to people.
    pub query: String,
    /// Filters that templates applied.
    pub applied_template_filters: Vec<String>,
    /// Columns of applied filters.
    pub applied_filter_columns: Vec<Value>,
    /// Columns of filters that the dataset does not have.
    pub rejected_filter_columns: Vec<Value>,
    /// By layer.
    pub annotation_data: Value,
    /// Rows before post-processing.
    pub sql_rowcount: usize,
    /// Why it failed; failures are not cached.
    pub error: Option<String>,
    /// When it was computed.
    pub at: NaiveDateTime,
    /// The rows as JSON, made when first wanted.
    encoded: OnceLock<Result<Encoded, String>>,
}

/// Its rows as JSON.
pub(crate) struct Encoded {
    pub(crate) colnames: Vec<u8>,
    pub(crate) indexnames: Vec<u8>,
    pub(crate) coltypes: Vec<GenericType>,
    pub(crate) data: Vec<u8>,
}

impl QueryRun {
    /// An outcome; unescapes the labels.
    pub fn new(frame: Frame, query: String) -> Self {
        let mut run = Self {
            escaped: Vec::new(),
            frame,
            query,
            applied_template_filters: Vec::new(),
            applied_filter_columns: Vec::new(),
            rejected_filter_columns: Vec::new(),
            annotation_data: json!({}),
            sql_rowcount: 0,
            error: None,
            at: chrono::Utc::now().naive_utc(),
            encoded: OnceLock::new(),
        };
        for column in &mut run.frame.columns {
            run.escaped.push(column.label.display());
            if let Some(text) = column.label.text()
                && text.contains("\\,")
            {
                column.label = Label::from(unescaped(text));
            }
        }
        run
    }

    /// A failure that is told in the answer.
    pub fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::new(Frame::default(), String::new()) }
    }

    pub(crate) fn encoded(&self, dataset: &Dataset) -> Result<&Encoded, QueryError> {
        let made = self.encoded.get_or_init(|| {
            let mut e = Encoded {
                coltypes: coltypes(&self.frame, |label| hint(dataset, label)).map_err(|e| e.to_string())?,
                colnames: Vec::new(),
                indexnames: Vec::new(),
                data: Vec::new(),
            };
            write_colnames(&mut e.colnames, &self.frame);
            write_indexnames(&mut e.indexnames, &self.frame);
            write_records(&mut e.data, &self.frame).map_err(|e| e.to_string())?;
            Ok(e)
        });
        made.as_ref().map_err(|e| QueryError::generic(e.clone()))
    }

    /// Encodes the rows now, on a thread that may be busy for a while.
    pub fn encode(&self, dataset: &Dataset) {
        let _ = self.encoded(dataset);
    }

    /// About the memory it takes.
    pub fn bytes(&self) -> usize {
        let json = self.encoded.get().and_then(|e| e.as_ref().ok()).map_or(0, |e| e.data.len());
        self.frame.columns.len() * self.frame.row_count() * 16 + json + self.query.len() + 1024
    }
}

pub(crate) fn unescaped(text: &str) -> String {
    text.replace("\\,", ",")
}

/// What the dataset says about a label (for `extract_dataframe_dtypes`).
pub(crate) fn hint(dataset: &Dataset, label: &str) -> ColumnHint {
    let column = dataset.column(label);
    ColumnHint {
        is_temporal: column.is_some_and(|c| c.is_dttm == Some(true)),
        sql_type: column.map(|c| c.type_.clone().unwrap_or_default()),
        metric_expression: dataset.metric(label).map(|m| m.expression.clone()),
    }
}

/// Changes with the form: what another version wrote is not read.
const VERSION: u8 = 1;

impl Stored for QueryRun {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.int(self.at.and_utc().timestamp_micros());
        out.text(&self.query);
        out.count(self.sql_rowcount);
        out.count(self.escaped.len());
        self.escaped.iter().for_each(|label| out.text(label));
        out.count(self.applied_template_filters.len());
        self.applied_template_filters.iter().for_each(|name| out.text(name));
        for value in [
            &Value::Array(self.applied_filter_columns.clone()),
            &Value::Array(self.rejected_filter_columns.clone()),
            &self.annotation_data,
        ] {
            out.text(&value.to_string());
        }
        out.frame(&self.frame);
        out.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        if from.byte()? != VERSION {
            return None;
        }
        let at = DateTime::from_timestamp_micros(from.int()?)?.naive_utc();
        let query = from.text()?.to_owned();
        let sql_rowcount = usize::try_from(from.int()?).ok()?;
        let texts = |from: &mut Reader<'_>| {
            let n = from.count()?;
            (0..n).map(|_| from.text().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let (escaped, applied_template_filters) = (texts(&mut from)?, texts(&mut from)?);
        let mut json = || serde_json::from_str::<Value>(from.text()?).ok();
        let (Value::Array(applied), Value::Array(rejected)) = (json()?, json()?) else { return None };
        let annotation_data = json()?;
        let frame = from.frame().filter(|frame| frame.columns.len() == escaped.len())?;
        let mut run = QueryRun::new(frame, query);
        run.escaped = escaped;
        run.applied_template_filters = applied_template_filters;
        run.applied_filter_columns = applied;
        run.rejected_filter_columns = rejected;
        run.annotation_data = annotation_data;
        run.sql_rowcount = sql_rowcount;
        run.at = at;
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use infra::engines::column::ColumnData;
    use query::frame::{Column, Frame};
    use serde_json::json;

    use super::*;

    #[test]
    fn outcomes_come_back_as_they_were() {
        let column = Column::new("a\\, b", ColumnData::Int(vec![Some(1), None]));
        let mut run = QueryRun::new(Frame::new(vec![column]), "SELECT 1".into());
        run.sql_rowcount = 7;
        run.rejected_filter_columns = vec![json!({"label": "x"})];
        run.applied_template_filters = vec!["f".into()];
        let bytes = run.to_bytes();
        let again = QueryRun::from_bytes(&bytes).unwrap();
        assert_eq!(again.frame, run.frame);
        assert_eq!((&again.escaped, &again.query), (&run.escaped, &run.query));
        assert_eq!(again.rejected_filter_columns, run.rejected_filter_columns);
        assert_eq!(again.applied_template_filters, run.applied_template_filters);
        assert_eq!((again.sql_rowcount, again.escaped[0].as_str()), (7, "a\\, b"));
        assert!(QueryRun::from_bytes(&bytes[..bytes.len() - 1]).is_none());
        assert!(QueryRun::from_bytes(b"\x80\x04\x95").is_none(), "a pickle is nothing to us");
    }
}
