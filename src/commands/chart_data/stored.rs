//! Outcomes of queries as bytes, for caches outside this process.

use chrono::DateTime;
use infra::cache::Stored;
use query::frame::{Reader, Writer};
use serde_json::Value;

use super::payload::QueryRun;

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
