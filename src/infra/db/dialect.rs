//! Every difference between the backends of the metadata database.

use super::value::Sql;

/// The backend's SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    /// Statement text with the backend's placeholders; question marks inside quotes are left alone.
    pub fn placeholders(self, sql: &Sql) -> String {
        self.placeholders_cast(sql, |_| "")
    }

    /// The same with a cast behind the placeholders that need one, by their position.
    pub fn placeholders_cast(self, sql: &Sql, cast: impl Fn(usize) -> &'static str) -> String {
        if self != Self::Postgres {
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
                    out.push_str(cast(n - 1));
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
            Self::Sqlite | Self::Mysql => {
                sql.push("lower(")
                    .append(left)
                    .push(&format!(") {not}LIKE lower("))
                    .push_bind(pattern)
                    .push(")");
            }
        }
        sql
    }

    /// Values are compared with columns of their own type only, and a number that a column cannot hold is refused.
    pub fn is_strict(self) -> bool {
        match self {
            Self::Sqlite | Self::Mysql => false,
            Self::Postgres => true,
        }
    }

    /// The module of Python's driver whose errors some answers of the original quote.
    pub fn python_driver(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite3",
            Self::Postgres => "psycopg2.errors",
            Self::Mysql => "pymysql.err",
        }
    }

    /// Texts one after the other; sessions on MySQL are told to read `||` so.
    pub fn concat(self, parts: &[&str]) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres | Self::Mysql => Sql::new(parts.join(" || ")),
        }
    }

    /// What follows the values of an insert that changes the row with the same value of a unique column instead; then
    /// come assignments.
    pub fn or_update(self, unique: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!(" ON CONFLICT ({unique}) DO UPDATE SET "),
            Self::Mysql => " ON DUPLICATE KEY UPDATE ".to_owned(),
        }
    }

    /// What a select ends with whose rows no other transaction may hold or change before this one ends. SQLite has
    /// one writer at a time.
    pub fn hold(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE",
            Self::Mysql => " FOR UPDATE",
        }
    }

    /// The name that connection strings begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql",
        }
    }

    /// Time stamps keep their fractions of seconds.
    pub fn keeps_fractions(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::Mysql => false,
        }
    }

    /// A statement that tells the moment in UTC.
    pub fn utc_now(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
            Self::Postgres => "SELECT now() AT TIME ZONE 'UTC'",
            Self::Mysql => "SELECT UTC_TIMESTAMP(6)",
        }
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

    /// `LIMIT`/`OFFSET`; SQLite and MySQL have no `OFFSET` without a limit.
    pub fn limit(self, limit: Option<i64>, offset: i64) -> Sql {
        let mut sql = Sql::default();
        match limit {
            Some(n) => {
                sql.push(" LIMIT ").push_bind(n);
            }
            None if offset > 0 && self == Self::Sqlite => {
                sql.push(" LIMIT -1");
            }
            None if offset > 0 && self == Self::Mysql => {
                sql.push(" LIMIT 18446744073709551615");
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
        let cast = Dialect::Postgres.placeholders_cast(&sql, |n| if n == 1 { "::int8" } else { "" });
        assert_eq!(cast, "a = $1 AND b = '?' AND \"c?\" = $2::int8");
    }
}
