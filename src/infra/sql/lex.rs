//! From text to tokens, for all who read foreign SQL.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace};

use super::dialect::{Family, SqlDialect};

/// Stands in tokens and printed texts for what no text may hold of itself ([`super::respell`]).
pub(super) const MARK: char = '\u{10FFFC}';
/// Stands for line breaks inside literals while lines are being indented ([`super::format`]).
pub(super) const LINE_BREAK: char = '\u{10FFFD}';

/// The tokens of a text. Blanks beyond ASCII, as they come with text from web pages and word processors, separate words
/// as they do to sqlglot; in literals, quoted names and comments they stay.
pub(super) fn tokens(sql: &str, dialect: SqlDialect) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    if sql.contains([MARK, LINE_BREAK]) {
        return Err(error("private characters", Location::new(1, 1)));
    }
    let read =
        |text: &str| Tokenizer::new(dialect.parser, text).with_unescape(false).tokenize_with_location();
    let is_blank = |c: char| is_odd_blank(c, dialect.family);
    if !sql.contains(is_blank) {
        return read(sql);
    }
    let plain: String = sql.chars().map(|c| if is_blank(c) { ' ' } else { c }).collect();
    let mut tokens = read(&plain)?;
    let source = Source::new(sql);
    for token in &mut tokens {
        if matches!(token.token, Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab))
        {
            continue;
        }
        let Some(own) = source.slice(token.span.start, token.span.end).filter(|own| own.contains(is_blank))
        else {
            continue;
        };
        // a quoted text: read again with the blanks that it has
        let mut again = read(&own)?.into_iter().map(|token| token.token);
        match (again.next(), again.next()) {
            (Some(only), None) => token.token = only,
            _ => return Err(error("a blank inside a word", token.span.start)),
        }
    }
    Ok(tokens)
}

fn error(message: &str, location: Location) -> TokenizerError {
    TokenizerError { message: message.to_owned(), location }
}

/// Blanks that separate words to Python (`str.isspace`), the mark of a byte order, and what ClickHouse and DuckDB take
/// for blanks besides. (Joiners of letters are parts of words elsewhere.)
fn is_odd_blank(c: char, family: Family) -> bool {
    match c {
        '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1f}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200d}' | '\u{2060}' => matches!(family, Family::DuckDb | Family::ClickHouse),
        _ => !c.is_ascii() && c.is_whitespace(),
    }
}

/// A text whose pieces are found by lines and columns.
struct Source {
    text: Vec<char>,
    /// Where lines begin.
    lines: Vec<usize>,
}

impl Source {
    fn new(sql: &str) -> Self {
        let text: Vec<char> = sql.chars().collect();
        let breaks = text.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Self { text, lines }
    }

    fn at(&self, location: Location) -> Option<usize> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        Some(self.lines.get(line)? + column)
    }

    fn slice(&self, start: Location, end: Location) -> Option<String> {
        Some(self.text.get(self.at(start)?..self.at(end)?)?.iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::parse;

    fn flat(sql: &str, engine: &str) -> String {
        parse(sql, engine).unwrap().statements()[0].format_flat()
    }

    #[test]
    fn blanks_of_every_kind_separate_words() {
        for blank in
            "\u{b}\u{c}\u{1c}\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}"
                .chars()
        {
            for engine in ["postgresql", "sqlite", "mysql", "clickhouse", "mssql", "duckdb", "trino", "base"]
            {
                let sql = format!(
                    "{blank}select{blank}a,{blank}b from{blank}t where{blank}x{blank}={blank}'y'{blank}"
                );
                assert_eq!(flat(&sql, engine), "SELECT a, b FROM t WHERE x = 'y'", "{blank:?} {engine}");
            }
        }
        assert_eq!(flat("select\u{200b}1", "clickhouse"), "SELECT 1");
        assert_eq!(flat("select\u{2060}1", "duckdb"), "SELECT 1");
    }

    #[test]
    fn blanks_stay_in_what_is_quoted() {
        let sql = "select\u{a0}'a\u{a0}\n\u{3000}b' as \"c\u{2003}d\" from t";
        assert_eq!(flat(sql, "postgresql"), "SELECT 'a\u{a0}\n\u{3000}b' AS \"c\u{2003}d\" FROM t");
        assert_eq!(flat("select\u{a0}`a\u{a0}b` from t", "mysql"), "SELECT `a\u{a0}b` FROM t");
        assert_eq!(flat("select $$a\u{a0}b$$,\u{a0}1", "postgresql"), "SELECT $$a\u{a0}b$$, 1");
        // two lines before it
        assert_eq!(flat("select 1,\r\n\n  'x\u{2028}',\u{a0}2", "sqlite"), "SELECT 1, 'x\u{2028}', 2");
        let shown = crate::sql::format_with_comments("select 1 -- a\u{a0}b", "postgresql").unwrap();
        assert_eq!(shown, "SELECT\n  1 /* a\u{a0}b */");
    }

    #[test]
    fn joiners_are_parts_of_words() {
        assert_eq!(flat("select می\u{200c}خواهم from t", "postgresql"), "SELECT می\u{200c}خواهم FROM t");
    }

    #[test]
    fn marks_of_our_own_are_refused() {
        for mark in [super::MARK, super::LINE_BREAK] {
            assert!(parse(&format!("select '{mark}'"), "postgresql").is_err());
        }
    }
}
