//! Rows into a table as they are, with their keys.

use infra::db::{DbError, Executor, Sql};

use super::{Values, read::named};

/// Values of a statement: fewer than any of the databases allows.
const VALUES: usize = 20_000;
/// Rows of a statement.
const ROWS: usize = 200;

/// Inserts rows whose values stand in the order of `columns`.
pub async fn insert(
    db: &dyn Executor,
    table: &str,
    columns: &[&str],
    rows: Vec<Values>,
) -> Result<(), DbError> {
    let dialect = db.dialect();
    let names: Vec<String> = columns.iter().map(|c| dialect.quoted(c)).collect();
    let head = format!("INSERT INTO {} ({}) VALUES ", dialect.quoted(table), names.join(", "));
    let at_once = (VALUES / columns.len().max(1)).clamp(1, ROWS);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut sql = Sql::new(head.clone());
        for (n, row) in rows.by_ref().take(at_once).enumerate() {
            if row.len() != columns.len() {
                let found = row.len();
                return Err(DbError::Decode(format!(
                    "{table}: {found} values for {} columns",
                    columns.len()
                )));
            }
            sql.push(if n > 0 { ", " } else { "" }).push_list(row);
        }
        db.execute(sql).await.map_err(|e| named(table, e))?;
    }
    Ok(())
}
