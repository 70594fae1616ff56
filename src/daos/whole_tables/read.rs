//! Rows of a table in pages, their values alike on every database.

use infra::db::{
    DbError, Executor, FromValue as _, Sql, Value,
    catalog::{ColumnKind, TableInfo, Walk},
    parse_datetime,
};

use super::{Checksum, Precision, Values};

/// Rows of a page.
const ROWS: i64 = 2000;
/// Bytes that a page has at most, unless a single row has more: values of some tables are large.
pub const BYTES: usize = 4 << 20;

/// The rows of a table.
pub struct Pages<'a> {
    db: &'a dyn Executor,
    table: &'a TableInfo,
    walk: Walk,
    /// Lengths of the values that may be long.
    lengths: Vec<String>,
    after: Values,
    at: i64,
    over: bool,
}

impl<'a> Pages<'a> {
    /// From the first row on. Only in a snapshot do all pages show the same moment.
    pub fn of(db: &'a dyn Executor, table: &'a TableInfo) -> Self {
        let dialect = db.dialect();
        let lengths = table.columns.iter().filter_map(|column| dialect.length_of(column)).collect();
        Self { db, table, walk: dialect.walk(table), lengths, after: Vec::new(), at: 0, over: false }
    }

    /// The next page, at least one row; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<Values>>, DbError> {
        if self.over {
            return Ok(None);
        }
        let size = self.fitting().await.map_err(|e| named(&self.table.name, e))?;
        let found = self.db.query(self.rows(size)).await.map_err(|e| named(&self.table.name, e))?;
        let read = i64::try_from(found.len()).unwrap_or(i64::MAX);
        self.over |= read < size;
        self.at += read;
        let width = self.table.columns.len();
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let mut values = row.into_values();
            self.after = values.split_off(width);
            for (value, column) in values.iter_mut().zip(&self.table.columns) {
                alike(column.kind, value);
            }
            rows.push(values);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// How many of the next rows fit into a page: they are measured before they are read.
    async fn fitting(&mut self) -> Result<i64, DbError> {
        if self.lengths.is_empty() {
            return Ok(ROWS);
        }
        let list = self.lengths.join(", ");
        let lengths = self.db.query(self.select(&list, ROWS)).await?;
        let (mut size, mut bytes) = (0, 0);
        for row in &lengths {
            let values = row.values().iter();
            let row: u64 = values.filter_map(i64::from_value).filter_map(|n| u64::try_from(n).ok()).sum();
            bytes += usize::try_from(row).unwrap_or(BYTES);
            if size > 0 && bytes > BYTES {
                return Ok(size);
            }
            size += 1;
        }
        self.over = size < ROWS;
        Ok(size.max(1))
    }

    fn rows(&self, size: i64) -> Sql {
        let dialect = self.db.dialect();
        let mut list: Vec<String> = self.table.columns.iter().map(|c| dialect.read_column(c)).collect();
        if let Walk::After(keys) = &self.walk {
            list.extend(keys.iter().enumerate().map(|(n, key)| format!("{key} AS walked_{n}")));
        }
        self.select(&list.join(", "), size)
    }

    /// What comes after the rows that were read.
    fn select(&self, list: &str, size: i64) -> Sql {
        let dialect = self.db.dialect();
        let mut order = String::new();
        let mut rest = Sql::default();
        match &self.walk {
            Walk::After(keys) => {
                order.push_str(&keys.join(", "));
                if !self.after.is_empty() {
                    rest.push(&format!(" WHERE ({order}) > "));
                    rest.push_list(self.after.iter().cloned());
                }
            }
            Walk::At(by) => order.push_str(by),
        }
        let mut sql = Sql::new(format!("SELECT {list} FROM {}", dialect.quoted(&self.table.name)));
        sql.append(rest).push(&format!(" ORDER BY {order}"));
        let offset = if matches!(self.walk, Walk::At(_)) { self.at } else { 0 };
        sql.append(dialect.limit(Some(size), offset));
        sql
    }
}

/// Rows of a table.
pub async fn count(db: &dyn Executor, table: &str) -> Result<u64, DbError> {
    let sql = format!("SELECT count(*) FROM {}", db.dialect().quoted(table));
    let row = db.first(Sql::new(sql)).await?;
    Ok(row.map(|row| row.at::<i64>(0)).transpose()?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// Does any row of a table have a value in a column?
pub async fn has_values(db: &dyn Executor, table: &str, column: &str) -> Result<bool, DbError> {
    let (table, column) = (db.dialect().quoted(table), db.dialect().quoted(column));
    let sql = format!("SELECT 1 FROM {table} WHERE {column} IS NOT NULL LIMIT 1");
    Ok(db.first(Sql::new(sql)).await?.is_some())
}

/// The checksum of all rows of a table.
pub async fn checksum(
    db: &dyn Executor,
    table: &TableInfo,
    precision: Precision,
) -> Result<Checksum, DbError> {
    let kinds: Vec<ColumnKind> = table.columns.iter().map(|c| c.kind).collect();
    let mut sum = Checksum::default();
    let mut pages = Pages::of(db, table);
    while let Some(rows) = pages.next().await? {
        rows.iter().for_each(|row| sum.add(&kinds, row, precision));
    }
    Ok(sum)
}

/// The value that other databases have for it, if writing it here again gives the same bytes; else what is there.
fn alike(kind: ColumnKind, value: &mut Value) {
    let other = match (kind, &*value) {
        (ColumnKind::Boolean, Value::Int(n @ (0 | 1))) => Some(Value::Bool(*n == 1)),
        (ColumnKind::DateTime, Value::Text(text)) => parse_datetime(text)
            .filter(|t| t.format("%Y-%m-%d %H:%M:%S%.6f").to_string() == *text)
            .map(Value::DateTime),
        (ColumnKind::Uuid, Value::Bytes(bytes)) => uuid::Uuid::from_slice(bytes).ok().map(Value::Uuid),
        _ => None,
    };
    if let Some(other) = other {
        *value = other;
    }
}

/// An error with the table that it is about.
pub(super) fn named(table: &str, error: DbError) -> DbError {
    let say = |text: String| format!("{table}: {text}");
    match error {
        DbError::Integrity(text) => DbError::Integrity(say(text)),
        DbError::Query(text) => DbError::Query(say(text)),
        DbError::OutOfRange(text) => DbError::OutOfRange(say(text)),
        DbError::Decode(text) => DbError::Decode(say(text)),
        other @ DbError::Unavailable(_) => other,
    }
}
