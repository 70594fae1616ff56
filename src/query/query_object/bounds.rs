//! How much one request may ask for.
//!
//! Superset knows no such bounds; what lies beyond them is refused by the databases themselves or by nobody's patience.

use serde_json::{Map, Value};

use super::QueryObject;
use crate::{
    dataset::Dataset,
    error::{QueryError, Result},
};

/// Bounds of a query context and of its queries.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Queries of a context.
    pub queries: usize,
    /// Columns and metrics of a query, and what it is ordered by: PostgreSQL takes 1,664.
    pub columns: usize,
    /// Filters of a query.
    pub filters: usize,
    /// Time comparisons of a query.
    pub offsets: usize,
    /// Post-processing steps of a query; its annotation layers, too.
    pub steps: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { queries: 100, columns: 1_600, filters: 1_600, offsets: 100, steps: 200 }
    }
}

impl Bounds {
    /// The same where all columns of a dataset may be asked for, however many it has.
    #[must_use]
    pub fn over(self, dataset: &Dataset) -> Self {
        Self { columns: self.columns.max(dataset.columns.len() + dataset.metrics.len()), ..self }
    }

    /// Refuses a context before anything is made of its queries.
    pub fn check_context(&self, queries: &[Map<String, Value>]) -> Result<()> {
        within("queries", queries.len(), self.queries)?;
        let count = |query: &Map<String, Value>, key: &str| {
            query.get(key).and_then(Value::as_array).map_or(0, Vec::len)
        };
        for query in queries {
            let count = |key: &str| count(query, key);
            let columns = count("columns") + count("metrics") + count("groupby");
            let of = [columns, count("orderby").max(count("series_columns"))];
            self.check(
                of,
                [count("filters"), count("time_offsets")],
                [count("post_processing"), count("annotation_layers")],
            )?;
        }
        Ok(())
    }

    /// Refuses a query object that came by another way.
    pub fn check_query(&self, query: &QueryObject) -> Result<()> {
        let columns = query.columns.len() + query.groupby.len() + query.metrics.as_ref().map_or(0, Vec::len);
        self.check(
            [columns, query.orderby.len().max(query.series_columns.len())],
            [query.filter.len(), query.time_offsets.len()],
            [query.post_processing.len(), query.annotation_layers.len()],
        )
    }

    fn check(
        &self,
        [columns, orders]: [usize; 2],
        [filters, offsets]: [usize; 2],
        [steps, layers]: [usize; 2],
    ) -> Result<()> {
        within("columns and metrics", columns, self.columns)?;
        within("columns to order by or to make series of", orders, self.columns)?;
        within("filters", filters, self.filters)?;
        within("time comparisons", offsets, self.offsets)?;
        within("post-processing operations", steps, self.steps)?;
        within("annotation layers", layers, self.steps)
    }
}

fn within(what: &str, count: usize, most: usize) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    Err(QueryError::validation(format!("A request may have at most {most} {what}, not {count}.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_bound_is_told() {
        let bounds = Bounds { queries: 2, columns: 3, filters: 3, offsets: 3, steps: 3 };
        let check = |query: Value| bounds.check_context(&[query.as_object().unwrap().clone()]);
        for (key, what) in [
            ("columns", "columns and metrics"),
            ("metrics", "columns and metrics"),
            ("groupby", "columns and metrics"),
            ("orderby", "columns to order by or to make series of"),
            ("series_columns", "columns to order by or to make series of"),
            ("filters", "filters"),
            ("time_offsets", "time comparisons"),
            ("post_processing", "post-processing operations"),
            ("annotation_layers", "annotation layers"),
        ] {
            assert!(check(json!({key: [1, 2, 3]})).is_ok(), "{key}");
            let error = check(json!({key: [1, 2, 3, 4]})).unwrap_err().to_string();
            assert_eq!(error, format!("A request may have at most 3 {what}, not 4."));
        }
        assert!(check(json!({"columns": [1, 2], "metrics": [3, 4]})).is_err(), "they count together");
        assert!(bounds.check_context(&vec![Map::new(); 3]).is_err());
        let mut query = QueryObject::new();
        query.time_offsets = vec!["1 day ago".to_owned(); 4];
        assert!(bounds.check_query(&query).is_err());
    }
}
