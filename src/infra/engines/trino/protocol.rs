//! An answer of the protocol (`QueryResults` in the public documents).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::QueryError;

/// One answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'a> {
    pub id: Option<String>,
    pub next_uri: Option<String>,
    #[serde(borrow)]
    pub columns: Option<Vec<Column<'a>>>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    pub error: Option<QueryError>,
    stats: Option<Stats>,
}

/// A column of the result.
#[derive(Deserialize)]
pub(super) struct Column<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    #[serde(default)]
    completed_splits: f64,
    #[serde(default)]
    total_splits: f64,
}

impl<'a> Page<'a> {
    /// Reads an answer; `None` for what is none.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let page: Self = serde_json::from_slice(body).ok()?;
        // another server's JSON may have an `error`, too
        page.error.as_ref().is_none_or(QueryError::is_of_protocol).then_some(page)
    }

    /// Its rows; `None` for what are none.
    pub fn rows(&self) -> Option<Vec<Vec<&'a RawValue>>> {
        match self.data {
            Some(data) => serde_json::from_str(data.get()).ok(),
            None => Some(Vec::new()),
        }
    }

    /// Percent of the work that is done (`PrestoEngineSpec.handle_cursor`).
    pub fn progress(&self) -> f64 {
        match &self.stats {
            Some(stats) if stats.total_splits > 0.0 => {
                (100.0 * stats.completed_splits / stats.total_splits).clamp(0.0, 100.0)
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let text = r#"{"id": "q", "infoUri": "x", "columns": [{"name": "a\n", "type": "bigint", "typeSignature": {}}],
                       "data": [[1], [null]], "stats": {"state": "RUNNING", "completedSplits": 1, "totalSplits": 4}}"#;
        let page = Page::read(text.as_bytes()).unwrap();
        assert_eq!(page.columns.as_ref().unwrap()[0].name, "a\n");
        assert_eq!(page.rows().unwrap()[1][0].get(), "null");
        assert!((page.progress() - 25.0).abs() < 1e-9);
        let foreign = r#"{"id": "q", "error": {"message": "AccessKeyId: secret"}}"#;
        for wrong in [foreign, "", "[]x", "{\"data\": 1", "\u{fffd}"] {
            assert!(Page::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Page::read(b"{\"data\": {\"a\": 1}}").unwrap().rows().is_none());
    }
}
