//! Columns of a table here and there.

use chrono::{NaiveDateTime, Timelike as _};
use daos::whole_tables::{self, ColumnKind, Precision, TableInfo, Values};
use infra::db::{Executor, FromValue as _, Value};

use super::error::{Result, refused};

/// Which columns are copied.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Columns of the source, by position, that the target has.
    kept: Vec<usize>,
    columns: Vec<String>,
    kinds: Vec<ColumnKind>,
    precision: Precision,
}

impl Mapping {
    /// Columns that only the source has must be empty: older installations on PostgreSQL have two such in `slices`.
    pub async fn of(
        from: &TableInfo,
        to: &TableInfo,
        source: &dyn Executor,
        precision: Precision,
    ) -> Result<Self> {
        let mut mapping = Self { kept: Vec::new(), columns: Vec::new(), kinds: Vec::new(), precision };
        for (at, column) in from.columns.iter().enumerate() {
            if let Some(there) = to.columns.iter().find(|c| c.name == column.name) {
                mapping.kept.push(at);
                mapping.columns.push(column.name.clone());
                mapping.kinds.push(there.kind);
            } else if whole_tables::has_values(source, &from.name, &column.name).await? {
                return Err(refused(format!(
                    "column {}.{} has values, but the schema of Superset 6.0.0 has no such column there",
                    from.name, column.name
                )));
            }
        }
        Ok(mapping)
    }

    /// A row of the source as one of the target.
    pub fn row(&self, row: Values) -> Values {
        let all = row.into_iter().enumerate();
        let kept = all.filter(|(at, _)| self.kept.contains(at)).map(|(_, value)| value);
        kept.zip(&self.kinds).map(|(value, kind)| self.value(value, *kind)).collect()
    }

    /// MySQL would round a moment to seconds, MariaDB cuts its fraction off.
    fn value(&self, value: Value, kind: ColumnKind) -> Value {
        if self.precision != Precision::Seconds || kind != ColumnKind::DateTime {
            return value;
        }
        let whole = NaiveDateTime::from_value(&value).and_then(|time| time.with_nanosecond(0));
        whole.map_or(value, Value::DateTime)
    }

    /// Their names.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    /// What they hold in the target.
    pub fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// The target's table with the columns that were copied, in the order of [`Self::columns`].
    pub fn only_copied(&self, to: &TableInfo) -> TableInfo {
        let column = |name: &String| to.columns.iter().find(|column| column.name == *name).cloned();
        TableInfo { columns: self.columns.iter().filter_map(column).collect(), ..to.clone() }
    }
}
