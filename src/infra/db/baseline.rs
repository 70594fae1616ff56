//! The schema at the head, statement by statement and as lists of columns.

use std::collections::{BTreeMap, BTreeSet};

use super::{DbError, Dialect, migrate};

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A type or a function.
    Prelude,
    /// A table, its sequence, its keys, its indexes.
    Table,
    /// A foreign key that is added to a table that is there.
    ForeignKey,
    /// A row.
    Row,
}

/// A statement of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub kind: Kind,
    /// The table; empty for a prelude.
    pub table: &'static str,
    /// The text, without the semicolon at its end.
    pub text: &'static str,
}

/// The baseline's statements, in order. Between two is an empty line; in none is one.
pub fn statements(dialect: Dialect) -> Vec<Statement> {
    let texts = migrate::baseline(dialect).split("\n\n").map(|text| {
        let text = text.trim();
        let comment = text.lines().take_while(|line| line.starts_with("--")).map(|line| line.len() + 1).sum();
        text.get(comment..).unwrap_or_default().trim().trim_end_matches(';')
    });
    texts.filter(|text| !text.is_empty()).map(classify).collect()
}

fn classify(text: &'static str) -> Statement {
    let word = |marker: &str| -> Option<&'static str> {
        let rest = &text[text.find(marker)? + marker.len()..];
        let rest = rest.trim_start_matches("ONLY ").trim_start_matches(['"', '`']);
        rest.split([' ', '(', '"', '`', '.', ';', '\n']).next()
    };
    let (kind, table) = if text.starts_with("CREATE TABLE ") {
        (Kind::Table, word("CREATE TABLE "))
    } else if text.starts_with("ALTER TABLE ") {
        let foreign = text.contains(" FOREIGN KEY ") && text.contains(" REFERENCES ");
        (if foreign { Kind::ForeignKey } else { Kind::Table }, word("ALTER TABLE "))
    } else if text.starts_with("CREATE SEQUENCE ") {
        (Kind::Table, word("CREATE SEQUENCE ").map(|name| name.strip_suffix("_id_seq").unwrap_or(name)))
    } else if text.starts_with("ALTER SEQUENCE ") {
        (Kind::Table, word(" OWNED BY "))
    } else if text.starts_with("CREATE INDEX ") || text.starts_with("CREATE UNIQUE INDEX ") {
        (Kind::Table, word(" ON "))
    } else if text.starts_with("INSERT INTO ") {
        (Kind::Row, word("INSERT INTO "))
    } else {
        (Kind::Prelude, None)
    };
    Statement { kind, table: table.unwrap_or_default(), text }
}

/// Columns of `slices` that only some installations have, by the version that made them.
const LEFT_OVERS: [&str; 2] = ["table_id", "druid_datasource_id"];

/// The columns of every table at the head, alike on all backends.
pub fn columns() -> Result<BTreeMap<String, BTreeSet<String>>, DbError> {
    let read = || -> rusqlite::Result<BTreeMap<String, BTreeSet<String>>> {
        let c = rusqlite::Connection::open_in_memory()?;
        c.execute_batch(migrate::baseline(Dialect::Sqlite))?;
        let mut statement = c.prepare(
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
        )?;
        let mut columns = BTreeMap::<String, BTreeSet<String>>::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
            if !(table == "slices" && LEFT_OVERS.contains(&column.as_str())) {
                columns.entry(table).or_default().insert(column);
            }
        }
        Ok(columns)
    };
    read().map_err(|e| DbError::Query(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_belongs_somewhere() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            let all = statements(dialect);
            let of = |kind| all.iter().filter(move |s| s.kind == kind);
            let made: BTreeSet<_> =
                of(Kind::Table).filter(|s| s.text.starts_with("CREATE TABLE")).map(|s| s.table).collect();
            assert_eq!(made.len(), 52, "{dialect:?}");
            for statement in all.iter().filter(|s| s.kind != Kind::Prelude) {
                assert!(made.contains(statement.table), "{statement:?}");
            }
            assert_eq!(of(Kind::Row).count(), 1);
            assert_eq!(of(Kind::ForeignKey).count() > 50, dialect == Dialect::Postgres);
            let length: usize = all.iter().map(|s| s.text.len()).sum();
            assert!(length + 4 * all.len() + 400 > migrate::baseline(dialect).len(), "nothing is lost");
        }
    }
}
