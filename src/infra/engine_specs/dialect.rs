//! Identifiers, literals and LIMIT as the SQLAlchemy 1.4 dialects write them.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::EngineSpec;

static RESERVED: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    include_str!("reserved.txt")
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, words)| (name, words.split(' ').collect()))
        .collect()
});

/// A family of engines that write names and literals alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Dialect {
    /// Standard SQL: double quotes.
    Default,
    /// SQLite and what speaks like it.
    Sqlite,
    /// PostgreSQL and what speaks like it.
    Postgres,
    /// MySQL and what speaks like it: backticks, backslash escapes.
    Mysql,
    /// MySQL with the LIMIT of the standard.
    StarRocks,
    /// Microsoft SQL Server: brackets.
    Mssql,
    /// Oracle.
    Oracle,
    /// ClickHouse as clickhouse-connect writes it: every name in backticks, backslash escapes in names, too.
    ClickHouse,
    /// ClickHouse as clickhouse-sqlalchemy writes it: standard, with the LIMIT of MySQL.
    ClickHouseSqlalchemy,
    /// Presto: standard, every name in quotes.
    Presto,
    /// Trino: standard, with words of its own, and OFFSET before LIMIT.
    Trino,
    /// BigQuery, Hive and others with backticks and backslash escapes.
    Backtick,
}

impl Dialect {
    /// The family of an engine.
    pub fn for_engine(spec: &EngineSpec) -> Self {
        let by_quotes = if spec.quotes.0 == '`' { Self::Backtick } else { Self::Default };
        spec.sql.compiler.unwrap_or(by_quotes)
    }

    fn reserved_words(self) -> Option<&'static HashSet<&'static str>> {
        RESERVED.get(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql | Self::StarRocks => "mysql",
            Self::Mssql => "mssql",
            Self::Oracle => "oracle",
            Self::Trino => "trino",
            Self::Default | Self::ClickHouse | Self::ClickHouseSqlalchemy | Self::Presto | Self::Backtick => {
                "default"
            }
        })
    }

    /// Writes an identifier, quoted only where the dialect needs it (`IdentifierPreparer.quote`).
    pub fn quote(self, name: &str) -> String {
        if self.requires_quotes(name) { self.quote_always(name) } else { name.to_owned() }
    }

    /// Writes a quoted identifier; the closing quote is doubled inside it.
    pub fn quote_always(self, name: &str) -> String {
        let (open, close) = match self {
            Self::Mysql | Self::StarRocks | Self::Backtick | Self::ClickHouse => ('`', '`'),
            Self::Mssql => ('[', ']'),
            _ => ('"', '"'),
        };
        let mut out = String::with_capacity(name.len() + 2);
        out.push(open);
        for c in name.chars() {
            if self == Self::ClickHouse {
                if matches!(c, '`' | '\\' | '\'') {
                    out.push('\\');
                }
            } else if c == close {
                out.push(close);
            }
            // No engine takes NUL in a name, and drivers in C stop reading there.
            if c != '\0' {
                out.push(c);
            }
        }
        out.push(close);
        out
    }

    fn requires_quotes(self, name: &str) -> bool {
        let first_is_legal = name
            .starts_with(|c: char| !(c.is_ascii_digit() || c == '$' || (self == Self::Oracle && c == '_')));
        let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
        let folded = name.to_lowercase();
        matches!(self, Self::ClickHouse | Self::Presto)
            || !first_is_legal
            || !legal
            || folded != name
            || self.reserved_words().is_some_and(|words| words.contains(folded.as_str()))
    }

    /// A text literal that cannot end before its closing quote.
    pub fn string_literal(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        out.push('\'');
        for c in text.chars() {
            match c {
                '\'' => out.push_str("''"),
                '\\' if self.backslash_escapes() => out.push_str("\\\\"),
                '\0' => {}
                c => out.push(c),
            }
        }
        out.push('\'');
        out
    }

    /// A text as SQLAlchemy writes the value of a filter: SQL Server reads others in the database's code page.
    pub fn unicode_literal(self, text: &str) -> String {
        let literal = self.string_literal(text);
        if self == Self::Mssql { format!("N{literal}") } else { literal }
    }

    /// PostgreSQL is among them: Superset compiles before it has ever connected, and SQLAlchemy then assumes the old
    /// meaning of backslashes.
    fn backslash_escapes(self) -> bool {
        matches!(
            self,
            Self::Mysql
                | Self::StarRocks
                | Self::Backtick
                | Self::ClickHouse
                | Self::ClickHouseSqlalchemy
                | Self::Postgres
        )
    }

    /// `true` and `false` as the dialect has them.
    pub fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Sqlite | Self::Mssql | Self::Oracle, true) => "1",
            (Self::Sqlite | Self::Mssql | Self::Oracle, false) => "0",
            (_, true) => "true",
            (_, false) => "false",
        }
    }

    /// What `CAST(x AS VARCHAR)` names the type.
    pub fn text_type(self) -> &'static str {
        match self {
            Self::Mysql | Self::StarRocks => "CHAR",
            Self::ClickHouseSqlalchemy => "String",
            Self::Backtick => "STRING",
            Self::Mssql => "VARCHAR(max)",
            _ => "VARCHAR",
        }
    }

    /// Whether the dialect has ILIKE; otherwise both sides go through `lower()`.
    pub fn has_ilike(self) -> bool {
        matches!(self, Self::Postgres | Self::ClickHouseSqlalchemy)
    }

    /// The name of a schema, which may be more than one name: `database.owner` of SQL Server, `catalog.schema` of
    /// DuckDB.
    pub fn schema(self, spec: &EngineSpec, schema: &str) -> String {
        if !spec.sql.dotted_schemas {
            return self.quote(schema);
        }
        let (open, close) = if self == Self::Mssql { ('[', ']') } else { ('"', '"') };
        let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
        for c in schema.chars() {
            match c {
                '.' if !quoted => parts.push(std::mem::take(&mut part)),
                _ if quoted && c == close => quoted = false,
                _ if !quoted && c == open => quoted = true,
                _ => part.push(c),
            }
        }
        parts.push(part);
        parts.iter().map(|part| self.quote(part)).collect::<Vec<_>>().join(".")
    }

    /// How a join is spelled.
    pub fn join(self) -> &'static str {
        match self {
            Self::Mysql | Self::StarRocks | Self::ClickHouse | Self::ClickHouseSqlalchemy => "INNER JOIN",
            _ => "JOIN",
        }
    }

    /// The LIMIT clause as it follows the statement.
    pub fn limit_clause(self, limit: Option<i64>, offset: Option<i64>) -> String {
        match (self, limit, offset) {
            (_, None, None) => String::new(),
            (Self::Sqlite, Some(limit), offset) => format!("\n LIMIT {limit} OFFSET {}", offset.unwrap_or(0)),
            (Self::Postgres, Some(limit), Some(offset)) => format!(" \n LIMIT {limit} OFFSET {offset}"),
            (Self::Postgres, Some(limit), None) => format!(" \n LIMIT {limit}"),
            (Self::Postgres, None, Some(offset)) => format!("\n LIMIT ALL OFFSET {offset}"),
            (Self::Mysql | Self::ClickHouseSqlalchemy, Some(limit), Some(offset)) => {
                format!(" \n LIMIT {offset}, {limit}")
            }
            (Self::Mysql | Self::ClickHouseSqlalchemy, Some(limit), None) => format!(" \n LIMIT {limit}"),
            (Self::Mysql, None, Some(offset)) => format!(" \n LIMIT {offset}, 18446744073709551615"),
            (Self::Mssql | Self::Oracle, limit, offset) => {
                let mut text = format!("\n OFFSET {} ROWS", offset.unwrap_or(0));
                if let Some(limit) = limit {
                    text += &format!(" FETCH FIRST {limit} ROWS ONLY");
                }
                text
            }
            // The original's order for Presto is LIMIT first, which its grammar does not have.
            (Self::Trino | Self::Presto, Some(limit), Some(offset)) => {
                format!("\nOFFSET {offset}\nLIMIT {limit}")
            }
            (Self::Trino, Some(limit), None) => format!("\nLIMIT {limit}"),
            (Self::Trino | Self::Presto, None, Some(offset)) => format!("\nOFFSET {offset}"),
            (_, Some(limit), Some(offset)) => format!("\n LIMIT {limit} OFFSET {offset}"),
            (_, Some(limit), None) => format!("\n LIMIT {limit}"),
            (_, None, Some(offset)) => format!("\n LIMIT -1 OFFSET {offset}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_needed() {
        let pg = Dialect::Postgres;
        for (name, text) in [
            ("town", "town"),
            ("Town", "\"Town\""),
            ("user", "\"user\""),
            ("2nd", "\"2nd\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
            ("größe", "\"größe\""),
        ] {
            assert_eq!(pg.quote(name), text);
        }
        assert_eq!(Dialect::Mysql.quote("a`b"), "`a``b`");
        assert_eq!(Dialect::Mssql.quote("a]b"), "[a]]b]");
        assert_eq!(Dialect::ClickHouse.quote("town"), "`town`");
        assert_eq!(Dialect::ClickHouse.quote("a`\\b"), "`a\\`\\\\b`");
    }

    /// Compiled with trino 0.340, PyHive 0.7 and clickhouse-connect 0.15 on SQLAlchemy 1.4.54.
    #[test]
    fn dialects_over_http() {
        let statement = |d: Dialect, limit, offset| {
            let table = format!("{}.{}", d.quote("web"), d.quote("Towns"));
            let (name, user, label) = (d.quote("name"), d.quote("user"), d.quote("Name x"));
            format!("SELECT {table}.{name} AS {label}, {table}.{user}{}", d.limit_clause(limit, offset))
        };
        for (dialect, limit, offset, want) in [
            (
                Dialect::Trino,
                Some(10),
                Some(5),
                "SELECT web.\"Towns\".name AS \"Name x\", web.\"Towns\".user\nOFFSET 5\nLIMIT 10",
            ),
            (
                Dialect::Trino,
                Some(10),
                None,
                "SELECT web.\"Towns\".name AS \"Name x\", web.\"Towns\".user\nLIMIT 10",
            ),
            (
                Dialect::Presto,
                Some(10),
                None,
                "SELECT \"web\".\"Towns\".\"name\" AS \"Name x\", \"web\".\"Towns\".\"user\"\n LIMIT 10",
            ),
            (
                Dialect::ClickHouse,
                Some(10),
                Some(5),
                "SELECT `web`.`Towns`.`name` AS `Name x`, `web`.`Towns`.`user`\n LIMIT 10 OFFSET 5",
            ),
        ] {
            assert_eq!(statement(dialect, limit, offset), want);
        }
        assert_eq!(Dialect::Trino.quote("order"), "\"order\"");
        assert_eq!(Dialect::Trino.string_literal("it's \\"), "'it''s \\'");
    }

    #[test]
    fn literals_stay_inside_their_quotes() {
        assert_eq!(Dialect::Postgres.string_literal("it's \\"), "'it''s \\\\'");
        assert_eq!(Dialect::Sqlite.string_literal("it's \\"), "'it''s \\'");
        assert_eq!(Dialect::Mysql.string_literal("\\'"), "'\\\\'''");
        assert_eq!(Dialect::Mssql.unicode_literal("ü'"), "N'ü'''");
        assert_eq!(Dialect::Sqlite.unicode_literal("ü"), "'ü'");
    }
}
