//! Every difference between the backends of the metadata database.

use super::value::Sql;

/// The backend's SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// Statement text with the backend's placeholders; question marks inside quotes are left alone.
    pub fn placeholders(self, sql: &Sql) -> String {
        if self == Self::Sqlite {
            return sql.text().to_owned();
        }
        let mut out = String::with_capacity(sql.text().len() + 16);
        let (mut n, mut quote) = (0, None);
        for c in sql.text().chars() {
            match (c, quote) {
                ('?', None) => {
                    n += 1;
                    out.push('$');
                    out.push_str(&n.to_string());
                    continue;
                }
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(q)) if c == q => quote = None,
                _ => {}
            }
            out.push(c);
        }
        out
    }

    /// SQLAlchemy's `ILIKE`: the operator on PostgreSQL, lower() on both sides elsewhere.
    pub fn ilike(self, left: Sql, pattern: &str, negated: bool) -> Sql {
        let not = if negated { "NOT " } else { "" };
        let mut sql = Sql::default();
        match self {
            Self::Postgres => {
                sql.append(left).push(&format!(" {not}ILIKE ")).push_bind(pattern);
            }
            Self::Sqlite => {
                sql.push("lower(")
                    .append(left)
                    .push(&format!(") {not}LIKE lower("))
                    .push_bind(pattern)
                    .push(")");
            }
        }
        sql
    }

    /// A boolean literal.
    pub fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Sqlite, true) => "1",
            (Self::Sqlite, false) => "0",
            (_, true) => "true",
            (_, false) => "false",
        }
    }

    /// `LIMIT`/`OFFSET`; SQLite has no `OFFSET` without a limit.
    pub fn limit(self, limit: Option<i64>, offset: i64) -> Sql {
        let mut sql = Sql::default();
        match limit {
            Some(n) => {
                sql.push(" LIMIT ").push_bind(n);
            }
            None if offset > 0 && self == Self::Sqlite => {
                sql.push(" LIMIT -1");
            }
            None => {}
        }
        if offset > 0 {
            sql.push(" OFFSET ").push_bind(offset);
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_outside_quotes() {
        let sql = Sql::new("a = ? AND b = '?' AND \"c?\" = ?");
        assert_eq!(Dialect::Postgres.placeholders(&sql), "a = $1 AND b = '?' AND \"c?\" = $2");
        assert_eq!(Dialect::Sqlite.placeholders(&sql), sql.text());
    }
}
