//! Identifiers, literals and LIMIT as the SQLAlchemy 1.4 dialects write them: the facts stand in `dialects.toml`.

use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    sync::LazyLock,
};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::EngineSpec;

static RESERVED: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    include_str!("reserved.txt")
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, words)| (name, words.split(' ').collect()))
        .collect()
});

static DIALECTS: LazyLock<HashMap<String, DialectFacts>> = LazyLock::new(|| {
    read(include_str!("dialects.toml"))
        .inspect_err(|error| tracing::error!(%error, "dialects.toml cannot be read"))
        .unwrap_or_default()
});

static STANDARD: LazyLock<DialectFacts> = LazyLock::new(DialectFacts::default);

/// Every section with what it has from the one that it is `like`.
fn read(text: &str) -> Result<HashMap<String, DialectFacts>, toml::de::Error> {
    let sections: HashMap<String, toml::Table> = toml::from_str(text)?;
    let facts = |name: &String| {
        let (mut whole, mut next) = (toml::Table::new(), Some(name.clone()));
        while let Some(section) = next.take().and_then(|name| sections.get(&name)) {
            for (key, value) in section.iter().filter(|(key, _)| *key != "like") {
                whole.entry(key).or_insert_with(|| value.clone());
            }
            next = section.get("like").and_then(toml::Value::as_str).map(str::to_owned);
        }
        Ok((name.clone(), whole.try_into()?))
    };
    sections.keys().map(facts).collect()
}

/// Engines whose types and special values are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Family {
    /// Those of the standard.
    #[default]
    Standard,
    /// SQLite's.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
    /// MySQL's.
    Mysql,
    /// SQL Server's.
    Mssql,
    /// Oracle's.
    Oracle,
}

/// How the number of rows is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitForm {
    /// `LIMIT n OFFSET m`.
    #[default]
    Standard,
    /// The same, on the line of what is before; an offset comes first.
    SameLine,
    /// The same, with a line for the offset.
    OffsetLine,
    /// The same with `LIMIT ALL`, and a blank before the line.
    Postgres,
    /// The same, and an offset always.
    AlwaysOffset,
    /// `LIMIT m, n`.
    OffsetComma,
    /// `OFFSET m LIMIT n`.
    OffsetFirst,
    /// The same, without a blank at the beginning of the line.
    OffsetLineFirst,
    /// `SELECT TOP n`, and `OFFSET m ROWS FETCH FIRST n ROWS ONLY`, which demands an order.
    Top,
    /// `FETCH FIRST n ROWS ONLY` on the line of what is before, with an offset as with `TOP`.
    FetchFirst,
    /// `OFFSET m ROWS FETCH FIRST n ROWS ONLY`, on the line of what is before.
    OffsetFetch,
    /// The same as the standard's, of numbers that are `UInt64`.
    Ydb,
    /// `SELECT FIRST (n) SKIP (m)`.
    FirstSkip,
    /// A statement around it that looks at `ROWNUM`.
    Rownum,
}

/// The facts of a dialect.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub struct DialectFacts {
    /// Whose types and special values it has.
    pub family: Family,
    /// Quotes around names; the file has the first.
    #[serde(rename = "quote", deserialize_with = "quotes")]
    pub quotes: (char, char),
    /// Every name is in quotes.
    pub quotes_all: bool,
    /// Backslashes escape in names, too.
    pub escapes_names: bool,
    /// The words that names in quotes may be, a line of `reserved.txt`.
    pub reserved: String,
    /// What a name without quotes does not begin with.
    pub illegal_first: String,
    /// Names of tables are in quotes in any case.
    pub quotes_tables: bool,
    /// A column's name with dots is a path, a part in quotes each.
    pub dotted_columns: bool,
    /// Tables have no schema.
    pub omits_schemas: bool,
    /// SELECT has no aliases.
    pub omits_aliases: bool,
    /// Texts are written as Python does.
    pub python_texts: bool,
    /// Backslashes escape quotes in texts, which are not doubled.
    pub escapes_quotes: bool,
    /// "Not equal".
    pub not_equal: String,
    /// Backslashes escape in texts.
    pub backslash_escapes: bool,
    /// Texts that are no ASCII are `N'…'`.
    pub national_texts: bool,
    /// `1` and `0` instead of `true` and `false`.
    pub numeric_booleans: bool,
    /// What `CAST(x AS VARCHAR)` names the type.
    pub text_type: String,
    /// It has ILIKE; otherwise both sides go through `lower()`.
    pub has_ilike: bool,
    /// How a join is spelled.
    pub join: String,
    /// A join stands in parentheses.
    pub joins_in_parentheses: bool,
    /// `AVG` of an argument.
    pub average: String,
    /// A table's alias follows without `AS`.
    pub bare_table_aliases: bool,
    /// `left IN` the empty set.
    pub empty_set: String,
    /// GROUP BY has labels in the place of expressions.
    pub groups_by_label: bool,
    /// The sum of all other series as well, whose label some dialects do not know when they group.
    pub groups_others_by_label: bool,
    /// How the number of rows is bounded.
    pub limit: LimitForm,
}

impl Default for DialectFacts {
    fn default() -> Self {
        Self {
            family: Family::Standard,
            quotes: ('"', '"'),
            quotes_all: false,
            escapes_names: false,
            reserved: "default".into(),
            illegal_first: "0123456789$".into(),
            quotes_tables: false,
            dotted_columns: false,
            omits_schemas: false,
            omits_aliases: false,
            python_texts: false,
            escapes_quotes: false,
            not_equal: "!=".into(),
            backslash_escapes: false,
            national_texts: false,
            numeric_booleans: false,
            text_type: "VARCHAR".into(),
            has_ilike: false,
            join: "JOIN".into(),
            joins_in_parentheses: false,
            average: "AVG({argument})".into(),
            bare_table_aliases: false,
            empty_set: "{left} IN (NULL) AND (1 != 1)".into(),
            groups_by_label: false,
            groups_others_by_label: false,
            limit: LimitForm::Standard,
        }
    }
}

fn quotes<'de, D: Deserializer<'de>>(from: D) -> Result<(char, char), D::Error> {
    Ok(match char::deserialize(from)? {
        '[' => ('[', ']'),
        quote => (quote, quote),
    })
}

/// How an engine writes SQL.
#[derive(Debug, Clone, Copy)]
pub struct Dialect(&'static DialectFacts);

impl Deref for Dialect {
    type Target = DialectFacts;

    fn deref(&self) -> &DialectFacts {
        self.0
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self(&STANDARD)
    }
}

/// By its name.
impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("{name} is no section of dialects.toml")))
    }
}

impl Dialect {
    /// The dialect of that name in `dialects.toml`.
    pub fn named(name: &str) -> Option<Self> {
        DIALECTS.get(name).map(Self)
    }

    /// The dialect of an engine.
    pub fn for_engine(spec: &EngineSpec) -> Self {
        spec.sql.compiler
    }

    /// Writes an identifier, quoted only where the dialect needs it (`IdentifierPreparer.quote`).
    pub fn quote(self, name: &str) -> String {
        if self.requires_quotes(name) { self.quote_always(name) } else { name.to_owned() }
    }

    /// Writes a quoted identifier; the closing quote is doubled inside it.
    pub fn quote_always(self, name: &str) -> String {
        let (open, close) = self.quotes;
        let mut out = String::with_capacity(name.len() + 2);
        out.push(open);
        for c in name.chars() {
            if self.escapes_names {
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
        let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
        let folded = name.to_lowercase();
        self.quotes_all
            || !legal
            || name.chars().next().is_none_or(|c| self.illegal_first.contains(c))
            || folded != name
            || RESERVED.get(self.reserved.as_str()).is_some_and(|words| words.contains(folded.as_str()))
    }

    /// Writes the name of a column.
    pub fn column(self, name: &str) -> String {
        if !self.dotted_columns {
            return self.quote(name);
        }
        name.split('.').map(|part| self.quote(part)).collect::<Vec<_>>().join(".")
    }

    /// Writes the name of a table, or of its schema.
    pub fn table(self, name: &str) -> String {
        if self.quotes_tables { self.quote_always(name) } else { self.quote(name) }
    }

    /// A text literal that cannot end before its closing quote.
    pub fn string_literal(self, text: &str) -> String {
        if self.python_texts {
            return crate::python::str_repr(text);
        }
        let mut out = String::with_capacity(text.len() + 2);
        out.push('\'');
        for c in text.chars() {
            match c {
                '\'' => out.push_str(if self.escapes_quotes { "\\'" } else { "''" }),
                '\\' if self.backslash_escapes => out.push_str("\\\\"),
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
        if self.national_texts { format!("N{literal}") } else { literal }
    }

    /// `true` and `false` as the dialect has them.
    pub fn boolean(self, value: bool) -> &'static str {
        match (self.numeric_booleans, value) {
            (true, true) => "1",
            (true, false) => "0",
            (false, true) => "true",
            (false, false) => "false",
        }
    }

    /// The name of a schema, which may be more than one name: `database.owner` of SQL Server, `catalog.schema` of
    /// DuckDB.
    pub fn schema(self, spec: &EngineSpec, schema: &str) -> String {
        if !spec.sql.dotted_schemas {
            return self.table(schema);
        }
        let (open, close) = self.quotes;
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
        parts.iter().map(|part| self.table(part)).collect::<Vec<_>>().join(".")
    }

    /// A statement as a table of another one.
    pub fn subquery(self, sql: &str, alias: &str) -> String {
        format!("({sql}){}{}", if self.bare_table_aliases { " " } else { " AS " }, self.quote(alias))
    }

    /// What stands behind the word SELECT where the rows are bounded there.
    pub fn limit_prefix(self, limit: Option<i64>, offset: Option<i64>) -> String {
        match (self.limit, limit, offset) {
            (LimitForm::Top, Some(limit), None) => format!("TOP {limit} "),
            (LimitForm::FirstSkip, limit, offset) => {
                let first = limit.map(|limit| format!("FIRST ({limit}) ")).unwrap_or_default();
                first + &offset.map(|offset| format!("SKIP ({offset}) ")).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    /// What follows the statement where the rows are bounded there; `ordered` where it has an ORDER BY.
    pub fn limit_clause(self, limit: Option<i64>, offset: Option<i64>, ordered: bool) -> String {
        if limit.is_none() && offset.is_none() {
            return String::new();
        }
        match (self.limit, limit, offset) {
            (LimitForm::FirstSkip | LimitForm::Rownum, ..) | (LimitForm::Top, _, None) => String::new(),
            (LimitForm::FetchFirst, Some(limit), None) => format!(" FETCH FIRST {limit} ROWS ONLY"),
            (LimitForm::Top | LimitForm::FetchFirst, limit, offset) => {
                let order = if ordered { "" } else { " ORDER BY (SELECT NULL)" };
                let rows = limit.map(|limit| format!(" FETCH FIRST {limit} ROWS ONLY")).unwrap_or_default();
                format!("{order}\n OFFSET {} ROWS{rows}", offset.unwrap_or(0))
            }
            (LimitForm::AlwaysOffset, Some(limit), offset) => {
                format!("\n LIMIT {limit} OFFSET {}", offset.unwrap_or(0))
            }
            (LimitForm::Postgres, Some(limit), Some(offset)) => format!(" \n LIMIT {limit} OFFSET {offset}"),
            (LimitForm::Postgres | LimitForm::OffsetComma, Some(limit), None) => format!(" \n LIMIT {limit}"),
            (LimitForm::Postgres, None, Some(offset)) => format!("\n LIMIT ALL OFFSET {offset}"),
            (LimitForm::OffsetComma, Some(limit), Some(offset)) => format!(" \n LIMIT {offset}, {limit}"),
            (LimitForm::OffsetComma, None, Some(offset)) => {
                format!(" \n LIMIT {offset}, 18446744073709551615")
            }
            // The original's order for Presto is LIMIT first, which its grammar does not have.
            (LimitForm::OffsetFirst | LimitForm::OffsetLineFirst, Some(limit), Some(offset)) => {
                format!("\nOFFSET {offset}\nLIMIT {limit}")
            }
            (LimitForm::OffsetFirst | LimitForm::OffsetLineFirst, None, Some(offset)) => {
                format!("\nOFFSET {offset}")
            }
            (LimitForm::OffsetLineFirst, Some(limit), None) => format!("\nLIMIT {limit}"),
            (LimitForm::SameLine, Some(limit), Some(offset)) => format!(" OFFSET {offset}\n LIMIT {limit}"),
            (LimitForm::SameLine, Some(limit), None) => format!(" LIMIT {limit}"),
            (LimitForm::SameLine, None, Some(offset)) => format!(" OFFSET {offset}"),
            (LimitForm::OffsetFetch, limit, offset) => {
                let offset = offset.map(|offset| format!(" OFFSET {offset} ROWS ")).unwrap_or_default();
                offset + &limit.map(|limit| format!(" FETCH FIRST {limit} ROWS ONLY ")).unwrap_or_default()
            }
            (LimitForm::Ydb, limit, offset) => {
                let limit = limit.map(|limit| format!("\n LIMIT CAST({limit} AS UInt64)"));
                let offset = offset.map(|offset| format!(" OFFSET CAST({offset} AS UInt64)"));
                limit.unwrap_or_default() + &offset.unwrap_or_default()
            }
            (LimitForm::OffsetLine, Some(limit), Some(offset)) => {
                format!("\n LIMIT {limit}\n OFFSET {offset}")
            }
            (_, limit, offset) => {
                let offset = offset.map(|offset| format!(" OFFSET {offset}")).unwrap_or_default();
                format!("\n LIMIT {}{offset}", limit.unwrap_or(-1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Dialect {
        Dialect::named(name).unwrap()
    }

    /// A field that is misspelt would leave every dialect without its facts.
    #[test]
    fn the_file_is_read() {
        let all = read(include_str!("dialects.toml")).unwrap();
        assert!(all.values().all(|facts| RESERVED.contains_key(facts.reserved.as_str())));
        assert_eq!(all["starrocks"].quotes, ('`', '`'));
        assert_eq!(all["default"], DialectFacts::default());
    }

    #[test]
    fn quotes_only_where_needed() {
        let pg = named("postgres");
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
        assert_eq!(named("mysql").quote("a`b"), "`a``b`");
        assert_eq!(named("mssql").quote("a]b"), "[a]]b]");
        assert_eq!(named("clickhouse").quote("town"), "`town`");
        assert_eq!(named("clickhouse").quote("a`\\b"), "`a\\`\\\\b`");
    }

    /// Compiled with trino 0.340, PyHive 0.7 and clickhouse-connect 0.15 on SQLAlchemy 1.4.54.
    #[test]
    fn dialects_over_http() {
        let statement = |d: Dialect, limit, offset| {
            let table = format!("{}.{}", d.quote("web"), d.quote("Towns"));
            let (name, user, label) = (d.quote("name"), d.quote("user"), d.quote("Name x"));
            format!("SELECT {table}.{name} AS {label}, {table}.{user}{}", d.limit_clause(limit, offset, true))
        };
        for (dialect, limit, offset, want) in [
            (
                named("trino"),
                Some(10),
                Some(5),
                "SELECT web.\"Towns\".name AS \"Name x\", web.\"Towns\".user\nOFFSET 5\nLIMIT 10",
            ),
            (
                named("trino"),
                Some(10),
                None,
                "SELECT web.\"Towns\".name AS \"Name x\", web.\"Towns\".user\nLIMIT 10",
            ),
            (
                named("presto"),
                Some(10),
                None,
                "SELECT \"web\".\"Towns\".\"name\" AS \"Name x\", \"web\".\"Towns\".\"user\"\n LIMIT 10",
            ),
            (
                named("clickhouse"),
                Some(10),
                Some(5),
                "SELECT `web`.`Towns`.`name` AS `Name x`, `web`.`Towns`.`user`\n LIMIT 10 OFFSET 5",
            ),
        ] {
            assert_eq!(statement(dialect, limit, offset), want);
        }
        assert_eq!(named("trino").quote("order"), "\"order\"");
        assert_eq!(named("trino").string_literal("it's \\"), "'it''s \\'");
    }

    #[test]
    fn literals_stay_inside_their_quotes() {
        assert_eq!(named("postgres").string_literal("it's \\"), "'it''s \\\\'");
        assert_eq!(named("sqlite").string_literal("it's \\"), "'it''s \\'");
        assert_eq!(named("mysql").string_literal("\\'"), "'\\\\'''");
        assert_eq!(named("mssql").unicode_literal("ü'"), "N'ü'''");
        assert_eq!(named("sqlite").unicode_literal("ü"), "'ü'");
    }
}
