//! Texts that the parser cannot read, though their engine may: judged by their words.
//!
//! They are for people alone who may read the whole database and whom no row-level rule binds
//! (`commands::query_run::unread`): which tables such a text reads is not known. The lists of functions and tables hold
//! for every word, wherever it stands, and the session is one that cannot write.

use std::collections::HashSet;

use sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan},
};

use super::{
    dialect::{Family, SqlDialect},
    guard, lex,
};

/// Words inside a query that make it do more than to read; a text with one of them that is not quoted is not taken.
const ACTING: &[&str] = &[
    "ATTACH",
    "CALL",
    "COPY",
    "DELETE",
    "DUMPFILE",
    "EXECUTE",
    "INSERT",
    "INTO",
    "LOCK",
    "MERGE",
    "OUTFILE",
    "PROCEDURE",
    "SHARE",
    "UPDATE",
];

/// One statement that begins as a query does.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    text: String,
    /// Its words in upper case, those in quotes, too.
    words: HashSet<String>,
}

impl Unread {
    /// The text, if it may be handed to the engine at all.
    pub fn of(sql: &str, dialect: SqlDialect) -> Option<Self> {
        let known = matches!(
            dialect.family,
            Family::Postgres
                | Family::Mysql
                | Family::Sqlite
                | Family::DuckDb
                | Family::ClickHouse
                | Family::Presto
        );
        // comments that the engine obeys, and names in escapes
        let hides = sql.contains("/*!") || sql.contains("/*M!") || sql.to_lowercase().contains("u&\"");
        if !known || hides || !guard::is_short(sql) || sql.contains('\0') {
            return None;
        }
        let text = sql.trim().trim_end_matches(';').trim_end().to_owned();
        let tokens = lex::tokens(&text, dialect).ok()?;
        let begins = tokens
            .iter()
            .map(|token| &token.token)
            .find(|t| !matches!(t, Token::Whitespace(_) | Token::LParen));
        let is_query = matches!(
            begins,
            Some(Token::Word(word)) if word.quote_style.is_none()
                && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE)
        );
        let acts = |token: &TokenWithSpan| match &token.token {
            Token::SemiColon => true,
            Token::Word(word) => {
                word.quote_style.is_none() && ACTING.contains(&word.value.to_uppercase().as_str())
            }
            _ => false,
        };
        if !is_query || tokens.iter().any(acts) {
            return None;
        }
        let words = if text.contains('\\') {
            // where an escape ends is the engine's to say: whatever could be a word counts
            words_in(&text)
        } else {
            tokens.iter().flat_map(|token| words_of(&token.token)).collect()
        };
        Some(Self { text, words })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn words(&self) -> &HashSet<String> {
        &self.words
    }

    /// Whether a table may be read, whatever its schema. `name` in any case.
    pub fn may_name(&self, name: &str) -> bool {
        self.words.contains(&name.to_uppercase())
    }
}

fn words_of(token: &Token) -> HashSet<String> {
    match token {
        Token::Word(word) => words_in(&word.value),
        Token::DoubleQuotedString(text) => words_in(text),
        // variables, and whatever the parser has no name for
        Token::AtSign | Token::Whitespace(_) | Token::SingleQuotedString(_) => HashSet::new(),
        other => words_in(&other.to_string()),
    }
}

fn words_in(text: &str) -> HashSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@') || !c.is_ascii();
    text.split(|c| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use crate::sql::{Effect, Script, parse, parse_or_take_unread};

    /// Grammar that no parser of ours knows stands for all of it.
    const ODD: &str = "SELECT * FROM a MATCH~RECOGNISE b";

    fn unread(sql: &str, engine: &str) -> Option<Script> {
        assert!(parse(sql, engine).is_err(), "is read by now: {sql}");
        parse_or_take_unread(sql, engine).ok()
    }

    #[test]
    fn a_query_is_taken_as_it_stands() {
        let script = unread(&format!(" {ODD} ;; "), "postgresql").unwrap();
        assert!(script.is_unread() && !script.has_mutation());
        assert_eq!(script.format(), ODD);
        // which no grant covers
        assert_eq!(script.tables().iter().map(|t| t.table.as_str()).collect::<Vec<_>>(), [""]);
        assert!(!script.is_valid_ctas() && !script.is_valid_cvas());
        let mut script = script;
        script.statements_mut()[0].set_limit(5);
        assert_eq!(script.format(), ODD);
        assert!(!parse_or_take_unread("SELECT 1", "postgresql").unwrap().is_unread());
    }

    #[test]
    fn what_acts_is_not_taken() {
        for sql in [
            format!("{ODD}; SELECT 1"),
            format!("{ODD} FOR UPDATE"),
            "SELECT 1 INTO x FROM a MATCH~RECOGNISE b".into(),
            "WITH w AS (DELETE FROM a RETURNING *) SELECT * FROM w MATCH~RECOGNISE b".into(),
            "FROBNICATE a".into(),
            "DELETE FROM a MATCH~RECOGNISE".into(),
            format!("EXPLAIN ANALYZE {ODD}"),
            format!("{ODD} WHERE 'open"),
            format!("{ODD} /*! INTO OUTFILE '/tmp/x' */"),
            format!("{ODD}, U&\"\\0070g_shadow\""),
        ] {
            for engine in ["postgresql", "mysql", "sqlite"] {
                assert!(unread(&sql, engine).is_none(), "{engine} {sql}");
            }
        }
        assert!(unread("SELECT * FROM a MATCH~RECOGNISE b", "oracle").is_none());
    }

    #[test]
    fn lists_hold_for_every_word() {
        let effects = |sql: &str, engine| unread(sql, engine).unwrap().effects();
        for sql in [
            "SELECT pg_read_file('x') MATCH~RECOGNISE b",
            "SELECT \"pg_read_file\"('x') MATCH~RECOGNISE b",
            "SELECT PG_CATALOG.Pg_Read_File /* */ ('x') MATCH~RECOGNISE b",
            "SELECT E'\\\\' pg_read_file('x') MATCH~RECOGNISE b",
        ] {
            let found = effects(sql, "postgresql");
            assert!(found.contains(&("pg_read_file".into(), Effect::ReachesOut)), "{sql}: {found:?}");
        }
        assert!(
            unread("SELECT `load_file`('x') MATCH~RECOGNISE b", "mysql").unwrap().calls_any(&["load_file"])
        );
        assert!(unread("SELECT @@version MATCH~RECOGNISE b", "mysql").unwrap().calls_any(&["version"]));
        let named = |name: &str| {
            unread("SELECT * FROM s.\"Pg_Shadow\" MATCH~RECOGNISE b", "postgresql").unwrap().may_name(name)
        };
        assert!(named("pg_shadow") && !named("pg_user"));
        let opaque = unread("SELECT * FROM pg_stats MATCH~RECOGNISE b", "postgresql").unwrap();
        assert!(opaque.opaque_table().is_some());
    }
}
